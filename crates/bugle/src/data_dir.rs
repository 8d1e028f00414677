//! The data directory: who this node is, its key, the lock that keeps a second process out.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bugle_app::entropy;
use bugle_domain::NodeId;
use jiff::Timestamp;
use secrecy::{SecretBox, SecretString};

use crate::config;
use crate::failure::{Failure, Reason};

/// A data directory that this process holds alone until it drops this.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The kernel gives the lock back when the process ends, however it ends.
    _lock: File,
}

impl DataDir {
    /// Makes the directory where it is missing, readable by its owner only, and locks it.
    ///
    /// # Errors
    ///
    /// It can't be made, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let told = |error: std::io::Error| Failure::because(&path.display().to_string(), &error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(told)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let at = read_listen(path).map(|at| format!(", at {at}")).unwrap_or_default();
                let message =
                    format!("Another bugle uses the data directory {}{at}.", path.display());
                Err(Failure::new(Reason::Refused, message)
                    .with_hint("stop it, or name another directory with --data"))
            }
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database used when none is named.
    pub fn database_url(&self) -> String {
        format!("sqlite:{}", self.path.join("bugle.db").display())
    }

    /// Where the status page is written when nothing else is said.
    pub fn status(&self) -> PathBuf {
        self.path.join("status")
    }

    /// Who this node is: the same after every restart, so that it takes its tenants back at once.
    ///
    /// # Errors
    ///
    /// The file can't be read or written, or holds something else.
    pub fn node(&self, now: Timestamp) -> Result<NodeId, Failure> {
        let text = self.kept("node", || NodeId::new(now, entropy::bytes()).to_string())?;
        text.trim().parse().map_err(|error| self.spoilt("node", &error))
    }

    /// The key that signs webhooks and links.
    ///
    /// # Errors
    ///
    /// The file can't be read or written, or holds something else.
    pub fn key(&self) -> Result<SecretBox<[u8; 32]>, Failure> {
        let fresh = || {
            let bytes: [u8; 32] = entropy::bytes();
            bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
        };
        let text = SecretString::from(self.kept("key", fresh)?);
        config::parse_key(&text).ok_or_else(|| {
            let path = self.path.join("key");
            let message = format!("{} does not hold 64 hexadecimal digits.", path.display());
            Failure::new(Reason::Failed, message).with_hint("restore it from a backup")
        })
    }

    /// Says where the server listens. The file is there from readiness until the stop.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub fn write_listen(&self, address: &str) -> Result<(), Failure> {
        self.write("listen", address)
    }

    /// Removes what [`Self::write_listen`] wrote.
    pub fn remove_listen(&self) {
        // A file left behind is harmless: `running_at` asks the lock, too.
        drop(std::fs::remove_file(self.path.join("listen")));
    }

    /// The content of a file, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// The file can't be read or written.
    pub fn kept(&self, name: &str, fresh: impl FnOnce() -> String) -> Result<String, Failure> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = fresh();
                self.write(name, &text)?;
                Ok(text)
            }
            Err(error) => Err(self.spoilt(name, &error)),
        }
    }

    /// Writes a file in one step: it has its old content or its new one, never half of it.
    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        let draft = self.path.join(format!("{name}.draft"));
        let written = (|| {
            let mut options = OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            File::open(&self.path)?.sync_all()
        })();
        written.map_err(|error: std::io::Error| self.spoilt(name, &error))
    }

    fn spoilt(&self, name: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::because(&self.path.join(name).display().to_string(), error)
    }
}

/// Where the server of a data directory listens, if one runs.
pub fn running_at(path: &Path) -> Option<String> {
    let lock = File::open(path.join("lock")).ok()?;
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => read_listen(path),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn read_listen(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path.join("listen")).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_restarted_node_is_the_same_node_with_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataDir::open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let node = first.node(Timestamp::UNIX_EPOCH).unwrap();
        let key = *first.key().unwrap().expose_secret();
        drop(first);
        let second = DataDir::open(&path).unwrap();
        assert_eq!(second.node(Timestamp::MAX).unwrap(), node);
        assert_eq!(*second.key().unwrap().expose_secret(), key);
    }

    #[test]
    fn a_second_process_is_kept_out_and_told_where_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        first.write_listen("127.0.0.1:7070").unwrap();
        let refused = DataDir::open(dir.path()).unwrap_err();
        assert_eq!(refused.reason, Reason::Refused);
        assert!(refused.message.contains("127.0.0.1:7070"), "{}", refused.message);
        assert_eq!(running_at(dir.path()).as_deref(), Some("127.0.0.1:7070"));
        drop(first);
        assert_eq!(running_at(dir.path()), None);
    }
}
