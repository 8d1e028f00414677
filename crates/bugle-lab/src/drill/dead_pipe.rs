//! `dead-pipe`: a stage stands still while events come in, and goes on.
//!
//! Alerting for as long as it takes to be seen; dispatch for twenty minutes, with much owed, of
//! which most is over when it goes on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;
use serde_json::Value;

use super::board::{Board, Sent};
use super::company;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::load::{self, Shot};
use super::measure::{self, Moment};
use super::orders::Order;
use super::scene::Scene;
use super::scorecard::Run;
use super::traffic::{self, Post};
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "dead-pipe",
    injects: "alerting stopped; dispatch stopped for 20 minutes with 100,000 owed, 60 % of them \
              over meanwhile",
    variants: &["alerting", "dispatch"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Where alerting stops: a level waits less than the stall lasts.
const SHORT: (usize, usize, u32) = (3, 4, 10);
/// Where dispatch stops: a level waits a quarter of the stall.
const LONG: (usize, usize, u32) = (4, 4, 300);
/// The tenant that owes nothing: the last one of the long stall.
const OTHER: usize = 3;
/// Events a second of each tenant with steady traffic.
const PER_SECOND: f64 = 2.0;
/// The same of the tenant that owes nothing, so that there is enough to measure.
const OTHERS_PER_SECOND: f64 = 8.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(4));
/// How long a stall may take to be seen.
const SEEN_WITHIN: Duration = Duration::from_secs(20);
/// Alerting stands still for this long after that was declared, by chance.
const AND_THEN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// Notifications owed, where nothing else is asked for.
const OWED: u32 = 100_000;
/// Notifications that each event owes: a program and a phone.
const OWED_BY_EVENT: usize = 2;
/// The stall, in parts, between which events come in.
const PARTS: usize = 4;
/// How much time passes at once after each part, in seconds.
const PART_S: i64 = 300;
/// After it, digests are gathered for up to a minute and a half, in seconds.
const GATHERED_S: i64 = 120;
/// Of ten events so many are over before anybody was told.
const OVER_OF_TEN: usize = 6;
/// Texts that a phone may get of a backlog: one of what is urgent, and one digest, for each two
/// thousand of its tenant's.
const TEXTS_OF_BATCH: usize = 2;
const BATCH: usize = 2_000;
/// How often the books are looked at: they count what waits, and much does.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a backlog may take to go out, all in all.
const DRAIN_LIMIT: Duration = Duration::from_mins(4);

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    match variant {
        "alerting" => alerting(held).await,
        "dispatch" => dispatch(held).await,
        _ => Err(DrillError::Unknown(format!("variant {variant} of dead-pipe"))),
    }
}

async fn hold(scene: &mut Scene, stage: Stage, held: bool) -> Result<(), DrillError> {
    let stage = stage.as_str().to_owned();
    scene.node.order(&Order::Hold { stage, held }).await.map(drop)
}

async fn alerting(held: &Held) -> Result<Run, DrillError> {
    let mut scene = Scene::open(held, SHORT).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    scene.pass(calm).await;
    let injected = scene.timeline.inject("alerting stops");
    hold(&mut scene, Stage::Alerting, true).await?;
    scene.within(SEEN_WITHIN.min(held.patience), || scene.lookout.seen().declared.is_some()).await;
    let more = scene.chance.time(AND_THEN.0, AND_THEN.1);
    scene.pass(more).await;
    scene.timeline.note("alerting goes on");
    hold(&mut scene, Stage::Alerting, false).await?;
    let started = Instant::now();
    scene.within(SEEN_WITHIN, || scene.board.pages().iter().any(|at| *at > started)).await;
    scene.pass(AND_THEN.1).await;
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    if let Some(stall) = measure::stall(&scene.board.pages(), (injected, started)) {
        measured.stall_s = Some(stall.length().as_secs_f64());
        let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
        measured.drained_s = measure::drained_s(&scene.board.events(), stall.to, moments);
    }
    let checks = gate::checks(&measured, EXPECTED);
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new("alerting", measured, checks, timeline))
}

/// Somebody stopped it and starts it again: nothing ends by itself here.
const EXPECTED: Expected = Expected { mitigated: false, ..Expected::ALL };

async fn dispatch(held: &Held) -> Result<Run, DrillError> {
    let mut scene = Scene::open(held, LONG).await?;
    let others = scene.traffic_of(OTHER..OTHER + 1, OTHERS_PER_SECOND);
    let began = Instant::now();
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    scene.pass(calm).await;
    let injected = scene.timeline.inject("dispatch stops");
    hold(&mut scene, Stage::Dispatch, true).await?;
    scene.within(SEEN_WITHIN.min(held.patience), || scene.lookout.seen().declared.is_some()).await;
    // The other tenant is quiet while time passes at once, so that nobody there is thinking then.
    others.end_sending().await;
    let thinks = |sent: &Sent| sent.told.is_some() && sent.over.is_none();
    scene.within(SEEN_WITHIN, || scene.board.all(|sent| !thinks(sent))).await;
    others.end().await;
    let events = owe(&mut scene, held).await?;
    most_is_over(&mut scene, &events).await;
    decided(&scene).await?;
    scene.timeline.note("dispatch goes on");
    let stalled = injected.elapsed() + passed(PARTS);
    hold(&mut scene, Stage::Dispatch, false).await?;
    let started = Instant::now();
    let others = scene.traffic_of(OTHER..OTHER + 1, OTHERS_PER_SECOND);
    let drained = drain(&mut scene, started).await?;
    let ended = Instant::now();
    scene.pass(AND_THEN.1).await;
    let mut measured = scene.measure_outside(others, held.patience).await?;
    measured.stall_s = Some(stalled.as_secs_f64());
    measured.drained_s = drained.map(|drained| drained.as_secs_f64());
    let board = scene.board.events();
    let other = board.iter().filter(|sent| sent.tenant == OTHER);
    measure::others(&mut measured, other, (began, injected), (started, ended));
    measured.more.insert("events kept waiting", measure::to_f64(measure::count(events.len())));
    let mut checks = gate::checks(&measured, Expected { others: true, ..EXPECTED });
    checks.push(no_flood(&scene, events.len()));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new("dispatch", measured, checks, timeline))
}

/// The simulated time of so many parts.
fn passed(parts: usize) -> Duration {
    let seconds = u64::try_from(PART_S).unwrap_or(0);
    Duration::from_secs(seconds) * u32::try_from(parts).unwrap_or(0)
}

/// An event of the backlog: its number, and whose it is.
type Owed = (usize, (usize, usize));

/// Sends what is to be owed, in parts of the stall.
async fn owe(scene: &mut Scene, held: &Held) -> Result<Vec<Owed>, DrillError> {
    let owed = usize::try_from(held.scale.unwrap_or(OWED)).unwrap_or(0);
    let mut events = Vec::new();
    for part in 1..=PARTS {
        let mut new: Vec<Owed> = Vec::new();
        for _ in 0..owed / OWED_BY_EVENT / PARTS {
            let whose = (scene.chance.place(OTHER), scene.chance.place(scene.plan.people) + 1);
            new.push((scene.board.begin(whose.0, Instant::now()), whose));
        }
        let shots = new.iter().map(|owed| shot(scene, *owed, "trigger")).collect();
        load::fire(shots, (&scene.board, &scene.timeline), "events", Board::accepted).await;
        events.extend(new);
        decided(scene).await?;
        scene.node.order(&Order::Forward { seconds: PART_S }).await?;
        let (minutes, owed) = (passed(part).as_secs() / 60, waiting(scene).await?);
        scene.timeline.note(format!("{minutes} minutes have passed; {owed} notifications wait"));
    }
    Ok(events)
}

/// What is said about an event; every other one is no more urgent than a mail.
fn shot(scene: &Scene, (event, (tenant, person)): Owed, action: &str) -> Shot {
    let mut body = traffic::event(&Board::name(event), action);
    body["severity"] = Value::from(if event.is_multiple_of(2) { "critical" } else { "low" });
    Shot { post: Post::native(&scene.node.api(tenant), (tenant, person), body), event }
}

/// What waits of the tenants that owe something.
async fn waiting(scene: &Scene) -> Result<u64, DrillError> {
    let mut waiting = 0;
    for tenant in 0..OTHER {
        let ledger = scene.node.api(tenant).get("/api/v1/ledger").await?;
        let total = &ledger["total"];
        waiting += total["waiting"].as_u64().unwrap_or(0) + total["sending"].as_u64().unwrap_or(0);
    }
    Ok(waiting)
}

/// Waits until everything that came in is decided.
async fn decided(scene: &Scene) -> Result<(), DrillError> {
    let (api, began) = (scene.node.api(0), Instant::now());
    while began.elapsed() < DRAIN_LIMIT {
        if api.sums().await?.pending == 0 {
            return Ok(());
        }
        scene.pass(LOOK_EVERY).await;
    }
    Err(scene.node.never("a decision on every event", DRAIN_LIMIT))
}

/// Most of it is resolved, by those who sent it.
async fn most_is_over(scene: &mut Scene, events: &[Owed]) {
    let mut order = events.to_vec();
    scene.chance.shuffle(&mut order);
    order.truncate(events.len() * OVER_OF_TEN / 10);
    let shots = order.iter().map(|owed| shot(scene, *owed, "resolve")).collect();
    load::fire(shots, (&scene.board, &scene.timeline), "resolutions", Board::over).await;
    scene.timeline.note(format!("{} of {} are resolved meanwhile", order.len(), events.len()));
}

/// Waits until nothing waits any more; gives how long that took, with the minutes that were let
/// pass for digests.
async fn drain(scene: &mut Scene, started: Instant) -> Result<Option<Duration>, DrillError> {
    let told = |event: &Sent| event.tenant == OTHER || event.is_dealt_with();
    if !scene.within(DRAIN_LIMIT, || scene.board.all(told)).await {
        return Ok(None);
    }
    let seconds = started.elapsed().as_secs_f64();
    scene.timeline.note(format!("every program was told of what is open after {seconds:.1} s"));
    scene.node.order(&Order::Forward { seconds: GATHERED_S }).await?;
    let began = Instant::now();
    while waiting(scene).await? > 0 {
        if began.elapsed() > DRAIN_LIMIT {
            return Ok(None);
        }
        scene.pass(LOOK_EVERY).await;
    }
    scene.timeline.note("digests have gone out; nothing waits any more");
    Ok(Some(started.elapsed() + Duration::from_secs(GATHERED_S.unsigned_abs())))
}

/// Nobody gets a message for each of what was owed.
fn no_flood(scene: &Scene, events: usize) -> Check {
    let people = |tenant| (1..=scene.plan.people).map(move |person| company::phone(tenant, person));
    let phones: BTreeSet<String> = (0..OTHER).flat_map(people).collect();
    let batches = (events / OTHER).div_ceil(BATCH).max(1);
    let most = measure::count(phones.len() * TEXTS_OF_BATCH * batches);
    let texts = scene.board.texts_to(|phone| phones.contains(phone));
    let phones = phones.len();
    let text = format!("{texts} texts to {phones} phones about {events} events, at most {most}");
    Check::new("no flood", texts <= most, text)
}
