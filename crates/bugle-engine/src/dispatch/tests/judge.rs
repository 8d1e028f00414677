//! What is sent, together or alone, and what is held or dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bugle_domain::contact::Channel;
use proptest::prelude::*;

use super::*;

/// Candidates by channel and severity, in words: `sms crit held`, `web low`, `call high unsure`.
fn candidates(words: &str) -> Vec<Candidate> {
    let one = |(index, words): (usize, &str)| {
        let number = index as u128 + 1;
        let words: Vec<&str> = words.split_whitespace().collect();
        let channel = match words[0] {
            "sms" => Channel::Sms,
            "call" => Channel::Voice,
            "mail" => Channel::Email,
            _ => Channel::Webhook,
        };
        let severity = if words[1] == "crit" { Severity::Critical } else { Severity::Low };
        let mut candidate = candidate(number, channel, severity);
        if severity == Severity::Low {
            candidate.notification.lane = Lane::Bulk;
        }
        for word in &words[2..] {
            match *word {
                "held" => candidate.held = true,
                "unsure" => candidate.unsure = true,
                "tried" => candidate.notification.tries = 1,
                "acked" => candidate.alert.status = AlertStatus::Acknowledged,
                "over" => candidate.alert.status = AlertStatus::Resolved,
                "old" => candidate.notification.deadline = sec(-1),
                "late" => {
                    candidate.notification.wanted_at = sec(-1_260);
                    candidate.notification.due_at = sec(-1_260);
                }
                "retried" => candidate.notification.due_at = sec(0),
                _ => (),
            }
        }
        candidate
    };
    words.split('/').enumerate().map(one).collect()
}

fn paced(mut candidates: Vec<Candidate>, last_sent_s: i64, count: u32) -> Vec<Candidate> {
    for candidate in &mut candidates {
        candidate.pace = Some(Pace {
            last_sent_at: sec(last_sent_s),
            window_from: sec(-600),
            window_count: count,
        });
    }
    candidates
}

fn show(candidates: &[Candidate]) -> String {
    show_in(candidates, &plenty())
}

/// Room for everything.
fn plenty() -> Room {
    Room { messages: 99, late: 99, program_places: 99, ..Room::default() }
}

fn show_in(candidates: &[Candidate], room: &Room) -> String {
    let (verdicts, paces) = judge(candidates, &Limits::standard(), room, sec(0));
    let mut text = String::new();
    for verdict in verdicts {
        let _ = match verdict {
            Verdict::Send { message } => writeln!(text, "send in message {message}"),
            Verdict::Digest { message } => writeln!(text, "in digest {message}"),
            Verdict::Leave => writeln!(text, "leave"),
            Verdict::PutOff { due_at } => {
                writeln!(text, "put off to {} s", due_at.duration_since(sec(0)).as_secs())
            }
            Verdict::End { end, reason } => writeln!(text, "{} {reason}", end.as_str()),
            Verdict::Hold { until } => {
                writeln!(text, "hold {} s", until.duration_since(sec(0)).as_secs())
            }
        };
    }
    for update in paces {
        let _ = writeln!(text, "pace {}", update.pace.window_count);
    }
    text
}

#[test]
fn what_is_no_longer_true_is_not_sent() {
    insta::assert_snapshot!(show(&candidates("sms crit acked / web crit over / mail low old")), @r"
    cancelled acknowledged
    cancelled resolved
    expired deadline
    ");
}

#[test]
fn the_first_message_goes_alone_at_once_the_worst_before_others() {
    insta::assert_snapshot!(show(&candidates("sms low / sms crit / sms low")), @r"
    hold 5 s
    send in message 0
    hold 5 s
    pace 1
    ");
}

#[test]
fn what_follows_within_seconds_waits_and_then_goes_as_one() {
    let soon = paced(candidates("sms crit / sms low"), -2, 1);
    insta::assert_snapshot!(show(&soon), @r"
    hold 3 s
    hold 3 s
    ");
    let later = paced(candidates("sms crit held / sms low held / sms low"), -5, 1);
    insta::assert_snapshot!(show(&later), @r"
    send in message 0
    send in message 0
    send in message 0
    pace 2
    ");
}

#[test]
fn what_did_not_leave_is_not_held_for_its_own_try() {
    let again = paced(candidates("sms low / sms crit tried / sms low tried"), 0, 1);
    insta::assert_snapshot!(show(&again), @r"
    hold 5 s
    send in message 0
    send in message 0
    pace 2
    ");
}

#[test]
fn webhooks_are_neither_bundled_nor_held() {
    insta::assert_snapshot!(show(&candidates("web crit / web crit / web low")), @r"
    send in message 0
    send in message 1
    send in message 2
    ");
}

#[test]
fn what_may_have_been_sent_goes_alone() {
    let words = "sms crit unsure / sms crit held / sms low held / sms low unsure";
    insta::assert_snapshot!(show(&candidates(words)), @r"
    send in message 0
    send in message 1
    send in message 1
    send in message 2
    pace 3
    ");
}

#[test]
fn methods_do_not_hold_each_other_up() {
    insta::assert_snapshot!(show(&candidates("sms crit / call crit / mail crit")), @r"
    send in message 0
    send in message 1
    send in message 2
    pace 1
    pace 1
    pace 1
    ");
}

#[test]
fn over_its_ceiling_a_method_waits_for_the_hour_to_end() {
    let quiet = paced(candidates("sms low / sms low"), -60, 20);
    insta::assert_snapshot!(show(&quiet), @r"
    hold 3000 s
    hold 3000 s
    ");
    let urgent_still_goes = paced(candidates("sms low held / sms crit held"), -60, 20);
    insta::assert_snapshot!(show(&urgent_still_goes), @r"
    send in message 0
    send in message 0
    pace 21
    ");
    let urgent_too = paced(candidates("sms crit / mail crit"), -60, 60);
    insta::assert_snapshot!(show(&urgent_too), @r"
    hold 3000 s
    send in message 0
    pace 61
    ");
}

#[test]
fn an_hour_later_the_ceiling_counts_anew() {
    let mut candidates = paced(candidates("sms low"), -4_000, 20);
    for candidate in &mut candidates {
        let pace = candidate.pace.as_mut().unwrap();
        pace.window_from = sec(-3_600);
    }
    insta::assert_snapshot!(show(&candidates), @r"
    send in message 0
    pace 1
    ");
}

#[test]
fn what_is_late_goes_as_one_message_behind_what_is_new() {
    let late = candidates("sms crit late / sms crit late / mail crit late");
    insta::assert_snapshot!(show(&late), @r"
    send in message 0
    send in message 0
    send in message 1
    pace 1
    pace 1
    ");
    let with_a_new_one = candidates("sms crit late / sms crit late / sms crit");
    insta::assert_snapshot!(show(&with_a_new_one), @r"
    hold 5 s
    hold 5 s
    send in message 0
    pace 1
    ");
}

#[test]
fn one_digest_per_person_instead_of_a_flood() {
    // Gathered until the full minute.
    insta::assert_snapshot!(show(&candidates("mail low late / mail low late")), @r"
    hold 60 s
    hold 60 s
    ");
    let gathered = candidates("mail low late held / mail low late held / mail crit old late held");
    insta::assert_snapshot!(show(&gathered), @r"
    in digest 0
    in digest 0
    in digest 0
    pace 1
    ");
    let beside_a_page = candidates("mail low late held / mail crit");
    insta::assert_snapshot!(show(&beside_a_page), @r"
    hold 5 s
    send in message 0
    pace 1
    ");
}

#[test]
fn a_backlog_takes_no_more_than_its_room() {
    let all = candidates("web crit late / web crit late / web crit / mail crit late");
    let room = Room { late: 1, ..plenty() };
    insta::assert_snapshot!(show_in(&all, &room), @r"
    send in message 0
    leave
    send in message 1
    leave
    ");
    let full = Room { channels: BTreeMap::from([(Channel::Email, 0)]), ..plenty() };
    insta::assert_snapshot!(show_in(&candidates("mail crit late / mail crit late"), &full), @r"
    leave
    leave
    ");
}

#[test]
fn what_a_channel_does_not_take_now_is_put_off_each_to_its_own_time() {
    let words = "web crit / web crit / web crit / sms crit / web crit late / web crit late retried";
    let opening = Opening { free: 1, next_at: sec(2), every: SignedDuration::from_secs(3) };
    let room = Room { openings: BTreeMap::from([(Channel::Webhook, opening)]), ..plenty() };
    // What is late waits with the backlog.
    insta::assert_snapshot!(show_in(&candidates(words), &room), @r"
    send in message 0
    put off to 2 s
    put off to 5 s
    send in message 1
    leave
    put off to -1260 s
    pace 1
    ");
}

#[test]
fn what_waits_for_a_rate_is_looked_at_again_within_seconds() {
    let opening = Opening { free: 0, next_at: sec(4), every: SignedDuration::from_secs(60) };
    let room = Room { openings: BTreeMap::from([(Channel::Webhook, opening)]), ..plenty() };
    insta::assert_snapshot!(show_in(&candidates("web crit / web crit / web crit"), &room), @r"
    put off to 4 s
    put off to 10 s
    put off to 10 s
    ");
}

#[test]
fn a_channel_that_hangs_leaves_the_others_their_places() {
    let all = candidates("mail crit unsure / mail crit unsure / sms crit / web crit / web crit");
    let full = |free, back_at| Places { free, back_at };
    let places = BTreeMap::from([(Channel::Email, full(1, Some(sec(1))))]);
    let room = Room { places, program_places: 1, ..plenty() };
    // What is under way of the tenant's program does not hang: there will be a place in a moment.
    insta::assert_snapshot!(show_in(&all, &room), @r"
    send in message 0
    put off to 1 s
    send in message 1
    send in message 2
    leave
    pace 1
    pace 1
    ");
}

fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let channel = prop::sample::select(&["sms", "call", "mail", "web"][..]);
    let severity = prop::sample::select(&["crit", "low"][..]);
    let state = prop::sample::select(&["", "held", "unsure", "acked", "over", "old"][..]);
    let one = (channel, severity, state).prop_map(|(a, b, c)| format!("{a} {b} {c}"));
    (prop::collection::vec(one, 1..12), prop::option::of((-9..0_i64, 0..70_u32))).prop_map(
        |(words, pace)| {
            let all = candidates(&words.join(" / "));
            match pace {
                Some((last, count)) => paced(all, last, count),
                None => all,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn each_message_is_for_one_method_and_nothing_untrue_is_sent(all in any_candidates()) {
        check(&all)?;
    }
}

fn check(all: &[Candidate]) -> Result<(), TestCaseError> {
    let (verdicts, paces) = judge(all, &Limits::standard(), &plenty(), sec(0));
    prop_assert_eq!(verdicts.len(), all.len());
    let mut messages: BTreeMap<usize, Vec<&Candidate>> = BTreeMap::new();
    for (candidate, verdict) in all.iter().zip(&verdicts) {
        let open = candidate.alert.status == AlertStatus::Open;
        match verdict {
            Verdict::Digest { .. } | Verdict::PutOff { .. } | Verdict::Leave => {
                return Err(TestCaseError::fail("nothing is stale, and there is room"));
            }
            Verdict::Send { message } => {
                prop_assert!(open && candidate.notification.deadline >= sec(0));
                messages.entry(*message).or_default().push(candidate);
            }
            Verdict::End { .. } => {
                prop_assert!(!open || candidate.notification.deadline < sec(0));
            }
            Verdict::Hold { until } => {
                prop_assert!(*until > sec(0), "held for some time");
                prop_assert!(candidate.notification.channel.reaches_a_person());
                prop_assert!(!candidate.unsure);
            }
        }
    }
    prop_assert!(messages.keys().copied().eq(0..messages.len()), "numbered without holes");
    for together in messages.values() {
        let method = together[0].notification.method;
        prop_assert!(together.iter().all(|it| it.notification.method == method));
        let alone =
            together.iter().any(|it| it.unsure || !it.notification.channel.reaches_a_person());
        prop_assert!(!alone || together.len() == 1);
    }
    for channel in [Channel::Sms, Channel::Voice, Channel::Email] {
        let sure = messages.values().filter(|it| it[0].notification.channel == channel);
        prop_assert!(sure.filter(|it| !it[0].unsure).count() <= 1, "one message per method");
        let method = method_of(LENA, channel);
        let sent = messages.values().any(|it| it[0].notification.channel == channel);
        prop_assert_eq!(paces.iter().any(|it| it.method == method), sent, "pace is kept");
    }
    Ok(())
}
