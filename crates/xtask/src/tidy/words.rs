//! Words and marks that do not belong in the tree.

use super::source::{Kind, pieces};
use super::{File, Offence};

/// A note of work to do names its issue, and work that must be done is done before it lands.
pub(super) fn notes(files: &[File]) -> Vec<Offence> {
    const TODO: &str = concat!("TO", "DO");
    const FIXME: &str = concat!("FIX", "ME");
    let checked = |file: &&File| !file.is("lock") && !is_this(file);
    find(files.iter().filter(checked), |line| {
        if words(line).any(|word| word == FIXME) {
            return Some(format!("mend it now: {FIXME} does not land"));
        }
        let mut notes = line.match_indices(TODO).map(|(at, _)| &line[at + TODO.len()..]);
        let bare = words(line).any(|word| word == TODO) && !notes.all(names_issue);
        bare.then(|| format!("name the issue: `{TODO}(#12)`"))
    })
}

fn names_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    number.is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}

/// No test is skipped, and none passes by panicking anywhere.
pub(super) fn attributes(files: &[File]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for piece in pieces(&file.text).into_iter().filter(|piece| piece.kind == Kind::Code) {
            for (line, text) in piece.lines() {
                for attribute in ["#[ignore", "#[should_panic"] {
                    if text.contains(attribute) {
                        let what = format!("`{attribute}]`: mend the test, or delete it");
                        offences.push(Offence::new(&file.path, line, what));
                    }
                }
            }
        }
    }
    offences
}

/// Nothing in the tree knows the machine it was written on.
pub(super) fn machines(files: &[File]) -> Vec<Offence> {
    const FOLDERS: &[&str] =
        &[concat!("/wo", "rk"), concat!("/ro", "ot"), concat!("/ho", "me"), concat!("/Us", "ers")];
    const SHARED: &str = concat!("../sh", "ared");
    find(files.iter().filter(|file| !is_this(file)), |line| {
        let found = FOLDERS.iter().find(|folder| names_folder(line, folder)).copied();
        let found = found.or(line.contains(SHARED).then_some(SHARED))?;
        Some(format!("`{found}` is a folder of some machine: say it without"))
    })
}

/// Whether a line has a path that begins with `folder`, at the root of a machine.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let inside = |c: char| c.is_alphanumeric() || "_-.}~:/".contains(c);
        !before.is_some_and(inside) && after == Some('/')
    })
}

/// Words that would be a second word for one idea, and the one we use.
const NOUNS: &[(&str, &str)] = &[
    ("org", "tenant"),
    ("orgs", "tenant"),
    ("organisation", "tenant"),
    ("organization", "tenant"),
    ("account", "tenant or user"),
    ("accounts", "tenant or user"),
    ("device", "contact method"),
    ("devices", "contact method"),
    ("ticket", "alert"),
    ("datacenter", "site"),
];

/// One idea has one word, in the crates that have no foreign words to speak.
pub(super) fn nouns(files: &[File]) -> Vec<Offence> {
    const CRATES: &[&str] = &["bugle-domain", "bugle-engine", "bugle-store", "bugle-app"];
    let ours = |file: &&File| file.is_rust() && CRATES.iter().any(|name| file.is_of(name));
    let mut offences = Vec::new();
    for file in files.iter().filter(ours) {
        for piece in pieces(&file.text).into_iter().filter(|piece| piece.kind == Kind::Code) {
            for (line, text) in piece.lines() {
                for (word, instead) in NOUNS {
                    if names_noun(text, word) {
                        let what = format!("`{word}`: our word is {instead}");
                        offences.push(Offence::new(&file.path, line, what));
                    }
                }
            }
        }
    }
    offences
}

/// Whether an identifier on the line has `noun` as one of its words.
fn names_noun(line: &str, noun: &str) -> bool {
    words(line)
        // Twilio's own name for one of its ids.
        .filter(|identifier| *identifier != "account_sid")
        .any(|identifier| parts(identifier).any(|part| part.eq_ignore_ascii_case(noun)))
}

/// The words of `snake_case` and `CamelCase`.
fn parts(identifier: &str) -> impl Iterator<Item = &str> {
    identifier.split('_').flat_map(|part| {
        let starts = part.char_indices().filter(|&(at, c)| at > 0 && c.is_uppercase());
        let mut cuts: Vec<usize> = starts.map(|(at, _)| at).collect();
        cuts.push(part.len());
        cuts.into_iter().scan(0, move |from, to| Some(&part[std::mem::replace(from, to)..to]))
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// This file speaks of what it forbids.
fn is_this(file: &File) -> bool {
    file.path == "crates/xtask/src/tidy/words.rs"
}

fn find<'a>(
    files: impl Iterator<Item = &'a File>,
    check: impl Fn(&str) -> Option<String>,
) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(what) = check(line) {
                offences.push(Offence::new(&file.path, index + 1, what));
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests;
