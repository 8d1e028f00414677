//! `readers`: ten thousand subscribers of the status page are told by mail while urgent pages go
//! out, which must not wait for any of them.
//!
//! They are told in rounds, each of those who asked about one component, with nobody told before,
//! between and after: so each round is held against what the same machine did just before it and
//! just after it.

use std::time::{Duration, Instant};

use bugle_app::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::board::Sent;
use super::company::READ_OF;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{count, p99_of, to_f64};
use super::scene::{Extra, Scene};
use super::scorecard::{Measured, Run};
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
const PER_SECOND: f64 = 10.0;
/// Subscribers, unless it is held at another scale.
const READERS: u32 = 10_000;
/// Nobody is told for so long for each subscriber, between these bounds: about as long as a round
/// lasts, so that as many pages go out.
const CALM_EACH: Duration = Duration::from_millis(2);
const CALM: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));
/// What a round leaves behind is over after this time.
const AFTER: Duration = Duration::from_secs(1);
/// Each may take so long on average, beside what a drill waits for anything.
const EACH: Duration = Duration::from_millis(50);
/// How far away is what they are told of.
const AWAY: SignedDuration = SignedDuration::from_hours(24);

/// While subscribers are told, the percentile of pages may be so many times what it is while nobody
/// is: some hundred pages have it between their third and fourth worst, which by itself is now half
/// as much again, and now half as much less.
const TIMES: f64 = 1.5;
/// And so much more, in milliseconds: who sends, who is told and who measures share the processors
/// with the node. A program that was built without optimisation needs ten times the processor for
/// each mail.
const NOISE_MS: f64 = if cfg!(debug_assertions) { 50.0 } else { 5.0 };

/// A time from which on events count, and until when.
type Window = (Instant, Instant);

/// The percentile of urgent pages while subscribers are told, and while nobody is, just before and
/// just after; in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Round {
    during_ms: f64,
    around_ms: f64,
}

impl Round {
    /// What it may be while subscribers are told.
    fn most(self) -> f64 {
        self.around_ms * TIMES + NOISE_MS
    }

    /// What it is, as a share of that.
    fn share(self) -> f64 {
        self.during_ms / self.most()
    }
}

async fn run(held: &Held) -> Result<Run, DrillError> {
    let readers = held.scale.unwrap_or(READERS);
    let mut scene = Scene::open_with(held, COMPANY, Extra { readers, ..Extra::NONE }).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = (CALM_EACH * readers).clamp(CALM.0, CALM.1);
    let began = Instant::now();
    scene.pass(calm).await;
    scene.timeline.inject(format!("{readers} subscribers are told"));
    let (mut calms, mut rounds) = (vec![(began, Instant::now())], Vec::new());
    let mut told = true;
    for (number, of) in (1..).zip(READ_OF) {
        let from = Instant::now();
        announce(&scene, of).await?;
        told &= all_told(&scene, held, number, readers).await;
        rounds.push((from, Instant::now()));
        scene.pass(AFTER).await;
        let from = Instant::now();
        scene.pass(calm).await;
        calms.push((from, Instant::now()));
    }
    let took: f64 = rounds.iter().map(|(from, to)| (*to - *from).as_secs_f64()).sum();
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    measured.more.insert("readers a second", to_f64(scene.board.readers()) / took);
    let rounds = measure(&mut measured, &scene.board.events(), (&calms, &rounds));
    let mut checks = gate::checks(&measured, Expected { others: false, ..Expected::NOTHING });
    checks.push(judge(&rounds));
    let text = format!("{} of {readers}, in {took:.0} s", scene.board.readers());
    let once = told && scene.board.readers() == u64::from(readers);
    checks.push(Check::new("every reader is told once", once, text));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new("", measured, checks, timeline))
}

/// Announces a maintenance of a component, which breaks nothing and is told like all else.
async fn announce(scene: &Scene, component: &str) -> Result<(), DrillError> {
    let from = Clock::system().now().saturating_add(AWAY).unwrap_or(Timestamp::MAX);
    let until = from.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
    let maintenance = json!({
        "title": "New disks", "text": "It is away for a minute.",
        "components": [component], "from": from, "until": until,
    });
    scene.node.api(0).post("/api/v1/bulletins", &maintenance).await.map(drop)
}

/// Waits until everybody of so many rounds was told; gives whether that came about in time.
async fn all_told(scene: &Scene, held: &Held, rounds: u32, readers: u32) -> bool {
    let of = u32::try_from(READ_OF.len()).unwrap_or(u32::MAX);
    // The first rounds have one more each where it does not come out.
    let owed = readers / of * rounds + (readers % of).min(rounds);
    let limit = held.patience + EACH * (readers / of);
    let told = scene.within(limit, || scene.board.readers() >= u64::from(owed)).await;
    scene.timeline.note(format!("{} of them were told", scene.board.readers()));
    told
}

/// The rounds, each between the two times in which nobody was told; none that nobody was paged in.
fn measure(
    measured: &mut Measured,
    events: &[Sent],
    (calms, rounds): (&[Window], &[Window]),
) -> Vec<Round> {
    let took = |(from, to): &Window| -> Vec<Duration> {
        let begun = events.iter().filter(|sent| *from <= sent.begun && sent.begun < *to);
        begun.filter_map(Sent::took).collect()
    };
    let p99 = |window: &Window| p99_of(took(window));
    let between = calms.windows(2).zip(rounds).filter_map(|(calm, round)| {
        let [before, after] = calm else { return None };
        let around_ms = p99(before)?.midpoint(p99(after)?);
        Some(Round { during_ms: p99(round)?, around_ms })
    });
    let found: Vec<Round> = between.collect();
    measured.others_p99_before_ms = middle(&found).map(|round| round.around_ms);
    measured.others_p99_during_ms = middle(&found).map(|round| round.during_ms);
    let pages = |windows: &[Window]| to_f64(count(windows.iter().map(|it| took(it).len()).sum()));
    measured.more.insert("pages while nobody is told", pages(calms));
    measured.more.insert("pages while they are told", pages(rounds));
    found
}

/// The round in the middle, by how much more its percentile is than it may be.
fn middle(rounds: &[Round]) -> Option<Round> {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|a, b| a.share().total_cmp(&b.share()));
    rounds.get(rounds.len() / 2).copied()
}

/// Whether pages wait for nobody who is told: by the round in the middle, so that one in which the
/// machine was busy with something else says nothing.
fn judge(rounds: &[Round]) -> Check {
    const NAME: &str = "urgent p99 while readers are told";
    let enough = rounds.len() == READ_OF.len();
    let Some(round) = middle(rounds).filter(|_| enough) else {
        return Check::new(NAME, false, "in a round nobody was paged");
    };
    let Round { during_ms, around_ms } = round;
    let (rounds, most) = (rounds.len(), round.most());
    let text = format!(
        "{during_ms:.1} ms in the median round of {rounds}, around it {around_ms:.1} ms, at most \
         {most:.1}"
    );
    Check::new(NAME, during_ms <= most, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::board::Board;

    fn rounds(during_ms: [f64; 5]) -> Vec<Round> {
        during_ms.map(|during_ms| Round { during_ms, around_ms: 10.0 }).into()
    }

    #[test]
    fn one_round_that_the_machine_spoiled_says_nothing_and_three_do() {
        let most = 10.0 * TIMES + NOISE_MS;
        assert!(judge(&rounds([10.0, 9.0, 11.0, 10.0, 10.0])).ok);
        assert!(judge(&rounds([10.0, 900.0, 800.0, 10.0, most])).ok);
        let late = judge(&rounds([10.0, 900.0, 800.0, 10.0, most + 1.0]));
        assert!(!late.ok && late.text.contains("around it 10.0 ms"), "{}", late.text);
        assert!(!judge(&rounds([10.0; 5])[..4]).ok, "nobody was paged in one");
    }

    #[test]
    fn a_round_is_held_against_what_was_just_before_and_just_after() {
        let (board, zero) = (Board::default(), Instant::now());
        let at = |seconds| zero + Duration::from_secs(seconds);
        let slow = [(1, 1), (11, 9), (21, 3), (31, 7), (41, 5)];
        for (begun, _) in slow {
            board.begin(0, at(begun));
        }
        let mut events = board.events();
        for (sent, (begun, took)) in events.iter_mut().zip(slow) {
            sent.told = Some(at(begun + took));
        }
        let calms = [(at(0), at(10)), (at(20), at(30)), (at(40), at(50))];
        let told = [(at(10), at(20)), (at(30), at(40))];
        let mut measured = Measured::default();
        let found = measure(&mut measured, &events, (&calms, &told));
        let round = |during_ms, around_ms| Round { during_ms, around_ms };
        assert_eq!(found, [round(9_000.0, 2_000.0), round(7_000.0, 4_000.0)]);
        assert_eq!(measured.others_p99_during_ms, Some(9_000.0), "the worse of two");
        assert_eq!(measured.more.get("pages while they are told"), Some(&2.0));
        let silent = measure(&mut measured, &events[..3], (&calms, &told));
        assert_eq!(silent, [round(9_000.0, 2_000.0)], "nobody was paged in the other");
    }
}
