//! `docs/configuration.md`, the reference of all settings, from `config/default.toml`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The document.
pub(super) const PATH: &str = "docs/configuration.md";

const HEAD: &str = "\
# Configuration

Made from `config/default.toml` by `cargo xtask generate`; edit that file, not this one.
`bugle check-config --defaults` prints it, and `bugle check-config --config FILE` checks a file.
";

/// Writes the document.
pub(super) fn make(root: &Path, _old: &str) -> Result<String> {
    let path = root.join("config/default.toml");
    let text = std::fs::read_to_string(path).context("could not read config/default.toml")?;
    Ok(document(&text))
}

/// The same: nothing is promised.
pub(super) fn redo(root: &Path) -> Result<String> {
    make(root, "")
}

/// The introduction as text, then each section with its comments as a block of TOML.
fn document(defaults: &str) -> String {
    let mut paragraphs = defaults.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    let mut document = HEAD.to_owned();
    let mut open = false;
    for part in paragraphs.by_ref() {
        if let Some(name) = section(part) {
            close(&mut document, &mut open);
            let _ = write!(document, "\n## {name}\n\n```toml\n{part}\n");
            open = true;
        } else if open {
            let _ = write!(document, "\n{part}\n");
        } else {
            let text = part.lines().map(|line| line.trim_start_matches('#').trim());
            let _ = write!(document, "\n{}\n", text.collect::<Vec<_>>().join("\n").trim());
        }
    }
    close(&mut document, &mut open);
    document
}

fn close(document: &mut String, open: &mut bool) {
    if std::mem::take(open) {
        document.push_str("```\n");
    }
}

/// The name of the section that begins in a paragraph.
fn section(paragraph: &str) -> Option<&str> {
    let line = paragraph.lines().find(|line| line.starts_with('['))?;
    line.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_become_headings_and_comments_stay_with_their_keys() {
        let text =
            "# The manual.\n\n[server]\n# Where.\nlisten = 1\n\n# What.\nurl = 2\n\n[log]\nx = 3\n";
        let document = document(text);
        let body = document.strip_prefix(HEAD).unwrap();
        assert_eq!(
            body,
            "\nThe manual.\n\n## server\n\n```toml\n[server]\n# Where.\nlisten = 1\n\n# What.\n\
             url = 2\n```\n\n## log\n\n```toml\n[log]\nx = 3\n```\n"
        );
    }
}
