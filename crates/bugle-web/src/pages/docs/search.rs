//! Finding a place in the documents: every word must be there, and names count most.

use super::library::{Document, documents};
use super::render::Place;

/// Most places that one search shows.
const MOST: usize = 20;
/// Most words of a search that count.
const MOST_WORDS: usize = 8;
/// Characters shown of a place, and how many of them before the first word found.
const EXCERPT_CHARS: usize = 200;
const BEFORE_CHARS: usize = 60;

/// A place that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// Where it is.
    pub(super) href: String,
    /// The heading or the term.
    pub(super) name: String,
    /// The document's title, where that is not the name.
    pub(super) title: Option<String>,
    /// What is written around the first word.
    pub(super) excerpt: String,
}

/// The best places for what was typed, best first.
pub(super) fn search(query: &str) -> Vec<Found> {
    let query = query.to_lowercase();
    let words: Vec<&str> = query.split_whitespace().take(MOST_WORDS).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for document in documents() {
        for place in &document.rendered.places {
            if let Some(score) = score(document, place, &words) {
                found.push((score, document, place));
            }
        }
    }
    // Sorting is stable: among equals, the order of the index.
    found.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    found.truncate(MOST);
    found.into_iter().map(|(_, document, place)| shown(document, place, words[0])).collect()
}

/// How well a place fits; `None`: a word is missing.
fn score(document: &Document, place: &Place, words: &[&str]) -> Option<u32> {
    let (name, text) = (place.name.to_lowercase(), place.text.to_lowercase());
    let title = document.rendered.title.to_lowercase();
    let mut score = 0;
    for word in words {
        score += match () {
            () if name == *word => 8,
            () if name.contains(word) => 4,
            () if text.contains(word) => 2,
            () if title.contains(word) => 1,
            () => return None,
        };
    }
    Some(score)
}

fn shown(document: &Document, place: &Place, word: &str) -> Found {
    let page = format!("/docs/{}", document.name);
    let href = match place.anchor.as_str() {
        "" => page,
        anchor => format!("{page}#{anchor}"),
    };
    let title = &document.rendered.title;
    Found {
        href,
        name: place.name.clone(),
        title: (*title != place.name).then(|| title.clone()),
        excerpt: excerpt(&place.text, word),
    }
}

/// What is written around the first `word`, on one line.
pub(in super::super) fn excerpt(text: &str, word: &str) -> String {
    let text: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    let lower: String = text.iter().flat_map(|c| c.to_lowercase()).collect();
    let at = lower.find(word).map_or(0, |at| lower[..at].chars().count());
    let from = at.saturating_sub(BEFORE_CHARS).min(text.len());
    let to = (from + EXCERPT_CHARS).min(text.len());
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    format!("{before}{}{after}", text[from..to].iter().collect::<String>())
}
