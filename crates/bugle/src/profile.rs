//! The file that remembers servers and API keys, readable by its owner only.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Reason};

/// The name of the profile used when none is named.
pub const DEFAULT_PROFILE: &str = "default";

/// One server and the key for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Where the server is.
    pub server: String,
    /// The API key. A text and not a `SecretString`, because it is written back; it is never shown.
    pub key: String,
}

/// All profiles by name.
pub type Profiles = BTreeMap<String, Profile>;

/// Reads the file. One that is not there holds no profiles.
///
/// # Errors
///
/// It can't be read, or is not what `bugle login` writes.
pub fn load(path: &Path) -> Result<Profiles, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Profiles::new()),
        Err(error) => return Err(Failure::because(&path.display().to_string(), &error)),
    };
    toml::from_str(&text).map_err(|error| {
        let message = format!("{}: {}.", path.display(), error.message());
        Failure::new(Reason::Failed, message).with_hint("remove the file, then bugle login")
    })
}

/// Writes the file, so that its owner alone can read it, in one step.
///
/// # Errors
///
/// It can't be written. What was there before is unchanged then.
pub fn save(path: &Path, profiles: &Profiles) -> Result<(), Failure> {
    let text = toml::to_string(profiles)
        .map_err(|error| Failure::because("the profiles can't be written", &error))?;
    write_private(path, &text)
        .map_err(|error| Failure::because(&path.display().to_string(), &error))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension("draft");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_nobody_else_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bugle/profiles.toml");
        let profile = Profile { server: "https://x".to_owned(), key: "bgl_live_1".to_owned() };
        let profiles = Profiles::from([("default".to_owned(), profile)]);
        save(&path, &profiles).unwrap();
        assert!(load(&path).unwrap() == profiles);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_file_holds_no_profiles() {
        assert!(load(Path::new("/nonexistent/profiles.toml")).unwrap().is_empty());
    }
}
