//! Every error code that a user can see is explained in `docs/errors.md`, and no other.

use std::collections::BTreeMap;

use super::source::{Kind, pieces};
use super::{File, Offence};

const DOCUMENT: &str = "docs/errors.md";

/// Compares the codes that functions named `code` return with those that the document explains.
pub(super) fn documented(files: &[File]) -> Vec<Offence> {
    let document = files.iter().find(|file| file.path == DOCUMENT);
    let explained = document.map(|file| explained(&file.text)).unwrap_or_default();
    let mut used: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let ours =
        |file: &&File| file.is_rust() && file.path.starts_with("crates/bugle") && !file.is_test();
    for file in files.iter().filter(ours) {
        for (line, code) in codes(&file.text) {
            used.entry(code).or_insert((&file.path, line));
        }
    }
    let mut offences = Vec::new();
    for (code, (path, line)) in &used {
        if !explained.contains_key(code) {
            let what = format!("explain the code `{code}` in {DOCUMENT}");
            offences.push(Offence::new(path, *line, what));
        }
    }
    for (code, line) in &explained {
        if !used.contains_key(code) {
            let what = format!("no error has the code `{code}`: remove it here");
            offences.push(Offence::new(DOCUMENT, *line, what));
        }
    }
    offences
}

/// The codes in the bodies of functions named `code`, each with its line.
fn codes(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    // Some(depth of braces) while inside such a function; None outside.
    let mut inside: Option<usize> = None;
    for piece in pieces(source) {
        match piece.kind {
            Kind::Comment => (),
            Kind::Text => {
                let code = piece.text.trim_matches('"');
                if inside.is_some_and(|depth| depth > 0) && is_code(code) {
                    found.push((piece.line, code));
                }
            }
            Kind::Code => {
                let at = piece.text.find("fn code(");
                inside = match (inside, at) {
                    (None, None) => None,
                    (None, Some(at)) => depth_after(&piece.text[at..], 0),
                    (Some(depth), _) => depth_after(piece.text, depth),
                };
            }
        }
    }
    found
}

/// How deep in braces the end of `text` is; `None` once the function is over.
fn depth_after(text: &str, mut depth: usize) -> Option<usize> {
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => {
                let next = text[at..].find("fn code(");
                return next.and_then(|next| depth_after(&text[at + next..], 0));
            }
            '}' => depth = depth.saturating_sub(1),
            _ => (),
        }
    }
    Some(depth)
}

fn is_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The codes that begin a heading or a table's row, each with its line.
fn explained(document: &str) -> BTreeMap<&str, usize> {
    let code = |line: &str| {
        let rest = line.trim_start_matches('#').trim_start_matches('|').trim_start();
        let marked = rest.len() < line.len();
        let (code, _) = rest.strip_prefix('`')?.split_once('`')?;
        (marked && is_code(code))
            .then_some(code.len())
            .map(|length| (line.len() - rest.len() + 1, length))
    };
    let lines = document.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (from, length) = code(line)?;
            Some((&line[from..from + length], index + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    const SOURCE: &str = r#"
impl E {
    fn kind(&self) -> &'static str { "not_a_code" }
    pub fn code(&self) -> &'static str {
        match self {
            Self::A { .. } => "alert_gone", // "no_code"
            Self::B => "Not a code",
            Self::C(error) => { error.code() }
        }
    }
    fn other() -> &'static str { "other" }
}
"#;

    #[test]
    fn reads_the_codes_of_a_source() {
        assert_eq!(codes(SOURCE), [(6, "alert_gone")]);
    }

    #[test]
    fn codes_and_document_must_agree() {
        let source = File::new("crates/bugle-app/src/e.rs", SOURCE);
        let good = File::new(DOCUMENT, "# Errors\n\n| `alert_gone` | It is gone. |\n");
        assert_eq!(documented(&[File::new(&source.path, SOURCE), good]), []);
        let bad = File::new(DOCUMENT, "# Errors\n\n### `old_one`\n\nSee `kind`.\n");
        let places = ["crates/bugle-app/src/e.rs:6", "docs/errors.md:3"];
        assert_eq!(spots(&documented(&[source, bad])), places);
    }
}
