//! Changes as timelines, and that none ever ends half.

use std::collections::BTreeMap;
use std::fmt::Write;

use bugle_domain::contact::Channel;
use bugle_domain::revision::Fingerprint;
use insta::assert_snapshot;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::watch::{Canary, Verdict};

const OLD: i64 = 1;
const NEW: i64 = 2;

fn node(number: u128) -> NodeId {
    NodeId::from_stored(Uuid::from_u128(number))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// A node as it is.
#[derive(Clone, Debug)]
struct Node {
    runs: BTreeMap<Stage, (i64, bool)>,
    alive: bool,
    /// Since when it lives.
    since: Timestamp,
    green: bool,
    tenants: u32,
    error: Option<String>,
}

/// Everything that a change changes, carried out as the store and the nodes would.
#[derive(Clone, Debug)]
struct Sim {
    change: Change,
    nodes: BTreeMap<NodeId, Node>,
    targets: BTreeMap<(NodeId, Stage), (i64, bool)>,
    known_good: i64,
    moved: Option<(NodeId, u32)>,
    blocked: bool,
    verdicts: Vec<Verdict>,
    misfits: Vec<String>,
    now: Timestamp,
    said: String,
}

impl Sim {
    fn new(nodes: u128, forced: bool) -> Self {
        let names: Vec<NodeId> = (1..=nodes).map(node).collect();
        let runs: BTreeMap<Stage, (i64, bool)> =
            Stage::ALL.into_iter().map(|stage| (stage, (OLD, false))).collect();
        let one = Node { runs, alive: true, since: at(-600), green: true, tenants: 3, error: None };
        let change = Change {
            clean_up: None,
            number: 7,
            kind: ChangeKind::Revert,
            revision: NEW,
            previous: OLD,
            stages: vec![Stage::Dispatch],
            nodes: names.clone(),
            reached: 0,
            author: "Priya".to_owned(),
            reason: "clean up".to_owned(),
            forced,
            watch_for: SignedDuration::from_secs(30),
            state: ChangeState::Planned,
            entered_at: at(0),
            began_at: at(0),
            before: Vec::new(),
            why: None,
            undo: None,
        };
        Self {
            change,
            nodes: names.into_iter().map(|name| (name, one.clone())).collect(),
            targets: BTreeMap::new(),
            known_good: OLD,
            moved: None,
            blocked: false,
            verdicts: Vec::new(),
            misfits: Vec::new(),
            now: at(0),
            said: String::new(),
        }
    }

    fn observe(&self) -> Observation {
        let canary = |(name, node): (&NodeId, &Node)| Canary {
            node: *name,
            channel: Channel::Sms,
            provider: "twilio".to_owned(),
            sent_at: self.now,
            through: (node.green && node.alive).then_some(self.now),
            stuck: None,
            hops_ms: Vec::new(),
        };
        let runs = self.nodes.iter().flat_map(|(name, node)| {
            node.runs.iter().map(|(stage, (revision, held))| StageRun {
                node: *name,
                stage: *stage,
                revision: *revision,
                fingerprint: Fingerprint::parse(&"0".repeat(64)).unwrap(),
                since: self.now,
                held: *held,
                error: node.error.clone(),
            })
        });
        Observation {
            view: View {
                at: self.now,
                verdicts: self.verdicts.clone(),
                canaries: self.nodes.iter().map(canary).collect(),
            },
            runs: runs.collect(),
            alive: self
                .nodes
                .iter()
                .filter(|(_, node)| node.alive)
                .map(|(name, node)| (*name, node.since))
                .collect(),
            misfits: self.misfits.clone(),
        }
    }

    /// One look of whoever drives the change.
    fn drive(&mut self) {
        let Some(Step { change, actions, evidence }) =
            step(&self.change, &self.observe(), self.now)
        else {
            return;
        };
        let passed = self.now.duration_since(at(0)).as_secs();
        for Evidence { ok, text } in evidence {
            let mark = if ok { "ok " } else { "RED" };
            let text = text.replace("nod_0000000000000000000000000000000", "");
            let _infallible =
                writeln!(self.said, "{passed:3} s {:<19} {mark} {text}", change.state.words());
        }
        for action in actions {
            self.act(action);
        }
        self.change = change;
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Hold { node, stages } => {
                for stage in stages {
                    let revision = self.known_good;
                    self.targets.entry((node, stage)).or_insert((revision, false)).1 = true;
                }
            }
            Action::ReleaseAll => self.targets.values_mut().for_each(|target| target.1 = false),
            Action::Target { node, stages, revision } => {
                for stage in stages {
                    self.targets.entry((node, stage)).or_insert((revision, false)).0 = revision;
                }
            }
            Action::MoveAway { from, to } => {
                let tenants = std::mem::take(&mut self.nodes.get_mut(&from).unwrap().tenants);
                self.nodes.get_mut(&to).unwrap().tenants += tenants;
                self.moved = Some((from, tenants));
            }
            Action::GiveBack => {
                if let Some((from, tenants)) = self.moved.take() {
                    self.nodes.get_mut(&from).unwrap().tenants += tenants;
                }
            }
            Action::KnownGood { revision } => {
                self.known_good = revision;
                self.targets.clear();
            }
            Action::Block { .. } => self.blocked = true,
        }
    }

    /// One look of every node at its targets.
    fn nodes_look(&mut self) {
        for (name, node) in self.nodes.iter_mut().filter(|(_, node)| node.alive) {
            for (stage, runs) in &mut node.runs {
                let target = self.targets.get(&(*name, *stage));
                let (revision, held) = *target.unwrap_or(&(self.known_good, false));
                *runs = (if node.error.is_some() { runs.0 } else { revision }, held);
            }
        }
    }

    fn second(&mut self) {
        self.now = self.now.checked_add(SignedDuration::from_secs(1)).unwrap();
        self.nodes_look();
        self.drive();
    }

    fn run(mut self, seconds: u32, mut meanwhile: impl FnMut(&mut Self)) -> Self {
        for _ in 0..seconds {
            meanwhile(&mut self);
            self.second();
        }
        self
    }

    /// Whether every node that lives runs `revision` and takes work, and has its tenants.
    fn all_run(&self, revision: i64) -> bool {
        let mut living = self.nodes.values().filter(|node| node.alive);
        living.all(|node| node.runs.values().all(|run| *run == (revision, false)))
            && self.moved.is_none()
            && self.targets.is_empty()
    }
}

fn against(hop: Hop) -> Verdict {
    Verdict {
        hop,
        since: at(9),
        evidence: "12 notifications wait for 6 s".to_owned(),
        waiting: 12,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless: false,
    }
}

#[test]
fn alone_a_node_is_held_changed_and_watched() {
    let sim = Sim::new(1, false).run(60, |_| ());
    assert_snapshot!(sim.said, @r"
     1 s checked             ok  the stages fit each other, and the canary is green
     2 s drained             ok  dispatch on node 1 is held; what comes waits
     3 s applied on one node ok  node 1 runs revision 2, and takes work again
     4 s canaried            ok  a canary came through node 1
     5 s applied everywhere  ok  node 1 runs revision 2
    35 s watched             ok  nothing was said against it for 30 s
    36 s known-good          ok  revision 2 is what every node falls back to
    ");
    assert!(sim.all_run(NEW));
}

#[test]
fn of_several_one_is_freed_first_and_the_others_follow() {
    let sim = Sim::new(3, false).run(60, |_| ());
    assert_snapshot!(sim.said, @r"
     1 s checked             ok  the stages fit each other, and the canary is green
     2 s drained             ok  node 1 has no tenants, and dispatch is held there
     3 s applied on one node ok  node 1 runs revision 2, and takes work again
     4 s canaried            ok  a canary came through node 1
     5 s canaried            ok  node 2 runs revision 2
     6 s applied everywhere  ok  node 3 runs revision 2
    36 s watched             ok  nothing was said against it for 30 s
    37 s known-good          ok  revision 2 is what every node falls back to
    ");
    assert!(sim.all_run(NEW));
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_done() {
    let mut sim = Sim::new(1, false);
    sim.misfits = vec!["alerting writes to a lane that dispatch does not read".to_owned()];
    sim.nodes.get_mut(&node(1)).unwrap().green = false;
    let sim = sim.run(5, |sim| assert!(sim.targets.is_empty()));
    assert_snapshot!(sim.said, @r"
    1 s refused             RED alerting writes to a lane that dispatch does not read
    1 s refused             RED no canary came through node 1 in the last 15 s
    ");
    assert_eq!(sim.change.state, ChangeState::Refused);
    assert!(sim.all_run(OLD));
}

#[test]
fn a_canary_is_waited_for_and_without_one_the_change_is_refused() {
    let mut sim = Sim::new(1, false);
    sim.nodes.get_mut(&node(1)).unwrap().green = false;
    let mut sim = sim.run(10, |sim| assert_eq!(sim.change.state, ChangeState::Planned));
    sim.nodes.get_mut(&node(1)).unwrap().green = true;
    let sim = sim.run(10, |_| ());
    assert!(sim.change.state > ChangeState::Planned && sim.change.why.is_none(), "{}", sim.said);
    let mut sim = Sim::new(1, false);
    sim.nodes.get_mut(&node(1)).unwrap().green = false;
    let sim = sim.run(17, |_| ());
    assert_snapshot!(sim.said, @"16 s refused             RED no canary came through node 1 in the last 15 s");
}

#[test]
fn forced_it_is_undone_when_the_watch_names_its_stage() {
    let mut sim = Sim::new(1, true);
    sim.misfits = vec!["alerting writes to a lane that dispatch does not read".to_owned()];
    let sim = sim.run(40, |sim| {
        if sim.change.state == ChangeState::AppliedAll && sim.verdicts.is_empty() {
            sim.verdicts.push(against(Hop::Stage { stage: Stage::Dispatch }));
        }
    });
    assert_snapshot!(sim.said, @r"
    1 s checked             RED forced past: alerting writes to a lane that dispatch does not read
    2 s drained             ok  dispatch on node 1 is held; what comes waits
    3 s applied on one node ok  node 1 runs revision 2, and takes work again
    4 s canaried            ok  a canary came through node 1
    5 s applied everywhere  ok  node 1 runs revision 2
    6 s undoing             RED the watch names dispatch: 12 notifications wait for 6 s
    7 s undone              ok  every node runs revision 1 again; nothing is held
    ");
    assert!(sim.all_run(OLD) && sim.blocked);
}

#[test]
fn without_a_canary_through_the_first_node_it_is_undone() {
    let sim = Sim::new(2, false).run(60, |sim| {
        if sim.change.state == ChangeState::AppliedOne {
            sim.nodes.get_mut(&node(1)).unwrap().green = false;
        }
    });
    assert_snapshot!(sim.said, @r"
     1 s checked             ok  the stages fit each other, and the canary is green
     2 s drained             ok  node 1 has no tenants, and dispatch is held there
     3 s applied on one node ok  node 1 runs revision 2, and takes work again
    19 s undoing             RED node 1 let no canary through within 15 s
    20 s undone              ok  every node runs revision 1 again; nothing is held
    ");
    assert!(sim.all_run(OLD) && sim.blocked);
}

#[test]
fn a_node_that_cannot_read_the_revision_ends_it() {
    let mut sim = Sim::new(1, false);
    let error = "line 3: intake.speed is not a setting of the stages";
    sim.nodes.get_mut(&node(1)).unwrap().error = Some(error.to_owned());
    let sim = sim.run(30, |_| ());
    assert_snapshot!(sim.said, @r"
    1 s checked             ok  the stages fit each other, and the canary is green
    2 s drained             ok  dispatch on node 1 is held; what comes waits
    3 s undoing             RED dispatch on node 1 did not take it: line 3: intake.speed is not a setting of the stages
    4 s undone              ok  every node runs revision 1 again; nothing is held
    ");
    assert!(sim.all_run(OLD));
}

#[test]
fn what_was_broken_before_is_not_held_against_it() {
    let mut sim = Sim::new(1, false);
    sim.verdicts.push(against(Hop::Stage { stage: Stage::Dispatch }));
    let sim = sim.run(60, |_| ());
    assert_eq!(sim.change.state, ChangeState::KnownGood);
}

#[test]
fn a_person_undoes_it_at_any_time_and_the_revision_is_not_blocked() {
    for second in 0..34 {
        let mut passed = 0;
        let sim = Sim::new(2, false).run(60, |sim| {
            passed += 1;
            if passed == second {
                let (by, reason) = ("Priya".to_owned(), "second thoughts".to_owned());
                sim.change.undo = Some(UndoWanted { by, reason });
            }
        });
        let undone = sim.change.state == ChangeState::Undone;
        assert!(undone && sim.all_run(OLD) || second == 0, "{second}: {}", sim.said);
        assert!(!sim.blocked);
    }
}

#[test]
fn a_node_that_has_just_started_is_given_time_for_a_canary() {
    let sim = Sim::new(1, false).run(8, |_| ());
    assert_eq!(sim.change.state, ChangeState::AppliedAll, "{}", sim.said);
    // The process is away for twenty seconds, and the watch speaks five seconds after the start.
    let mut sim = sim;
    sim.now = at(28);
    let one = sim.nodes.get_mut(&node(1)).unwrap();
    (one.since, one.green) = (at(28), false);
    let sim = sim.run(5, |_| ());
    assert_eq!(sim.change.state, ChangeState::AppliedAll, "{}", sim.said);
    let silent = sim.clone().run(14, |_| ());
    assert!(silent.said.contains("let no canary through"), "{}", silent.said);
    let mut sim = sim;
    sim.nodes.get_mut(&node(1)).unwrap().green = true;
    let sim = sim.run(20, |_| ());
    assert_eq!(sim.change.state, ChangeState::KnownGood, "{}", sim.said);
}

#[test]
fn a_node_that_cannot_go_back_does_not_bar_the_way() {
    let mut sim = Sim::new(2, false).run(12, |_| ());
    sim.verdicts = vec![against(Hop::Stage { stage: Stage::Dispatch })];
    let broken = sim.nodes.get_mut(&node(2)).unwrap();
    broken.error = Some("no [providers.x] is configured".to_owned());
    let sim = sim.run(10, |_| ());
    assert_eq!(sim.change.state, ChangeState::Undoing, "{}", sim.said);
    let sim = sim.run(10, |_| ());
    assert_eq!(sim.change.state, ChangeState::Undone, "{}", sim.said);
    assert!(sim.said.contains("can't run revision 1: no [providers.x]"), "{}", sim.said);
}

#[test]
fn what_was_undone_just_now_is_known_as_that_for_an_hour() {
    assert!(was_just_undone(at(0), at(3_599)));
    assert!(!was_just_undone(at(0), at(3_600)));
}

/// What may happen in a second.
#[derive(Clone, Copy, Debug)]
enum Luck {
    /// Nothing.
    None,
    /// The driver is dead for so long; then another goes on with what was saved.
    NoDriver(u8),
    /// A node dies, or comes back as what it was.
    Die(u128),
    Return(u128),
    /// Canaries get lost on a node, or come through again.
    Red(u128),
    Green(u128),
    /// The watch names the stage.
    Verdict,
}

fn luck() -> impl Strategy<Value = Luck> {
    let node = 1..=3_u128;
    prop_oneof![
        20 => Just(Luck::None),
        3 => (1..40_u8).prop_map(Luck::NoDriver),
        1 => node.clone().prop_map(Luck::Die),
        2 => node.clone().prop_map(Luck::Return),
        1 => node.clone().prop_map(Luck::Red),
        2 => node.prop_map(Luck::Green),
        1 => Just(Luck::Verdict),
    ]
}

fn befall(sim: &mut Sim, luck: Luck) {
    match luck {
        Luck::None => (),
        Luck::NoDriver(seconds) => {
            for _ in 0..seconds {
                sim.now = sim.now.checked_add(SignedDuration::from_secs(1)).unwrap();
                sim.nodes_look();
            }
        }
        Luck::Die(number) => sim.nodes.get_mut(&node(number)).unwrap().alive = false,
        Luck::Return(number) => {
            let now = sim.now;
            let node = sim.nodes.get_mut(&node(number)).unwrap();
            if !node.alive {
                (node.alive, node.since) = (true, now);
            }
        }
        Luck::Red(number) => sim.nodes.get_mut(&node(number)).unwrap().green = false,
        Luck::Green(number) => sim.nodes.get_mut(&node(number)).unwrap().green = true,
        Luck::Verdict => {
            sim.verdicts = vec![against(Hop::Stage { stage: Stage::Dispatch })];
        }
    }
}

proptest! {
    /// A driver killed at any step, nodes that die and return, red canaries and verdicts: in the
    /// end it is done or undone everywhere, with nothing held and every tenant at home.
    #[test]
    fn no_change_ends_half(story in prop::collection::vec(luck(), 1..80)) {
        let mut sim = Sim::new(3, false);
        for what in story {
            befall(&mut sim, what);
            sim.second();
        }
        for number in 1..=3 {
            befall(&mut sim, Luck::Return(number));
            befall(&mut sim, Luck::Green(number));
        }
        let sim = sim.run(200, |_| ());
        let end = match sim.change.state {
            ChangeState::KnownGood => NEW,
            ChangeState::Undone | ChangeState::Refused => OLD,
            other => return Err(TestCaseError::fail(format!("{other:?}: {}", sim.said))),
        };
        prop_assert_eq!(sim.known_good, end);
        prop_assert!(sim.all_run(end), "{:?}\n{}", sim, sim.said);
    }
}
