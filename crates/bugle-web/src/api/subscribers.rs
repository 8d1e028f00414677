//! Who is told of what the status page says: how many, who, and the end of one. For operators.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bugle_app::status::Subscriber;
use bugle_app::{App, Caller};
use bugle_domain::SubscriberId;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{Asking, Body, Id, List, ListParams};
use crate::problem::ApiError;

/// Who is told of what the status page says.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriberBody {
    id: String,
    /// `email`, `sms` or `webhook`.
    channel: &'static str,
    /// Most of it is hidden in lists: `a…@example.com`.
    address: String,
    /// Of which components; empty: of all.
    components: Vec<&'static str>,
    /// When they asked last.
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// Since when they are told; null: they only asked.
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
}

impl SubscriberBody {
    fn new(it: &Subscriber, address: String) -> Self {
        Self {
            id: it.id.to_string(),
            channel: it.address.channel().as_str(),
            address,
            components: it.components.iter().map(|it| it.as_str()).collect(),
            asked_at: it.asked_at,
            confirmed_at: it.confirmed_at,
        }
    }
}

/// How many are told by one way.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelCountBody {
    /// `email`, `sms` or `webhook`.
    channel: &'static str,
    /// Those who are told.
    confirmed: i64,
    /// Those who only asked.
    asked: i64,
}

/// How many are told of one component.
#[derive(Serialize, ToSchema)]
pub(crate) struct ComponentCountBody {
    component: &'static str,
    /// Those who are told of it, by choice or because they are told of all.
    confirmed: i64,
}

/// How many subscribers there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct SubscriberCountsBody {
    channels: Vec<ChannelCountBody>,
    components: Vec<ComponentCountBody>,
}

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindBody {
    /// The whole address.
    address: String,
}

/// Lists who is told of what the status page says, newest first, addresses mostly hidden. For
/// operators.
#[utoipa::path(
    get, path = "/subscribers", tag = "operator", operation_id = "list subscribers",
    params(ListParams), responses((status = 200, body = List<SubscriberBody>))
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asking(list): Asking<ListParams>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let listed = app.subscribers(&caller, &list.page()).await?;
    Ok(List::part(listed.map(|it| SubscriberBody::new(&it, it.address.masked())), &uri))
}

/// Counts subscribers by the way they are told and by component. For operators.
#[utoipa::path(
    get, path = "/subscribers/counts", tag = "operator", operation_id = "count subscribers",
    responses((status = 200, body = SubscriberCountsBody))
)]
pub(crate) async fn counts(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<SubscriberCountsBody>, ApiError> {
    let counts = app.subscriber_counts(&caller).await?;
    let channels = counts.channels.into_iter().map(|it| ChannelCountBody {
        channel: it.channel.as_str(),
        confirmed: it.confirmed,
        asked: it.asked,
    });
    let components = counts.components.into_iter().map(|(component, confirmed)| {
        ComponentCountBody { component: component.as_str(), confirmed }
    });
    Ok(Json(SubscriberCountsBody {
        channels: channels.collect(),
        components: components.collect(),
    }))
}

/// Finds the subscriber with an address. For operators.
#[utoipa::path(
    post, path = "/subscribers/find", tag = "operator", operation_id = "find subscriber",
    request_body = FindBody, responses((status = 200, body = SubscriberBody))
)]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<FindBody>,
) -> Result<Json<SubscriberBody>, ApiError> {
    let found = app.find_subscriber(&caller, &body.address).await?;
    Ok(Json(SubscriberBody::new(&found, found.address.as_str().to_owned())))
}

/// Forgets a subscriber, as its owner asks for. It is in the audit log. For operators.
#[utoipa::path(
    delete, path = "/subscribers/{id}", tag = "operator", operation_id = "remove subscriber",
    params(("id" = String, Path)), responses((status = 204))
)]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id<SubscriberId>,
) -> Result<StatusCode, ApiError> {
    app.remove_subscriber(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
