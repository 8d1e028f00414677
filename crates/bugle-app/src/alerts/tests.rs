//! An event becomes an alert that people see, answer, and can ask about, on a real database.

use bugle_domain::alert::Via;
use bugle_domain::contact::Address;
use bugle_domain::integration::Dialect;
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::service::Service;
use bugle_domain::{IntegrationId, Severity};
use bugle_engine::respond::ResponseAction;

use super::*;
use crate::caller::Caller;
use crate::error::UseCaseError;
use crate::events::EventQuery;
use crate::notifications::NotificationQuery;
use crate::objects::KeySource;
use crate::objects::draft::{IntegrationDraft, PolicyDraft, ServiceDraft};
use crate::paging::Page;
use crate::requests::SentEvent;
use crate::world::{WRITE, World};

/// Lena on level 1 by webhook and text, Priya on level 2; an integration of their service.
async fn furnished(world: &World) -> (Caller, IntegrationId) {
    let (app, admin) = (&world.app, &world.admin);
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let (me, priya) = (lena.user.unwrap(), admin.user.unwrap());
    world.proven(me, Address::Webhook(world.hook.clone())).await;
    world.proven(me, Address::Sms("+4930901820318".parse().unwrap())).await;
    world.proven(priya, Address::Sms("+442079460112".parse().unwrap())).await;
    let level = |user| Level { targets: vec![Target::User(user)], delay_s: 300 };
    let levels = vec![level(me), level(priya)];
    let policy = PolicyDraft { name: "Payments".to_owned(), levels, repeat: 0 };
    let policy = app.create::<Policy>(admin, policy, WRITE).await.unwrap().object.id;
    let service = ServiceDraft {
        name: "checkout-api".to_owned(),
        policy: Some(policy),
        team: None,
        description: String::new(),
        runbook_url: None,
    };
    let service = app.create::<Service>(admin, service, WRITE).await.unwrap().object.id;
    let draft = IntegrationDraft {
        name: "probes".to_owned(),
        dialect: Dialect::Native,
        service: Some(service),
        quota_per_minute: 100,
        disabled: false,
    };
    let made = app.create_integration(admin, draft, KeySource::Made, WRITE).await.unwrap();
    (lena, made.integration.object.id)
}

fn trigger(key: &str, severity: Severity) -> SentEvent {
    SentEvent { severity, dedup_key: Some(key.to_owned()), ..SentEvent::test() }
}

#[tokio::test]
async fn an_alert_is_seen_answered_and_explained() {
    let mut world = World::new().await;
    let (lena, integration) = furnished(&world).await;
    let would = world.app.would_page(&lena, integration, Severity::High).await.unwrap();
    assert_eq!(would.policy, "Payments: the policy of service \"checkout-api\"");
    assert!(would.levels[0].starts_with("Level 1: Lena Ortiz by "), "{:?}", would.levels);

    let taken = world.app.send_event(&lena, integration, trigger("k", Severity::Critical));
    let taken = taken.await.unwrap();
    let page = world.next_hook().await;
    assert_eq!(page["type"], "alert.notification");
    let id = world.alert(AlertStatus::Open).await;
    let app = &world.app;
    let view = app.alert(&lena, id).await.unwrap();
    assert_eq!(view.service.as_ref().unwrap().name, "checkout-api");
    assert_eq!(view.next.as_ref().unwrap().names, ["Priya"]);
    assert!(view.headline.starts_with("Critical. Test event: nothing is wrong. Paging you."));
    assert!(view.preview.contains("Priya will not be"), "{}", view.preview);
    let kinds: Vec<&str> = view.timeline.iter().map(|line| line.kind).collect();
    assert_eq!(kinds[..2], ["opened", "level_told"]);
    assert_eq!(view.told.len(), 2);
    assert_eq!(app.find_alert(&lena, &format!("#{}", view.alert.number)).await.unwrap(), id);
    assert_eq!(app.find_alert(&lena, "4812").await.unwrap_err().code(), "alert_not_found");

    let done = app.answer(&lena, id, (ResponseAction::Acknowledge, None), Via::Web).await.unwrap();
    assert_eq!(done.sentence, "Acknowledged. Priya will not be paged.");
    let again =
        app.answer(&world.admin, id, (ResponseAction::Acknowledge, None), Via::Api).await.unwrap();
    assert!(again.sentence.starts_with("Lena acknowledged"), "{}", again.sentence);
    app.add_note(&lena, id, " rolled back ").await.unwrap();
    let view = app.alert(&lena, id).await.unwrap();
    assert_eq!(view.timeline.last().unwrap().text, "Lena Ortiz: rolled back");
    assert_eq!(app.alert_counts(&lena).await.unwrap().acknowledged, 1);

    let why = app.why_event(&lena, taken.event).await.unwrap();
    assert_eq!((why.alert, why.alert_number), (Some(id), Some(view.alert.number)));
    assert!(why.answer.starts_with("Lena Ortiz was paged and acknowledged"), "{}", why.answer);
    assert_eq!(app.why_alert(&lena, id).await.unwrap().steps, why.steps);
    let raw = app.raw_request(&lena, taken.event).await.unwrap();
    assert!(String::from_utf8(raw.bytes).unwrap().contains("nothing is wrong"));
    world.end().await;
}

#[tokio::test]
async fn a_fold_and_an_info_event_page_nobody_and_say_so() {
    let mut world = World::new().await;
    let (lena, integration) = furnished(&world).await;
    world.app.send_event(&lena, integration, trigger("k", Severity::High)).await.unwrap();
    world.next_hook().await;
    let id = world.alert(AlertStatus::Open).await;
    let fold = world.app.send_event(&lena, integration, trigger("k", Severity::High));
    let fold = fold.await.unwrap().event;
    let info = world.app.send_event(&lena, integration, trigger("i", Severity::Info));
    let info = info.await.unwrap().event;
    let end =
        SentEvent { action: bugle_domain::event::Action::Resolve, ..trigger("k", Severity::Info) };
    world.app.send_event(&lena, integration, end).await.unwrap();
    assert_eq!(world.alert(AlertStatus::Resolved).await, id);
    let app = &world.app;
    let view = app.alert(&lena, id).await.unwrap();
    assert!(view.folded >= 1 && view.headline.ends_with("It is over."), "{view:?}");
    let why = app.why_event(&lena, fold).await.unwrap();
    assert!(why.answer.starts_with("Nobody was paged anew. It folded into"), "{}", why.answer);
    let why = app.why_event(&lena, info).await.unwrap();
    assert_eq!(
        why.answer,
        "Nobody was paged. Its severity is info, which is tracked and pages nobody."
    );

    let events = app.events(&lena, &EventQuery::default(), &Page::first(2)).await.unwrap();
    assert_eq!((events.items.len(), events.next.is_some()), (2, true));
    let rest = Page { limit: 10, after: events.next };
    assert_eq!(app.events(&lena, &EventQuery::default(), &rest).await.unwrap().items.len(), 2);
    let requests = app.requests(&world.admin, integration).await.unwrap();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|it| it.rejected.is_none() && !it.outcome.is_empty()));
    let books = app.ledger(&lena).await.unwrap().ledger.total;
    assert_eq!((books.accepted, books.alerted, books.folded, books.suppressed), (4, 1, 2, 1));
    world.end().await;
}

#[tokio::test]
async fn a_link_shows_and_answers_its_one_alert_until_a_day_after_its_end() {
    let mut world = World::new().await;
    let (lena, integration) = furnished(&world).await;
    world.app.send_event(&lena, integration, trigger("k", Severity::Critical)).await.unwrap();
    world.next_hook().await;
    let id = world.alert(AlertStatus::Open).await;
    let app = &world.app;
    let query = NotificationQuery { alert: Some(id), ..NotificationQuery::default() };
    let owed = app.notifications(&lena, &query, &Page::default()).await.unwrap().items;
    let token = owed.into_iter().find_map(|it| it.notification.token).unwrap();
    let shown = app.alert_by_token(&token).await.unwrap();
    assert_eq!((shown.name.as_str(), shown.view.alert.status), ("Lena Ortiz", AlertStatus::Open));
    assert_eq!(shown.view.also_open, []);
    let done = app.answer_by_token(&token, ResponseAction::Resolve).await.unwrap();
    assert!(done.sentence.starts_with("Resolved."), "{}", done.sentence);
    app.alert_by_token(&token).await.unwrap();
    assert_eq!(app.alert_by_token("guess").await.unwrap_err().code(), "link_expired");
    world.clock.push(token::LINK_AFTER_END);
    assert_eq!(app.alert_by_token(&token).await.unwrap_err().code(), "link_expired");
    world.end().await;
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_answer() {
    let mut world = World::new().await;
    let (lena, integration) = furnished(&world).await;
    let vera = world.person("Vera Holm", Role::Viewer).await;
    let refused = world.app.send_event(&vera, integration, SentEvent::test()).await.unwrap_err();
    assert_eq!(refused.code(), "forbidden");
    world.app.send_event(&lena, integration, SentEvent::test()).await.unwrap();
    world.next_hook().await;
    let id = world.alert(AlertStatus::Open).await;
    let app = &world.app;
    app.alert(&vera, id).await.unwrap();
    let refused =
        app.answer(&vera, id, (ResponseAction::Acknowledge, None), Via::Web).await.unwrap_err();
    assert_eq!(refused.code(), "forbidden");
    assert!(app.add_note(&vera, id, "x").await.is_err());
    world.end().await;
}
