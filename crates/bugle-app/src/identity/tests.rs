//! People and programs prove who they are, on a real database.

use bugle_domain::role::Role;
use bugle_domain::user::User;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::error::UseCaseError;
use crate::objects::error::ObjectError;
use crate::world::{
    WRITE, World, bare, client, password, request, same_user, setup_form, user_draft,
};

fn text(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

#[tokio::test]
async fn set_up_works_once_with_the_newest_token() {
    let folder = tempfile::tempdir().unwrap();
    let (app, _) = bare(&folder).await;
    assert_eq!(app.setup_state().await.unwrap(), SetupState::Needed);
    let old = app.begin_setup().await.unwrap().unwrap();
    let token = app.begin_setup().await.unwrap().unwrap();
    let refused = app.complete_setup(setup_form(&old), &client()).await.unwrap_err();
    assert_eq!(refused.code(), "setup_token_invalid");

    let mut form = setup_form(&token);
    form.password = "short".into();
    form.email = "nobody".to_owned();
    let refused = app.complete_setup(form, &client()).await.unwrap_err();
    let pointers: Vec<&str> = refused.problems().iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(pointers, ["/email", "/password"]);

    // A mistake has not used up the token.
    let signed_in = app.complete_setup(setup_form(&token), &client()).await.unwrap();
    assert_eq!((signed_in.caller.role, signed_in.caller.operator), (Role::Admin, true));
    assert_eq!(app.setup_state().await.unwrap(), SetupState::Done);
    assert!(app.begin_setup().await.unwrap().is_none());
    let again = app.complete_setup(setup_form(&token), &client()).await.unwrap_err();
    assert_eq!(again.code(), "setup_done");
    let settings = app.settings(&signed_in.caller).await.unwrap();
    assert_eq!(settings.name, "Halden Freight");
    app.stop().await;
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_ends_when_it_is_not() {
    let world = World::new().await;
    let app = &world.app;
    let signed_in = app.sign_in("PRIYA@halden.example", &password(), &client()).await.unwrap();
    let token = text(&signed_in.token);
    for _ in 0..3 {
        world.clock.push(SignedDuration::from_hours(11));
        let caller = app.authenticate_session(&token, request()).await.unwrap();
        assert_eq!(caller.user, world.admin.user);
    }
    world.clock.push(SESSION_IDLE);
    let ended = app.authenticate_session(&token, request()).await.unwrap_err();
    assert_eq!(ended.code(), "session_invalid");
    assert_eq!(
        app.authenticate_session("", request()).await.unwrap_err().code(),
        "session_invalid"
    );
    world.end().await;
}

#[tokio::test]
async fn wrong_password_and_unknown_address_are_one_answer_and_guessing_is_slowed() {
    let world = World::new().await;
    let app = &world.app;
    let wrong = app.sign_in("priya@halden.example", &"wrong word".into(), &client()).await;
    let unknown = app.sign_in("nobody@halden.example", &password(), &client()).await;
    let (wrong, unknown) = (wrong.unwrap_err(), unknown.unwrap_err());
    assert_eq!((wrong.code(), wrong.to_string()), (unknown.code(), unknown.to_string()));
    let mut limited = None;
    for _ in 0..20 {
        let refused = app.sign_in("priya@halden.example", &"guess".into(), &client()).await;
        limited = refused.err().filter(|error| error.retry_after().is_some());
        if limited.is_some() {
            break;
        }
    }
    assert_eq!(limited.unwrap().code(), "sign_in_rate_limited");
    world.clock.push(SignedDuration::from_mins(1));
    app.sign_in("priya@halden.example", &password(), &client()).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::new().await;
    let app = &world.app;
    let old = app.sign_in("priya@halden.example", &password(), &client()).await.unwrap();
    let here = app.sign_in("priya@halden.example", &password(), &client()).await.unwrap();
    let new = SecretString::from("another long word");
    let refused = app.change_password(&here.caller, None, &new, &client()).await.unwrap_err();
    assert_eq!(refused.code(), "password_wrong");
    let rotated =
        app.change_password(&here.caller, Some(&password()), &new, &client()).await.unwrap();
    for gone in [&old.token, &here.token] {
        assert!(app.authenticate_session(&text(gone), request()).await.is_err());
    }
    app.authenticate_session(&text(&rotated.token), request()).await.unwrap();
    let sessions = app.sessions(&rotated.caller).await.unwrap();
    assert_eq!(sessions.iter().map(|it| it.current).collect::<Vec<_>>(), [true]);
    assert!(app.sign_in("priya@halden.example", &password(), &client()).await.is_err());
    app.sign_out(&rotated.caller).await.unwrap();
    assert!(app.authenticate_session(&text(&rotated.token), request()).await.is_err());
    world.end().await;
}

#[tokio::test]
async fn a_link_lets_in_once_and_whoever_was_invited_chooses_a_password() {
    let world = World::new().await;
    let app = &world.app;
    let draft = user_draft("Lena Ortiz", Role::Responder);
    let invited = app.invite_user(&world.admin, draft.clone()).await.unwrap();
    let token = text(&invited.link.token);
    let lena = app.sign_in_with_link(&token, &client()).await.unwrap();
    assert_eq!(lena.caller.role, Role::Responder);
    let again = app.sign_in_with_link(&token, &client()).await.unwrap_err();
    assert_eq!(again.code(), "sign_in_link_invalid");
    app.change_password(&lena.caller, None, &password(), &client()).await.unwrap();
    let signed_in = app.sign_in("lena@halden.example", &password(), &client()).await.unwrap();

    let taken = app.invite_user(&world.admin, draft).await.unwrap_err();
    assert!(matches!(taken.code(), "name_taken" | "invalid"), "{taken:?}");
    let forbidden = app
        .invite_user(&signed_in.caller, user_draft("Tomas Berg", Role::Admin))
        .await
        .unwrap_err();
    assert!(matches!(forbidden, ObjectError::Forbidden(_)));

    // Disabling is seen by the session at once.
    let user = app.get::<User>(&world.admin, lena.caller.user.unwrap()).await.unwrap();
    let draft = crate::objects::draft::UserDraft { disabled: true, ..same_user(&user.object) };
    app.replace::<User>(&world.admin, user.object.id, draft, WRITE).await.unwrap();
    let refused = app.authenticate_session(&text(&signed_in.token), request()).await.unwrap_err();
    assert_eq!(refused.code(), "user_disabled");
    let refused = app.sign_in("lena@halden.example", &password(), &client()).await.unwrap_err();
    assert_eq!(refused.code(), "sign_in_refused");
    world.end().await;
}

#[tokio::test]
async fn a_key_does_no_more_than_its_role_and_ends_when_told() {
    let world = World::new().await;
    let app = &world.app;
    let lena = world.person("Lena Ortiz", Role::Responder).await;
    let new =
        |role, personal| NewApiKey { name: "laptop".to_owned(), role, expires_at: None, personal };
    let too_high = app.create_key(&lena, new(Role::Admin, true)).await.unwrap_err();
    assert_eq!(too_high.code(), "api_key_role_too_high");
    assert_eq!(
        app.create_key(&lena, new(Role::Viewer, false)).await.unwrap_err().code(),
        "forbidden"
    );

    let made = app.create_key(&lena, new(Role::Responder, true)).await.unwrap();
    let caller = app.authenticate_key(&text(&made.secret), request()).await.unwrap();
    assert_eq!((caller.user, caller.role, caller.operator), (lena.user, Role::Responder, false));
    let owned = app.create_key(&world.admin, new(Role::Viewer, false)).await.unwrap();
    let caller = app.authenticate_key(&text(&owned.secret), request()).await.unwrap();
    assert_eq!((caller.user, caller.role), (None, Role::Viewer));
    assert!(app.invite_user(&caller, user_draft("Tomas Berg", Role::Viewer)).await.is_err());

    let seen = |keys: Vec<ApiKeyView>| keys.len();
    assert_eq!(seen(app.keys(&lena).await.unwrap()), 1);
    assert_eq!(seen(app.keys(&world.admin).await.unwrap()), 2);
    let not_hers = app.revoke_key(&lena, owned.key.id).await.unwrap_err();
    assert_eq!(not_hers.code(), "api_key_not_found");
    app.revoke_key(&lena, made.key.id).await.unwrap();
    let revoked = app.authenticate_key(&text(&made.secret), request()).await.unwrap_err();
    assert_eq!(revoked.code(), "api_key_invalid");

    let end = app.now().saturating_add(SignedDuration::from_hours(1)).ok();
    let short = NewApiKey { expires_at: end, ..new(Role::Viewer, true) };
    let short = app.create_key(&lena, short).await.unwrap();
    world.clock.push(SignedDuration::from_hours(1));
    let expired = app.authenticate_key(&text(&short.secret), request()).await.unwrap_err();
    assert_eq!(expired.code(), "api_key_expired");
    world.end().await;
}
