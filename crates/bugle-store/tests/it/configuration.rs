//! Tenants, their documents and the keys to their integrations.

use bugle_domain::integration::{DEFAULT_QUOTA_PER_MINUTE, Dialect, Integration};
use bugle_domain::object::{Object, ObjectKind, Tenant};
use bugle_domain::service::Service;
use bugle_domain::user::{NotificationRules, Team, User};
use bugle_domain::{IntegrationId, ServiceId, TeamId, UserId, role::Role};
use bugle_store::{Audited, ErrorKind, ObjectChange, StoreError};

use crate::support::{World, all, at, on_each_store, scope, tenant, uuid};

on_each_store! {
    a_configuration_is_read_as_it_was_saved
    a_change_of_an_older_version_is_refused_whole
    names_are_unique_in_a_tenant_and_mail_addresses_everywhere
    two_objects_exchange_their_names
    a_key_opens_one_integration
    every_change_is_in_the_audit_log
    a_change_of_the_settings_is_in_the_audit_log
}

pub(crate) fn service(number: u128, name: &str) -> Object {
    Object::Service(Service {
        id: ServiceId::from_stored(uuid(number)),
        name: name.to_owned(),
        policy: None,
        team: None,
        description: String::new(),
        runbook_url: None,
    })
}

pub(crate) fn integration(number: u128, name: &str) -> Object {
    Object::Integration(Integration {
        id: IntegrationId::from_stored(uuid(number)),
        name: name.to_owned(),
        dialect: Dialect::Native,
        service: None,
        key_hint: "abcd".to_owned(),
        quota_per_minute: DEFAULT_QUOTA_PER_MINUTE,
        disabled: false,
    })
}

pub(crate) fn user(number: u128, email: &str) -> Object {
    Object::User(User {
        id: UserId::from_stored(uuid(number)),
        name: "Lena Vogt".to_owned(),
        email: email.parse().unwrap(),
        role: Role::Responder,
        time_zone: "Europe/Berlin".to_owned(),
        rules: NotificationRules::default(),
        disabled: false,
    })
}

pub(crate) fn put(object: Object) -> ObjectChange {
    ObjectChange::Put { object, expected: None }
}

async fn a_configuration_is_read_as_it_was_saved(world: World) {
    let team = Team {
        id: TeamId::from_stored(uuid(5)),
        name: "Payments".to_owned(),
        members: vec![UserId::from_stored(uuid(6))],
    };
    let changes = [put(service(4, "checkout")), put(Object::Team(team.clone()))];
    let version = world.store.save_objects(scope(1), &changes, at(1), "Lena").await.unwrap();
    let directory = world.store.directory(scope(1)).await.unwrap().unwrap();
    assert_eq!(directory.version, version);
    assert_eq!(directory.teams[&team.id], team);
    assert_eq!(directory.services.len(), 1);
    let versions = world.store.directory_versions().await.unwrap();
    assert_eq!(versions[&tenant(1)], version);

    let mut changed = directory.tenant.clone();
    "Halden Freight".clone_into(&mut changed.name);
    world.store.save_tenant(scope(1), &changed, at(2), "Lena").await.unwrap();
    let directory = world.store.directory(scope(1)).await.unwrap().unwrap();
    assert_eq!((directory.tenant, directory.version), (changed, version + 1));

    let delete = ObjectChange::Delete { kind: ObjectKind::Team, id: uuid(5) };
    world.store.save_objects(scope(1), &[delete], at(2), "Lena").await.unwrap();
    assert!(world.store.directory(scope(1)).await.unwrap().unwrap().teams.is_empty());
    assert_eq!(world.store.tenants(all()).await.unwrap().len(), 1);
}

async fn a_change_of_an_older_version_is_refused_whole(world: World) {
    let expect = |object, expected| ObjectChange::Put { object, expected: Some(expected) };
    let create = [expect(service(4, "checkout"), 0)];
    let version = world.store.save_objects(scope(1), &create, at(1), "Lena").await.unwrap();
    let stale = [put(service(5, "search")), expect(service(4, "payments"), 0)];
    let refused = world.store.save_objects(scope(1), &stale, at(2), "Jonas").await.unwrap_err();
    assert!(matches!(refused, StoreError::Stale { expected: 0, current: 1, .. }), "{refused:?}");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let plan = ([put(service(5, "search"))], version - 1);
    let refused =
        world.store.save_objects_at(scope(1), (&plan.0, plan.1), at(2), "Jonas").await.unwrap_err();
    assert!(matches!(refused, StoreError::Replanned { .. }), "{refused:?}");
    let directory = world.store.directory(scope(1)).await.unwrap().unwrap();
    assert_eq!((directory.version, directory.services.len()), (version, 1));
    world.store.save_objects_at(scope(1), (&plan.0, version), at(2), "Jonas").await.unwrap();
    let seen = world.store.object_version(scope(1), ObjectKind::Service, uuid(5)).await.unwrap();
    assert_eq!(seen, Some((1, at(2))));
}

async fn names_are_unique_in_a_tenant_and_mail_addresses_everywhere(mut world: World) {
    world.add_tenant(2).await;
    let changes = [put(service(4, "checkout")), put(user(6, "Lena@halden.example"))];
    world.store.save_objects(scope(1), &changes, at(1), "Lena").await.unwrap();
    let same = [put(service(5, "checkout"))];
    let refused = world.store.save_objects(scope(1), &same, at(2), "Lena").await.unwrap_err();
    assert_eq!(refused.to_string(), "there is already a service named checkout");
    world.store.save_objects(scope(2), &same, at(2), "Lena").await.unwrap();
    let same = [put(user(7, "lena@HALDEN.example"))];
    let refused = world.store.save_objects(scope(2), &same, at(2), "Lena").await.unwrap_err();
    assert!(matches!(refused, StoreError::NameTaken { kind: ObjectKind::User, .. }));
}

async fn two_objects_exchange_their_names(world: World) {
    let before = [put(service(4, "a")), put(service(5, "b"))];
    world.store.save_objects(scope(1), &before, at(1), "Lena").await.unwrap();
    let after = [put(service(4, "b")), put(service(5, "a"))];
    world.store.save_objects(scope(1), &after, at(2), "Lena").await.unwrap();
    let directory = world.store.directory(scope(1)).await.unwrap().unwrap();
    assert_eq!(directory.services[&ServiceId::from_stored(uuid(4))].name, "b");
}

async fn a_key_opens_one_integration(mut world: World) {
    world.add_tenant(2).await;
    let id = IntegrationId::from_stored(uuid(7));
    let key = ObjectChange::Key { integration: id, hash: [1; 32] };
    let changes = [put(integration(7, "Prometheus")), key];
    world.store.save_objects(scope(1), &changes, at(1), "Lena").await.unwrap();
    let (owner, found) = world.store.find_integration(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((owner, found.id), (tenant(1), id));

    let other = [
        put(integration(8, "Prometheus")),
        ObjectChange::Key { integration: IntegrationId::from_stored(uuid(8)), hash: [1; 32] },
    ];
    let refused = world.store.save_objects(scope(2), &other, at(2), "Lena").await.unwrap_err();
    assert!(matches!(refused, StoreError::KeyTaken));
    assert!(world.store.directory(scope(2)).await.unwrap().unwrap().integrations.is_empty());

    world.store.set_integration_key(scope(1), id, &[2; 32], at(3)).await.unwrap();
    assert_eq!(world.store.find_integration(&[1; 32]).await.unwrap(), None);
    assert!(world.store.find_integration(&[2; 32]).await.unwrap().is_some());
    let delete = ObjectChange::Delete { kind: ObjectKind::Integration, id: uuid(7) };
    world.store.save_objects(scope(1), &[delete], at(4), "Lena").await.unwrap();
    assert_eq!(world.store.find_integration(&[2; 32]).await.unwrap(), None);
}

async fn a_change_of_the_settings_is_in_the_audit_log(mut world: World) {
    world.add_tenant(2).await;
    let before = world.store.tenant(scope(1)).await.unwrap().unwrap();
    let after = Tenant { name: "Halden Freight".to_owned(), ..before.clone() };
    for second in [3, 4] {
        world.store.save_tenant(scope(1), &after, at(second), "Lena").await.unwrap();
    }
    let log = world.store.audit(scope(1), None, 10).await.unwrap();
    let [line] = &log[..] else { panic!("a change that changes nothing is none: {log:?}") };
    assert_eq!((line.at, line.actor.as_str(), line.action.as_str()), (at(3), "Lena", "change"));
    assert_eq!((line.about, line.object), (Audited::Settings, after.id.as_uuid()));
    assert_eq!(line.before, Some(serde_json::to_string(&before).unwrap()));
    assert_eq!(line.after, Some(serde_json::to_string(&after).unwrap()));
    assert!(world.store.audit(scope(2), None, 10).await.unwrap().is_empty());
    let gone = world.store.save_tenant(scope(9), &after, at(5), "Lena").await;
    assert!(matches!(gone, Err(StoreError::NoTenant)), "{gone:?}");
}

async fn every_change_is_in_the_audit_log(world: World) {
    let save = async |change: ObjectChange, second| {
        world.store.save_objects(scope(1), &[change], at(second), "Lena").await.unwrap();
    };
    save(put(integration(7, "Prometheus")), 1).await;
    save(put(integration(7, "Prometheus")), 2).await;
    save(put(integration(7, "Prometheus EU")), 3).await;
    let id = IntegrationId::from_stored(uuid(7));
    save(ObjectChange::Key { integration: id, hash: [1; 32] }, 4).await;
    save(ObjectChange::Delete { kind: ObjectKind::Integration, id: uuid(7) }, 5).await;
    save(ObjectChange::Delete { kind: ObjectKind::Integration, id: uuid(7) }, 6).await;
    let log = world.store.audit(scope(1), None, 10).await.unwrap();
    let said: Vec<_> = log.iter().map(|line| (line.seq, line.at, line.action.as_str())).collect();
    let expected = [
        (4, at(5), "delete"),
        (3, at(4), "rotate_key"),
        (2, at(3), "change"),
        (1, at(1), "create"),
    ];
    assert_eq!(said, expected);
    assert!(log[2].before.as_ref().unwrap().contains("\"Prometheus\""));
    assert!(log[2].after.as_ref().unwrap().contains("\"Prometheus EU\""));
    let older = world.store.audit(scope(1), Some(3), 1).await.unwrap();
    assert_eq!(older, log[2..3]);
}
