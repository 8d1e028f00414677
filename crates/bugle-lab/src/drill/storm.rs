//! `storm`: one tenant sends a hundred times as much as before, within its quotas or far over them,
//! or every tenant ten times.
//!
//! Senders keep to their times, however long they are kept waiting.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::board::Refusal;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{self, Moment};
use super::scene::{Extra, Scene};
use super::scorecard::Run;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "storm",
    injects: "one tenant sends a hundred times as much, with and without quotas; every tenant ten \
              times, for a minute",
    variants: &["one", "over-quota", "everyone"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 8, 60);
/// Events a second of each tenant before the storm.
const PER_SECOND: f64 = 2.0;
/// Where quotas are in the way, events a minute of each way in: a third more than come before the
/// storm.
const QUOTA: u32 = 20;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(9), Duration::from_secs(11));
/// How a client of a dialect is told that it sends too much, so that it comes again.
const TOO_MUCH: u16 = 429;
/// Dialects that a storm speaks.
const DIALECTS: usize = 2;

/// A storm.
struct Storm {
    /// Whether every tenant sends more, and not only one.
    everyone: bool,
    /// How many times as much.
    times: u32,
    lasts: Duration,
    quota: Option<u32>,
}

fn parse(variant: &str, scale: Option<u32>) -> Option<Storm> {
    let lasts = Duration::from_secs(20);
    let one = Storm { everyone: false, times: scale.unwrap_or(100), lasts, quota: None };
    match variant {
        "one" => Some(one),
        "over-quota" => Some(Storm { quota: Some(QUOTA), ..one }),
        "everyone" => {
            let (times, lasts) = (scale.unwrap_or(10), Duration::from_mins(1));
            Some(Storm { everyone: true, times, lasts, ..one })
        }
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of storm"));
    let Storm { everyone, times, lasts, quota } = parse(variant, held.scale).ok_or_else(unknown)?;
    let extra = Extra { quota: quota.unwrap_or(Extra::NONE.quota), ..Extra::NONE };
    let mut scene = Scene::open_with(held, COMPANY, extra).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    let began = Instant::now();
    scene.pass(calm).await;
    let stormy = scene.chance.place(COMPANY.0);
    let tenants: Vec<usize> = if everyone { (0..COMPANY.0).collect() } else { vec![stormy] };
    let who = if everyone { "every tenant".to_owned() } else { format!("client {}", stormy + 1) };
    let injected = scene.timeline.inject(format!("{who} sends {times} times as much"));
    for tenant in tenants {
        let more = PER_SECOND * f64::from(times.saturating_sub(1));
        traffic.add_storm(tenant, more, &mut scene.chance);
    }
    scene.pass(lasts).await;
    scene.timeline.note("it is over");
    let ended = Instant::now();
    traffic.end_sending().await;
    let mut measured = scene.measure_outside(traffic, held.patience).await?;
    let events = scene.board.events();
    // A storm of everybody spares nobody: then everybody's are measured.
    let others = events.iter().filter(|sent| everyone || sent.tenant != stormy);
    measure::others(&mut measured, others, (began, injected), (injected, ended));
    let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
    measured.drained_s = measure::drained_s(&events, ended, moments);
    let in_storm = events.iter().filter(|sent| sent.begun >= injected).count();
    let per_second = measure::to_f64(measure::count(in_storm)) / lasts.as_secs_f64();
    measured.more.insert("events a second", per_second);
    let mut checks = gate::checks(&measured, Expected { drained: true, ..Expected::NOTHING });
    checks.extend(quota.map(|_| turned_away(&scene)));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// What is over a quota is turned away, as the clients of each dialect understand it.
fn turned_away(scene: &Scene) -> Check {
    let refusals = scene.board.all_turned_away();
    let as_expected =
        |it: &&Refusal| it.status == TOO_MUCH && it.retry_after_s.is_some_and(|after| after > 0);
    let by: BTreeSet<&str> = refusals.keys().filter(as_expected).map(|it| it.path).collect();
    let ok = by.len() == DIALECTS && refusals.keys().all(|it| as_expected(&it));
    let said = |(it, count): (&Refusal, &u64)| {
        let after = it.retry_after_s.map_or(String::new(), |after| format!(", again in {after} s"));
        format!("{count} by {} with {}{after}", it.path, it.status)
    };
    let text: Vec<String> = refusals.iter().map(said).collect();
    Check::new("turned away over its quota", ok, text.join("; "))
}
