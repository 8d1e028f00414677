//! The incident report as a page, and as a document that stands alone.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_engine::incident::report::Report;
use http::StatusCode;

use super::parse;
use crate::pages::docs;
use crate::pages::error::PageError;
use crate::pages::shell::{Section, page};
use crate::pages::visitor::Visitor;

#[derive(Template)]
#[template(path = "incident_report.html")]
struct ReportPage {
    href: String,
    title: String,
    html: String,
    markdown: String,
}

#[derive(Template)]
#[template(path = "incident_report_alone.html")]
struct Alone {
    title: String,
    html: String,
}

/// `GET /incidents/{id}/report`.
pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = parse(&id)?;
    let report = app.incident_report(&visitor.caller, id).await?;
    let markdown = report.markdown();
    let (title, html) = docs::rendered(&markdown);
    let body = ReportPage { href: format!("/incidents/{id}"), title, html, markdown };
    let shell = visitor.shell(&app, "Incident report", Section::Incidents).await?;
    Ok(page(StatusCode::OK, &shell.back(&body.href, "Incident"), &body))
}

/// The draft as one document of HTML, for the API.
pub(crate) fn html(report: &Report) -> String {
    let (title, html) = docs::rendered(&report.markdown());
    Alone { title, html }.render().unwrap_or_default()
}
