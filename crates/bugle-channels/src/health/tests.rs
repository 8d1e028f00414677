//! Timelines of one provider, second by second.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Plays a script of what each send says, one a second, and writes what happened.
fn play(rate: Option<Rate>, script: &str) -> String {
    let start = Instant::now();
    let mut health = Health::new(rate, SECOND * 3, PROVIDER_SAMPLES);
    let mut lines = Vec::new();
    for (second, step) in (0_u32..).zip(script.split_whitespace()) {
        let now = start + SECOND * second;
        let line = match health.admit(now) {
            Admission::NotBefore(at) => format!("wait until {}", (at - start).as_secs()),
            Admission::Yes => {
                match step {
                    "ok" => health.record(now, now + SECOND / 10, Verdict::Worked),
                    "fail" => health.record(now, now, Verdict::Failed),
                    "limit" => health.record(now, now, Verdict::Limited(now + SECOND * 4)),
                    _ => (),
                }
                format!("{step}, {}", health.state(now).as_str())
            }
        };
        lines.push(format!("{second:>2} {line}"));
    }
    lines.join("\n")
}

#[test]
fn five_failures_in_a_row_open_the_breaker_and_a_probe_closes_it() {
    insta::assert_snapshot!(play(None, "ok fail fail fail fail fail - - - - ok ok"), @r"
     0 ok, closed
     1 fail, closed
     2 fail, closed
     3 fail, closed
     4 fail, closed
     5 fail, open
     6 wait until 10
     7 wait until 10
     8 wait until 10
     9 wait until 10
    10 ok, closed
    11 ok, closed
    ");
}

#[test]
fn a_failed_probe_doubles_the_wait() {
    let script = format!("fail fail fail fail fail {}", "fail ".repeat(20));
    insta::assert_snapshot!(play(None, &script), @r"
     0 fail, closed
     1 fail, closed
     2 fail, closed
     3 fail, closed
     4 fail, open
     5 wait until 9
     6 wait until 9
     7 wait until 9
     8 wait until 9
     9 fail, open
    10 wait until 19
    11 wait until 19
    12 wait until 19
    13 wait until 19
    14 wait until 19
    15 wait until 19
    16 wait until 19
    17 wait until 19
    18 wait until 19
    19 fail, open
    20 wait until 39
    21 wait until 39
    22 wait until 39
    23 wait until 39
    24 wait until 39
    ");
}

#[test]
fn a_probe_without_a_result_is_given_up() {
    insta::assert_snapshot!(play(None, "fail fail fail fail fail - - - - lost - - ok"), @r"
     0 fail, closed
     1 fail, closed
     2 fail, closed
     3 fail, closed
     4 fail, open
     5 wait until 9
     6 wait until 9
     7 wait until 9
     8 wait until 9
     9 lost, half_open
    10 wait until 12
    11 wait until 12
    12 ok, closed
    ");
}

#[test]
fn half_of_the_latest_twenty_is_too_much() {
    let script = "ok fail ".repeat(12);
    let timeline = play(None, &script);
    let last = timeline.lines().position(|line| line.contains("open"));
    assert_eq!(last, Some(19), "{timeline}");
}

#[test]
fn a_provider_that_asks_to_be_left_alone_is() {
    insta::assert_snapshot!(play(None, "ok limit - - - ok"), @r"
    0 ok, closed
    1 limit, closed
    2 wait until 5
    3 wait until 5
    4 wait until 5
    5 ok, closed
    ");
}

#[test]
fn a_rate_limit_allows_a_burst_and_then_its_rate() {
    let rate = Rate { messages: 3, per: SECOND * 6 };
    insta::assert_snapshot!(play(Some(rate), "ok ok ok ok ok ok ok ok ok ok"), @r"
    0 ok, closed
    1 ok, closed
    2 ok, closed
    3 ok, closed
    4 ok, closed
    5 wait until 6
    6 ok, closed
    7 wait until 8
    8 ok, closed
    9 wait until 10
    ");
}

/// How many may go, when the next may, and how much later each after that, in seconds.
fn opening(health: &Health, start: Instant, second: u32) -> Option<(usize, u64, u64)> {
    let opening = health.opening(start + SECOND * second)?;
    Some((opening.free, (opening.next - start).as_secs(), opening.every.as_secs()))
}

#[test]
fn it_is_known_how_many_may_go_before_they_are_counted() {
    let start = Instant::now();
    assert_eq!(opening(&Health::new(None, SECOND, 9), start, 0), None);
    let rate = Rate { messages: 3, per: SECOND * 6 };
    let mut health = Health::new(Some(rate), SECOND, 9);
    assert_eq!(opening(&health, start, 0), Some((3, 2, 2)));
    let mut admitted = 0;
    while health.admit(start) == Admission::Yes {
        admitted += 1;
    }
    assert_eq!(admitted, 3, "as was said");
    assert_eq!(opening(&health, start, 1), Some((0, 2, 2)));
    assert_eq!(opening(&health, start, 4), Some((2, 6, 2)));
    assert_eq!(opening(&health, start, 60), Some((3, 62, 2)));
}

#[test]
fn an_open_breaker_lets_one_through_and_then_waits_for_it() {
    let start = Instant::now();
    let mut health = Health::new(None, SECOND * 3, 9);
    for _ in 0..FAILURES_IN_A_ROW {
        health.record(start, start, Verdict::Failed);
    }
    assert_eq!(opening(&health, start, 1), Some((0, 5, 0)));
    assert_eq!(opening(&health, start, 5), Some((1, 6, 0)));
    assert_eq!(health.admit(start + SECOND * 5), Admission::Yes);
    assert_eq!(opening(&health, start, 5), Some((0, 6, 0)));
    health.record(start, start + SECOND * 5, Verdict::Worked);
    assert_eq!(opening(&health, start, 6), None);
}

#[test]
fn numbers_are_of_the_last_five_minutes() {
    let start = Instant::now();
    let mut health = Health::new(None, SECOND, PROVIDER_SAMPLES);
    for millis in 1..=100_u64 {
        let verdict = if millis <= 10 { Verdict::Failed } else { Verdict::Worked };
        health.record(start, start + Duration::from_millis(millis), verdict);
    }
    let measured = health.measured(start + SECOND);
    assert_eq!(measured.samples, 100);
    assert_eq!(measured.success_rate, Some(0.9));
    assert_eq!(measured.median, Some(Duration::from_millis(50)));
    assert_eq!(measured.p99, Some(Duration::from_millis(99)));
    let nothing = Measured { samples: 0, success_rate: None, median: None, p99: None };
    assert_eq!(health.measured(start + WINDOW + SECOND), nothing);
}

#[test]
fn memory_is_bounded() {
    let start = Instant::now();
    let mut health = Health::new(None, SECOND, PROVIDER_SAMPLES);
    for _ in 0..10_000 {
        health.record(start, start, Verdict::Worked);
    }
    assert_eq!(health.samples.len(), PROVIDER_SAMPLES);
    assert!(!health.is_stale(start + WINDOW - SECOND));
    assert!(health.is_stale(start + WINDOW));
}
