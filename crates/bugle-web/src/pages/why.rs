//! Why: the causal record of an event or an alert.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::permission::Permission;
use bugle_app::why::{Why, WhyStep};
use bugle_domain::EventId;
use http::StatusCode;

use super::alert::show::bytes;
use super::error::PageError;
use super::parts::{Link, Raw};
use super::shell::{Section, page};
use super::times::{Times, When};
use super::visitor::Visitor;

#[derive(Template)]
#[template(path = "why.html")]
pub(super) struct WhyPage {
    /// `evt_…` or `alr_…`.
    pub(super) subject: String,
    /// The alert it led to.
    pub(super) alert: Option<Link>,
    /// Where to say that nobody was paged, for who may.
    pub(super) ask: Option<String>,
    /// The answer in a sentence.
    pub(super) answer: String,
    /// Every step.
    pub(super) steps: Vec<Step>,
    /// Whether steps were left out.
    pub(super) cut: bool,
    /// As received.
    pub(super) raw: Option<Raw>,
    /// The page's zone.
    pub(super) zone: String,
}

/// One link of the chain.
pub(super) struct Step {
    /// When.
    pub(super) at: When,
    /// Where.
    pub(super) stage: &'static str,
    /// What.
    pub(super) text: String,
    /// The same for programs; empty where it says no more.
    pub(super) data: String,
}

/// `GET /events/{id}` and `GET /events/{id}/why`.
pub(super) async fn event(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id: EventId = id.parse().map_err(|_| PageError::not_found("There is no such event."))?;
    let why = app.why_event(&visitor.caller, id).await?;
    show(&app, &visitor, why, "Why this event").await
}

/// `GET /alerts/{id}/why`.
pub(super) async fn alert(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = app.find_alert(&visitor.caller, &id).await?;
    let why = app.why_alert(&visitor.caller, id).await?;
    show(&app, &visitor, why, "Why this alert").await
}

async fn show(app: &App, visitor: &Visitor, why: Why, title: &str) -> Result<Response, PageError> {
    let raw = match why.event {
        Some(event) => bytes(app, visitor, event, &visitor.times).await?,
        None => None,
    };
    let subject = if why.subject.starts_with(EventId::PREFIX) { "event" } else { "alert" };
    let ask = format!("/assistance/new?{subject}={}", why.subject);
    let ask = visitor.caller.may(Permission::AskAssistance).then_some(ask);
    let body = WhyPage { ask, ..build(why, raw, &visitor.times) };
    let mut shell = visitor.shell(app, title, Section::Alerts).await?;
    if let Some(alert) = &body.alert {
        shell = shell.back(&alert.href, &format!("Alert {}", alert.text));
    }
    Ok(page(StatusCode::OK, &shell, &body))
}

/// What the page says. Pure.
pub(super) fn build(why: Why, raw: Option<Raw>, times: &Times) -> WhyPage {
    let alert = why.alert_number.map(|it| Link::new(format!("/alerts/{it}"), format!("#{it}")));
    WhyPage {
        alert,
        ask: None,
        subject: why.subject,
        answer: why.answer,
        steps: why.steps.into_iter().map(|it| step(it, times)).collect(),
        cut: why.cut,
        raw,
        zone: times.zone_name().to_owned(),
    }
}

/// One link as the page shows it.
pub(super) fn step(it: WhyStep, times: &Times) -> Step {
    let said = match &it.data {
        serde_json::Value::Null => String::new(),
        serde_json::Value::Object(map) if map.is_empty() => String::new(),
        data => serde_json::to_string_pretty(data).unwrap_or_default(),
    };
    Step { at: times.exact(it.at), stage: it.stage.as_str(), text: it.text, data: said }
}
