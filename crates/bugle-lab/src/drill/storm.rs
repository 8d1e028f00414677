//! `storm`: one tenant sends a hundred times as much as before, or every tenant ten times.

use std::time::{Duration, Instant};

use super::error::DrillError;
use super::gate::{self, Expected};
use super::measure::{self, Moment};
use super::scene::Scene;
use super::scorecard::Run;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "storm",
    injects: "one tenant sends a hundred times as much; every tenant ten times, for a minute",
    variants: &["one", "everyone"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 8, 60);
/// Events a second of each tenant before the storm.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(9), Duration::from_secs(11));
/// A storm's senders, of which each keeps to its own part of the rate.
const SENDERS: u32 = 20;

/// Who storms, how many times as much, and for how long.
fn parse(variant: &str, scale: Option<u32>) -> Option<(bool, u32, Duration)> {
    match variant {
        "one" => Some((false, scale.unwrap_or(100), Duration::from_secs(20))),
        "everyone" => Some((true, scale.unwrap_or(10), Duration::from_mins(1))),
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of storm"));
    let (everyone, times, lasts) = parse(variant, held.scale).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    let began = Instant::now();
    scene.pass(calm).await;
    let stormy = scene.chance.place(COMPANY.0);
    let tenants: Vec<usize> = if everyone { (0..COMPANY.0).collect() } else { vec![stormy] };
    let who = if everyone { "every tenant".to_owned() } else { format!("client {}", stormy + 1) };
    let injected = scene.timeline.inject(format!("{who} sends {times} times as much"));
    for tenant in &tenants {
        let more = PER_SECOND * f64::from(times.saturating_sub(1)) / f64::from(SENDERS);
        for _ in 0..SENDERS {
            traffic.add_sender(*tenant, more, &mut scene.chance);
        }
    }
    scene.pass(lasts).await;
    traffic.end_sending();
    scene.timeline.note("it is over");
    let ended = Instant::now();
    let mut measured = scene.measure_outside(traffic, held.patience).await?;
    let events = scene.board.events();
    // A storm of everybody spares nobody: then everybody's are measured.
    let others = events.iter().filter(|sent| everyone || sent.tenant != stormy);
    measure::others(&mut measured, others, (began, injected, ended));
    let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
    measured.drained_s = measure::drained_s(&events, ended, moments);
    let in_storm = events.iter().filter(|sent| sent.begun >= injected).count();
    let per_second = measure::to_f64(measure::count(in_storm)) / lasts.as_secs_f64();
    measured.more.insert("events a second", per_second);
    let expected = Expected { declared: false, mitigated: false, drained: true };
    let checks = gate::checks(&measured, expected);
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}
