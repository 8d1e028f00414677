//! Ends that senders give, also while they can't reach us.

use super::*;

#[test]
fn an_alert_resolves_by_itself_when_its_end_passes_unless_refreshed() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db until 4 / 3 crit db until 7 / 4 tick / 5 tick / 7 tick / 8 crit db until 9 / 12 crit db"), @r#"
     0m crit db until 4 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     3m crit db until 7 folds into #4801 (2 events)
     4m tick            -
     5m tick            Level 2: Priya Nair is paged.
                        owed: sms, email, voice after 60 s
     7m tick            what waits is cancelled: resolved
                        Resolved by itself: the end its sender gave passed without news.
     8m crit db until 9 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
    12m crit db         what waits is cancelled: resolved
                        Resolved by itself: the end its sender gave passed without news.
                        Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn an_end_that_passed_while_we_were_away_is_put_off_and_a_renewal_folds() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db until 4 / 1 lena acks / 30 back / 32 crit db until 36 / 35 tick / 36 tick"), @r#"
     0m crit db until 4 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     1m lena acks       "Acknowledged. Priya will not be paged."
                        what waits is cancelled: acknowledged
                        Lena Kovač acknowledged by a key in the call.
    30m back            Bugle could not be reached for a while, so silence says nothing: the sender is waited for again, for 4 min.
    32m crit db until 36 folds into #4801 (2 events)
    35m tick            -
    36m tick            what waits is cancelled: resolved
                        Resolved by itself: the end its sender gave passed without news.
    "#);
}

#[test]
fn an_alert_that_ended_while_we_were_away_is_over_when_no_renewal_comes() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db until 4 / 1 lena acks / 30 back / 33 tick / 34 tick / 35 crit db until 39"), @r#"
     0m crit db until 4 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     1m lena acks       "Acknowledged. Priya will not be paged."
                        what waits is cancelled: acknowledged
                        Lena Kovač acknowledged by a key in the call.
    30m back            Bugle could not be reached for a while, so silence says nothing: the sender is waited for again, for 4 min.
    33m tick            -
    34m tick            what waits is cancelled: resolved
                        Resolved by itself: the end its sender gave passed without news.
    35m crit db until 39 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
    "#);
}

#[test]
fn an_explicit_end_after_we_were_away_ends_it_at_once() {
    insta::assert_snapshot!(
        play(halden(), "0 crit db until 4 / 1 lena acks / 30 back / 31 fixed db"), @r#"
     0m crit db until 4 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: sms, email, voice after 60 s
     1m lena acks       "Acknowledged. Priya will not be paged."
                        what waits is cancelled: acknowledged
                        Lena Kovač acknowledged by a key in the call.
    30m back            Bugle could not be reached for a while, so silence says nothing: the sender is waited for again, for 4 min.
    31m fixed db        folds into #4801 (2 events)
                        what waits is cancelled: resolved
                        The sender (Prometheus) resolved it.
    "#);
}

#[test]
fn an_end_soon_after_we_are_back_is_put_off_once_and_one_heard_since_stands() {
    insta::assert_snapshot!(
        play(halden(), "0 low db until 29 / 1 lena acks / 27 back / 28 low web until 29 / 29 tick / 56 tick"), @r#"
     0m low db until 29 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: email
     1m lena acks       "Acknowledged. Priya will not be paged."
                        what waits is cancelled: acknowledged
                        Lena Kovač acknowledged by a key in the call.
    27m back            -
    28m low web until 29 Opened. It follows the policy "Payments" of its service.
                        Level 1: Lena Kovač is paged.
                        owed: email
    29m tick            what waits is cancelled: resolved
                        Bugle could not be reached for a while, so silence says nothing: the sender is waited for again, for 29 min.
                        Resolved by itself: the end its sender gave passed without news.
    56m tick            what waits is cancelled: resolved
                        Resolved by itself: the end its sender gave passed without news.
    "#);
}

#[test]
fn a_renewal_that_waited_behind_others_still_counts() {
    let mut world = World::new(halden());
    world.pass(events("crit db until 4", 1, 0), at(0));
    let renewal = events("crit db until 9", 2, 3);
    let behind = Work { left_from: Some(at(3)), ..world.work(Vec::new(), at(5)) };
    assert!(entries(&world.decide(behind, at(5))).iter().all(|it| !is_resolved(it)));
    let decisions = world.pass(renewal, at(5));
    assert!(entries(&decisions).iter().all(|it| !is_resolved(it)));
    let decisions = world.pass(Vec::new(), at(9));
    assert!(entries(&decisions).iter().any(|it| is_resolved(it)));
}

#[test]
fn a_renewal_received_before_alerting_ran_again_still_counts() {
    let mut world = World::new(halden());
    world.pass(events("crit db until 4", 1, 0), at(0));
    world.heard_since = at(30);
    let decisions = world.pass(events("crit db until 35", 2, 31), at(60));
    let outcome = decisions.outcomes[0].1;
    assert!(matches!(outcome, EventOutcome::Folded { .. }), "{outcome:?}");
    assert!(entries(&decisions).iter().any(|it| is_resolved(it)), "its new end passed, too");
}

fn is_resolved(entry: &TimelineEntry) -> bool {
    matches!(entry, TimelineEntry::Resolved { .. })
}
