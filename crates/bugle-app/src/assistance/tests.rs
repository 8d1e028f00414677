//! Requests from their opening to their end, on a whole application.

use std::time::Duration;

use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::Address;
use bugle_domain::integration::Dialect;
use bugle_domain::role::Role;
use bugle_domain::stage::Stage;
use bugle_domain::{AssistanceId, EventId, IntegrationId, Severity, TenantId, TenantScope};
use bugle_engine::assistance::finding::Cause;
use bugle_engine::assistance::group::AGAIN_AFTER;
use bugle_engine::assistance::replica::Passage;
use bugle_engine::assistance::{Alarm, AssistanceRequest, Paged};
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::error::AssistanceError;
use super::*;
use crate::alerts::AlertQuery;
use crate::caller::Caller;
use crate::entropy;
use crate::objects::KeySource;
use crate::objects::draft::IntegrationDraft;
use crate::paging::Page;
use crate::requests::SentEvent;
use crate::tenants::NewTenant;
use crate::world::{WRITE, World, client};

/// How long a test waits for what the worker does.
const PATIENCE: Duration = Duration::from_secs(10);

fn asked(expected: &str) -> NewAssistance {
    NewAssistance { expected: expected.to_owned(), ..NewAssistance::default() }
}

/// The admin of a tenant of this name.
async fn other_tenant(world: &World, name: &str) -> Caller {
    let new = NewTenant {
        name: name.to_owned(),
        time_zone: "UTC".to_owned(),
        admin_name: format!("{name}'s admin"),
        admin_email: format!("admin@{}.example", name.to_lowercase()),
    };
    let made = world.app.create_tenant(&world.admin, new).await.unwrap();
    let token = made.link.token.expose_secret().to_owned();
    world.app.sign_in_with_link(&token, &client()).await.unwrap().caller
}

async fn way_in(world: &World) -> IntegrationId {
    let draft = IntegrationDraft {
        name: "Prometheus".to_owned(),
        dialect: Dialect::Native,
        service: None,
        quota_per_minute: 600,
        disabled: false,
    };
    let made = world.app.create_integration(&world.admin, draft, KeySource::Made, WRITE).await;
    made.unwrap().integration.object.id
}

/// A request as soon as it is as wanted.
async fn becomes(
    world: &World,
    id: AssistanceId,
    wanted: impl Fn(&AssistanceRequest) -> bool,
) -> AssistanceRequest {
    let looking = async {
        loop {
            let found = world.app.assistance_request(&world.admin, id).await.unwrap().request;
            if wanted(&found) {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            world.clock.push(SignedDuration::from_secs(1));
            world.app.inner().assistance.wake();
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it never was as wanted")
}

#[tokio::test]
async fn a_request_holds_the_ledgers_answer_from_the_beginning() {
    let world = World::new().await;
    let (app, lena) = (&world.app, world.person("Lena Ortiz", Role::Responder).await);
    let nothing = app.open_assistance(&lena, asked("a text about db1")).await.unwrap();
    assert_eq!(nothing.request.finding.unwrap().cause, Cause::NothingCame);

    let integration = way_in(&world).await;
    let event = SentEvent { severity: Severity::Info, ..SentEvent::test() };
    let sent = app.send_event(&lena, integration, event).await.unwrap();
    let new = NewAssistance { event: Some(sent.event), ..asked("a text") };
    let opened = app.open_assistance(&lena, new).await.unwrap().request;
    assert_eq!(opened.integration, Some(integration), "the path follows from the event");
    let cause = |it: &AssistanceRequest| it.finding.as_ref().map(|found| found.cause);
    becomes(&world, opened.id, |it| cause(it) == Some(Cause::Info)).await;
    let view = app.assistance_request(&lena, opened.id).await.unwrap();
    let record = view.trace.unwrap().record.unwrap();
    assert_eq!((record.event, record.steps.len()), (Some(sent.event), 3));
    assert!(record.steps[0].data["begins"].is_null(), "the bytes may hold a key");

    let time = NewAssistance { integration: Some(integration), ..asked("a text") };
    let view = app.open_assistance(&lena, time).await.unwrap();
    assert_eq!(cause(&view.request), Some(Cause::Info));
    assert_eq!(view.trace.unwrap().came.len(), 1);
    assert_eq!(app.assistance_requests(&lena).await.unwrap().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn what_is_stuck_is_found_behind_all_that_came_after_it() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let integration = way_in(&world).await;
    app.hold(Stage::Alerting, true).await;
    let stuck = app.send_event(admin, integration, SentEvent::test()).await.unwrap().event;
    world.clock.push(SignedDuration::from_secs(20));
    for _ in 0..25 {
        let event = SentEvent { severity: Severity::Info, ..SentEvent::test() };
        app.send_event(admin, integration, event).await.unwrap();
    }
    let view = app.open_assistance(admin, asked("a text")).await.unwrap();
    let finding = view.request.finding.unwrap();
    assert_eq!(finding.cause, Cause::NoOutcome, "{finding:?}");
    assert!(finding.text.starts_with("At least 20 events came."), "{finding:?}");
    let came = view.trace.unwrap().came;
    assert_eq!((came.len(), came.last().map(|it| it.event)), (20, Some(stuck)));
    app.hold(Stage::Alerting, false).await;
    world.end().await;
}

#[tokio::test]
async fn nobody_else_sees_a_request_or_opens_one_that_says_nothing() {
    let world = World::new().await;
    let app = &world.app;
    let (viewer, other) =
        (world.person("Vera Lind", Role::Viewer).await, other_tenant(&world, "Other").await);
    let refused = app.open_assistance(&viewer, asked("a text")).await;
    assert!(matches!(refused, Err(AssistanceError::Forbidden(_))));
    let empty = app.open_assistance(&other, asked(" ")).await;
    assert!(matches!(empty, Err(AssistanceError::Invalid(_))));
    let later = world.app.now() + SignedDuration::from_hours(1);
    let future = NewAssistance { until: Some(later), ..asked("a text") };
    let future = app.open_assistance(&other, future).await;
    assert!(matches!(future, Err(AssistanceError::Invalid(_))));

    let theirs = app.open_assistance(&other, asked("a text")).await.unwrap().request.id;
    let hidden = app.assistance_request(&viewer, theirs).await;
    assert!(matches!(hidden, Err(AssistanceError::NotFound)));
    let hidden = app.add_to_assistance(&world.admin, theirs, "me too").await;
    assert!(matches!(hidden, Err(AssistanceError::NotFound)), "an operator answers instead");
    assert!(app.assistance_request(&world.admin, theirs).await.is_ok(), "who is an operator");
    let desk = app.assistance_desk(&viewer).await;
    assert!(matches!(desk, Err(AssistanceError::Forbidden(_))));
    for _ in 1..MAX_OPEN {
        app.open_assistance(&other, asked("a text")).await.unwrap();
    }
    let one_more = app.open_assistance(&other, asked("a text")).await;
    assert!(matches!(one_more, Err(AssistanceError::TooMany { most: MAX_OPEN })));
    world.end().await;
}

#[tokio::test]
async fn a_request_is_closed_only_with_its_trace() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let traced = app.open_assistance(admin, asked("a text")).await.unwrap().request;
    let id = AssistanceId::new(app.now(), entropy::bytes());
    // What is found is settled, so that no trace is read by itself either.
    let untraced = AssistanceRequest { id, ..traced };
    let store = &app.inner().store;
    store.open_assistance(admin.scope, &untraced, None, MAX_OPEN).await.unwrap();
    let refused = app.close_assistance(admin, id).await;
    assert!(matches!(refused, Err(AssistanceError::Untraced)));

    let closed = app.close_assistance(admin, traced.id).await.unwrap();
    assert!(!closed.request.open());
    let said = app.answer_assistance(admin, traced.id, "Too late").await;
    assert!(matches!(said, Err(AssistanceError::Closed)));
    world.end().await;
}

#[tokio::test]
async fn what_retention_dropped_is_said_to_be_gone_and_can_be_closed() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let opened = app.open_assistance(admin, asked("a text")).await.unwrap().request;
    let id = AssistanceId::new(app.now(), entropy::bytes());
    let long_ago = app.now() - SignedDuration::from_hours(24 * 4_000);
    let about = About::Alert { alert: AlertId::new(long_ago, entropy::bytes()) };
    let gone = AssistanceRequest { id, about, ..opened };
    app.inner().store.open_assistance(admin.scope, &gone, None, MAX_OPEN).await.unwrap();
    assert!(matches!(app.close_assistance(admin, id).await, Err(AssistanceError::Untraced)));
    let found = app.trace_assistance(admin, id).await.unwrap().request.finding.unwrap();
    assert_eq!(found.cause, Cause::NotKept);
    assert!(found.text.contains("no longer holds the alert (kept for "), "{}", found.text);
    assert!(!app.close_assistance(admin, id).await.unwrap().request.open());
    world.end().await;
}

#[tokio::test]
async fn two_tenants_within_ten_minutes_page_operators_once() {
    let mut world = World::new().await;
    let hook = Address::Webhook(world.hook.clone());
    let priya = world.admin.user.unwrap();
    world.proven(priya, hook).await;
    let (first, second) = (other_tenant(&world, "Acme").await, other_tenant(&world, "Birch").await);
    let app = world.app.clone();
    let one = app.open_assistance(&first, asked("a text")).await.unwrap().request;
    assert!(app.inner().assistance.calls().is_empty(), "one that is explained pages nobody");
    world.clock.push(SignedDuration::from_secs(1));
    let two = app.open_assistance(&second, asked("a call")).await.unwrap().request;
    let said = world.next_hook().await.to_string();
    assert!(said.contains("2 clients say that nobody was paged: Acme and Birch"), "{said}");
    let paged = becomes(&world, two.id, |it| it.paged.is_some()).await;
    assert_eq!(paged.paged.map(|it| it.named), Some(one.id));
    let calls = app.inner().assistance.calls();
    assert!(calls[0].text.contains("2 clients"), "the alarm rings, too: {calls:?}");

    let third = app.open_assistance(&first, asked("a mail")).await.unwrap().request;
    let third = becomes(&world, third.id, |it| it.paged.is_some()).await;
    assert_eq!(third.paged.map(|it| it.named), Some(one.id), "it joins the page");
    let query = AlertQuery::default();
    let alerts = app.alerts(&world.admin, &query, &Page::first(9)).await.unwrap().items;
    assert_eq!(alerts.len(), 1, "nobody has answered it, and it says what is new");

    let desk = app.assistance_desk(&world.admin).await.unwrap();
    assert_eq!((desk.requests.len(), desk.groups.len()), (3, 1));
    assert_eq!(desk.groups[0].shared[0].value, "intake");
    let answered = app.answer_assistance(&world.admin, one.id, "We are on it.").await.unwrap();
    let mailed = answered.request.said[0].mailed.clone().unwrap();
    assert_eq!(mailed, "Not mailed: Acme's admin has no proven mail address.");
    for id in [two.id, third.id] {
        app.answer_assistance(&world.admin, id, "You, too.").await.unwrap();
    }
    let quiet = async {
        while !app.inner().assistance.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, quiet).await.expect("the alarm goes on");
    for id in [one.id, two.id, third.id] {
        app.close_assistance(&world.admin, id).await.unwrap();
    }
    world.alert(AlertStatus::Resolved).await;
    world.end().await;
}

#[tokio::test]
async fn who_joins_after_the_page_was_answered_pages_again() {
    let mut world = World::new().await;
    world.proven(world.admin.user.unwrap(), Address::Webhook(world.hook.clone())).await;
    let (first, second) = (other_tenant(&world, "Acme").await, other_tenant(&world, "Birch").await);
    let third = other_tenant(&world, "Cedar").await;
    let app = world.app.clone();
    let one = app.open_assistance(&first, asked("a text")).await.unwrap().request;
    let two = app.open_assistance(&second, asked("a call")).await.unwrap().request;
    assert!(world.next_hook().await.to_string().contains("2 clients"));
    app.answer_assistance(&world.admin, one.id, "We are on it.").await.unwrap();

    let known = app.open_assistance(&first, asked("a mail")).await.unwrap().request;
    let known = becomes(&world, known.id, |it| it.paged.is_some()).await.paged.unwrap();
    // Ids of one millisecond are in no order.
    let page = one.id.min(two.id);
    assert_eq!((known.named, known.owed, known.alarm), (page, false, None), "they know");
    let new = app.open_assistance(&third, asked("a text")).await.unwrap().request;
    world.clock.push(AGAIN_AFTER);
    let paged = becomes(&world, new.id, |it| it.paged.is_some_and(|it| !it.owed)).await;
    assert_eq!(paged.paged.map(|it| it.named), Some(new.id), "it is a page of its own");
    let said = world.next_hook().await.to_string();
    assert!(said.contains("One more client says that nobody was paged: Cedar"), "{said}");
    let desk = app.assistance_desk(&world.admin).await.unwrap();
    assert_eq!((desk.groups.len(), desk.groups[0].pages.len()), (1, 2));
    world.end().await;
}

#[tokio::test]
async fn what_was_decided_before_a_kill_is_done_after_it_and_what_was_done_is_not() {
    let mut world = World::new().await;
    world.proven(world.admin.user.unwrap(), Address::Webhook(world.hook.clone())).await;
    let app = world.app.clone();
    let opened = app.open_assistance(&world.admin, asked("a text")).await.unwrap().request;
    // A process was killed right after it had decided: nothing rang, and nobody was told.
    let id = AssistanceId::new(app.now(), entropy::bytes());
    let alarm = Some(Alarm { node: app.inner().node, rang: None });
    let paged = Some(Paged { owed: true, alarm, ..Paged::new(id, app.now()) });
    let left = AssistanceRequest { id, paged, ..opened };
    let store = &app.inner().store;
    store.open_assistance(world.admin.scope, &left, None, MAX_OPEN).await.unwrap();
    app.inner().assistance.wake();
    let said = world.next_hook().await.to_string();
    assert!(said.contains("says that nobody was paged"), "{said}");
    becomes(&world, id, |it| it.paged.is_some_and(|it| !it.owed)).await;
    let calls = app.inner().assistance.calls();
    assert_eq!(calls.iter().map(|it| it.rang).collect::<Vec<_>>(), [None], "it is to ring");

    // It rings, and somebody answers by its link: both are on record, and outlive the process.
    let (about, now) = (id.to_string(), app.now());
    app.inner().assistance.note([(about, now)].into(), &[]);
    let alarm = |it: &AssistanceRequest| it.paged.and_then(|it| it.alarm?.rang);
    becomes(&world, id, |it| alarm(it) == Some(now)).await;
    let known = async {
        while app.inner().assistance.calls()[0].rang != Some(now) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.expect("the alarm knows that it rang");
    app.inner().assistance.note([].into(), &calls);
    becomes(&world, id, |it| it.paged.is_some_and(|it| it.answered)).await;
    world.end().await;
}

#[tokio::test]
async fn one_that_the_ledger_cannot_explain_pages_operators() {
    let world = World::new().await;
    let event = EventId::new(world.app.now(), entropy::bytes());
    let lost = NewAssistance { event: Some(event), ..asked("a text") };
    let opened = world.app.open_assistance(&world.admin, lost).await.unwrap().request;
    assert_eq!(opened.finding.map(|it| it.cause), Some(Cause::NoSuchEvent));
    becomes(&world, opened.id, |it| it.paged.is_some()).await;
    world.end().await;
}

#[tokio::test]
async fn a_tenant_that_cannot_be_read_stops_no_page() {
    let mut world = World::new().await;
    world.proven(world.admin.user.unwrap(), Address::Webhook(world.hook.clone())).await;
    let app = world.app.clone();
    let opened = app.open_assistance(&world.admin, asked("a text")).await.unwrap().request;
    let ghost = TenantId::new(app.now(), entropy::bytes());
    let id = AssistanceId::new(app.now(), entropy::bytes());
    let theirs =
        AssistanceRequest { id, tenant: ghost, finding: None, traced_at: None, ..opened.clone() };
    let store = &app.inner().store;
    store.open_assistance(TenantScope::granted(ghost), &theirs, None, MAX_OPEN).await.unwrap();
    app.inner().assistance.wake();
    let said = world.next_hook().await.to_string();
    assert!(said.contains("2 clients say that nobody was paged"), "{said}");
    assert!(said.contains(&ghost.to_string()), "its id is its name: {said}");
    becomes(&world, opened.id, |it| it.paged.is_some()).await;
    assert!(app.inner().assistance.calls()[0].text.contains("2 clients"));
    let desk = app.assistance_desk(&world.admin).await.unwrap();
    assert!(desk.requests.iter().any(|it| it.tenant == ghost.to_string()), "the desk, too");
    world.end().await;
}

#[tokio::test]
async fn its_path_is_replicated_without_paging_anybody() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    world.proven(admin.user.unwrap(), Address::Webhook(world.hook.clone())).await;
    let pathless = app.open_assistance(admin, asked("a text")).await.unwrap().request;
    let refused = app.replicate_assistance(admin, pathless.id).await;
    assert!(matches!(refused, Err(AssistanceError::NoPath)));

    let integration = Some(way_in(&world).await);
    let new = NewAssistance { integration, ..asked("a text") };
    let opened = app.open_assistance(admin, new).await.unwrap().request;
    let request = app.replicate_assistance(admin, opened.id).await.unwrap().request;
    let [recorded] = &request.said[..] else { panic!("it is recorded: {:?}", request.said) };
    assert!(recorded.record && !request.answered(), "that is no answer");
    assert!(recorded.text.ends_with("Nothing stopped it. Not known: webhook."), "{recorded:?}");
    let hops = request.replica.unwrap().hops;
    assert!(hops.iter().all(|hop| hop.at.is_some() && hop.took_ms.is_some()), "{hops:#?}");
    assert_eq!(hops[5].provider.as_deref(), Some("webhook"));
    let says = "webhook: not sent: no probe address; no canary goes by it.";
    assert_eq!(hops[5].text, says, "there is no watch here");
    let (through, unknown) = (Passage::Through, Passage::Unknown);
    let passages: Vec<Passage> = hops.iter().map(|it| it.passage).collect();
    assert_eq!(passages, [through, through, through, through, through, unknown], "{hops:#?}");
    let ledger = app.ledger(admin).await.unwrap().ledger.total;
    assert_eq!((ledger.accepted, ledger.suppressed, ledger.owed), (1, 1, 0));
    let again = app.trace_assistance(admin, opened.id).await.unwrap();
    assert_eq!(again.trace.unwrap().came, [], "what was sent to replicate it is not meant");
    world.end().await;
}

#[tokio::test]
async fn a_replica_outlives_whoever_waits_for_it() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let new = NewAssistance { integration: Some(way_in(&world).await), ..asked("a text") };
    let id = app.open_assistance(admin, new).await.unwrap().request.id;
    app.hold(Stage::Alerting, true).await;
    let begun = becomes(&world, id, |it| it.replica.is_some());
    tokio::select! {
        done = app.replicate_assistance(admin, id) => panic!("alerting is held: {done:?}"),
        _ = begun => (),
    }
    app.hold(Stage::Alerting, false).await;
    let request = becomes(&world, id, |it| !it.said.is_empty()).await;
    assert!(!request.replica.unwrap().hops.is_empty() && request.said[0].record);
    world.end().await;
}

#[tokio::test]
async fn replicas_are_sent_one_at_a_time_and_not_too_many() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let new = NewAssistance { integration: Some(way_in(&world).await), ..asked("a text") };
    let id = app.open_assistance(admin, new).await.unwrap().request.id;
    let (one, two) =
        tokio::join!(app.replicate_assistance(admin, id), app.replicate_assistance(admin, id));
    let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(refused[..], [AssistanceError::Replicating]), "{refused:?}");
    let mut most = 0;
    let wait_s = loop {
        match app.replicate_assistance(admin, id).await {
            Ok(_) => most += 1,
            Err(AssistanceError::TooManyReplicas { wait_s, .. }) => break wait_s,
            Err(error) => panic!("{error}"),
        }
        assert!(most < 60, "it never ends");
    };
    world.clock.push(SignedDuration::from_secs(wait_s));
    assert!(app.replicate_assistance(admin, id).await.is_ok());
    for _ in 0..30 {
        world.clock.push(SignedDuration::from_secs(60));
        app.replicate_assistance(admin, id).await.unwrap();
    }
    let said = app.assistance_request(admin, id).await.unwrap().request.said;
    assert_eq!(said.len(), 20, "what is recorded is bounded");
    app.add_to_assistance(admin, id, "There is room for people.").await.unwrap();
    world.end().await;
}
