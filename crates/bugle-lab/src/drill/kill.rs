//! `kill`: the node is ended as by a power cut at every step of a notification's way, and started
//! again.
//!
//! Nothing accepted may be lost. Something may reach somebody twice only where the answer of its
//! provider was cut off, and then says so.

use std::time::{Duration, Instant};

use super::books::Books;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{self, Moment};
use super::orders::{Order, Point};
use super::scene::Scene;
use super::scorecard::Run;
use super::{Drill, Held};
use crate::knobs::{Answer, Knobs, Service};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "kill",
    injects: "SIGKILL at every step: claim, provider call, provider answer, commit, receipt",
    variants: &["claim", "call", "answer", "commit", "receipt"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits: longer than a restart.
const COMPANY: (usize, usize, u32) = (3, 4, 30);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(1_500));
/// How long a step may take to be reached.
const STEP_LIMIT: Duration = Duration::from_secs(20);
/// How long the node stays dead.
const DEAD: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(900));
/// Work goes on within this after the restart, in seconds: what was under way is looked up at its
/// provider first.
const RESUMED_S: f64 = 5.0;
/// How long it is looked on afterwards.
const AFTER: Duration = Duration::from_secs(2);
/// Every service of the lab that a person's message may go to.
const SERVICES: [Service; 3] = [Service::Texts, Service::Calls, Service::Hooks];

/// Where it is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// At a step of the node's own.
    At(Point),
    /// When a provider has taken a message, and has not answered.
    Call,
}

fn parse(variant: &str) -> Option<Place> {
    match variant {
        "claim" => Some(Place::At(Point::Claimed)),
        "call" => Some(Place::Call),
        "answer" => Some(Place::At(Point::Answered)),
        "commit" => Some(Place::At(Point::Saved)),
        "receipt" => Some(Place::At(Point::Receipt)),
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of kill"));
    let place = parse(variant).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    scene.pass(calm).await;
    reach(&mut scene, place).await?;
    let killed = scene.timeline.inject(format!("SIGKILL at the step \"{variant}\""));
    scene.node.kill().await?;
    for service in SERVICES {
        scene.lab.set(service, Knobs::default());
    }
    let dead = scene.chance.time(DEAD.0, DEAD.1);
    scene.pass(dead).await;
    let started = Instant::now();
    scene.timeline.note("it is started again");
    scene.node.start().await?;
    scene.timeline.note("it takes requests");
    let resumed = || scene.board.pages().iter().any(|at| *at > started);
    if scene.within(held.patience, resumed).await {
        scene.timeline.note("somebody is told again");
    }
    scene.pass(AFTER).await;
    let (mut measured, books) = scene.measure(traffic, held.patience).await?;
    // Whoever was killed sees nothing: that is the sentinel's work.
    (measured.detected_s, measured.declared_s, measured.told_s) = (None, None, None);
    if let Some(stall) = measure::stall(&scene.board.pages(), (killed, started)) {
        measured.stall_s = Some(stall.length().as_secs_f64());
        measured.mitigated_s = scene.timeline.since_s(stall.to);
        let moments: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
        measured.drained_s = measure::drained_s(&scene.board.events(), stall.to, moments);
    }
    let resumed_s = scene.board.pages().into_iter().find(|at| *at > started);
    let resumed_s = resumed_s.map(|at| (at - started).as_secs_f64());
    let doubles = scene.board.doubles();
    let expected = Expected { declared: false, named: &[], ..Expected::ALL };
    let mut checks = gate::checks(&measured, expected);
    checks.push(cut_off(&scene.board.doubled(), &books));
    checks.push(gate::within("work goes on after the restart", resumed_s, RESUMED_S));
    measured.more.insert("doubled, and said so", measure::to_f64(doubles.marked));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// Waits until the node is where it is to be killed.
async fn reach(scene: &mut Scene, place: Place) -> Result<(), DrillError> {
    match place {
        Place::At(step) => {
            scene.node.order(&Order::StandAt { step }).await?;
            scene.node.stands(step, STEP_LIMIT).await
        }
        Place::Call => {
            // Canaries go there, too: what counts is that a person's message is held there.
            for service in SERVICES {
                scene.lab.set(service, Knobs::answering(Answer::TakeAndHang));
            }
            let before = scene.board.pages().len();
            let board = scene.board.clone();
            if scene.within(STEP_LIMIT, move || board.pages().len() > before).await {
                return Ok(());
            }
            Err(scene.node.never("a message at a provider", STEP_LIMIT))
        }
    }
}

/// A copy may come only where the books know that an answer was cut off.
fn cut_off(doubled: &[String], books: &Books) -> Check {
    let needless: Vec<&String> = doubled.iter().filter(|name| !books.was_cut_off(name)).collect();
    let text = format!("{} came twice, {} of them needlessly", doubled.len(), needless.len());
    Check::new("twice only where an answer was cut off", needless.is_empty(), text)
}
