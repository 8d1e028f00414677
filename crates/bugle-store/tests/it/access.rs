//! Passwords, sessions, API keys, single-use tokens and proofs.

use bugle_domain::role::Role;
use bugle_domain::{ApiKeyId, MethodId, SessionId, UserId};
use bugle_store::{ApiKey, Purpose, Session};

use crate::configuration::{put, user};
use crate::support::{World, all, at, on_each_store, scope, tenant, uuid};

on_each_store! {
    a_person_is_found_by_mail_address
    a_session_is_found_by_its_token_until_it_is_ended
    an_api_key_is_found_until_it_is_revoked
    a_token_is_taken_once
    a_code_is_guessed_a_few_times_only
}

pub(crate) fn session(number: u128) -> Session {
    Session {
        id: SessionId::from_stored(uuid(number)),
        tenant: tenant(1),
        user: UserId::from_stored(uuid(6)),
        created_at: at(1),
        seen_at: at(1),
        expires_at: at(100),
        agent: "Firefox".to_owned(),
    }
}

pub(crate) fn api_key(number: u128) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_stored(uuid(number)),
        tenant: tenant(1),
        user: None,
        name: "deploy".to_owned(),
        role: Role::Manager,
        hint: "bgl_live_ab".to_owned(),
        created_at: at(1),
        expires_at: Some(at(1_000)),
        used_at: None,
        revoked_at: None,
    }
}

async fn a_person_is_found_by_mail_address(world: World) {
    let id = UserId::from_stored(uuid(6));
    let change = [put(user(6, "Lena@halden.example"))];
    world.store.save_objects(scope(1), &change, at(1), "set-up").await.unwrap();
    let found = world.store.find_login("lena@halden.example").await.unwrap().unwrap();
    assert_eq!((found.tenant, found.user, found.operator), (tenant(1), id, false));
    assert_eq!(found.password_hash, None);
    world.store.set_password(scope(1), id, "$argon2id$1", at(2)).await.unwrap();
    world.store.set_password(scope(1), id, "$argon2id$2", at(2)).await.unwrap();
    world.store.set_operator(scope(1), id, true, at(2)).await.unwrap();
    let found = world.store.find_login("lena@halden.example").await.unwrap().unwrap();
    assert_eq!((found.password_hash.as_deref(), found.operator), (Some("$argon2id$2"), true));
    assert_eq!(world.store.operators(all()).await.unwrap(), [(tenant(1), id)]);
    world.store.clear_password(scope(1), id).await.unwrap();
    world.store.set_operator(scope(1), id, false, at(3)).await.unwrap();
    assert_eq!(world.store.password_hash(scope(1), id).await.unwrap(), None);
    assert!(!world.store.is_operator(scope(1), id).await.unwrap());
    assert_eq!(world.store.find_login("jonas@halden.example").await.unwrap(), None);
}

async fn a_session_is_found_by_its_token_until_it_is_ended(world: World) {
    let (store, person) = (&world.store, session(1).user);
    for number in 1..=3 {
        let hash = [u8::try_from(number).unwrap(); 32];
        store.create_session(scope(1), &hash, &session(number)).await.unwrap();
    }
    assert_eq!(store.find_session(&[1; 32]).await.unwrap(), Some(session(1)));
    store.touch_session(scope(1), session(1).id, at(9)).await.unwrap();
    assert_eq!(store.find_session(&[1; 32]).await.unwrap().unwrap().seen_at, at(9));
    assert_eq!(store.sessions(scope(1), person, at(9)).await.unwrap().len(), 3);
    assert_eq!(store.sessions(scope(1), person, at(100)).await.unwrap().len(), 0);
    assert!(store.delete_session(scope(1), session(1).id).await.unwrap());
    assert!(!store.delete_session(scope(1), session(1).id).await.unwrap());
    assert_eq!(store.find_session(&[1; 32]).await.unwrap(), None);
    store.delete_sessions(scope(1), person, Some(session(2).id)).await.unwrap();
    assert_eq!(store.sessions(scope(1), person, at(9)).await.unwrap(), [session(2)]);
    store.delete_sessions(scope(1), person, None).await.unwrap();
    assert_eq!(store.sessions(scope(1), person, at(9)).await.unwrap(), []);
}

async fn an_api_key_is_found_until_it_is_revoked(world: World) {
    let (store, id) = (&world.store, api_key(1).id);
    store.create_api_key(scope(1), &[1; 32], &api_key(1)).await.unwrap();
    assert_eq!(store.find_api_key(&[1; 32]).await.unwrap(), Some(api_key(1)));
    assert_eq!(store.find_api_key(&[2; 32]).await.unwrap(), None);
    store.touch_api_key(scope(1), id, at(5)).await.unwrap();
    assert!(store.revoke_api_key(scope(1), id, at(6)).await.unwrap());
    assert!(!store.revoke_api_key(scope(1), id, at(7)).await.unwrap());
    let kept = ApiKey { used_at: Some(at(5)), revoked_at: Some(at(6)), ..api_key(1) };
    assert_eq!(store.api_keys(scope(1)).await.unwrap(), [kept]);
}

async fn a_token_is_taken_once(world: World) {
    let person = (tenant(1), UserId::from_stored(uuid(6)));
    let store = &world.store;
    let (link, setup) = ((&[1; 32], Purpose::SignIn), (&[2; 32], Purpose::Setup));
    store.create_token(link, Some(person), at(100)).await.unwrap();
    store.create_token(setup, None, at(100)).await.unwrap();
    assert_eq!(store.take_token((&[1; 32], Purpose::Setup), at(1)).await.unwrap(), None);
    assert_eq!(store.take_token(link, at(100)).await.unwrap(), None);
    assert!(store.token_holds(link, at(1)).await.unwrap());
    assert_eq!(store.take_token(link, at(1)).await.unwrap().unwrap().user, Some(person));
    assert_eq!(store.take_token(link, at(1)).await.unwrap(), None);

    store.create_token((&[3; 32], Purpose::Setup), None, at(100)).await.unwrap();
    assert!(!store.token_holds(setup, at(1)).await.unwrap(), "a later one ends it");
    store.end_tokens(all(), Purpose::Setup).await.unwrap();
    assert_eq!(store.take_token((&[3; 32], Purpose::Setup), at(1)).await.unwrap(), None);
}

async fn a_code_is_guessed_a_few_times_only(world: World) {
    let method = MethodId::from_stored(uuid(9));
    let take = async |code: u8, second| {
        world.store.take_proof(scope(1), (method, &[code; 32]), at(second), 3).await.unwrap()
    };
    world.store.create_proof(scope(1), method, &[1; 32], at(100)).await.unwrap();
    assert!(!take(1, 100).await, "it has expired");
    assert!(!take(2, 1).await);
    assert!(take(1, 1).await);
    assert!(!take(1, 1).await, "it was used up");
    world.store.create_proof(scope(1), method, &[1; 32], at(100)).await.unwrap();
    for _ in 0..3 {
        assert!(!take(2, 1).await);
    }
    assert!(!take(1, 1).await, "no tries are left");
}
