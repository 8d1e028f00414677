//! Changes what is the reader's own.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::identity::NewApiKey;
use bugle_app::methods::{CodeSent, NewMethod};
use bugle_app::objects::WriteOptions;
use bugle_app::objects::draft::UserDraft;
use bugle_domain::MethodId;
use bugle_domain::contact::Channel;
use bugle_domain::role::Role;
use bugle_domain::user::{NotificationRule, User};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::show::{Typed, person, respond};
use crate::pages::error::{PageError, fields, is_theirs, sentence};
use crate::pages::parts::FieldError;
use crate::pages::visitor::{Visitor, keep_session, see};

fn method(id: &str) -> Result<MethodId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such way."))
}

fn sent(code: &CodeSent, what: &str) -> String {
    if code.accepted {
        format!("{what} Taken by {}.", code.provider)
    } else {
        format!("Not sent: {} Check the address and try again.", sentence(&code.detail))
    }
}

/// A new way, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct NewWay {
    channel: String,
    address: String,
    #[serde(default)]
    name: String,
}

/// `POST /me/ways`.
pub(in crate::pages) async fn add(
    State(app): State<App>,
    visitor: Visitor,
    Form(it): Form<NewWay>,
) -> Result<Response, PageError> {
    let user = person(&visitor)?.id;
    let new = NewMethod {
        name: it.name.trim().to_owned(),
        channel: Channel::parse(&it.channel).unwrap_or(Channel::Sms),
        address: it.address.clone(),
    };
    match app.add_method(&visitor.caller, user, new).await {
        Ok(added) => {
            let text = sent(&added.code, "A code is on its way: type it to prove this way.");
            Ok(see(&visitor.browser, "/me#ways", &text))
        }
        Err(error) if is_theirs(&error) => {
            let errors = fields(&error, "address");
            let NewWay { channel, address, name: way_name } = it;
            let typed = Typed { channel, address, way_name, errors, ..Typed::default() };
            respond(&app, &visitor, typed).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A code, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct Code {
    code: String,
}

/// `POST /me/ways/{id}/prove`.
pub(in crate::pages) async fn prove(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(it): Form<Code>,
) -> Result<Response, PageError> {
    match app.prove_method(&visitor.caller, method(&id)?, it.code.trim()).await {
        Ok(proven) => {
            let text = format!("Proven. {} can wake you now.", proven.name);
            Ok(see(&visitor.browser, "/me#ways", &text))
        }
        Err(error) if is_theirs(&error) => {
            let errors = vec![FieldError::new(format!("code-{id}"), sentence(&error.to_string()))];
            respond(&app, &visitor, Typed { errors, ..Typed::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/ways/{id}/code`.
pub(in crate::pages) async fn another_code(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let code = app.send_code(&visitor.caller, method(&id)?).await?;
    Ok(see(&visitor.browser, "/me#ways", &sent(&code, "Another code is on its way.")))
}

/// `POST /me/ways/{id}/test`.
pub(in crate::pages) async fn test(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let test = app.test_method(&visitor.caller, method(&id)?).await?;
    Ok(see(&visitor.browser, "/me#ways", &sent(&test, "A test is on its way.")))
}

/// `POST /me/ways/{id}/remove`.
pub(in crate::pages) async fn remove(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let removed = app.remove_method(&visitor.caller, method(&id)?).await?;
    Ok(see(&visitor.browser, "/me#ways", &format!("Removed. {}", removed.sentence)))
}

/// `POST /me/rules/{urgency}`: pairs of way and delay, in order; empty ones are left out.
pub(in crate::pages) async fn rules(
    State(app): State<App>,
    visitor: Visitor,
    Path(urgency): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let user = person(&visitor)?.id;
    let of = |name: &'static str| {
        pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    };
    let mut chosen: Vec<NotificationRule> = of("method")
        .zip(of("delay"))
        .filter_map(|(way, delay)| {
            let delay_s = if delay.is_empty() { 0 } else { delay.parse().ok()? };
            Some(NotificationRule { method: way.parse().ok()?, delay_s })
        })
        .collect();
    chosen.sort();
    let mut rules = app.rules(&visitor.caller, user).await?.rules;
    if urgency == "urgent" {
        rules.urgent = chosen;
    } else {
        rules.normal = chosen;
    }
    match app.put_rules(&visitor.caller, user, rules).await {
        Ok(_) => Ok(see(&visitor.browser, "/me#rules", "Saved.")),
        Err(error) if is_theirs(&error) => {
            let text = sentence(&error.to_string());
            let errors = vec![FieldError::new(format!("{urgency}-m1"), text)];
            respond(&app, &visitor, Typed { errors, ..Typed::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A profile, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct Profile {
    name: String,
    time_zone: String,
}

/// `POST /me/profile`.
pub(in crate::pages) async fn profile(
    State(app): State<App>,
    visitor: Visitor,
    Form(it): Form<Profile>,
) -> Result<Response, PageError> {
    let user = person(&visitor)?;
    let draft = UserDraft {
        name: it.name.trim().to_owned(),
        email: user.email.clone(),
        role: user.role,
        time_zone: it.time_zone.trim().to_owned(),
        disabled: user.disabled,
    };
    let options = WriteOptions::default();
    match app.replace::<User>(&visitor.caller, user.id, draft, options).await {
        Ok(_) => Ok(see(&visitor.browser, "/me", "Saved.")),
        Err(error) if is_theirs(&error) => {
            let errors = fields(&error, "name");
            respond(&app, &visitor, Typed { errors, ..Typed::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A password, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct Password {
    current: SecretString,
    password: SecretString,
}

/// `POST /me/password`.
pub(in crate::pages) async fn password(
    State(app): State<App>,
    visitor: Visitor,
    Form(it): Form<Password>,
) -> Result<Response, PageError> {
    let current = Some(&it.current).filter(|typed| !typed.expose_secret().is_empty());
    let client = &visitor.browser.client;
    match app.change_password(&visitor.caller, current, &it.password, client).await {
        Ok(signed_in) => {
            let mut response = see(&visitor.browser, "/me", "Password changed.");
            keep_session(&visitor.browser, &signed_in, visitor.times.now(), &mut response);
            Ok(response)
        }
        Err(error) if is_theirs(&error) => {
            let errors = fields(&error, "current");
            respond(&app, &visitor, Typed { errors, ..Typed::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/sessions/{id}/end`.
pub(in crate::pages) async fn end_session(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = id.parse().map_err(|_| PageError::not_found("There is no such session."))?;
    app.end_session(&visitor.caller, id).await?;
    Ok(see(&visitor.browser, "/me", "Ended."))
}

/// A new key, as typed.
#[derive(Deserialize)]
pub(in crate::pages) struct NewKey {
    name: String,
    role: String,
}

/// `POST /me/keys`: the answer shows the key, once.
pub(in crate::pages) async fn make_key(
    State(app): State<App>,
    visitor: Visitor,
    Form(it): Form<NewKey>,
) -> Result<Response, PageError> {
    let new = NewApiKey {
        name: it.name.trim().to_owned(),
        role: Role::parse(&it.role).unwrap_or(Role::Viewer),
        expires_at: None,
        personal: true,
    };
    match app.create_key(&visitor.caller, new).await {
        Ok(made) => {
            let new_key = Some(made.secret.expose_secret().to_owned());
            respond(&app, &visitor, Typed { new_key, ..Typed::default() }).await
        }
        Err(error) if is_theirs(&error) => {
            let errors = vec![FieldError::new("key-name", sentence(&error.to_string()))];
            respond(&app, &visitor, Typed { errors, ..Typed::default() }).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /me/keys/{id}/revoke`.
pub(in crate::pages) async fn revoke_key(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = id.parse().map_err(|_| PageError::not_found("There is no such key."))?;
    app.revoke_key(&visitor.caller, id).await?;
    Ok(see(&visitor.browser, "/me#keys", "Revoked. Programs that use it stop working."))
}
