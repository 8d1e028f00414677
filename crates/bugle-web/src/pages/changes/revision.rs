//! One revision of the stages, and the difference of two.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::change::{Difference, StoredRevision};
use http::StatusCode;

use super::diff::{DiffLine, lines};
use super::{Badge, state_of, who};
use crate::pages::error::PageError;
use crate::pages::parts::{Link, Pair};
use crate::pages::shell::{Section, page};
use crate::pages::times::Times;
use crate::pages::visitor::Visitor;

#[derive(Template)]
#[template(path = "revision.html")]
pub(in crate::pages) struct RevisionPage {
    heading: String,
    state: Option<Badge>,
    facts: Vec<Pair>,
    links: Vec<Link>,
    /// What differs, for the difference of two.
    diff: Option<Vec<DiffLine>>,
    /// What it says, for one.
    document: Option<String>,
}

/// `GET /revisions/{number}`, for operators.
pub(in crate::pages) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(number): Path<i64>,
) -> Result<Response, PageError> {
    let found = app.stage_revision(&visitor.caller, number).await?;
    let (_, known_good) = app.stage_revisions(&visitor.caller).await?;
    let body = build(found, known_good, &visitor.times);
    answer(&app, &visitor, &body).await
}

/// `GET /revisions/{number}/diff/{other}`, for operators.
pub(in crate::pages) async fn compare(
    State(app): State<App>,
    visitor: Visitor,
    Path((before, after)): Path<(i64, i64)>,
) -> Result<Response, PageError> {
    let found = app.diff_revisions(&visitor.caller, (before, after)).await?;
    answer(&app, &visitor, &build_diff((before, after), &found)).await
}

async fn answer(app: &App, visitor: &Visitor, body: &RevisionPage) -> Result<Response, PageError> {
    let shell = visitor.shell(app, &body.heading, Section::Changes).await?;
    Ok(page(StatusCode::OK, &shell.back("/changes", "Changes"), body))
}

/// What the page of one says. Pure.
pub(in crate::pages) fn build(
    it: StoredRevision,
    known_good: Option<i64>,
    times: &Times,
) -> RevisionPage {
    let state = state_of(&it, known_good);
    let pair = |key: &str, value: String| Pair { key: key.to_owned(), value };
    let mut facts = vec![
        pair("Who", who(&it.author)),
        pair("Why", it.reason),
        pair("Made", times.exact(it.made_at).text),
        pair("Fingerprint", it.fingerprint.chars().take(12).collect()),
    ];
    if let Some((at, why)) = it.blocked {
        facts.push(pair("Undone", format!("{}: {why}", times.exact(at).text)));
    }
    let (number, mut links) = (it.number, Vec::new());
    if let Some(good) = known_good.filter(|good| *good != number) {
        let differs = format!("What differs from revision {good}");
        links.push(Link::new(format!("/revisions/{good}/diff/{number}"), differs));
        links.push(Link::new(format!("/changes/new?revision={number}"), "Go to it"));
    }
    links.push(Link::new(format!("/changes/new?edit={number}"), "Edit a copy"));
    RevisionPage {
        heading: format!("Revision {number}"),
        state,
        facts,
        links,
        diff: None,
        document: Some(it.document),
    }
}

/// What the difference of two says. Pure.
pub(in crate::pages) fn build_diff(
    (before, after): (i64, i64),
    found: &[Difference],
) -> RevisionPage {
    let link = |number| Link::new(format!("/revisions/{number}"), format!("Revision {number}"));
    RevisionPage {
        heading: format!("Revision {before} → {after}"),
        state: None,
        facts: Vec::new(),
        links: vec![link(before), link(after)],
        diff: Some(lines(found)),
        document: None,
    }
}
