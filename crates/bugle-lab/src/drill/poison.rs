//! `poison`: an event and a notification that make the code fail, and revisions that cannot be
//! read.
//!
//! Whatever it is, it stops nothing beside it, and does not go unseen.

use std::time::{Duration, Instant};

use bugle_domain::revision::Revision;
use serde_json::{Value, json};

use super::api;
use super::chance::Chance;
use super::company::{self, LEAD};
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure;
use super::orders::{Order, Piece, Word};
use super::scene::Scene;
use super::scorecard::{Measured, Run};
use super::traffic::{self, Traffic};
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "poison",
    injects: "an event and a notification that make the code fail; a revision that is truncated, \
              empty, twice the size",
    variants: &["event", "notification", "revision"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 4, 60);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(3));
/// How long it is looked on when nothing was broken, or when all is well again.
const AFTER: Duration = Duration::from_secs(2);
/// The dedup key of what makes the code fail.
const POISON: &str = "poison";
/// Those of events like any other to the same person, whom nobody takes before the texts went out.
const BESIDE: [&str; 2] = ["beside-1", "beside-2"];
/// What the fallback policy is told of an event that cannot be decided.
const QUARANTINED: &str = "bugle/quarantined/";
/// What the operators are told of a notification that the program failed at.
const FAILED: &str = "bugle/failed/";
/// Whoever is to be told of it is told within this time, in seconds. Messages to one person wait
/// 5 seconds for each other.
const TOLD_S: f64 = 10.0;
/// The operator of the drill's node.
const OPERATOR: (usize, usize) = (0, LEAD);
/// How long a stage may take to say that it stays where it is.
const SAID_WITHIN: Duration = Duration::from_secs(10);
/// The stage that is put on a revision which cannot be read.
const STAGE: &str = "dispatch";

/// What is poisoned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Poisoned {
    Event,
    Notification,
    Revision,
}

fn parse(variant: &str) -> Option<Poisoned> {
    match variant {
        "event" => Some(Poisoned::Event),
        "notification" => Some(Poisoned::Notification),
        "revision" => Some(Poisoned::Revision),
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of poison"));
    let poisoned = parse(variant).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic(PER_SECOND);
    let (began, calm) = (Instant::now(), scene.chance.time(BEFORE.0, BEFORE.1));
    scene.pass(calm).await;
    let since = (traffic, began);
    let (measured, checks) = match poisoned {
        Poisoned::Event => event(&mut scene, held, since).await?,
        Poisoned::Notification => notification(&mut scene, held, since).await?,
        Poisoned::Revision => revision(&mut scene, held, since).await?,
    };
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

type Outcome = Result<(Measured, Vec<Check>), DrillError>;

async fn fail_at(scene: &mut Scene, work: Piece) -> Result<(), DrillError> {
    let dedup_key = POISON.to_owned();
    scene.node.order(&Order::FailAt { work, dedup_key }).await.map(drop)
}

/// Sends something to one person; gives the event's id.
async fn send(scene: &Scene, to: (usize, usize), name: &str) -> Result<String, DrillError> {
    let api = scene.node.api(to.0).with_key(company::key(to.0, to.1));
    let answer = api.post("/api/v1/events", &traffic::event(name, "trigger")).await?;
    Ok(answer["id"].as_str().unwrap_or_default().to_owned())
}

/// Waits until somebody's program was told of something; gives after how many seconds.
async fn told(scene: &Scene, held: &Held, (key, whom): (&str, (usize, usize))) -> Option<f64> {
    scene.within(held.patience, || scene.board.told_beside(key, whom).is_some()).await;
    scene.timeline.since_s(scene.board.told_beside(key, whom)?)
}

/// Looks on for a while, and measures.
async fn measured(
    scene: &Scene,
    held: &Held,
    (traffic, began): (Traffic, Instant),
) -> Result<Measured, DrillError> {
    scene.pass(AFTER).await;
    let (injected, ended) = (scene.timeline.injected().unwrap_or(began), Instant::now());
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    measure::others(&mut measured, &scene.board.events(), (began, injected), (injected, ended));
    Ok(measured)
}

async fn event(scene: &mut Scene, held: &Held, since: (Traffic, Instant)) -> Outcome {
    let to = scene.somebody();
    fail_at(scene, Piece::Event).await?;
    let client = to.0 + 1;
    scene.timeline.inject(format!("client {client} sends an event that makes the engine fail"));
    let id = send(scene, to, POISON).await?;
    let told_s = told(scene, held, (QUARANTINED, (to.0, LEAD))).await;
    if told_s.is_some() {
        scene.timeline.note("the fallback policy is told of it");
    }
    let measured = measured(scene, held, since).await?;
    let found = scene.node.api(to.0).get(&format!("/api/v1/events/{id}")).await?;
    let said = found["outcome_text"].as_str().unwrap_or_default();
    let mut checks = gate::checks(&measured, Expected::NOTHING);
    checks.push(gate::within("the fallback policy is told", told_s, TOLD_S));
    checks.push(Check::new("on record", !found["outcome"].is_null(), said));
    Ok((measured, checks))
}

async fn notification(scene: &mut Scene, held: &Held, since: (Traffic, Instant)) -> Outcome {
    let to = scene.somebody();
    fail_at(scene, Piece::Text).await?;
    scene.timeline.inject("a text is owed that can't be composed, among others to its person");
    // The first goes out by itself; what comes within five seconds of it goes out as one.
    for name in [BESIDE[0], POISON, BESIDE[1]] {
        send(scene, to, name).await?;
    }
    let told_s = told(scene, held, (FAILED, OPERATOR)).await;
    if told_s.is_some() {
        scene.timeline.note("the operators are told of it");
    }
    let measured = measured(scene, held, since).await?;
    let mut checks = gate::checks(&measured, Expected::NOTHING);
    checks.push(gate::within("operators are told", told_s, TOLD_S));
    let tries = tries_of_text(scene, to.0, POISON).await?;
    let refused = tries.last().is_some_and(|last| last["outcome"] == "refused");
    let said = tries.last().and_then(|last| last["detail"].as_str()).unwrap_or("no try");
    checks.push(Check::new("failed, on record", refused, said));
    let mut gone = 0;
    for name in BESIDE {
        let tries = tries_of_text(scene, to.0, name).await?;
        gone += usize::from(tries.iter().any(|it| it["outcome"] == "accepted"));
    }
    let text = format!("{gone} of 2 to the same person went out");
    checks.push(Check::new("what goes out with it", gone == 2, text));
    Ok((measured, checks))
}

/// All tries of texts about something, as the books have them.
async fn tries_of_text(scene: &Scene, tenant: usize, key: &str) -> Result<Vec<Value>, DrillError> {
    let page = scene.alert(tenant, key).await?.unwrap_or_default();
    let told = page["told"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = told.iter().filter(|line| line["channel"] == "sms");
    Ok(texts.filter_map(|line| line["attempts"].as_array()).flatten().cloned().collect())
}

async fn revision(scene: &mut Scene, held: &Held, since: (Traffic, Instant)) -> Outcome {
    let first = scene.node.api(0).get("/api/v1/revisions/1").await?;
    let document = first["document"].as_str().unwrap_or_default().to_owned();
    let spoilt = spoilt(&document, &mut scene.chance);
    let mut refusals = Vec::new();
    for (what, text) in &spoilt {
        refusals.push(refused(scene, what, text).await?);
    }
    let Word::Kept { revision } = scene.node.order(&Order::Keep { document }).await? else {
        return Err(DrillError::Node("no revision was kept".to_owned()));
    };
    let unreadable = spoilt[0].1.clone();
    scene.node.order(&Order::Spoil { revision, document: unreadable }).await?;
    let text = format!("{STAGE} is put on revision {revision} directly, which can't be read");
    scene.timeline.inject(text);
    scene.node.order(&Order::Put { stage: STAGE.to_owned(), revision }).await?;
    let said = stays(scene).await?;
    scene.until_well(held.patience).await;
    let mut measured = measured(scene, held, since).await?;
    measured.mitigated_s = scene.lookout.seen().changed.and_then(|at| scene.timeline.since_s(at));
    // The stage runs on with what it had, so the public has nothing to be told.
    let expected = Expected { drained: false, others: true, named: &[], ..Expected::ALL };
    let mut checks = refusals;
    let kept = said.as_ref().is_some_and(|said| said.contains("runs revision 1;"));
    checks.push(Check::new("stays on its last good one", kept, said.unwrap_or_default()));
    checks.extend(gate::checks(&measured, expected));
    Ok((measured, checks))
}

/// A document as it is when something went wrong with its file.
fn spoilt(document: &str, chance: &mut Chance) -> [(&'static str, String); 3] {
    let half = document.len() / 2;
    let cut: String = document.chars().take(half / 2 + chance.place(half)).collect();
    [("truncated", cut), ("empty", String::new()), ("twice the size", document.repeat(2))]
}

/// Tries to have a document run, with force; it must be refused with every mistake in it.
async fn refused(scene: &Scene, what: &'static str, document: &str) -> Result<Check, DrillError> {
    let wanted = json!({ "document": document, "reason": "a new file", "force": true });
    let said = api::refusal(scene.node.api(0).post("/api/v1/changes", &wanted).await)?;
    let said = said.unwrap_or_default();
    let mistakes = Revision::parse(document).err().map(|mistakes| mistakes.0).unwrap_or_default();
    let named = mistakes.iter().filter(|mistake| said.contains(&mistake.to_string())).count();
    let (all, begins) = (mistakes.len(), said.chars().take(80).collect::<String>());
    let text = format!("{what}: {named} of {all} mistakes are named: {begins}…");
    scene.timeline.note(format!("a revision that is {text}"));
    Ok(Check::new("refused with all mistakes", all > 0 && named == all, text))
}

/// What the node says of the stage that was put on what it can't read.
async fn stays(scene: &Scene) -> Result<Option<String>, DrillError> {
    let began = Instant::now();
    while began.elapsed() < SAID_WITHIN {
        let doctor = scene.node.api(0).get("/api/v1/doctor").await?;
        let is_it = |check: &&Value| {
            check["name"].as_str().is_some_and(|name| name.starts_with(&format!("stage {STAGE}")))
        };
        let checks = doctor["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(check) = checks.iter().find(is_it) {
            let said = check["text"].as_str().unwrap_or_default().to_owned();
            scene.timeline.note(format!("{STAGE} {said}"));
            return Ok(Some(said));
        }
        scene.pass(Duration::from_millis(100)).await;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_cut_off_or_doubled_can_not_be_read() {
        let document = Revision::standard(std::collections::BTreeMap::new()).to_string();
        for seed in 0..200 {
            for (what, text) in spoilt(&document, &mut Chance::new(seed)) {
                assert!(Revision::parse(&text).is_err(), "{what}, seed {seed}:\n{text}");
            }
        }
    }
}
