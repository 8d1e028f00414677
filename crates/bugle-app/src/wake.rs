//! Waking a loop, and telling it where to look first.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Most places named at once; where there are more, it looks everywhere.
const MAX_NAMED: usize = 64;

/// Wakes one loop.
#[derive(Debug)]
pub(crate) struct Wake<T> {
    notify: Notify,
    places: Mutex<Places<T>>,
}

#[derive(Debug)]
struct Places<T> {
    named: BTreeSet<T>,
    everywhere: bool,
}

impl<T> Default for Wake<T> {
    fn default() -> Self {
        Self { notify: Notify::new(), places: Mutex::default() }
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { named: BTreeSet::new(), everywhere: false }
    }
}

impl<T: Ord> Wake<T> {
    /// There may be something to do.
    pub(crate) fn wake(&self) {
        self.places().everywhere = true;
        self.notify.notify_one();
    }

    /// There is something to do at these places, if nobody else was quicker; nowhere is anywhere.
    pub(crate) fn look_at(&self, places: impl IntoIterator<Item = T>) {
        let mut known = self.places();
        known.named.extend(places);
        if known.named.is_empty() || known.named.len() > MAX_NAMED {
            *known = Places { named: BTreeSet::new(), everywhere: true };
        }
        drop(known);
        self.notify.notify_one();
    }

    /// Waits until it is woken. Gives the places to look at before it looks everywhere, which it is
    /// to do in any case: none, if nobody knows of one.
    pub(crate) async fn woken(&self) -> BTreeSet<T> {
        self.notify.notified().await;
        let Places { named, everywhere } = std::mem::take(&mut *self.places());
        if everywhere { BTreeSet::new() } else { named }
    }

    fn places(&self) -> MutexGuard<'_, Places<T>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_where_it_is_told_to_and_everywhere_if_anybody_says_so() {
        let wake = Wake::default();
        wake.look_at([2, 1]);
        wake.look_at([2]);
        assert_eq!(wake.woken().await, BTreeSet::from([1, 2]));
        wake.look_at([1]);
        wake.wake();
        assert_eq!(wake.woken().await, BTreeSet::new());
        wake.look_at([]);
        assert_eq!(wake.woken().await, BTreeSet::new());
        wake.look_at(0..65);
        assert_eq!(wake.woken().await, BTreeSet::new());
        wake.look_at([3]);
        assert_eq!(wake.woken().await, BTreeSet::from([3]));
    }
}
