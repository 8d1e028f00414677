//! `cargo xtask tidy`: the house rules that a machine can check.
//!
//! Each check is a pure function over the files of the tree. All offenders are reported at once.
//! The limits of a function's lines and parameters are clippy's.

mod crates;
mod errors;
mod links;
mod migrations;
mod places;
mod shape;
mod source;
mod words;

use anyhow::{Result, bail};

use crate::{process, workspace};

/// A file of the tree.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root of the workspace, with `/`.
    path: String,
    /// Its text; empty for one that is not UTF-8.
    text: String,
    /// In bytes.
    size: usize,
}

impl File {
    fn is_rust(&self) -> bool {
        self.is("rs")
    }

    fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, own)| own == extension)
    }

    /// Whether it holds tests only: `tests.rs`, or anything in a folder `tests`.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    fn is_of(&self, package: &str) -> bool {
        self.path
            .strip_prefix("crates/")
            .and_then(|rest| rest.strip_prefix(package))
            .is_some_and(|rest| rest.starts_with('/'))
    }

    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), size: text.len() }
    }
}

/// A rule broken at a place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Offence {
    path: String,
    /// 1-based; 0 for the file as a whole.
    line: usize,
    /// What is wrong, and what to do.
    what: String,
}

impl Offence {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl std::fmt::Display for Offence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

type Check = fn(&[File]) -> Vec<Offence>;

const CHECKS: &[Check] = &[
    shape::module_docs,
    shape::file_lengths,
    shape::line_lengths,
    shape::file_sizes,
    crates::arrows,
    crates::lints,
    migrations::pairs,
    places::sql,
    places::clients,
    words::notes,
    words::attributes,
    words::machines,
    words::nouns,
    links::resolve,
    errors::documented,
];

/// Checks the tree that git knows, with files that are new and not ignored.
pub(crate) async fn run() -> Result<()> {
    let files = tree().await?;
    let mut offences: Vec<Offence> = CHECKS.iter().flat_map(|check| check(&files)).collect();
    offences.sort();
    offences.dedup();
    for offence in &offences {
        eprintln!("{offence}");
    }
    if !offences.is_empty() {
        bail!("tidy found {} offences", offences.len());
    }
    Ok(())
}

async fn tree() -> Result<Vec<File>> {
    let mut git = process::command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let list = process::output(&mut git).await?;
    let root = workspace::root();
    let mut files = Vec::new();
    for path in list.split('\0').filter(|path| !path.is_empty()) {
        // A file that was removed and not yet committed is still in the list.
        let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
        let size = bytes.len();
        let text = String::from_utf8(bytes).unwrap_or_default();
        files.push(File { path: path.to_owned(), text, size });
    }
    Ok(files)
}

/// For tests: each offence as `path:line`.
#[cfg(test)]
fn spots(offences: &[Offence]) -> Vec<String> {
    offences.iter().map(|offence| format!("{}:{}", offence.path, offence.line)).collect()
}
