//! Which pages are looked at next, and which of them may be written: many pages cost no more than a
//! few at once, and no tenant's use up what there is for others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use bugle_domain::{StatusPageId, TenantId};
use jiff::Timestamp;

use super::Public;
use crate::status::publisher::{MINUTE, due};

/// Pages that are looked at at once because their files are the oldest.
const OLDEST: usize = 5;
/// Pages that are looked at besides, each in its turn.
const LOOKS: usize = 20;
/// Pages that are written in a minute because their files are old.
const MAX_AGED: usize = 150;
/// Pages that are written in a minute because they say something new.
const MAX_NEWS: usize = 100;
/// Of these, those of one tenant.
const MAX_NEWS_OF_ONE: usize = 10;

/// Why a page is to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// Whether anybody knows how things are has changed: the truth of each page hangs on it.
    Sight,
    /// It says something new.
    News,
    /// Its files are old.
    Age,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Who was looked at last.
    last: Option<StatusPageId>,
    /// When it was last each page's turn to be written.
    written: BTreeMap<StatusPageId, Timestamp>,
    /// Those whose news had to wait.
    waiting: BTreeSet<StatusPageId>,
    /// What was written a minute back, why and whose.
    spent: Vec<(Timestamp, Why, TenantId)>,
}

/// How often so many pages are written when they say nothing new, in minutes.
pub(super) fn every_min(pages: usize) -> usize {
    pages.div_ceil(MAX_AGED).max(1)
}

impl Turns {
    /// Forgets pages that are no more.
    pub(super) fn retain(&mut self, pages: &Public) {
        self.written.retain(|id, _| pages.contains_key(id));
        self.waiting.retain(|id| pages.contains_key(id));
    }

    /// Those to look at now: first those whose files are the oldest, which may be written for
    /// that.
    pub(super) fn choose(&mut self, pages: &Public, now: Timestamp) -> Vec<(StatusPageId, bool)> {
        self.spent.retain(|(at, _, _)| now.duration_since(*at) < MINUTE);
        let oldest = self.oldest(pages, now);
        let after = (self.last.map_or(Unbounded, Excluded), Unbounded);
        let round = pages.range(after).chain(pages).take(LOOKS.min(pages.len()));
        let turn: Vec<StatusPageId> = round.map(|(id, _)| *id).collect();
        self.last = turn.last().copied();
        let others = turn.into_iter().filter(|id| !oldest.contains(id)).map(|id| (id, false));
        oldest.iter().map(|id| (*id, true)).chain(others).collect()
    }

    /// Those that are due or wait with news that may be written, the oldest first.
    fn oldest(&self, pages: &Public, now: Timestamp) -> Vec<StatusPageId> {
        let aged = self.left(Why::Age);
        let wants = |id: &StatusPageId, tenant: &TenantId| {
            let waits = self.waiting.contains(id) && self.news_left(*tenant);
            waits || (aged && due(self.written.get(id).copied(), now))
        };
        let wanting = pages.iter().filter(|(id, (tenant, _))| wants(id, tenant));
        let mut all: Vec<_> = wanting.map(|(id, _)| (self.written.get(id), *id)).collect();
        all.sort_unstable();
        all.into_iter().take(OLDEST).map(|(_, id)| id).collect()
    }

    /// Whether the page of that tenant, which says something new for one of these reasons, may be
    /// written. It is held to be written then.
    pub(super) fn take(
        &mut self,
        (id, tenant): (StatusPageId, TenantId),
        (news, oldest): (Option<Why>, bool),
        now: Timestamp,
    ) -> bool {
        let old = (oldest && due(self.written.get(&id).copied(), now)).then_some(Why::Age);
        let reasons = [news, old];
        let Some(why) = reasons.into_iter().flatten().find(|why| self.may(*why, tenant)) else {
            if news.is_some() {
                self.waiting.insert(id);
            }
            return false;
        };
        self.spent.push((now, why, tenant));
        self.pass(id, now);
        true
    }

    /// It was the page's turn, whatever came of it.
    pub(super) fn pass(&mut self, id: StatusPageId, now: Timestamp) {
        self.waiting.remove(&id);
        self.written.insert(id, now);
    }

    fn may(&self, why: Why, tenant: TenantId) -> bool {
        match why {
            Why::Sight => true,
            Why::News => self.news_left(tenant),
            Why::Age => self.left(Why::Age),
        }
    }

    fn left(&self, why: Why) -> bool {
        let most = if why == Why::News { MAX_NEWS } else { MAX_AGED };
        self.spent.iter().filter(|(_, it, _)| *it == why).count() < most
    }

    fn news_left(&self, tenant: TenantId) -> bool {
        let own = self.spent.iter().filter(|(_, why, of)| *why == Why::News && *of == tenant);
        own.count() < MAX_NEWS_OF_ONE && self.left(Why::News)
    }
}

#[cfg(test)]
mod tests;
