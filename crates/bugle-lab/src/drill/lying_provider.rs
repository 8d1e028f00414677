//! `lying-provider`: the first account of texts does not do what it says.

use std::time::{Duration, Instant};

use super::error::DrillError;
use super::gate::{self, Expected};
use super::measure::{self, Moment};
use super::scene::Scene;
use super::scorecard::Run;
use super::{Drill, Held};
use crate::knobs::{Answer, Knobs, Service};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "lying-provider",
    injects: "the first provider of texts accepts and loses, says delivered falsely, slows to \
              20 s, fails 5 % and then 100 %, with a backup of less capacity",
    variants: &["loses", "lies", "slow", "fails"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 4, 60);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));
/// How long it is looked on.
const LASTS: Duration = Duration::from_secs(15);
/// How long a part of the requests fails, before all do.
const IN_PART: Duration = Duration::from_secs(8);
/// A provider that is slow answers after this time.
const SLOW: Duration = Duration::from_secs(20);
/// Of so many requests one fails: 5 %.
const ONE_OF: u32 = 20;
/// The backup takes so long to answer: it does less at a time.
const BACKUP: Duration = Duration::from_millis(200);

/// What the first account of texts does from then on.
fn knobs(variant: &str) -> Option<(Knobs, &'static str)> {
    let behaves = Knobs::default();
    Some(match variant {
        "loses" => (Knobs { lose: true, ..behaves }, "accepts texts and loses them"),
        "lies" => {
            (Knobs { false_delivered: true, ..behaves }, "says of lost texts that they arrived")
        }
        "slow" => (Knobs { delay: SLOW, ..behaves }, "answers after 20 s"),
        "fails" => (Knobs::answering(Answer::Error(503)), "fails"),
        _ => return None,
    })
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of lying-provider"));
    let (knobs, what) = knobs(variant).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    let began = Instant::now();
    scene.pass(calm).await;
    scene.lab.set(Service::SpareTexts, Knobs { delay: BACKUP, ..Knobs::default() });
    if variant == "fails" {
        scene.timeline.note(format!("the first provider of texts fails once in {ONE_OF}"));
        scene.lab.set(Service::Texts, knobs.once_in(ONE_OF));
        scene.pass(IN_PART).await;
    }
    let injected = scene.timeline.inject(format!("the first provider of texts {what}"));
    scene.lab.set(Service::Texts, knobs);
    scene.pass(LASTS).await;
    let ended = Instant::now();
    let mut measured = scene.measure_outside(traffic, held.patience).await?;
    let events = scene.board.events();
    measure::others(&mut measured, &events, (began, injected, ended));
    let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
    measured.drained_s = measure::drained_s(&events, ended, moments);
    // A receipt that is false cannot be told from a true one: only an answer ends an escalation.
    let declared = variant != "lies";
    let expected = Expected { declared, mitigated: false, drained: true };
    let checks = gate::checks(&measured, expected);
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}
