//! `cargo xtask generate`: the files that are made from others.
//!
//! A new one is a function and one line in [`GENERATORS`].

mod checksums;
mod configuration;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::workspace;

/// What is made from what.
const GENERATORS: &[Generator] = &[
    Generator { path: checksums::PATH, make: checksums::make, redo: checksums::redo },
    Generator { path: configuration::PATH, make: configuration::make, redo: configuration::redo },
];

struct Generator {
    /// The file, from the root of the workspace.
    path: &'static str,
    /// Makes the whole file, given the root and the file as it is ("" when it is not there).
    make: fn(&Path, &str) -> Result<String>,
    /// The same, where making it anew may undo a promise that the old one keeps.
    redo: fn(&Path) -> Result<String>,
}

/// What to do.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Writes nothing, and fails if something would be written.
    #[arg(long)]
    check: bool,
    /// Forgets what was promised: takes edited migrations as they are now. Only right for
    /// migrations that no release has.
    #[arg(long, conflicts_with = "check")]
    unreleased: bool,
}

/// Writes, or checks, every generated file.
pub(crate) fn run(options: Options) -> Result<()> {
    if options.check {
        return check();
    }
    let root = workspace::root();
    for generator in GENERATORS {
        let (old, new) = generator.both(&root, options.unreleased)?;
        if old != new {
            let path = root.join(generator.path);
            std::fs::create_dir_all(path.parent().unwrap_or(&root))?;
            std::fs::write(&path, new)
                .with_context(|| format!("could not write {}", generator.path))?;
            println!("wrote {}", generator.path);
        }
    }
    Ok(())
}

/// Fails if a generated file is not what it would be if it were made now.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root();
    let mut stale = Vec::new();
    for generator in GENERATORS {
        let (old, new) = generator.both(&root, false)?;
        if old != new {
            stale.push(generator.path);
        }
    }
    if !stale.is_empty() {
        bail!("run `cargo xtask generate` and commit: {}", stale.join(", "));
    }
    Ok(())
}

impl Generator {
    /// The file as it is and as it should be.
    fn both(&self, root: &Path, redo: bool) -> Result<(String, String)> {
        let old = std::fs::read_to_string(root.join(self.path)).unwrap_or_default();
        let new = if redo { (self.redo)(root)? } else { (self.make)(root, &old)? };
        Ok((old, new))
    }
}
