//! `two-calls`: all is green, and two clients' events are accepted and lost where no book knows of
//! them. What they say is all there is to know it by.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::company::{self, LEAD};
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure;
use super::orders::Order;
use super::scene::Scene;
use super::scorecard::Run;
use super::traffic;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "two-calls",
    injects: "two clients' events are accepted and lost while all is green; they say so",
    variants: &["two", "one"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (4, 3, 60);
/// The tenants that nothing happens to; the first one's lead is the operator.
const OTHERS: std::ops::Range<usize> = 0..2;
/// The tenants whose events are lost.
const CALLERS: [usize; 2] = [2, 3];
/// Events a second of each tenant that nothing happens to.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance; the same again passes before anybody calls.
const BEFORE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3));
/// The operator of the drill's node.
const OPERATOR: (usize, usize) = (0, LEAD);
/// What the operators are told of assistance requests.
const ABOUT: &str = "bugle/assistance/";
/// An operator is paged within this time after the call that is enough, in seconds.
const PAGED_S: f64 = 300.0;

/// What callers can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Calls {
    /// By which way in they sent something, and when: that nothing came explains one of them.
    Two,
    /// The event, which was accepted and is in no book: one is enough.
    One,
}

fn parse(variant: &str) -> Option<Calls> {
    match variant {
        "two" => Some(Calls::Two),
        "one" => Some(Calls::One),
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of two-calls"));
    let calls = parse(variant).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic_of(OTHERS, PER_SECOND);
    let (began, calm) = (Instant::now(), scene.chance.time(BEFORE.0, BEFORE.1));
    scene.pass(calm).await;
    scene.node.order(&Order::Swallow { tenants: CALLERS.to_vec() }).await?;
    scene.timeline.inject("what clients 3 and 4 send is accepted and lost");
    let sent = lose(&scene).await?;
    let wait = scene.chance.time(BEFORE.0, BEFORE.1);
    scene.pass(wait).await;
    let (paged_s, mut checks) = call(&scene, held, (calls, &sent)).await?;
    checks.push(gate::within("an operator is paged", paged_s, PAGED_S));
    checks.extend(traced(&scene, calls).await?);
    scene.pass(wait).await;
    let (injected, ended) = (scene.timeline.injected().unwrap_or(began), Instant::now());
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    measure::others(&mut measured, &scene.board.events(), (began, injected), (injected, ended));
    measured.more.extend(paged_s.map(|paged_s| ("call to page, s", paged_s)));
    let green = measured.detected_s.is_none();
    checks.push(Check::new("all is green", green, "the watch sees nothing, and need not"));
    checks.extend(gate::checks(&measured, Expected::NOTHING));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// Sends an event of each caller; gives their ids, which were answered with 2xx.
async fn lose(scene: &Scene) -> Result<Vec<String>, DrillError> {
    let mut ids = Vec::new();
    for tenant in CALLERS {
        let api = scene.node.api(tenant).with_key(company::key(tenant, 1));
        let event = traffic::event(&format!("lost-{tenant}"), "trigger");
        let answer = api.post("/api/v1/events", &event).await?;
        ids.push(answer["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(ids)
}

/// Has the clients call; gives how many seconds after the call that is enough an operator was
/// paged.
async fn call(
    scene: &Scene,
    held: &Held,
    (calls, sent): (Calls, &[String]),
) -> Result<(Option<f64>, Vec<Check>), DrillError> {
    let mut checks = Vec::new();
    let mut called = Instant::now();
    let callers = if calls == Calls::One { &CALLERS[..1] } else { &CALLERS[..] };
    for (place, (tenant, event)) in callers.iter().zip(sent).enumerate() {
        let told = scene.board.told_beside(ABOUT, OPERATOR).is_some();
        if place > 0 {
            checks.push(Check::new("one alone pages nobody", !told, "it is explained"));
        }
        let api = scene.node.api(*tenant);
        let integration = way_in(&api.get("/api/v1/integrations?limit=200").await?);
        let expected = format!("client {} waits for a page that does not come", tenant + 1);
        let mut new = json!({ "expected": expected, "integration": integration });
        if calls == Calls::One {
            new["event"] = event.as_str().into();
        }
        api.post("/api/v1/assistance", &new).await?;
        called = Instant::now();
        scene.timeline.note(format!("client {} says that nobody was paged", tenant + 1));
        if place + 1 < callers.len() {
            scene.pass(BEFORE.0).await;
        }
    }
    let told = || scene.board.told_beside(ABOUT, OPERATOR);
    scene.within(held.patience, || told().is_some()).await;
    let paged_s = told().map(|at| at.saturating_duration_since(called).as_secs_f64());
    if paged_s.is_some() {
        scene.timeline.note("an operator is paged");
        let rang = scene.within(held.patience, || !scene.board.alarms().is_empty()).await;
        checks.push(Check::new("the alarm rings, too", rang, "apart from the pipeline"));
    }
    Ok((paged_s, checks))
}

/// The id of the first person's way in.
fn way_in(list: &Value) -> Value {
    let name = company::way_in_name(1);
    let all = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = all.iter().find(|it| it["name"] == name.as_str());
    own.map(|it| it["id"].clone()).unwrap_or_default()
}

/// Whether each request has its trace on the operators' screen, its path is seen to stop where the
/// events are lost, and it can be answered and closed.
async fn traced(scene: &Scene, calls: Calls) -> Result<Vec<Check>, DrillError> {
    let api = scene.node.api(OPERATOR.0);
    let list = api.get("/api/v1/assistance?all=1").await?;
    let all = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let cause = if calls == Calls::One { "no_such_event" } else { "nothing_came" };
    let mut checks = Vec::new();
    for request in all {
        let path = format!("/api/v1/assistance/{}", request["id"].as_str().unwrap_or_default());
        let whole = api.get(&path).await?;
        let found = whole["finding"]["text"].as_str().unwrap_or("nothing").to_owned();
        let there = !whole["trace"].is_null() && whole["finding"]["cause"] == cause;
        checks.push(Check::new("the trace is there", there, found));
        let replica = api.post(&format!("{path}/replicate"), &json!({})).await?;
        let stops = replica["replica"]["stops_at"].clone();
        let text = format!("replicated, it stops at {stops}");
        checks.push(Check::new("its path is seen to stop", stops == "intake", text));
        let answer = json!({ "text": "Your events were lost. We are on it." });
        api.post(&format!("{path}/answer"), &answer).await?;
        let closed = api.post(&format!("{path}/close"), &json!({})).await?;
        let status = closed["status"].as_str().unwrap_or_default();
        checks.push(Check::new("answered and closed", status == "closed", status));
    }
    Ok(checks)
}
