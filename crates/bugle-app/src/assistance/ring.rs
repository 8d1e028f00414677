//! What the alarm and the worker tell each other about pages: which ring, which reached somebody,
//! which were answered. All of it is on record, or will be; this is how it gets there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bugle_engine::assistance::Paged;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::watch::Call;

/// What is to be kept of the alarm about a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Noted {
    rang: Option<Timestamp>,
    answered: bool,
}

impl Noted {
    /// Notes it with a request that is on the page.
    pub(super) fn apply(self, paged: &mut Paged) {
        if let Some(alarm) = &mut paged.alarm {
            alarm.rang = alarm.rang.or(self.rang);
        }
        paged.answered |= self.answered;
    }

    fn and(self, more: Self) -> Self {
        Self { rang: self.rang.or(more.rang), answered: self.answered || more.answered }
    }
}

#[derive(Debug, Default)]
struct State {
    /// What the alarm rings about.
    calls: Vec<Call>,
    /// Whether another node's alarm rings.
    elsewhere: bool,
    /// What is not on record yet.
    noted: BTreeMap<String, Noted>,
}

/// What the worker shares with the rest of the process.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    wake: Notify,
    state: Mutex<State>,
}

impl Shared {
    /// Something was asked, answered or closed.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the alarm rings about these; and that of another node about something else, or
    /// not.
    pub(super) fn call(&self, calls: Vec<Call>, elsewhere: bool) {
        let mut state = self.lock();
        (state.calls, state.elsewhere) = (calls, elsewhere);
    }

    /// Whether another node's alarm rings.
    pub(crate) fn rings_elsewhere(&self) -> bool {
        self.lock().elsewhere
    }

    /// What the alarm is to ring about.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// The alarm has told somebody of these, and somebody has answered those by its link.
    pub(crate) fn note(&self, reached: BTreeMap<String, Timestamp>, answered: &[Call]) {
        let mut state = self.lock();
        let known = |about: &String| state.calls.iter().find(|call| call.about == *about).cloned();
        let mut news: Vec<(String, Noted)> = Vec::new();
        for (about, at) in reached {
            if known(&about).is_some_and(|call| call.rang.is_none()) {
                news.push((about, Noted { rang: Some(at), ..Noted::default() }));
            }
        }
        for call in answered.iter().filter(|call| !call.answered) {
            if known(&call.about).is_some_and(|call| !call.answered) {
                news.push((call.about.clone(), Noted { answered: true, ..Noted::default() }));
            }
        }
        let wake = !news.is_empty();
        for (about, noted) in news {
            let kept = state.noted.entry(about).or_default();
            *kept = kept.and(noted);
        }
        drop(state);
        if wake {
            self.wake();
        }
    }

    /// What is to be kept.
    pub(super) fn noted(&self) -> BTreeMap<String, Noted> {
        std::mem::take(&mut self.lock().noted)
    }

    /// It could not be kept, and is to be tried again.
    pub(super) fn note_again(&self, about: String, noted: Noted) {
        let mut state = self.lock();
        let kept = state.noted.entry(about).or_default();
        *kept = kept.and(noted);
    }
}
