//! Making a message, also where the program fails at it: the notification at fault is set aside,
//! and what goes out together with it goes out without it.

use std::slice;
use std::sync::Arc;

use bugle_domain::object::Directory;
use bugle_engine::dispatch::Candidate;
use jiff::Timestamp;

use crate::app::Inner;
use crate::compose::{self, Composed, Saying};
use crate::error::caught;
use crate::rehearsal::{Mechanism, Work};

/// What is on record of a notification that is set aside.
pub(super) const FAILED: &str = "the program failed to compose it; see its log";

/// A message, and what it carries.
pub(super) struct Made {
    /// The message.
    pub(super) composed: Composed,
    /// The notifications that it carries.
    pub(super) carried: Vec<Candidate>,
    /// Those that the program failed at.
    pub(super) failed: Vec<Candidate>,
}

impl Made {
    /// Nothing, for a reason.
    pub(super) fn nothing(why: &'static str, carried: Vec<Candidate>) -> Self {
        Self { composed: Composed::Unreachable(why), carried, failed: Vec::new() }
    }
}

/// Makes the message that carries `carried`. `resolved` is for digests, see [`Saying`].
pub(super) fn make(
    app: &Arc<Inner>,
    directory: &Directory,
    carried: Vec<Candidate>,
    (resolved, now): (u64, Timestamp),
) -> Made {
    let compose = |carried: &[Candidate]| {
        if let Some(lead) = carried.first() {
            let about = carried.iter().map(|one| one.alert.dedup_key.as_str());
            app.falter(Work::Message(lead.notification.channel), about);
        }
        compose::compose(app, directory, Saying { carried, resolved, now })
    };
    if app.lacks(Mechanism::SetAside) {
        return Made { composed: compose(&carried), carried, failed: Vec::new() };
    }
    if let Some(composed) = caught(|| compose(&carried)) {
        return Made { composed, carried, failed: Vec::new() };
    }
    let sound = |one: &Candidate| caught(|| compose(slice::from_ref(one))).is_some();
    let (mut carried, mut failed): (Vec<_>, Vec<_>) = carried.into_iter().partition(sound);
    let composed = caught(|| compose(&carried)).unwrap_or_else(|| {
        // Each can be composed alone, and not all together.
        failed.append(&mut carried);
        Composed::Unreachable(FAILED)
    });
    for one in &failed {
        app.note_failure(one, FAILED);
    }
    Made { composed, carried, failed }
}
