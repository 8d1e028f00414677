//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The root of the workspace this program was built from.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// A folder for what is worth keeping between runs and has no place in a checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let home = std::env::home_dir().context("this user has no home folder to keep a cache in")?;
    let cache = home.join(".cache").join("bugle");
    std::fs::create_dir_all(&cache)
        .with_context(|| format!("could not make {}", cache.display()))?;
    Ok(cache)
}
