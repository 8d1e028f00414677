//! Takes keys out of the layers, one by one, and notes everything that is wrong on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::ConfigError;
use super::raw::{Entries, Entry, Origin};
use super::value::{self, Problem, Value};
use crate::suggest;

/// Longest secret read from a file, in bytes.
const MAX_SECRET_BYTES: u64 = 64 * 1_024;

/// A mistake was found and noted; all of them are told at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Noted;

/// Entries not yet taken, and the mistakes found so far.
pub(super) struct Reader {
    entries: Entries,
    taken: BTreeMap<String, Origin>,
    errors: Vec<ConfigError>,
    /// Folder that relative paths in the configuration start from.
    base: PathBuf,
}

impl Reader {
    /// Starts with all `entries`, and `errors` found while they were read.
    pub(super) fn new(entries: Entries, errors: Vec<ConfigError>, base: PathBuf) -> Self {
        Self { entries, taken: BTreeMap::new(), errors, base }
    }

    /// Takes `key`, which must be there, and reads it.
    pub(super) fn take<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Result<T, Noted> {
        if let Some(entry) = self.entry(key) {
            return self.check(key, &entry, read);
        }
        Err(self.note(key, Origin::Default, "is missing"))
    }

    /// Takes `key` if it is there and not an empty text.
    pub(super) fn take_optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Result<Option<T>, Noted> {
        match self.entry(key) {
            Some(Entry { value: Value::Text(text), .. }) if text.trim().is_empty() => Ok(None),
            Some(entry) => self.check(key, &entry, read).map(Some),
            None => Ok(None),
        }
    }

    /// Takes a secret from `key`, or from the file that `KEY_file` names, if either is
    /// there.
    pub(super) fn take_secret(&mut self, key: &str) -> Result<Option<SecretString>, Noted> {
        let file_key = format!("{key}_file");
        let direct = self.take_optional(key, value::some_text)?;
        let file = self.take_optional(&file_key, value::some_text)?;
        match (direct, file) {
            (Some(_), Some(_)) => {
                let origin = self.origin_of(&file_key);
                Err(self.note(&file_key, origin, &format!("must not be set beside {key}")))
            }
            (Some(secret), None) => Ok(Some(SecretString::from(secret))),
            (None, Some(path)) => self.read_secret(&file_key, &path).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn read_secret(&mut self, key: &str, path: &str) -> Result<SecretString, Noted> {
        self.read_file(key, path, MAX_SECRET_BYTES, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| "is not text".to_owned())?;
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() { Err("is empty".to_owned()) } else { Ok(SecretString::from(text)) }
        })
    }

    /// Takes a path from `key`, if it is there.
    pub(super) fn take_path(&mut self, key: &str) -> Result<Option<PathBuf>, Noted> {
        let path = self.take_optional(key, value::some_text)?;
        Ok(path.map(|path| self.base.join(path)))
    }

    /// Takes the name of a file from `key`, if it is there, and reads the file, which may have so
    /// many bytes.
    pub(super) fn take_file<T>(
        &mut self,
        key: &str,
        max_bytes: u64,
        read: impl FnOnce(&[u8]) -> Result<T, Problem>,
    ) -> Result<Option<T>, Noted> {
        let path = self.take_optional(key, value::some_text)?;
        path.map(|path| self.read_file(key, &path, max_bytes, read)).transpose()
    }

    fn read_file<T>(
        &mut self,
        key: &str,
        path: &str,
        max_bytes: u64,
        read: impl FnOnce(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, Noted> {
        let path = self.base.join(path);
        bytes_in(&path, max_bytes).and_then(|bytes| read(&bytes)).map_err(|problem| {
            let origin = self.origin_of(key);
            self.note(key, origin, &format!("{}: {problem}", path.display()))
        })
    }

    /// The names used right under `section`, in order: `a` and `b` for `section.a.x`, `section.b`.
    pub(super) fn names_under(&self, section: &str) -> Vec<String> {
        let prefix = format!("{section}.");
        let mut names: Vec<String> = self
            .entries
            .keys()
            .filter_map(|key| key.strip_prefix(&prefix))
            .map(|rest| rest.split('.').next().unwrap_or(rest).to_owned())
            .collect();
        names.dedup();
        names
    }

    /// Takes all keys under `section` unread: what they should be is not known.
    pub(super) fn pass_over(&mut self, section: &str) {
        let prefix = format!("{section}.");
        self.entries.retain(|key, _| !key.starts_with(&prefix));
    }

    /// Where the value of a key that was taken came from.
    pub(super) fn origin_of(&self, key: &str) -> Origin {
        self.taken.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Every key that was asked for so far.
    #[cfg(test)]
    pub(super) fn taken_keys(&self) -> Vec<String> {
        self.taken.keys().cloned().collect()
    }

    /// Notes a mistake.
    pub(super) fn note(&mut self, key: &str, origin: Origin, problem: &str) -> Noted {
        let problem = problem.to_owned();
        self.errors.push(ConfigError { key: key.to_owned(), origin, problem });
        Noted
    }

    /// Notes every key that nobody took, and returns all mistakes, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<ConfigError> {
        let left: Vec<(String, Entry)> = std::mem::take(&mut self.entries).into_iter().collect();
        for (key, entry) in left {
            let known = self.taken.keys().map(String::as_str);
            let problem = match suggest::nearest(&key, known) {
                Some(near) => format!("there is no such key; did you mean {near}?"),
                None => "there is no such key".to_owned(),
            };
            self.note(&key, entry.origin, &problem);
        }
        self.errors.sort_by_key(|error| match error.origin {
            Origin::Line(line) => line,
            Origin::Default | Origin::Variable(_) | Origin::Flag(_) => usize::MAX,
        });
        self.errors
    }

    fn entry(&mut self, key: &str) -> Option<Entry> {
        let entry = self.entries.remove(key);
        let origin = entry.as_ref().map_or(Origin::Default, |entry| entry.origin.clone());
        self.taken.insert(key.to_owned(), origin);
        entry
    }

    fn check<T>(
        &mut self,
        key: &str,
        entry: &Entry,
        read: impl FnOnce(&Value) -> Result<T, Problem>,
    ) -> Result<T, Noted> {
        read(&entry.value).map_err(|problem| self.note(key, entry.origin.clone(), &problem))
    }
}

fn bytes_in(path: &Path, max_bytes: u64) -> Result<Vec<u8>, Problem> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > max_bytes {
        return Err(format!("is too large: at most {} KiB are read", max_bytes / 1_024));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
