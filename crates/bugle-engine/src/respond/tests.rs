//! What an answer says it did, and what the page says before.

use bugle_domain::alert::{Actor, Alert};
use bugle_domain::contact::Channel;
use bugle_domain::event::Action;
use bugle_domain::{AlertId, IntegrationId, Severity};

use super::*;
use crate::testing::{
    JONAS, LENA, PRIYA, World, at, event, halden, id, level, method_of, only, payments, user,
};

/// An alert that was just opened, with its world.
fn opened(severity: Severity) -> (World, AlertId) {
    let mut world = World::new(halden());
    world.pass(vec![event(1, Action::Trigger, "db", severity)], at(0));
    let alert = *world.alerts.keys().next().unwrap();
    (world, alert)
}

fn under_the_button(world: &World, alert: AlertId, minute: i64) -> String {
    preview(&world.directory, &world.alerts[&alert], at(minute))
}

#[test]
fn the_line_under_the_button_is_computed() {
    // 02:00 UTC is 07:30 in Kolkata, where Priya lives, and 03:00 in Berlin.
    let (mut world, alert) = opened(Severity::Critical);
    let shown = under_the_button(&world, alert, 1);
    assert_eq!(shown, "Stops the calls. Priya will not be paged.");
    world.pass(Vec::new(), at(5));
    let shown = under_the_button(&world, alert, 6);
    assert_eq!(shown, "Stops the calls. Jonas will not be woken.");
    world.pass(Vec::new(), at(15));
    let shown = under_the_button(&world, alert, 16);
    assert_eq!(shown, "Stops the calls. Nobody else is paged.");
    world
        .directory
        .methods_of
        .get_mut(&user(JONAS))
        .unwrap()
        .retain(|method| *method == method_of(JONAS, Channel::Email));
    let shown = under_the_button(&world, alert, 16);
    assert_eq!(shown, "Stops the messages. Nobody else is paged.");
    world.respond(alert, JONAS, ResponseAction::Acknowledge, at(17));
    let shown = under_the_button(&world, alert, 18);
    assert_eq!(shown, "Ends the alert. If it comes back, a new one pages again.");
    world.respond(alert, JONAS, ResponseAction::Resolve, at(18));
    let shown = under_the_button(&world, alert, 19);
    assert_eq!(shown, "It is over. If it comes back, a new one pages again.");
}

#[test]
fn quiet_alerts_have_no_calls_to_stop() {
    let (world, alert) = opened(Severity::Low);
    let shown = under_the_button(&world, alert, 1);
    assert_eq!(shown, "Stops the messages. Priya will not be paged.");
}

#[test]
fn who_is_next_is_known_beforehand() {
    let (mut world, alert) = opened(Severity::Critical);
    let next = |world: &World, minute| {
        let alert: &Alert = &world.alerts[&alert];
        next_level(&world.directory, alert, at(minute)).map(|it| (it.level, it.at, it.names))
    };
    assert_eq!(next(&world, 1), Some((1, at(5), vec!["Priya".to_owned()])));
    assert_eq!(next(&world, 7), Some((1, at(7), vec!["Priya".to_owned()])), "overdue");
    world.directory.methods_of.remove(&user(PRIYA));
    assert_eq!(next(&world, 1), Some((0, at(5), vec!["Jonas".to_owned()])), "by the fallback");
    world.directory.tenant.fallback_policy = None;
    assert_eq!(next(&world, 1), None);
}

#[test]
fn one_who_answers_is_not_told_that_they_are_spared() {
    let mut world = World::new(halden());
    payments(&mut world.directory).levels[1] = level(&[only(LENA), only(PRIYA)], 5);
    world.pass(vec![event(1, Action::Trigger, "db", Severity::Critical)], at(0));
    let alert = *world.alerts.keys().next().unwrap();
    let (_, effect) = world.respond(alert, LENA, ResponseAction::Resolve, at(1));
    assert_eq!(sentence(&effect, at(1)), "Resolved. Priya will not be paged.");
}

#[test]
fn what_is_said_about_a_level_before_passes_nothing_on() {
    let pass_on = |who, notification: Option<u128>, seen| Response {
        action: ResponseAction::PassOn,
        by: Actor::User { id: user(who), name: "?".to_owned() },
        via: Via::Sms,
        notification: notification.map(|number| id(NotificationId::from_stored, number)),
        seen,
    };
    let priya = Effect::AlreadyPassedOn { to: vec!["Priya".to_owned()] };
    let jonas = Effect::PassedOn { to: vec!["Jonas".to_owned()] };
    // The first level was told at 0, and says "pass on" at 1; Priya's was told then.
    let answered = |response| {
        let (mut world, alert) = opened(Severity::Critical);
        let first = world.respond_to(alert, pass_on(LENA, Some(1), Some(at(0))), at(1)).1;
        assert_eq!(first, Effect::PassedOn { to: vec!["Priya".to_owned()] });
        let (decisions, effect) = world.respond_to(alert, response, at(2));
        let passed = matches!(effect, Effect::PassedOn { .. });
        assert_eq!(decisions.cancel.is_empty(), !passed, "nobody's pages end");
        effect
    };
    assert_eq!(answered(pass_on(LENA, Some(2), Some(at(0)))), priya, "said again, by text");
    assert_eq!(answered(pass_on(LENA, None, Some(at(0)))), priya, "clicked twice");
    assert_eq!(answered(pass_on(LENA, None, None)), priya, "she is not asked any more");
    assert_eq!(answered(pass_on(PRIYA, Some(3), Some(at(1)))), jonas, "her own page");
    assert_eq!(answered(pass_on(PRIYA, None, None)), jonas, "she is asked now");
    assert_eq!(answered(pass_on(LENA, None, Some(at(1)))), jonas, "she sees that Priya is asked");
}

#[test]
fn answers_are_told_in_a_sentence() {
    let check = |effect: Effect, expected: &str| assert_eq!(sentence(&effect, at(5)), expected);
    let user = |name: &str| Actor::User { id: user(LENA), name: name.to_owned() };
    let two = || vec!["Priya".to_owned(), "Jonas".to_owned()];
    check(Effect::Acknowledged { not_paged: Vec::new() }, "Acknowledged.");
    let spared = Effect::Acknowledged { not_paged: two() };
    check(spared, "Acknowledged. Priya and Jonas will not be paged.");
    let by = |by| Effect::AlreadyAcknowledged { by, at: at(3) };
    check(by(user("Lena Kovač")), "Lena acknowledged 2 min before you.");
    check(by(Actor::System), "Bugle acknowledged 2 min before you.");
    check(by(Actor::Key { name: "ci".to_owned() }), "ci acknowledged 2 min before you.");
    let integration = id(IntegrationId::from_stored, 1);
    check(by(Actor::Sender { integration }), "The sender acknowledged 2 min before you.");
    check(Effect::AlreadyResolved { at: at(4) }, "It was over 1 min before you.");
    check(Effect::PassedOn { to: two() }, "Passed on. Priya and Jonas are paged now.");
    let before = "It was already passed on to Priya and Jonas. Nothing changed.";
    check(Effect::AlreadyPassedOn { to: two() }, before);
    let nobody = "There is nobody to pass it on to. It still waits for an answer.";
    check(Effect::NobodyNext, nobody);
}
