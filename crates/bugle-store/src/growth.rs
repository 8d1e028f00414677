//! Statistics of a database that grows from nothing. PostgreSQL keeps the plans of our statements,
//! and a plan made for an empty table may read all of it when it is large. It looks at tables by
//! itself, but not before a minute has passed, and in that minute a storm may come.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::Store;
use crate::error::StoreError;

/// Events after which the tables are looked at for the first time.
const FIRST: i64 = 500;
/// They are looked at again when there are so many times as many.
const FACTOR: i64 = 8;
/// From so many events on PostgreSQL's own looks are soon enough.
const LAST: i64 = 1_000_000;

/// Events that came through this process, and how many there are to be before the next look.
#[derive(Debug)]
pub(crate) struct Growth {
    events: AtomicI64,
    next: AtomicI64,
}

impl Default for Growth {
    fn default() -> Self {
        Self { events: AtomicI64::new(0), next: AtomicI64::new(FIRST) }
    }
}

impl Growth {
    /// Counts them; how many there are now, if it is time to look.
    fn add(&self, events: usize) -> Option<i64> {
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        let all = self.events.fetch_add(events, Ordering::Relaxed).saturating_add(events);
        let next = self.next.load(Ordering::Relaxed);
        let due = next <= LAST && all >= next;
        let later = all.saturating_mul(FACTOR);
        let ours = || {
            let order = Ordering::Relaxed;
            self.next.compare_exchange(next, later, order, order).is_ok()
        };
        (due && ours()).then_some(all)
    }
}

impl Store {
    /// Counts events that were kept. Whether the tables have grown much since the database looked
    /// at them, so that it is time for [`Store::look_at_growth`]; says so to one caller.
    pub fn note_growth(&self, events: usize) -> bool {
        self.growth.add(events).is_some()
    }

    /// Has the database look at its tables again.
    ///
    /// # Errors
    ///
    /// If the database did not look; it is asked again when there are many more events.
    pub async fn look_at_growth(&self) -> Result<(), StoreError> {
        self.db.refresh_statistics(self.growth.events.load(Ordering::Relaxed) / FACTOR).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_to_look_each_time_there_are_eight_times_as_many() {
        let growth = Growth::default();
        assert_eq!(growth.add(499), None);
        assert_eq!(growth.add(1), Some(500));
        assert_eq!(growth.add(1), None);
        assert_eq!(growth.add(3_499), Some(4_000));
        assert_eq!(growth.add(2_000_000), Some(2_004_000));
        assert_eq!(growth.add(20_000_000), None, "the database's own looks are soon enough");
    }
}
