//! The section `[status]`: what the public is told, and where it is written.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Noted, Reader};
use super::value;
use super::{DAY, MINUTE};

/// What the public is told.
#[derive(Clone, Debug)]
pub struct Status {
    /// Whose page it is.
    pub name: String,
    /// What its components are grouped under; empty: nothing.
    pub region: String,
    /// Updates are never further apart, 1 min – 1 d.
    pub update_every: Duration,
    /// Where its files are written. `None`: `status` in the data directory.
    pub folder: Option<PathBuf>,
}

/// Reads it.
pub(super) fn status(reader: &mut Reader) -> Result<Status, Noted> {
    let name = reader.take("status.name", value::some_text);
    let region = reader.take("status.region", value::text);
    let update_every = super::duration(reader, "status.update_every", MINUTE..=DAY);
    let folder = reader.take_path("status.folder");
    Ok(Status { name: name?, region: region?, update_every: update_every?, folder: folder? })
}
