//! Links between documents lead somewhere.

use std::collections::BTreeSet;

use super::{File, Offence};

/// Every relative link of a Markdown file leads to a file or folder of the tree.
pub(super) fn resolve(files: &[File]) -> Vec<Offence> {
    let mut known: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
    for file in files {
        let folders = file.path.match_indices('/').map(|(at, _)| file.path[..at].to_owned());
        known.extend(folders);
    }
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (line, target) in links(&file.text) {
            let path = join(&file.path, target);
            if !path.is_some_and(|path| path.is_empty() || known.contains(&path)) {
                let what = format!("`{target}` leads nowhere: mend the link");
                offences.push(Offence::new(&file.path, line, what));
            }
        }
    }
    offences
}

/// The relative targets of a document, without fragments, each with its line.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            // What stands in backquotes is an example.
            if line[..at].matches('`').count() % 2 == 1 {
                continue;
            }
            let rest = &line[at + 2..];
            let Some(end) = rest.find([')', ' ']) else { continue };
            let target = rest[..end].trim_matches(['<', '>']);
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains(':') {
                links.push((index + 1, path));
            }
        }
    }
    links
}

/// The path that `target` names in the document at `from`; `None` above the root.
fn join(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => (),
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::spots;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let text = "[a](b.md#x) [c](../README.md) [d](https://x.y) [e](#f)\n[g](gone.md)\n\
                    `[h](no.md)`\n```\n[i](no.md)\n```\n![j](img/)\n[k](../../up.md)\n";
        let files = [
            File::new("docs/a.md", text),
            File::new("docs/b.md", ""),
            File::new("docs/img/x.png", ""),
            File::new("README.md", ""),
        ];
        assert_eq!(spots(&resolve(&files)), ["docs/a.md:2", "docs/a.md:8"]);
    }
}
