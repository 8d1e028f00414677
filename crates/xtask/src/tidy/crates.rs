//! The crates and the arrows between them.

use toml::Table;

use super::{File, Offence};

/// A crate, its height in the diagram, and the crates of ours that it may use.
///
/// An arrow may skip layers; what is not in the list is not an arrow of the diagram.
const CRATES: &[(&str, u8, &[&str])] = &[
    ("bugle-domain", 0, &[]),
    ("bugle-engine", 1, &["bugle-domain"]),
    ("bugle-store", 2, &["bugle-domain", "bugle-engine"]),
    ("bugle-channels", 2, &["bugle-domain", "bugle-engine"]),
    ("bugle-app", 3, &["bugle-domain", "bugle-engine", "bugle-store", "bugle-channels"]),
    ("bugle-web", 4, &["bugle-domain", "bugle-engine", "bugle-app"]),
    ("bugle-lab", 4, &["bugle-domain", "bugle-engine", "bugle-app"]),
    (
        "bugle",
        5,
        &[
            "bugle-domain",
            "bugle-engine",
            "bugle-store",
            "bugle-channels",
            "bugle-app",
            "bugle-web",
            "bugle-lab",
        ],
    ),
    ("xtask", 6, &[]),
];

/// Crates that only some of ours may use, and which.
const RESERVED: &[(&str, &[&str])] = &[
    ("reqwest", &["bugle-channels", "bugle-lab", "bugle"]),
    ("lettre", &["bugle-channels"]),
    ("sqlx", &["bugle-store"]),
    ("rusqlite", &["bugle-store"]),
    ("axum", &["bugle-web", "bugle-lab", "bugle"]),
];

/// Each crate uses only the crates that its arrows lead to. Tests may use any lower one.
pub(super) fn arrows(files: &[File]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (file, manifest) in manifests(files) {
        let name = package(file);
        let Some((_, height, allowed)) = CRATES.iter().find(|(known, ..)| *known == name) else {
            let what = "is a crate that the diagram in ARCHITECTURE.md does not have";
            offences.push(Offence::new(&file.path, 0, what));
            continue;
        };
        for used in dependencies(&manifest, &["dependencies", "build-dependencies"]) {
            if CRATES.iter().any(|(ours, ..)| *ours == used) && !allowed.contains(&used) {
                let what = format!("{name} may not use {used}: no arrow leads there");
                offences.push(Offence::new(&file.path, line_of(file, used), what));
            }
            let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == used);
            if reserved.is_some_and(|(_, users)| !users.contains(&name)) {
                let what = format!("{name} may not use {used}: that is the work of another crate");
                offences.push(Offence::new(&file.path, line_of(file, used), what));
            }
        }
        for used in dependencies(&manifest, &["dev-dependencies"]) {
            let ours = CRATES.iter().find(|(ours, ..)| *ours == used);
            if ours.is_some_and(|(_, of_used, _)| of_used >= height) {
                let what = format!("tests of {name} may not use {used}: it is not below");
                offences.push(Offence::new(&file.path, line_of(file, used), what));
            }
        }
    }
    offences
}

/// Every crate takes the workspace's lints.
pub(super) fn lints(files: &[File]) -> Vec<Offence> {
    let takes = |manifest: &Table| {
        manifest.get("lints").and_then(|lints| lints.get("workspace"))
            == Some(&toml::Value::Boolean(true))
    };
    manifests(files)
        .filter(|(_, manifest)| !takes(manifest))
        .map(|(file, _)| Offence::new(&file.path, 0, "add `[lints]` with `workspace = true`"))
        .collect()
}

/// The manifests of our crates; one that is not TOML counts as empty, and cargo says so.
fn manifests(files: &[File]) -> impl Iterator<Item = (&File, Table)> {
    files
        .iter()
        .filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml"))
        .map(|file| (file, file.text.parse().unwrap_or_default()))
}

/// The crate a manifest is of: its folder.
fn package(file: &File) -> &str {
    file.path.trim_start_matches("crates/").trim_end_matches("/Cargo.toml")
}

fn dependencies<'a>(manifest: &'a Table, tables: &'a [&str]) -> impl Iterator<Item = &'a str> {
    tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(Table::keys)
        .map(String::as_str)
}

fn line_of(file: &File, name: &str) -> usize {
    let names =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    file.text.lines().position(names).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    fn found(name: &str, manifest: &str) -> Vec<String> {
        spots(&arrows(&[File::new(&format!("crates/{name}/Cargo.toml"), manifest)]))
    }

    #[test]
    fn an_arrow_that_is_not_in_the_diagram_is_found() {
        let store = "[dependencies]\nbugle-app.workspace = true\nbugle-store = { path = \"x\" }\n";
        assert_eq!(
            found("bugle-web", store),
            ["crates/bugle-web/Cargo.toml:3"],
            "web may use app, and never store"
        );
        assert_eq!(found("bugle", store), [""; 0]);
        assert_eq!(found("bugle-engine", store).len(), 2);
        assert_eq!(found("xtask", store).len(), 2);
        assert_eq!(found("bugle-new", "")[0], "crates/bugle-new/Cargo.toml:0");
    }

    #[test]
    fn tests_may_use_what_is_below() {
        let tests = "[dev-dependencies]\nbugle-store.workspace = true\n";
        assert_eq!(found("bugle-web", tests), [""; 0]);
        assert_eq!(found("bugle-channels", tests), ["crates/bugle-channels/Cargo.toml:2"]);
    }

    #[test]
    fn reserved_crates_are_found_where_they_do_not_belong() {
        assert_eq!(found("bugle-app", "[dependencies]\nreqwest.workspace = true\n").len(), 1);
        assert_eq!(found("bugle-channels", "[dependencies]\nreqwest.workspace = true\n").len(), 0);
    }

    #[test]
    fn lints_must_be_taken() {
        let good = File::new("crates/a/Cargo.toml", "[lints]\nworkspace = true\n");
        let bad = File::new("crates/b/Cargo.toml", "[package]\nname = \"b\"\n");
        assert_eq!(spots(&lints(&[good, bad])), ["crates/b/Cargo.toml:0"]);
    }
}
