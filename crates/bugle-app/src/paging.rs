//! Lists by key: how much is wanted, from where, and where to go on.

use std::fmt::Display;
use std::str::FromStr;

use crate::error::{Problem, problem};

/// Most things one answer holds.
pub const MAX_LIMIT: u32 = 200;
/// How many are given where nothing was said.
pub const DEFAULT_LIMIT: u32 = 50;

/// Which part of a list is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// How many, 1–200; more is cut to 200.
    pub limit: u32,
    /// [`Listed::next`] of the part before; `None` for the first.
    pub after: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: None }
    }
}

impl Page {
    /// The first `limit` things.
    pub fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    /// The id to go on from.
    ///
    /// # Errors
    ///
    /// One problem, where the cursor is not one of this list.
    pub(crate) fn before<I: FromStr<Err: Display>>(&self) -> Result<Option<I>, BadCursor> {
        let read =
            |text: &String| text.parse().map_err(|error: I::Err| BadCursor(error.to_string()));
        self.after.as_ref().map(read).transpose()
    }

    /// Cuts what was found to the limit; one thing more than that means that there is more.
    pub(crate) fn cut<T>(&self, mut found: Vec<T>, name: impl Fn(&T) -> String) -> Listed<T> {
        let wanted = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        let more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| more).map(name);
        Listed { items: found, next }
    }

    /// The limit, within what is allowed.
    pub fn limit(&self) -> u32 {
        self.limit.clamp(1, MAX_LIMIT)
    }
}

/// A part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed<T> {
    /// The things, in the list's order.
    pub items: Vec<T>,
    /// Names the place to go on from; `None`: this was the end.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// The same part with each thing turned into another.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}

/// A cursor that is not one of the list it was given for.
#[derive(Debug)]
pub(crate) struct BadCursor(String);

impl From<BadCursor> for Vec<Problem> {
    fn from(BadCursor(what): BadCursor) -> Self {
        vec![problem("/after", "cursor", what)]
    }
}
