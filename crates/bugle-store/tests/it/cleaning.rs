//! Clean-ups: what they take away, put back and drop.

use std::collections::BTreeMap;

use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::object::{Directory, Object, ObjectKind};
use bugle_domain::role::Role;
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{ApiKeyId, MethodId, UserId};
use bugle_engine::cleanup::providers::ProviderUse;
use bugle_engine::cleanup::{ByChange, Candidate, CleanUp, CleanUpState, What};
use bugle_store::{ApiKey, CleanUpStep, ObjectChange, Stepped};
use uuid::Uuid;

use crate::support::{NODE, World, all, at, node, on_each_store, scope, tenant, uuid};

on_each_store! {
    a_user_is_taken_away_and_put_back_as_it_was
    what_was_judged_on_another_configuration_is_not_taken_away
    a_step_is_made_once
    what_is_dropped_leaves_nothing_behind
    a_name_that_was_taken_meanwhile_leaves_the_thing_where_it_is
    ended_keys_are_found_marked_and_put_back
    a_node_that_owns_tenants_stays
    a_provider_is_known_from_when_it_was_named_and_its_last_use_is_kept
}

fn user() -> User {
    User {
        id: UserId::from_stored(uuid(70)),
        name: "Gone".to_owned(),
        email: "gone@halden.example".parse().unwrap(),
        role: Role::Viewer,
        time_zone: "UTC".to_owned(),
        rules: NotificationRules::default(),
        disabled: true,
    }
}

fn method() -> ContactMethod {
    ContactMethod {
        id: MethodId::from_stored(uuid(71)),
        user: user().id,
        name: "phone".to_owned(),
        address: Address::Sms("+491711234567".parse().unwrap()),
        proven_at: Some(at(1)),
    }
}

fn wanted(what: What) -> CleanUp {
    CleanUp {
        number: 0,
        what,
        author: "user usr_1 Priya".to_owned(),
        reason: "left long ago".to_owned(),
        began_at: at(5),
        state: CleanUpState::Removing,
        entered_at: at(5),
        step: 0,
        after: None,
        removed: 0,
        left: 0,
        restored: 0,
        restored_by: None,
        changes: ByChange::default(),
    }
}

fn candidate(id: Uuid, with: Vec<(ObjectKind, Uuid)>) -> Candidate {
    Candidate { id, name: "Gone".to_owned(), with, against: Vec::new() }
}

async fn put(world: &World, objects: Vec<Object>) {
    let put = |object| ObjectChange::Put { object, expected: None };
    let changes: Vec<ObjectChange> = objects.into_iter().map(put).collect();
    world.store.save_objects(scope(1), &changes, at(1), "test").await.unwrap();
}

async fn directory(world: &World) -> Directory {
    world.store.directory(scope(1)).await.unwrap().unwrap()
}

/// The user with its contact method, as a step.
async fn gone(world: &World) -> CleanUpStep {
    let with = vec![(ObjectKind::Method, method().id.as_uuid())];
    let goes = vec![candidate(user().id.as_uuid(), with)];
    let version = directory(world).await.version;
    CleanUpStep::Remove { tenant: tenant(1), version, goes, last: true }
}

async fn removed(world: &World) -> CleanUp {
    put(world, vec![Object::User(user()), Object::Method(method())]).await;
    let begun = world.store.begin_clean_up(&wanted(What::Users)).await.unwrap();
    let step = gone(world).await;
    let stepped = world.store.step_clean_up(&begun, &step, at(6)).await.unwrap();
    assert_eq!(stepped, Stepped::Done(1));
    world.store.clean_up(begun.number).await.unwrap().unwrap()
}

async fn a_user_is_taken_away_and_put_back_as_it_was(world: World) {
    let after = removed(&world).await;
    assert_eq!((after.number, after.step, after.removed), (1, 1, 1));
    let without = directory(&world).await;
    assert!(!without.users.contains_key(&user().id) && without.methods.is_empty());
    assert!(world.store.find_login("gone@halden.example").await.unwrap().is_none());
    let kept = world.store.removed_things(1).await.unwrap();
    let kinds: Vec<&str> = kept.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(kinds, ["method", "user"]);
    let audit = world.store.audit(scope(1), None, 10).await.unwrap();
    assert!(audit[0].actor.contains("Priya (clean-up 1)") && audit[0].action == "delete");
    let back = after.enter(CleanUpState::Restoring, at(7));
    let stepped = world.store.step_clean_up(&back, &CleanUpStep::PutBack(100), at(7)).await;
    assert_eq!(stepped.unwrap(), Stepped::Done(2));
    let with = directory(&world).await;
    assert_eq!(with.users.get(&user().id), Some(&user()));
    assert_eq!(with.methods.get(&method().id), Some(&method()));
    assert!(with.version > without.version, "everybody reads it again");
    assert!(world.store.removed_things(1).await.unwrap().is_empty());
}

async fn what_was_judged_on_another_configuration_is_not_taken_away(world: World) {
    put(&world, vec![Object::User(user()), Object::Method(method())]).await;
    let begun = world.store.begin_clean_up(&wanted(What::Users)).await.unwrap();
    let step = gone(&world).await;
    put(&world, vec![Object::User(User { disabled: false, ..user() })]).await;
    let stepped = world.store.step_clean_up(&begun, &step, at(6)).await.unwrap();
    assert_eq!(stepped, Stepped::Overtaken);
    assert!(directory(&world).await.users.contains_key(&user().id));
    assert!(world.store.removed_things(1).await.unwrap().is_empty());
    assert_eq!(world.store.clean_up(1).await.unwrap(), Some(begun), "nothing was saved");
}

async fn a_step_is_made_once(world: World) {
    let after = removed(&world).await;
    let stale = CleanUp { step: 0, ..after.clone() };
    let nothing = CleanUpStep::Nothing;
    let stepped = world.store.step_clean_up(&stale, &nothing, at(7)).await.unwrap();
    assert_eq!(stepped, Stepped::Overtaken);
    let end = after.enter(CleanUpState::Purged, at(7));
    assert_eq!(world.store.clean_ups_at_work().await.unwrap().len(), 1);
    world.store.step_clean_up(&end, &nothing, at(7)).await.unwrap();
    assert!(world.store.clean_ups_at_work().await.unwrap().is_empty());
    let listed = world.store.clean_ups(all()).await.unwrap();
    assert_eq!(listed[0].state, CleanUpState::Purged);
}

async fn what_is_dropped_leaves_nothing_behind(world: World) {
    let after = removed(&world).await;
    world.store.set_password(scope(1), user().id, "hash", at(1)).await.unwrap();
    world.store.set_operator(scope(1), user().id, true, at(1)).await.unwrap();
    let purging = after.enter(CleanUpState::Purging, at(8));
    let stepped = world.store.step_clean_up(&purging, &CleanUpStep::Purge(100), at(8)).await;
    assert_eq!(stepped.unwrap(), Stepped::Done(2));
    assert!(world.store.removed_things(1).await.unwrap().is_empty());
    assert_eq!(world.store.password_hash(scope(1), user().id).await.unwrap(), None);
    assert!(!world.store.is_operator(scope(1), user().id).await.unwrap());
}

async fn a_name_that_was_taken_meanwhile_leaves_the_thing_where_it_is(world: World) {
    let after = removed(&world).await;
    let other = User { id: UserId::from_stored(uuid(72)), ..user() };
    put(&world, vec![Object::User(other)]).await;
    let back = after.enter(CleanUpState::Restoring, at(7));
    world.store.step_clean_up(&back, &CleanUpStep::PutBack(100), at(7)).await.unwrap();
    let kept = world.store.removed_things(1).await.unwrap();
    let stuck: BTreeMap<&str, bool> = kept.iter().map(|it| (it.kind.as_str(), it.stuck)).collect();
    assert_eq!(stuck, BTreeMap::from([("user", true)]));
    assert!(!directory(&world).await.users.contains_key(&user().id));
}

async fn ended_keys_are_found_marked_and_put_back(world: World) {
    let key = |number: u128, expires| ApiKey {
        id: ApiKeyId::from_stored(uuid(number)),
        tenant: tenant(1),
        user: None,
        name: format!("key {number}"),
        role: Role::Viewer,
        hint: "bgl_".to_owned(),
        created_at: at(1),
        expires_at: expires,
        used_at: None,
        revoked_at: None,
    };
    for (number, expires) in [(80, Some(at(3))), (81, Some(at(900))), (82, None)] {
        let hash = [u8::try_from(number).unwrap(); 32];
        world.store.create_api_key(scope(1), &hash, &key(number, expires)).await.unwrap();
    }
    let found = world.store.ended_keys(scope(1), (Uuid::nil(), 10), at(5)).await.unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [uuid(80)]);
    let begun = world.store.begin_clean_up(&wanted(What::Keys)).await.unwrap();
    let version = directory(&world).await.version;
    let goes = vec![candidate(uuid(80), Vec::new())];
    let step = CleanUpStep::Remove { tenant: tenant(1), version, goes, last: true };
    world.store.step_clean_up(&begun, &step, at(6)).await.unwrap();
    let listed = || async { world.store.api_keys(scope(1)).await.unwrap().len() };
    assert_eq!(listed().await, 2);
    assert!(world.store.ended_keys(scope(1), (Uuid::nil(), 10), at(5)).await.unwrap().is_empty());
    let after = world.store.clean_up(1).await.unwrap().unwrap();
    let back = after.enter(CleanUpState::Restoring, at(7));
    world.store.step_clean_up(&back, &CleanUpStep::PutBack(100), at(7)).await.unwrap();
    assert_eq!(listed().await, 3);
}

async fn a_node_that_owns_tenants_stays(world: World) {
    let other = node(77);
    world.store.take_placements(other, at(1), at(1)).await.unwrap();
    let known = world.store.nodes_after(Uuid::nil(), 10).await.unwrap();
    let owner = known.iter().find(|it| it.id == node(NODE).as_uuid()).unwrap();
    assert_eq!(owner.owns, 1);
    let begun = world.store.begin_clean_up(&wanted(What::Nodes)).await.unwrap();
    let goes = known.iter().map(|it| candidate(it.id, Vec::new())).collect();
    let step = CleanUpStep::RemoveNodes(goes);
    let stepped = world.store.step_clean_up(&begun, &step, at(6)).await.unwrap();
    assert_eq!(stepped, Stepped::Done(1), "what was judged before is judged again");
    let left = world.store.nodes().await.unwrap();
    assert_eq!(left.iter().map(|it| it.node).collect::<Vec<_>>(), [node(NODE)]);
}

async fn a_provider_is_known_from_when_it_was_named_and_its_last_use_is_kept(world: World) {
    let text = |name: &str| (Channel::Sms, name.to_owned());
    let named = |names: &[&str]| names.iter().map(|name| text(name)).collect();
    let store = &world.store;
    store.name_providers(&named(&["first", "spare"]), at(1)).await.unwrap();
    store.note_provider_use((Channel::Sms, "first"), at(5)).await.unwrap();
    store.note_provider_use((Channel::Sms, "first"), at(4)).await.unwrap();
    store.name_providers(&named(&["first", "spare"]), at(6)).await.unwrap();
    let known = store.provider_uses().await.unwrap();
    assert_eq!(known[&text("first")], ProviderUse { since: at(1), last: Some(at(5)) });
    assert_eq!(known[&text("spare")], ProviderUse { since: at(1), last: None });
    store.name_providers(&named(&["first"]), at(7)).await.unwrap();
    store.name_providers(&named(&["first", "spare"]), at(8)).await.unwrap();
    let known = store.provider_uses().await.unwrap();
    assert_eq!(known[&text("first")].since, at(1), "it was named all the time");
    assert_eq!(known[&text("spare")].since, at(8), "it is new");
}
