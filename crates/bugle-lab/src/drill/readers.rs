//! `readers`: ten thousand subscribers of the status page are told by mail while urgent pages go
//! out, which must not wait for any of them.

use std::time::{Duration, Instant};

use bugle_app::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure;
use super::scene::{Extra, Scene};
use super::scorecard::Run;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "readers",
    injects: "10,000 subscribers of the status page are told by mail while urgent pages go out",
    variants: &[""],
    more_variants: &[],
    run: |held, _| Box::pin(run(held)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 8, 60);
/// Events a second of each tenant.
const PER_SECOND: f64 = 5.0;
/// How long nobody is told before it, by chance: pages enough for a percentile.
const BEFORE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(22));
/// Subscribers, unless it is held at another scale.
const READERS: u32 = 10_000;
/// Each may take so long on average, beside what a drill waits for anything.
const EACH: Duration = Duration::from_millis(50);
/// How far away is what they are told of.
const AWAY: SignedDuration = SignedDuration::from_hours(24);

async fn run(held: &Held) -> Result<Run, DrillError> {
    let readers = held.scale.unwrap_or(READERS);
    let mut scene = Scene::open_with(held, COMPANY, Extra { readers, ..Extra::NONE }).await?;
    let traffic = scene.traffic(PER_SECOND);
    let (began, calm) = (Instant::now(), scene.chance.time(BEFORE.0, BEFORE.1));
    scene.pass(calm).await;
    let injected = scene.timeline.inject(format!("{readers} subscribers are told"));
    announce(&scene).await?;
    let all = u64::from(readers);
    let told = scene.within(held.patience + EACH * readers, || scene.board.readers() >= all).await;
    let ended = Instant::now();
    let took = (ended - injected).as_secs_f64();
    scene.timeline.note(format!("{} of them were told in {took:.0} s", scene.board.readers()));
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    let events = scene.board.events();
    measure::others(&mut measured, &events, (began, injected), (injected, ended));
    measured.more.insert("readers a second", measure::to_f64(scene.board.readers()) / took);
    let mut checks = gate::checks(&measured, Expected::NOTHING);
    let text = format!("{} of {readers}, in {took:.0} s", scene.board.readers());
    checks.push(Check::new(
        "every reader is told once",
        told && scene.board.readers() == all,
        text,
    ));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new("", measured, checks, timeline))
}

/// Announces a maintenance, which breaks nothing and is told like all else.
async fn announce(scene: &Scene) -> Result<(), DrillError> {
    let from = Clock::system().now().saturating_add(AWAY).unwrap_or(Timestamp::MAX);
    let until = from.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
    let maintenance = json!({
        "title": "New disks", "text": "The web interface is away for a minute.",
        "components": ["web"], "from": from, "until": until,
    });
    scene.node.api(0).post("/api/v1/bulletins", &maintenance).await.map(drop)
}
