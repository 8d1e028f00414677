//! Checksums of migrations: one that has been released is never edited.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// The file of checksums, as `sha256sum` writes it.
pub(super) const PATH: &str = "crates/bugle-store/migrations/checksums.txt";

/// Adds new migrations to the old list.
///
/// # Errors
///
/// A migration of the old list was edited or is gone.
pub(super) fn make(root: &Path, old: &str) -> Result<String> {
    merge(old, &migrations(root)?)
}

/// Lists all migrations as they are.
pub(super) fn redo(root: &Path) -> Result<String> {
    merge("", &migrations(root)?)
}

/// Name and checksum of each migration.
fn migrations(root: &Path) -> Result<BTreeMap<String, String>> {
    let folder = root.join("crates/bugle-store/migrations");
    let mut found = BTreeMap::new();
    for database in ["sqlite", "postgres"] {
        let Ok(entries) = std::fs::read_dir(folder.join(database)) else { continue };
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.extension().is_some_and(|extension| extension == "sql") {
                let text =
                    std::fs::read(&path).with_context(|| format!("could not read {name}"))?;
                found.insert(format!("{database}/{name}"), hex(&Sha256::digest(text)));
            }
        }
    }
    Ok(found)
}

fn merge(old: &str, now: &BTreeMap<String, String>) -> Result<String> {
    let mut broken = Vec::new();
    for line in old.lines() {
        let (sum, name) =
            line.split_once("  ").context("checksums.txt has a line that is no sum")?;
        match now.get(name) {
            Some(found) if found == sum => (),
            Some(_) => broken.push(format!("{name} was edited")),
            None => broken.push(format!("{name} is gone")),
        }
    }
    if !broken.is_empty() {
        bail!(
            "{}: a released migration stays as it is; write a new one. \
             (One that no release has: `cargo xtask generate --unreleased`.)",
            broken.join(", ")
        );
    }
    Ok(now.iter().fold(String::new(), |mut text, (name, sum)| {
        let _ = writeln!(text, "{sum}  {name}");
        text
    }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, sum)| (name.to_owned(), sum.to_owned())).collect()
    }

    #[test]
    fn adds_a_new_migration() {
        let now = now(&[("sqlite/1.sql", "aa"), ("sqlite/2.sql", "bb")]);
        let text = merge("aa  sqlite/1.sql\n", &now).unwrap();
        assert_eq!(text, "aa  sqlite/1.sql\nbb  sqlite/2.sql\n");
    }

    #[test]
    fn refuses_an_edited_one_and_one_that_is_gone() {
        let error = merge("aa  sqlite/1.sql\ncc  sqlite/0.sql\n", &now(&[("sqlite/1.sql", "ab")]));
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("sqlite/1.sql was edited, sqlite/0.sql is gone:"), "{text}");
    }
}
