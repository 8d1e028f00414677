//! The documents of this version, for everybody and without a network: an index, a search, and one
//! page each.

mod library;
mod render;
mod search;

use askama::Template;
use axum::extract::{Path, Query};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use self::library::{Kind, document, documents};
use self::search::{Found, search};
use super::error::PageError;
use super::parts::Link;
use super::shell::{Layout, Section, Shell, page};
use super::times::Times;
use super::visitor::Browser;

/// Longest search that is looked at, in characters.
const QUERY_CHARS: usize = 100;

#[derive(Template)]
#[template(path = "docs.html")]
pub(super) struct IndexPage {
    /// What was searched for; empty: nothing.
    pub(super) query: String,
    /// What was found.
    found: Vec<Found>,
    /// The documents, by what they are for.
    groups: Vec<Group>,
    /// The version that they are about.
    version: &'static str,
}

/// The documents of one kind.
struct Group {
    heading: &'static str,
    anchor: &'static str,
    items: Vec<Item>,
}

/// A document in the index.
struct Item {
    link: Link,
    about: &'static str,
}

#[derive(Template)]
#[template(path = "doc.html")]
pub(super) struct DocumentPage {
    title: &'static str,
    /// Second-level headings, where there are several.
    contents: Vec<Link>,
    /// Rendered from a document of ours; nothing in it was written by a user.
    html: &'static str,
    version: &'static str,
}

/// What is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
}

/// `GET /docs`, and `?q=` to search.
pub(super) async fn index(browser: Browser, Query(wanted): Query<Wanted>) -> Response {
    let body = index_page(&wanted.q);
    let title = match body.query.as_str() {
        "" => "Documents – Bugle".to_owned(),
        query => format!("{query} – Documents – Bugle"),
    };
    page(StatusCode::OK, &shell(&browser, title), &body)
}

/// `GET /docs/{name}`.
pub(super) async fn one(browser: Browser, Path(name): Path<String>) -> Result<Response, PageError> {
    let body = document_page(&name)
        .ok_or_else(|| PageError::not_found(format!("there is no document called {name}")))?;
    let shell = shell(&browser, format!("{} – Bugle", body.title));
    Ok(page(StatusCode::OK, &shell, &body))
}

/// The title of a text of Markdown, and the HTML of what is below it. Markup in it is shown as it
/// is written.
pub(super) fn rendered(markdown: &str) -> (String, String) {
    let rendered = render::render("", markdown);
    (rendered.title, rendered.html)
}

fn shell(browser: &Browser, title: String) -> Shell {
    let times = Times::new("UTC", jiff::Timestamp::UNIX_EPOCH);
    let lone = browser.lone(&title, &times);
    Shell { layout: Layout::Document, section: Section::Documents, ..lone }
}

pub(super) fn index_page(query: &str) -> IndexPage {
    let query: String = query.trim().chars().take(QUERY_CHARS).collect();
    let found = search(&query);
    let group = |kind: Kind| Group {
        heading: kind.heading(),
        anchor: kind.anchor(),
        items: documents()
            .iter()
            .filter(|document| document.kind == kind)
            .map(|document| Item {
                link: Link::new(format!("/docs/{}", document.name), &document.rendered.title),
                about: &document.rendered.about,
            })
            .collect(),
    };
    let groups = Kind::ALL.into_iter().map(group).collect();
    IndexPage { query, found, groups, version: env!("CARGO_PKG_VERSION") }
}

pub(super) fn document_page(name: &str) -> Option<DocumentPage> {
    let rendered = &document(name)?.rendered;
    let sections = rendered.places.iter().filter(|place| place.is_section);
    let mut contents: Vec<Link> =
        sections.map(|place| Link::new(format!("#{}", place.anchor), &place.name)).collect();
    if contents.len() < 3 {
        contents.clear();
    }
    let version = env!("CARGO_PKG_VERSION");
    Some(DocumentPage { title: &rendered.title, contents, html: &rendered.html, version })
}

#[cfg(test)]
pub(super) use self::render::{Place, Rendered};
#[cfg(test)]
pub(super) use self::search::excerpt;

/// Every document with its name, for tests of pages.
#[cfg(test)]
pub(super) fn every_document() -> impl Iterator<Item = (&'static str, &'static Rendered)> {
    documents().iter().map(|document| (document.name.as_str(), &document.rendered))
}

/// The best place for what was typed.
#[cfg(test)]
pub(super) fn first_found(query: &str) -> Option<String> {
    search(query).into_iter().next().map(|found| found.href)
}
