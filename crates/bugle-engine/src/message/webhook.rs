//! What a program gets: one JSON object per notification.

use bugle_domain::notification::Notification;
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, NotificationId, ServiceId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::dispatch::AlertBrief;

/// What the body of a webhook is made from.
#[derive(Clone, Copy, Debug)]
pub struct Hook<'a> {
    /// Names of services and people.
    pub directory: &'a Directory,
    /// The notification.
    pub notification: &'a Notification,
    /// What it is about.
    pub alert: &'a AlertBrief,
    /// The alert's page.
    pub url: &'a str,
    /// When it goes out.
    pub now: Timestamp,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    notification: NotificationId,
    reference: &'a str,
    possible_repeat: bool,
    late_s: i64,
    user: Named<'a, UserId>,
    alert: AlertBody<'a>,
}

#[derive(Serialize)]
struct AlertBody<'a> {
    id: AlertId,
    number: i64,
    status: &'static str,
    severity: &'static str,
    summary: &'a str,
    source: &'a str,
    dedup_key: &'a str,
    service: Option<Named<'a, ServiceId>>,
    url: &'a str,
    opened_at: Timestamp,
    event_count: i64,
    links: &'a RawValue,
    details: &'a RawValue,
}

#[derive(Serialize)]
struct Named<'a, Id> {
    id: Id,
    name: &'a str,
}

/// The alert's links and details, as the JSON they are kept as.
#[derive(Deserialize)]
struct Extra<'a> {
    #[serde(borrow)]
    links: Option<&'a RawValue>,
    #[serde(borrow)]
    details: Option<&'a RawValue>,
}

/// The body, as JSON text. Links and details are copied as they stand, without being taken apart.
pub fn webhook_body(hook: &Hook<'_>) -> String {
    let (alert, notification) = (hook.alert, hook.notification);
    let extra = serde_json::from_str(&alert.extra);
    let extra: Extra<'_> = extra.unwrap_or(Extra { links: None, details: None });
    let (no_links, no_details) = (raw("[]"), raw("{}"));
    let service = alert.service.and_then(|id| hook.directory.services.get(&id));
    let body = Body {
        r#type: "alert.notification",
        notification: notification.id,
        reference: &notification.reference(),
        possible_repeat: notification.possible_repeat,
        late_s: hook.now.duration_since(notification.wanted_at).as_secs().max(0),
        user: Named { id: notification.user, name: hook.directory.user_name(notification.user) },
        alert: AlertBody {
            id: alert.id,
            number: alert.number,
            status: alert.status.as_str(),
            severity: alert.severity.as_str(),
            summary: &alert.summary,
            source: &alert.source,
            dedup_key: &alert.dedup_key,
            service: service.map(|it| Named { id: it.id, name: &it.name }),
            url: hook.url,
            opened_at: alert.opened_at,
            event_count: alert.event_count,
            links: extra.links.or(no_links.as_deref()).unwrap_or(RawValue::NULL),
            details: extra.details.or(no_details.as_deref()).unwrap_or(RawValue::NULL),
        },
    };
    // Numbers, texts and JSON that was read as JSON can't fail to be written.
    serde_json::to_string(&body).unwrap_or_default()
}

fn raw(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.to_owned()).ok()
}
