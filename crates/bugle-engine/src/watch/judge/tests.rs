//! Timelines: canaries that fly and stop flying, second by second, and what is said of it.

use bugle_domain::contact::Channel;
use bugle_domain::notification::Lane;
use proptest::prelude::*;

use super::*;
use crate::watch::books::{OwedLane, Waiting};

const T: Thresholds = Thresholds { receipt_late_ms: 4_000, ..Thresholds::STANDARD };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn node() -> NodeId {
    NodeId::new(at(0), [1; 10])
}

fn path(channel: Channel, provider: &str) -> Path {
    Path { channel, provider: provider.to_owned(), lane: Lane::Urgent }
}

fn paths() -> Vec<Path> {
    vec![
        path(Channel::Webhook, "webhook"),
        path(Channel::Sms, "first"),
        path(Channel::Sms, "spare"),
        path(Channel::Email, "mail"),
    ]
}

/// Where canaries of a path stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stop {
    Intake,
    Alerting,
    Dispatch,
    Provider,
    Receipt,
    Nowhere,
}

/// A watcher, and a world in which canaries fly.
struct Sky {
    watcher: Watcher,
    sent: Vec<(usize, EventId, i64, Stop)>,
}

impl Sky {
    fn new(paths: Vec<Path>) -> Self {
        let paths = paths.into_iter().map(|path| (path, Goal::Arrived)).collect();
        Self { watcher: Watcher::new(node(), T, paths), sent: Vec::new() }
    }

    /// One second: each path sends a canary, which goes as far as `stop` says.
    fn second(&mut self, second: i64, stop: impl Fn(usize) -> Stop, seen: &Seen) -> Vec<Verdict> {
        let paths: Vec<Path> = self.watcher.tracks().iter().map(|it| it.path.clone()).collect();
        for (index, path) in paths.iter().enumerate() {
            let stop = stop(index);
            let number = u8::try_from(self.sent.len() % 251).unwrap();
            let event = EventId::new(at(second), [number; 10]);
            let flight = Flight {
                sent_at: at(second),
                event: (stop > Stop::Intake).then_some(event),
                marks: Marks::default(),
                fault: None,
            };
            self.watcher.send(path, flight);
            self.sent.push((index, event, second, stop));
        }
        for (_, event, sent, stop) in &self.sent {
            let reached = |least| (*stop > least).then(|| at(*sent));
            let marks = Marks {
                accepted: reached(Stop::Intake),
                decided: reached(Stop::Alerting),
                claimed: reached(Stop::Dispatch),
                taken: reached(Stop::Provider),
                arrived: reached(Stop::Receipt),
            };
            self.watcher.mark(*event, marks, None);
            if let Some(at) = marks.arrived {
                self.watcher.arrived(*event, at);
            }
        }
        self.watcher.observe(seen, at(second))
    }
}

/// Runs seconds and writes down when what is said changes.
fn timeline(
    paths: Vec<Path>,
    seconds: std::ops::Range<i64>,
    stop: impl Fn(i64, usize) -> Stop,
    seen: impl Fn(i64) -> Seen,
) -> String {
    let (mut sky, mut out, mut before) = (Sky::new(paths), Vec::new(), String::new());
    for second in seconds {
        let verdicts = sky.second(second, |index| stop(second, index), &seen(second));
        let names: Vec<String> = verdicts.iter().map(|verdict| verdict.hop.name()).collect();
        let said = names.join(", ");
        if said != before {
            let said = if said.is_empty() { "all is well" } else { &said };
            out.push(format!("{second} s: {said}"));
        }
        before = said;
    }
    out.join("\n")
}

fn broken(from: i64, until: i64, at: Stop) -> impl Fn(i64, usize) -> Stop {
    move |second, _| if (from..until).contains(&second) { at } else { Stop::Nowhere }
}

fn nothing(_: i64) -> Seen {
    Seen::default()
}

#[test]
fn each_hop_is_named_when_canaries_stop_at_it() {
    let mut said = Vec::new();
    for stop in [Stop::Intake, Stop::Alerting, Stop::Dispatch] {
        said.push(timeline(paths(), 0..60, broken(10, 30, stop), nothing));
    }
    insta::assert_snapshot!(said.join("\n--\n"), @r"
    12 s: intake
    39 s: all is well
    --
    12 s: alerting
    39 s: all is well
    --
    12 s: dispatch
    39 s: all is well
    ");
}

#[test]
fn one_path_alone_is_believed_after_five_seconds() {
    let only = vec![path(Channel::Webhook, "webhook")];
    let said = timeline(only, 0..60, broken(10, 30, Stop::Dispatch), nothing);
    insta::assert_snapshot!(said, @r"
    15 s: dispatch
    39 s: all is well
    ");
}

#[test]
fn a_provider_that_takes_and_loses_is_named_alone() {
    let loses = |second, index| match index {
        1 if second >= 10 => Stop::Receipt,
        _ => Stop::Nowhere,
    };
    let said = timeline(paths(), 0..30, loses, nothing);
    insta::assert_snapshot!(said, @"15 s: sms by first");
}

#[test]
fn receipts_missing_from_everybody_are_our_own_fault() {
    let said = timeline(paths(), 0..30, broken(10, 30, Stop::Receipt), nothing);
    insta::assert_snapshot!(said, @"14 s: responses");
}

#[test]
fn a_single_lost_canary_is_not_an_incident() {
    for stop in [Stop::Intake, Stop::Alerting, Stop::Dispatch, Stop::Provider, Stop::Receipt] {
        let said = timeline(paths(), 0..60, broken(10, 11, stop), nothing);
        assert_eq!(said, "", "{stop:?}");
    }
}

#[test]
fn a_path_that_loses_every_third_is_found_and_does_not_flap() {
    let loses = |second: i64, index| match index {
        1 if second >= 10 && second % 3 == 0 => Stop::Receipt,
        _ => Stop::Nowhere,
    };
    let said = timeline(paths(), 0..120, loses, nothing);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.ends_with("s: sms by first"), "{said}");
}

#[test]
fn what_comes_and_goes_is_one_verdict() {
    let flaps = |second: i64, _| match second {
        10..60 if second % 8 < 6 => Stop::Dispatch,
        _ => Stop::Nowhere,
    };
    let said = timeline(paths(), 0..90, flaps, nothing);
    assert_eq!(said.lines().count(), 2, "{said}");
}

fn late(second: i64, since: i64) -> Seen {
    let tenant = TenantId::new(at(0), [5; 10]);
    let oldest = (second >= since).then(|| at(since));
    let waiting = Waiting { oldest, count: 12, more: false, tenants: vec![tenant] };
    let lane = Lane::Urgent;
    let owed = vec![OwedLane { lane, channel: Some(Channel::Sms), waiting }];
    let books = Books { owed, difference: Some(0), ..Books::default() };
    Seen { books: Some(books), ..Seen::default() }
}

#[test]
fn what_is_owed_and_not_claimed_says_who_waits() {
    let mut sky = Sky::new(paths());
    for second in 0..17 {
        let said = sky.second(second, |_| Stop::Nowhere, &late(second, 10));
        assert_eq!(said, [], "{second}");
    }
    let said = sky.second(17, |_| Stop::Nowhere, &late(17, 10));
    let [verdict] = &said[..] else { panic!("{said:?}") };
    assert_eq!((verdict.waiting, verdict.tenants.len()), (12, 1));
    insta::assert_snapshot!(
        format!("{}: {}", verdict.hop.name(), verdict.evidence),
        @"dispatch: the oldest sms notification in the urgent lane is 7 s late"
    );
}

#[test]
fn a_clock_that_was_set_makes_no_verdict() {
    let set = |second| Seen { clock_was_set: true, ..late(second, -3_600) };
    assert_eq!(timeline(paths(), 0..30, |_, _| Stop::Nowhere, set), "");
}

#[test]
fn a_clock_that_was_set_ends_no_verdict() {
    let (mut sky, well) = (Sky::new(paths()), Seen::default());
    for second in 0..20 {
        sky.second(second, |_| Stop::Alerting, &well);
    }
    assert!(!sky.second(20, |_| Stop::Alerting, &well).is_empty());
    let set = Seen { clock_was_set: true, ..Seen::default() };
    assert!(!sky.second(320, |_| Stop::Alerting, &set).is_empty(), "five minutes were skipped");
}

#[test]
fn a_dead_database_is_named_and_not_what_stands_on_it() {
    let dead = |second| {
        let text = "it does not answer".to_owned();
        let signal = Signal::certain(Hop::Store, at(10), text);
        let others = if second >= 12 { vec![signal] } else { Vec::new() };
        Seen { others, ..Seen::default() }
    };
    let said = timeline(paths(), 0..40, broken(10, 40, Stop::Intake), dead);
    insta::assert_snapshot!(said, @"12 s: the database");
}

#[test]
fn the_door_for_mail_is_named_unless_intake_itself_takes_nothing() {
    let dead = |from: i64, until: i64| {
        move |second: i64| {
            let signal = Signal::certain(Hop::MailIn, at(from), "no answer".to_owned());
            let others = if (from..until).contains(&second) { vec![signal] } else { Vec::new() };
            Seen { others, ..Seen::default() }
        }
    };
    let all_well = |_, _| Stop::Nowhere;
    insta::assert_snapshot!(timeline(paths(), 0..40, all_well, dead(10, 20)), @r"
    10 s: mail intake
    29 s: all is well
    ");
    let intake = broken(10, 20, Stop::Intake);
    insta::assert_snapshot!(timeline(paths(), 0..60, intake, dead(13, 40)), @r"
    12 s: intake
    29 s: mail intake
    49 s: all is well
    ");
}

#[test]
fn a_worker_that_stands_still_is_named() {
    let frozen = |second: i64| {
        let pulses = vec![(Stage::Alerting, at(second.min(10)))];
        Seen { pulses, ..Seen::default() }
    };
    insta::assert_snapshot!(timeline(paths(), 0..30, |_, _| Stop::Nowhere, frozen), @"17 s: alerting");
}

#[test]
fn what_runs_otherwise_than_it_should_does_harm_when_canaries_do_not_come_through() {
    let hop = Hop::Stage { stage: Stage::Dispatch };
    let otherwise = Signal {
        harmless: true,
        ..Signal::certain(hop, at(0), "it does not run what it should".to_owned())
    };
    let seen = Seen { others: vec![otherwise], ..Seen::default() };
    let mut sky = Sky::new(paths());
    let harmless = |verdicts: &[Verdict]| verdicts.iter().map(|it| it.harmless).collect::<Vec<_>>();
    for second in 0..10 {
        let verdicts = sky.second(second, |_| Stop::Nowhere, &seen);
        assert_eq!(harmless(&verdicts), [true], "second {second}: {verdicts:?}");
    }
    let stopped = (10..20).map(|second| sky.second(second, |_| Stop::Dispatch, &seen));
    let stopped = stopped.last().unwrap_or_default();
    assert_eq!(harmless(&stopped), [false], "{stopped:?}");
}

#[test]
fn a_probe_that_must_fail_is_reported_and_kept_quiet() {
    let mut sky = Sky::new(paths());
    let control = path(Channel::Webhook, "control");
    sky.watcher.begin_control(control.clone(), at(0));
    for second in 0..90 {
        if sky.watcher.control_runs() {
            let event = EventId::new(at(second), [255; 10]);
            let marks = Marks {
                accepted: Some(at(second)),
                decided: Some(at(second)),
                claimed: Some(at(second)),
                taken: Some(at(second)),
                arrived: None,
            };
            let flight = Flight { sent_at: at(second), event: Some(event), marks, fault: None };
            sky.watcher.send(&control, flight);
            // The program that lost it took it.
            let taken = Marks { arrived: Some(at(second)), ..marks };
            sky.watcher.mark(event, taken, None);
        }
        assert_eq!(sky.second(second, |_| Stop::Nowhere, &Seen::default()), []);
    }
    let reported = sky.watcher.control_reported().map(|it| it.as_second() - at(0).as_second());
    assert_eq!(reported, Some(5));
}

#[test]
fn a_watch_that_always_says_green_is_broken() {
    let mut sky = Sky::new(paths());
    // A probe on which nothing is sent, or that comes through, is not reported.
    sky.watcher.begin_control(path(Channel::Webhook, "control"), at(0));
    for second in 0..60 {
        assert_eq!(sky.second(second, |_| Stop::Nowhere, &Seen::default()), []);
    }
    let said = sky.second(60, |_| Stop::Nowhere, &Seen::default());
    assert_eq!(said.first().map(|verdict| verdict.hop.clone()), Some(Hop::Watch));
}

#[test]
fn a_change_is_told_what_came_through_after_it() {
    let mut sky = Sky::new(paths());
    for second in 0..20 {
        let stop = if second < 10 { Stop::Nowhere } else { Stop::Dispatch };
        sky.second(second, |_| stop, &Seen::default());
    }
    let canaries = sky.watcher.canaries(at(20));
    let view = crate::watch::View { at: at(20), verdicts: Vec::new(), canaries };
    assert_eq!(view.green_since(node(), at(5)), Some(true));
    assert_eq!(view.green_since(node(), at(12)), Some(false));
}

proptest! {
    /// However canaries of one second are lost, nothing is declared while the others come through.
    #[test]
    fn lone_losses_never_declare(lost in proptest::collection::vec(0_i64..100, 1..4)) {
        let mut lost = lost;
        lost.sort_unstable();
        lost.dedup_by(|a, b| (*a - *b).abs() < 12);
        let stop = |second: i64, _| {
            if lost.contains(&second) { Stop::Dispatch } else { Stop::Nowhere }
        };
        prop_assert_eq!(timeline(paths(), 0..110, stop, nothing), "");
    }

    /// A break that lasts is declared within ten seconds, with its hop named, and cleared once.
    #[test]
    fn a_break_is_declared_within_ten_seconds(
        from in 5_i64..30,
        lasts in 12_i64..60,
        hop in 0_usize..3,
        paths_count in 1_usize..5,
    ) {
        let stop = [Stop::Intake, Stop::Alerting, Stop::Dispatch][hop];
        let name = ["intake", "alerting", "dispatch"][hop];
        let few = paths().into_iter().take(paths_count).collect();
        let said = timeline(few, 0..from + lasts + 30, broken(from, from + lasts, stop), nothing);
        let lines: Vec<&str> = said.lines().collect();
        prop_assert_eq!(lines.len(), 2, "{}", said);
        let (when, what) = lines[0].split_once(" s: ").unwrap();
        prop_assert_eq!(what, name);
        prop_assert!(when.parse::<i64>().unwrap() - from <= 10, "{}", said);
    }
}
