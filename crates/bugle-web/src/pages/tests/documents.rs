//! The documents that the program carries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::super::docs::{Place, document_page, every_document, index_page};
use super::super::shell::{Layout, Section, Shell};
use super::{shell, show};

fn frame(title: &str) -> Shell {
    let app = shell(title, Section::Documents);
    Shell { layout: Layout::Document, live: None, user: None, ..app }
}

#[test]
fn every_document_is_a_page_within_its_weight() {
    for (name, rendered) in every_document() {
        assert!(!rendered.title.is_empty() && !rendered.about.is_empty(), "{name}");
        assert!(rendered.lost.is_empty(), "{name}: {:?}", rendered.lost);
        let page = document_page(name).unwrap();
        show(&format!("doc-{name}"), &frame(&rendered.title), &page);
    }
    show("docs", &frame("Documents"), &index_page(""));
    show("docs-found", &frame("Documents"), &index_page("key"));
    show("docs-nothing", &frame("Documents"), &index_page("<script>"));
}

#[test]
fn every_link_between_documents_leads_to_something_that_is_there() {
    let mut anchors: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, rendered) in every_document() {
        let all = rendered.places.iter().map(|place| place.anchor.as_str());
        anchors.insert(format!("/docs/{name}"), all.collect());
    }
    anchors.insert("/docs".to_owned(), BTreeSet::from(["", "decisions"]));
    let mut seen = 0;
    for (name, rendered) in every_document() {
        for after in rendered.html.split("href=\"/docs").skip(1) {
            let href = format!("/docs{}", after.split('"').next().unwrap());
            let (page, anchor) = href.split_once('#').unwrap_or((&href, ""));
            let there = anchors.get(page).is_some_and(|known| known.contains(anchor));
            assert!(there, "{name}: {href} leads nowhere");
            seen += 1;
        }
    }
    assert!(seen > 5, "the links are no longer read right");
}

#[test]
fn every_document_of_the_repository_is_carried() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let known: BTreeSet<&str> = every_document().map(|(name, _)| name).collect();
    for folder in [docs.clone(), docs.join("decisions")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let is_document = path.extension().is_some_and(|it| it == "md") && name != "README";
            assert!(!is_document || known.contains(name), "{} is not carried", path.display());
        }
    }
}

#[test]
fn every_code_of_an_error_leads_to_its_explanation() {
    let anchors = |name: &str| -> BTreeSet<&'static str> {
        let (_, rendered) = every_document().find(|(known, _)| *known == name).unwrap();
        rendered.places.iter().map(|place| place.anchor.as_str()).collect()
    };
    let explained = anchors("errors");
    let mut codes = codes_of_this_crate();
    // Codes of use cases: `cargo xtask tidy` has each of them in the document, first in its row.
    let document = include_str!("../../../../../docs/errors.md");
    for line in document.lines() {
        let begins = line.strip_prefix("| `").or_else(|| line.strip_prefix("- `"));
        codes.extend(begins.map(|rest| rest.split('`').next().unwrap().to_owned()));
    }
    assert!(codes.len() > 60, "the codes are no longer read right: {codes:?}");
    let lost: Vec<&String> = codes.iter().filter(|code| !explained.contains(&***code)).collect();
    assert!(lost.is_empty(), "codes without an anchor in docs/errors.md: {lost:?}");
}

/// What this crate refuses by itself, as written in its sources.
fn codes_of_this_crate() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            for made in ["ApiError::new(", "ApiError::bad_request(", "ApiError::internal("] {
                for after in source.split(made).skip(1) {
                    let call = after.split(';').next().unwrap();
                    let code = call.split('"').nth(1).unwrap_or_default();
                    let is_code = |c: char| c.is_ascii_lowercase() || c == '_';
                    if !code.is_empty() && code.chars().all(is_code) {
                        codes.insert(code.to_owned());
                    }
                }
            }
        }
    }
    codes
}

#[test]
fn searching_finds_codes_commands_and_headings() {
    let first = |query: &str| super::super::docs::first_found(query);
    assert_eq!(first("forbidden"), Some("/docs/errors#forbidden".to_owned()));
    assert_eq!(first("bugle ack"), Some("/docs/cli#bugle-ack".to_owned()));
    assert_eq!(first("  METRICS "), Some("/docs/metrics".to_owned()));
    assert_eq!(first("no such word anywhere"), None);
    assert_eq!(first(""), None);
}

#[test]
fn a_place_is_found_by_all_words_and_shown_around_the_first() {
    let place = Place { text: "Straße ".repeat(100) + "İstanbul end", ..Place::default() };
    let shown = super::super::docs::excerpt(&place.text, "end");
    assert!(shown.starts_with('…') && shown.ends_with("end"), "{shown}");
}
