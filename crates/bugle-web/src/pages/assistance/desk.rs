//! Assistance requests as operators see them: all of them, what they share, and what can be done
//! about one.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::assistance::error::AssistanceError;
use bugle_app::assistance::{AssistanceDesk, Group};
use bugle_app::permission::Permission;
use bugle_domain::AssistanceId;
use bugle_engine::assistance::group::{Reason, Shared};
use http::StatusCode;

use super::parse;
use super::show::{self, Row};
use crate::pages::error::{PageError, fields, is_theirs};
use crate::pages::forms::{Sent, of};
use crate::pages::parts::FieldError;
use crate::pages::shell::{Section, page};
use crate::pages::times::Times;
use crate::pages::visitor::{Visitor, forget_said, see};

#[derive(Template)]
#[template(path = "assistance_desk.html")]
pub(in crate::pages) struct DeskPage {
    said: Option<String>,
    groups: Vec<Together>,
    closed: Vec<Row>,
}

/// Open requests that belong together.
struct Together {
    why: &'static str,
    urgent: bool,
    paged: bool,
    shared: Vec<String>,
    rows: Vec<Row>,
}

/// `GET /assistance-desk`, for operators.
pub(in crate::pages) async fn list(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let desk = app.assistance_desk(&visitor.caller).await?;
    let mut body = build(&desk, &visitor.times);
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(&app, "Assistance desk", Section::AssistanceDesk).await?;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// What the page says. Pure.
pub(in crate::pages) fn build(desk: &AssistanceDesk, times: &Times) -> DeskPage {
    let mut rows: BTreeMap<AssistanceId, Row> = BTreeMap::new();
    let mut closed = Vec::new();
    for it in &desk.requests {
        let row = Row::new("/assistance-desk", it, times);
        if row.open {
            rows.insert(it.request.id, row);
        } else {
            closed.push(row);
        }
    }
    let groups = desk.groups.iter().map(|group| together(group, &mut rows)).collect();
    DeskPage { said: None, groups, closed }
}

fn together(group: &Group, rows: &mut BTreeMap<AssistanceId, Row>) -> Together {
    let shared = |Shared { what, value, requests }: &Shared| {
        format!("{} share the {what}: {value}", requests.len())
    };
    Together {
        why: match (group.reason, group.requests.len()) {
            (Some(Reason::Unexplained), _) => "The ledger cannot explain it",
            (Some(Reason::SeveralTenants), _) => "Several clients within ten minutes",
            (None, 1) => "One client",
            (None, _) => "One client, more than once",
        },
        urgent: group.reason.is_some(),
        paged: !group.pages.is_empty(),
        shared: group.shared.iter().map(shared).collect(),
        rows: group.requests.iter().filter_map(|id| rows.remove(id)).collect(),
    }
}

/// `GET /assistance-desk/{id}`, for operators.
pub(in crate::pages) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    shown(&app, &visitor, &id, Vec::new()).await
}

async fn shown(
    app: &App,
    visitor: &Visitor,
    id: &str,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    visitor.caller.require(Permission::GiveAssistance).map_err(AssistanceError::from)?;
    let view = app.assistance_request(&visitor.caller, parse(id)?).await?;
    let mut body = show::build(view, &visitor.times, show::For::Operator);
    body.said.clone_from(&visitor.browser.said);
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    body.errors = errors;
    let shell = visitor.shell(app, "Assistance request", Section::AssistanceDesk).await?;
    let shell = shell.back("/assistance-desk", "Assistance desk");
    let mut response = page(status, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// `POST /assistance-desk/{id}/answer`.
pub(in crate::pages) async fn answer(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    match app.answer_assistance(&visitor.caller, parse(&id)?, &of(&sent, "text")).await {
        Ok(view) => {
            let mailed = view.request.said.last().and_then(|said| said.mailed.clone());
            Ok(back(&visitor, &id, &mailed.unwrap_or_default()))
        }
        Err(error) if is_theirs(&error) => shown(&app, &visitor, &id, fields(&error, "text")).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /assistance-desk/{id}/trace`.
pub(in crate::pages) async fn trace(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    app.trace_assistance(&visitor.caller, parse(&id)?).await?;
    Ok(back(&visitor, &id, "The ledger was read again."))
}

/// `POST /assistance-desk/{id}/replicate`.
pub(in crate::pages) async fn replicate(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    app.replicate_assistance(&visitor.caller, parse(&id)?).await?;
    Ok(back(&visitor, &id, "It was sent along the path. Nobody was paged."))
}

/// `POST /assistance-desk/{id}/close`.
pub(in crate::pages) async fn close(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    app.close_assistance(&visitor.caller, parse(&id)?).await?;
    Ok(back(&visitor, &id, "It is closed."))
}

fn back(visitor: &Visitor, id: &str, said: &str) -> Response {
    see(&visitor.browser, &format!("/assistance-desk/{id}"), said)
}
