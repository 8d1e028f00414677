//! `lying-provider`: the first account of texts does not do what it says.
//!
//! Everybody has a program, too, which tells them in time; so texts are counted by themselves. One
//! page is answered by nobody, and must go on to the next level, whatever is said of its text.

use std::time::{Duration, Instant};

use super::books::Texts;
use super::company::LEAD;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{self, Moment};
use super::public::TEXTS;
use super::scene::Scene;
use super::scorecard::Run;
use super::traffic::{self, Post, Zeal};
use super::{Drill, Held};
use crate::knobs::{Answer, Knobs, Service};
use tokio_util::sync::CancellationToken;

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "lying-provider",
    injects: "the first provider of texts accepts and loses, says delivered falsely, slows to \
              20 s, fails 5 % and then 100 %, with a backup of less capacity",
    variants: &["loses", "lies", "slow", "fails"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Seconds that a level waits.
const LEVEL_S: u32 = 15;
/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 4, LEVEL_S);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(6));
/// How long it is looked on.
const LASTS: Duration = Duration::from_secs(15);
/// The dedup key of what nobody answers.
const UNANSWERED: &str = "unanswered";
/// The next level is told at most so much later than it should be, in seconds.
const LATE_S: f64 = 5.0;
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
    let level_s = next_level_told(&mut scene, held).await;
    let ended = Instant::now();
    let (mut measured, books) = scene.measure(traffic, held.patience).await?;
    let events = scene.board.events();
    measure::others(&mut measured, &events, (began, injected), (injected, ended));
    let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
    measured.drained_s = measure::drained_s(&events, ended, moments);
    let texts = books.texts_owed(|name| scene.board.has_arrived(name));
    measured.more.insert("texts and calls owed", measure::to_f64(texts.owed));
    measured.more.insert("of those lost", measure::to_f64(texts.lost));
    // A receipt that is false cannot be told from a true one: only an answer ends an escalation.
    let declared = variant != "lies";
    let named = if declared { TEXTS } else { &[] };
    let expected = Expected { declared, drained: true, named, ..Expected::NOTHING };
    let mut checks = gate::checks(&measured, expected);
    checks.extend(texts_check(variant, texts));
    let limit = f64::from(LEVEL_S) + LATE_S;
    checks.push(gate::within("nobody answers: the next level is told", level_s, limit));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// Sends what nobody will answer, and looks on until the next level is told of it; gives after how
/// many seconds it was.
async fn next_level_told(scene: &mut Scene, held: &Held) -> Option<f64> {
    let (tenant, person) = scene.somebody();
    let body = traffic::event(UNANSWERED, "trigger");
    let (sent, over) = (Instant::now(), CancellationToken::new());
    let post = Post::native(&scene.node.api(tenant), (tenant, person), body);
    post.send(&scene.board, &over, Zeal::UntilTaken).await;
    let told = || scene.board.told_beside(UNANSWERED, (tenant, LEAD));
    scene.within(held.patience, || told().is_some()).await;
    let level_s = told().map(|at| (at - sent).as_secs_f64());
    scene.pass(LASTS.saturating_sub(sent.elapsed())).await;
    level_s
}

/// Texts by themselves: none is lost where the provider can be seen to fail, and where it can't be,
/// the books do not say that one arrived of which nobody said so.
fn texts_check(variant: &str, texts: Texts) -> Option<Check> {
    let Texts { owed, lost, believed } = texts;
    match variant {
        "lies" => None,
        "loses" => {
            let text =
                format!("{lost} of {owed} are lost; the books believe in {believed} of them");
            Some(Check::new("no lost text is believed in", believed == 0, text))
        }
        _ => Some(Check::new("texts lost", lost == 0, format!("{lost} of {owed}"))),
    }
}
