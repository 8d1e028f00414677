//! Configuration is changed with all problems said at once, and nothing others need is deleted.

use bugle_domain::integration::{Dialect, Integration};
use bugle_domain::policy::{Level, Policy, Target};
use bugle_domain::role::Role;
use bugle_domain::schedule::{Layer, Override, Schedule, ShiftLength};
use bugle_domain::service::Service;
use bugle_domain::user::Team;
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::*;
use crate::error::UseCaseError;
use crate::objects::draft::{
    IntegrationDraft, OverrideDraft, PolicyDraft, ScheduleDraft, ServiceDraft, TeamDraft, UserDraft,
};
use crate::objects::{KeySource, WriteOptions};
use crate::tenants::NewTenant;
use crate::world::{WRITE, World, same_user};

fn team(name: &str) -> TeamDraft {
    TeamDraft { name: name.to_owned(), members: Vec::new() }
}

fn policy(name: &str, user: UserId) -> PolicyDraft {
    let levels = vec![Level { targets: vec![Target::User(user)], delay_s: 300 }];
    PolicyDraft { name: name.to_owned(), levels, repeat: 0 }
}

fn service(name: &str, policy: Option<bugle_domain::PolicyId>) -> ServiceDraft {
    let name = name.to_owned();
    ServiceDraft { name, policy, team: None, description: String::new(), runbook_url: None }
}

fn integration(name: &str) -> IntegrationDraft {
    IntegrationDraft {
        name: name.to_owned(),
        dialect: Dialect::PagerdutyV2,
        service: None,
        quota_per_minute: 100,
        disabled: false,
    }
}

#[tokio::test]
async fn an_object_is_made_changed_and_deleted_under_its_version() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let dry = app.create::<Team>(admin, team("Platform"), WriteOptions::DRY_RUN).await.unwrap();
    assert_eq!(dry.version, 0);
    assert_eq!(app.list::<Team>(admin, &Page::default()).await.unwrap().items, []);

    let made = app.create::<Team>(admin, team("Platform"), WRITE).await.unwrap();
    let twice = app.create::<Team>(admin, team("Platform"), WRITE).await.unwrap_err();
    assert!(matches!(twice.code(), "name_taken" | "invalid"), "{twice:?}");
    let id = made.object.id;
    let seen = WriteOptions { expected_version: Some(made.version), dry_run: false };
    let changed = app.replace::<Team>(admin, id, team("Customs"), seen).await.unwrap();
    assert_eq!(app.get::<Team>(admin, id).await.unwrap(), changed);
    let stale = app.replace::<Team>(admin, id, team("Late"), seen).await.unwrap_err();
    assert_eq!(stale.code(), "version_conflict");
    let problems = app.replace::<Team>(admin, id, team(""), WRITE).await.unwrap_err();
    assert_eq!(problems.problems()[0].pointer, "/name");

    app.delete::<Team>(admin, id, WRITE).await.unwrap();
    assert_eq!(app.get::<Team>(admin, id).await.unwrap_err().code(), "object_not_found");
    let audit = app.audit(admin, &Page::default()).await.unwrap().items;
    let said: Vec<&str> = audit.iter().take(3).map(|line| line.text.as_str()).collect();
    assert_eq!(
        said,
        ["deleted team \"Customs\"", "changed team \"Customs\"", "made team \"Platform\""]
    );
    assert!(audit[0].actor.contains("Priya Nair"));
    world.end().await;
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    for name in ["a", "b", "c"] {
        world.clock.push(SignedDuration::from_millis(1));
        app.create::<Team>(admin, team(name), WRITE).await.unwrap();
    }
    let first = app.list::<Team>(admin, &Page::first(2)).await.unwrap();
    let rest = Page { limit: 2, after: first.next.clone() };
    let second = app.list::<Team>(admin, &rest).await.unwrap();
    let names = |listed: &Listed<Team>| -> String {
        listed.items.iter().map(|team| team.name.as_str()).collect()
    };
    assert_eq!((names(&first), names(&second), second.next), ("ab".into(), "c".into(), None));
    let bad = Page { limit: 2, after: Some("x".to_owned()) };
    assert_eq!(app.list::<Team>(admin, &bad).await.unwrap_err().code(), "invalid");
    world.end().await;
}

#[tokio::test]
async fn what_is_needed_is_not_deleted_and_the_refusal_names_who_needs_it() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let me = admin.user.unwrap();
    let made = app.create::<Policy>(admin, policy("Payments", me), WRITE).await.unwrap();
    let draft = service("checkout-api", Some(made.object.id));
    app.create::<Service>(admin, draft, WRITE).await.unwrap();
    let used = app.delete::<Policy>(admin, made.object.id, WRITE).await.unwrap_err();
    assert_eq!(used.to_string(), "it is still used by service \"checkout-api\"");
    let fallback = app.settings(admin).await.unwrap().fallback_policy;
    let used = app.delete::<Policy>(admin, fallback, WRITE).await.unwrap_err();
    assert_eq!(used.code(), "fallback_policy_in_use");
    let last = app.delete::<User>(admin, me, WRITE).await.unwrap_err();
    assert_eq!(last.code(), "last_admin");
    let user = app.get::<User>(admin, me).await.unwrap().object;
    let lesser = UserDraft { role: Role::Viewer, ..same_user(&user) };
    let last = app.replace::<User>(admin, me, lesser, WRITE).await.unwrap_err();
    assert_eq!(last.code(), "last_admin");
    world.end().await;
}

#[tokio::test]
async fn an_integrations_key_is_given_or_made_and_shown_once() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let made = app.create_integration(admin, integration("Alertmanager"), KeySource::Made, WRITE);
    let made = made.await.unwrap();
    let key = made.key.unwrap();
    let found = app.integration_for_key(key.expose_secret()).await.unwrap().unwrap();
    assert_eq!(found.integration.id, made.integration.object.id);
    assert_eq!(found.integration.key_hint, key.expose_secret()[..4]);

    let given = || KeySource::Given("0123456789abcdef0123456789abcdef".into());
    let own = app.create_integration(admin, integration("Zabbix"), given(), WRITE).await.unwrap();
    assert!(own.key.is_none());
    let taken = app.create_integration(admin, integration("Nagios"), given(), WRITE).await;
    assert_eq!(taken.unwrap_err().code(), "key_taken");
    let all = app.list::<Integration>(admin, &Page::default()).await.unwrap();
    assert_eq!(all.items.len(), 2, "a refused key leaves nothing behind");
    let short = KeySource::Given("short".into());
    let short = app.set_integration_key(admin, own.integration.object.id, short).await;
    assert_eq!(short.unwrap_err().problems()[0].pointer, "/key");

    let rotated = app.set_integration_key(admin, made.integration.object.id, KeySource::Made);
    let new = rotated.await.unwrap().key.unwrap();
    assert!(app.integration_for_key(key.expose_secret()).await.unwrap().is_none());
    assert!(app.integration_for_key(new.expose_secret()).await.unwrap().is_some());
    world.end().await;
}

#[tokio::test]
async fn a_responder_covers_own_shifts_or_takes_others_over() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let (me, priya) = (lena.user.unwrap(), admin.user.unwrap());
    let layer = Layer {
        name: "days".to_owned(),
        participants: vec![me, priya],
        start: "2026-11-16T00:00:00".parse().unwrap(),
        length: ShiftLength::Days(1),
        restrictions: Vec::new(),
    };
    let draft = ScheduleDraft {
        name: "Payments".to_owned(),
        time_zone: "UTC".to_owned(),
        layers: vec![layer],
    };
    let schedule = app.create::<Schedule>(admin, draft, WRITE).await.unwrap().object.id;
    let cover = |user, from: &str, until: &str| OverrideDraft {
        schedule,
        user,
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        reason: String::new(),
    };
    let (day_one, day_two) = ("2026-11-16T06:00:00Z", "2026-11-17T06:00:00Z");
    // Her own day, given to Priya; then also part of Priya's day.
    let own = cover(Some(priya), day_one, "2026-11-16T12:00:00Z");
    app.create::<Override>(&lena, own, WRITE).await.unwrap();
    let other = cover(Some(priya), "2026-11-16T18:00:00Z", day_two);
    let refused = app.create::<Override>(&lena, other, WRITE).await.unwrap_err();
    assert_eq!(refused.code(), "not_your_shift");
    let taken = cover(Some(me), day_two, "2026-11-17T12:00:00Z");
    app.create::<Override>(&lena, taken, WRITE).await.unwrap();
    let nobody = cover(None, "2026-11-17T12:00:00Z", "2026-11-17T18:00:00Z");
    assert!(app.create::<Override>(&lena, nobody.clone(), WRITE).await.is_err());
    app.create::<Override>(admin, nobody, WRITE).await.unwrap();
    let view = app
        .schedule_view(
            &lena,
            schedule,
            day_one.parse().unwrap(),
            "2026-11-18T00:00:00Z".parse().unwrap(),
        )
        .await
        .unwrap();
    assert_eq!((view.overrides.len(), view.gaps.len(), view.layers.len()), (3, 1, 1));
    world.end().await;
}

#[tokio::test]
async fn another_tenants_objects_do_not_exist() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let made = app.create::<Team>(admin, team("Platform"), WRITE).await.unwrap();
    let new = NewTenant {
        name: "Other".to_owned(),
        time_zone: "UTC".to_owned(),
        admin_name: "Tomas Berg".to_owned(),
        admin_email: "tomas@other.example".to_owned(),
    };
    let other = app.create_tenant(admin, new.clone()).await.unwrap();
    assert_eq!(app.create_tenant(admin, new).await.unwrap_err().code(), "invalid");
    let token = other.link.token.expose_secret().to_owned();
    let tomas = app.sign_in_with_link(&token, &crate::world::client()).await.unwrap().caller;
    assert!(!tomas.operator);
    let id = made.object.id;
    assert_eq!(app.get::<Team>(&tomas, id).await.unwrap_err().code(), "object_not_found");
    assert_eq!(app.delete::<Team>(&tomas, id, WRITE).await.unwrap_err().code(), "object_not_found");
    assert_eq!(app.list::<Team>(&tomas, &Page::default()).await.unwrap().items, []);
    assert!(app.tenants(&tomas).await.is_err());
    assert_eq!(app.tenants(admin).await.unwrap().len(), 2);
    world.end().await;
}
