//! What amtool and others ask of Alertmanager's API besides posting alerts: its status, and which
//! alerts are firing.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bugle_domain::alert::Alert;
use bugle_domain::integration::Dialect;
use http::{HeaderMap, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::answers;
use super::credential::credential;
use super::door::{Refusal, integration};
use super::matcher::Matcher;
use crate::state::WebState;

/// How long an alert lasts that does not end by itself, as shown.
const SHOWN_END: SignedDuration = SignedDuration::from_mins(5);

/// `GET /api/v2/status`: every field that the schema requires, and nothing that is anybody's.
pub(super) async fn status(State(state): State<WebState>) -> Response {
    let version = state.settings.version;
    let now = state.app.now();
    let body = json!({
        "cluster": { "name": "", "status": "disabled", "peers": [] },
        "config": { "original": "" },
        "uptime": now,
        "versionInfo": {
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "",
            "version": version,
        },
    });
    Json(body).into_response()
}

/// An alert as Alertmanager shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gettable {
    annotations: BTreeMap<String, String>,
    ends_at: Timestamp,
    fingerprint: String,
    receivers: [Value; 1],
    starts_at: Timestamp,
    status: Value,
    updated_at: Timestamp,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    labels: BTreeMap<String, String>,
}

impl Gettable {
    fn of(alert: Alert, receiver: &str, now: Timestamp) -> Self {
        let texts = |name: &str| {
            let map = alert.details.get(name).and_then(Value::as_object);
            let pairs = map.into_iter().flatten();
            pairs.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
        };
        let mut labels: BTreeMap<String, String> = texts("labels");
        if labels.is_empty() {
            labels.insert("alertname".to_owned(), alert.summary.clone());
        }
        let fallback = || now.saturating_add(SHOWN_END).unwrap_or(now);
        Self {
            annotations: texts("annotations"),
            ends_at: alert.resolve_at.unwrap_or_else(fallback),
            fingerprint: alert.dedup_key,
            receivers: [json!({ "name": receiver })],
            starts_at: alert.opened_at,
            status: json!({
                "state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": [],
            }),
            updated_at: alert.last_event_at,
            generator_url: alert.links.first().map(|link| link.href.clone()).unwrap_or_default(),
            labels,
        }
    }
}

/// `GET /api/v2/alerts`: the alerts of the key's integration that are not over.
pub(super) async fn alerts(
    State(state): State<WebState>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match list(&state, &headers, &uri).await {
        Ok(response) => response,
        Err(refusal) => answers::refused(Dialect::AlertmanagerApi, &refusal, None),
    }
}

async fn list(state: &WebState, headers: &HeaderMap, uri: &Uri) -> Result<Response, Refusal> {
    let key = credential(headers, uri);
    let of = integration(&state.app, key.as_deref()).await?;
    let mut matchers = Vec::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if (name.as_ref(), value.as_ref()) == ("active", "false") {
            return Ok(Json(json!([])).into_response());
        }
        if name == "filter" {
            let Some(matcher) = Matcher::parse(&value) else {
                let message = format!("bad matcher format: {value}");
                return Ok((StatusCode::BAD_REQUEST, Json(message)).into_response());
            };
            matchers.push(matcher);
        }
    }
    let firing = state.app.firing(&of).await.map_err(|_| Refusal::KeysUnavailable)?;
    let now = state.app.now();
    let shown = firing.into_iter().map(|alert| Gettable::of(alert, &of.integration.name, now));
    let wanted = shown.filter(|alert| matchers.iter().all(|it| it.holds(&alert.labels)));
    Ok(Json(wanted.collect::<Vec<_>>()).into_response())
}
