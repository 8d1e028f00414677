//! Users, their sign-in links, contact methods and notification rules.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bugle_app::identity::SignInLink;
use bugle_app::methods::{CodeSent, NewMethod, RulesView};
use bugle_app::objects::Noun;
use bugle_app::objects::draft::UserDraft;
use bugle_app::permission::Permission;
use bugle_app::{App, Caller};
use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::user::{NotificationRules, User};
use bugle_domain::{MethodId, UserId};
use http::{StatusCode, Uri};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::crud::{self, read_and_write};
use super::keyed::shown_once;
use super::schema::{self, DeletedBody};
use super::wire::{Asking, Body, Id, List, ListParams, Options, created};
use crate::problem::ApiError;
use crate::state::WebSettings;

read_and_write!(User, UserDraft, schema::User, schema::UserDraft, "users", "/users", "/users/{id}");

/// A single-use link that signs a user in.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkBody {
    /// The whole address. Not shown again.
    url: String,
    /// Until when it holds.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

impl LinkBody {
    pub(crate) fn of(settings: &WebSettings, link: &SignInLink) -> Self {
        let url = settings.page(&format!("/sign-in/{}", link.token.expose_secret()));
        Self { url, until: link.until }
    }
}

/// A user who was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitedBody {
    /// The user.
    #[schema(value_type = schema::User)]
    user: User,
    /// Lets the user in to choose a password.
    sign_in_link: LinkBody,
}

/// Makes a user, and a link that lets them in to choose a password.
#[utoipa::path(
    post, path = "/users", tag = "users", operation_id = "create users",
    request_body = schema::UserDraft, responses((status = 201, body = InvitedBody))
)]
pub(crate) async fn create(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Body(draft): Body<UserDraft>,
) -> Result<Response, ApiError> {
    let invited = app.invite_user(&caller, draft).await?;
    let path = format!("/api/v1/users/{}", invited.user.id);
    let sign_in_link = LinkBody::of(&settings, &invited.link);
    let body = InvitedBody { user: invited.user, sign_in_link };
    Ok(created(invited.version, &path, shown_once(Json(body))))
}

/// Makes a new link for a user who lost the password. The old password and all sessions end.
#[utoipa::path(
    post, path = "/users/{id}/sign-in-link", tag = "users", operation_id = "renew sign-in link",
    params(("id" = String, Path)), responses((status = 201, body = LinkBody))
)]
pub(crate) async fn renew_link(
    State(app): State<App>,
    State(settings): State<Arc<WebSettings>>,
    caller: Caller,
    Id(id): Id<UserId>,
) -> Result<Response, ApiError> {
    let link = app.renew_link(&caller, id).await?;
    Ok(shown_once((StatusCode::CREATED, Json(LinkBody::of(&settings, &link)))))
}

/// One of a user's ways to be reached.
#[derive(Serialize, ToSchema)]
pub(crate) struct MethodBody {
    id: String,
    /// Id of its user.
    user: String,
    /// What its owner calls it.
    name: String,
    #[schema(value_type = String, example = "sms")]
    channel: Channel,
    /// Where it leads: whole for its owner and for admins, for others mostly hidden.
    address: String,
    /// When its owner proved to receive there. Never used before.
    #[schema(value_type = Option<String>, format = DateTime)]
    proven_at: Option<Timestamp>,
}

impl MethodBody {
    fn of(method: &ContactMethod, caller: &Caller) -> Self {
        let whole = caller.is(method.user) || caller.may(Permission::ManageUsers);
        let address = &method.address;
        Self {
            id: method.id.to_string(),
            user: method.user.to_string(),
            name: method.name.clone(),
            channel: address.channel(),
            address: if whole { address.as_str().to_owned() } else { address.masked() },
            proven_at: method.proven_at,
        }
    }
}

/// What came of sending something to a method.
#[derive(Serialize, ToSchema)]
pub(crate) struct SentBody {
    /// Whether a provider has taken it.
    accepted: bool,
    /// What the provider said.
    detail: String,
    /// Which provider was asked.
    provider: String,
    /// Until when the code holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl From<CodeSent> for SentBody {
    fn from(sent: CodeSent) -> Self {
        let CodeSent { accepted, detail, provider, until, .. } = sent;
        Self { accepted, detail, provider, until }
    }
}

/// A method that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedMethodBody {
    method: MethodBody,
    /// What came of sending the code that proves it.
    code: SentBody,
}

/// A contact method as wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMethodBody {
    /// What its owner calls it; left out: named after its channel.
    #[serde(default)]
    name: String,
    #[schema(value_type = String, example = "voice")]
    channel: Channel,
    #[schema(example = "+4930123456")]
    address: String,
}

/// Lists a user's contact methods, oldest first.
#[utoipa::path(
    get, path = "/users/{id}/contact-methods", tag = "contact methods",
    operation_id = "list contact methods",
    params(("id" = String, Path)), responses((status = 200, body = List<MethodBody>))
)]
pub(crate) async fn methods(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<UserId>,
) -> Result<Json<List<MethodBody>>, ApiError> {
    let found = app.contact_methods(&caller, id).await?;
    Ok(List::whole(found.iter().map(|method| MethodBody::of(method, &caller)).collect()))
}

/// Adds a contact method and sends it a code. It is not used until the code was typed.
#[utoipa::path(
    post, path = "/users/{id}/contact-methods", tag = "contact methods",
    operation_id = "add contact method", request_body = NewMethodBody,
    params(("id" = String, Path)), responses((status = 201, body = AddedMethodBody))
)]
pub(crate) async fn add_method(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<UserId>,
    Body(new): Body<NewMethodBody>,
) -> Result<(StatusCode, Json<AddedMethodBody>), ApiError> {
    let new = NewMethod { name: new.name, channel: new.channel, address: new.address };
    let added = app.add_method(&caller, id, new).await?;
    let method = MethodBody::of(&added.method, &caller);
    Ok((StatusCode::CREATED, Json(AddedMethodBody { method, code: added.code.into() })))
}

/// A new name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameBody {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

/// Renames a contact method.
#[utoipa::path(
    patch, path = "/contact-methods/{id}", tag = "contact methods",
    operation_id = "rename contact method", request_body = NameBody,
    params(("id" = String, Path)), responses((status = 200, body = MethodBody))
)]
pub(crate) async fn rename_method(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<MethodId>,
    Body(body): Body<NameBody>,
) -> Result<Json<MethodBody>, ApiError> {
    let method = app.rename_method(&caller, id, &body.name).await?;
    Ok(Json(MethodBody::of(&method, &caller)))
}

/// Removes a contact method and the notification rules that name it.
#[utoipa::path(
    delete, path = "/contact-methods/{id}", tag = "contact methods",
    operation_id = "remove contact method",
    params(("id" = String, Path)), responses((status = 200, body = DeletedBody))
)]
pub(crate) async fn remove_method(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<MethodId>,
) -> Result<Json<DeletedBody>, ApiError> {
    let removed = app.remove_method(&caller, id).await?;
    let also = Some(removed.sentence).filter(|sentence| !sentence.is_empty());
    Ok(Json(DeletedBody { deleted: true, also: also.into_iter().collect() }))
}

/// Sends another code; earlier ones end.
#[utoipa::path(
    post, path = "/contact-methods/{id}/code", tag = "contact methods",
    operation_id = "send code",
    params(("id" = String, Path)), responses((status = 200, body = SentBody))
)]
pub(crate) async fn send_code(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<MethodId>,
) -> Result<Json<SentBody>, ApiError> {
    Ok(Json(app.send_code(&caller, id).await?.into()))
}

/// The code that was received.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeBody {
    #[schema(example = "493021")]
    code: String,
}

/// Proves a contact method by the code that was sent to it.
#[utoipa::path(
    post, path = "/contact-methods/{id}/verify", tag = "contact methods",
    operation_id = "verify contact method", request_body = CodeBody,
    params(("id" = String, Path)), responses((status = 200, body = MethodBody))
)]
pub(crate) async fn verify_method(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<MethodId>,
    Body(body): Body<CodeBody>,
) -> Result<Json<MethodBody>, ApiError> {
    let method = app.prove_method(&caller, id, &body.code).await?;
    Ok(Json(MethodBody::of(&method, &caller)))
}

/// Sends a test to a proven contact method.
#[utoipa::path(
    post, path = "/contact-methods/{id}/test", tag = "contact methods",
    operation_id = "test contact method",
    params(("id" = String, Path)), responses((status = 200, body = SentBody))
)]
pub(crate) async fn test_method(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<MethodId>,
) -> Result<Json<SentBody>, ApiError> {
    Ok(Json(app.test_method(&caller, id).await?.into()))
}

/// One step of what happens.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepBody {
    /// Seconds after the level began.
    delay_s: u32,
    /// Id of the contact method.
    method: String,
}

/// A user's notification rules, and what they amount to.
#[derive(Serialize, ToSchema)]
pub(crate) struct RulesBody {
    /// As set; empty: the defaults.
    #[schema(value_type = schema::NotificationRules)]
    rules: NotificationRules,
    /// What happens for urgent alerts, by proven methods only.
    urgent_steps: Vec<StepBody>,
    /// What happens for others.
    normal_steps: Vec<StepBody>,
}

impl From<RulesView> for RulesBody {
    fn from(view: RulesView) -> Self {
        let steps = |steps: Vec<(u32, MethodId)>| {
            let step = |(delay_s, method): (u32, MethodId)| StepBody {
                delay_s,
                method: method.to_string(),
            };
            steps.into_iter().map(step).collect()
        };
        let (urgent_steps, normal_steps) = (steps(view.urgent_steps), steps(view.normal_steps));
        Self { rules: view.rules, urgent_steps, normal_steps }
    }
}

/// Reads a user's notification rules.
#[utoipa::path(
    get, path = "/users/{id}/rules", tag = "notification rules", operation_id = "get rules",
    params(("id" = String, Path)), responses((status = 200, body = RulesBody))
)]
pub(crate) async fn rules(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<UserId>,
) -> Result<Json<RulesBody>, ApiError> {
    Ok(Json(app.rules(&caller, id).await?.into()))
}

/// Changes a user's notification rules.
#[utoipa::path(
    put, path = "/users/{id}/rules", tag = "notification rules", operation_id = "replace rules",
    request_body = schema::NotificationRules,
    params(("id" = String, Path)), responses((status = 200, body = RulesBody))
)]
pub(crate) async fn put_rules(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<UserId>,
    Body(rules): Body<NotificationRules>,
) -> Result<Json<RulesBody>, ApiError> {
    Ok(Json(app.put_rules(&caller, id, rules).await?.into()))
}
