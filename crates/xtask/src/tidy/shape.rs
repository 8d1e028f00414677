//! The shape of files: a description on top, and limits of length.

use super::source::{Kind, pieces};
use super::{File, Offence};

const FILE_LINES: usize = 500;
const TEST_FILE_LINES: usize = 1_000;
const LINE_CHARS: usize = 100;
const FILE_BYTES: usize = 200_000;

/// Every Rust file says on its first line what is in it.
pub(super) fn module_docs(files: &[File]) -> Vec<Offence> {
    let lacks = |file: &&File| file.is_rust() && !file.text.starts_with("//!");
    let offence = |file: &File| {
        Offence::new(
            &file.path,
            1,
            "begin with `//!` and a sentence that says what is in this file",
        )
    };
    files.iter().filter(lacks).map(offence).collect()
}

/// A Rust file fits in one head.
pub(super) fn file_lengths(files: &[File]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let limit = if file.is_test() { TEST_FILE_LINES } else { FILE_LINES };
        let lines = lines_without_tests(&file.text);
        if lines > limit {
            let what = format!("has {lines} lines without tests, more than {limit}: split it");
            offences.push(Offence::new(&file.path, 0, what));
        }
    }
    offences
}

/// Tests that stand in the file itself are its end.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ");
    lines.windows(2).position(begins).unwrap_or(lines.len())
}

/// A line of Rust fits on the screen. Raw text (snapshots, templates), addresses, and lines of
/// tests with text in them are free.
pub(super) fn line_lengths(files: &[File]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let exempt = raw_lines(&file.text);
        for (index, line) in file.text.lines().enumerate() {
            let chars = line.chars().count();
            let is_exempt = exempt.iter().any(|range| range.contains(&(index + 1)));
            let is_data = line.contains("://") || file.is_test() && line.contains('"');
            if chars > LINE_CHARS && !is_data && !is_exempt {
                let what = format!("has {chars} characters, more than {LINE_CHARS}: break it");
                offences.push(Offence::new(&file.path, index + 1, what));
            }
        }
    }
    offences
}

/// The lines touched by raw text literals.
fn raw_lines(source: &str) -> Vec<std::ops::Range<usize>> {
    pieces(source)
        .iter()
        .filter(|piece| piece.kind == Kind::Text && piece.text.starts_with('r'))
        .map(|piece| piece.line..piece.line + 1 + piece.text.matches('\n').count())
        .collect()
}

/// No file is too big to read.
pub(super) fn file_sizes(files: &[File]) -> Vec<Offence> {
    let what = format!("is bigger than {FILE_BYTES} bytes: make it when it is needed instead");
    files
        .iter()
        .filter(|file| file.size > FILE_BYTES && file.path != "Cargo.lock")
        .map(|file| Offence::new(&file.path, 0, what.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    #[test]
    fn a_file_without_a_description_is_found() {
        let files = [
            File::new("crates/a/src/lib.rs", "//! Good.\n"),
            File::new("crates/a/src/b.rs", "use std::fmt;\n"),
            File::new("docs/a.md", "text"),
        ];
        assert_eq!(spots(&module_docs(&files)), ["crates/a/src/b.rs:1"]);
    }

    #[test]
    fn tests_do_not_count_as_length() {
        let long = "x\n".repeat(501);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "x\n".repeat(500));
        let files = [
            File::new("a/src/long.rs", &long),
            File::new("a/src/tested.rs", &tested),
            File::new("a/src/b/tests.rs", &long),
        ];
        assert_eq!(spots(&file_lengths(&files)), ["a/src/long.rs:0"]);
    }

    #[test]
    fn long_lines_are_found_outside_raw_text_and_addresses() {
        let long = "x".repeat(101);
        let text = format!("//! A.\nlet a = r\"{long}\n{long}\";\n// {long}\n// https://{long}\n");
        let tests = format!("//! A.\n    check(\"{long}\");\n// {long}\n");
        let files = [File::new("a.rs", &text), File::new("a/tests.rs", &tests)];
        assert_eq!(spots(&line_lengths(&files)), ["a.rs:4", "a/tests.rs:3"]);
    }
}
