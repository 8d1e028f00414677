//! The backlog: what is owed and due, what would become of it, and how fast it drains.

use bugle_engine::dispatch::{BacklogPlan, plan_backlog};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::permission::Permission;
use crate::reading::ReadError;

/// The backlog at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct BacklogView {
    /// What would become of it, if it went out now.
    pub plan: BacklogPlan,
    /// How it drains on the node that was asked; `None`: nothing was taken off it lately.
    pub drain: Option<DrainView>,
    /// When it was read.
    pub at: Timestamp,
}

/// A drain that is under way.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DrainView {
    /// When it began.
    pub began_at: Timestamp,
    /// Notifications taken off the backlog per second, over the last minute.
    pub per_second: f64,
    /// How long it takes at that rate.
    pub clear_in: Option<SignedDuration>,
    /// The share of what can be sent that the drain may take, in percent.
    pub share: i64,
}

impl App {
    /// Everybody's backlog, for operators: to be looked at before it is released, and while it
    /// drains.
    ///
    /// # Errors
    ///
    /// [`ReadError`]: not an operator, or the store did not answer.
    pub async fn backlog(&self, caller: &Caller) -> Result<BacklogView, ReadError> {
        let all = caller.all_tenants(Permission::ReadAllTenants)?;
        let at = self.now();
        let plan = plan_backlog(&self.inner().store.backlog(all, at).await?);
        let left = u64::try_from(plan.total.total()).unwrap_or_default();
        Ok(BacklogView { drain: self.inner().draining(left, at), plan, at })
    }
}

impl Inner {
    /// How the drain goes, where `left` are left.
    pub(crate) fn draining(&self, left: u64, now: Timestamp) -> Option<DrainView> {
        let drain = self.drain();
        Some(DrainView {
            began_at: drain.began(now)?,
            per_second: drain.per_second(now),
            clear_in: drain.time_to_clear(left, now),
            share: drain.share(now),
        })
    }
}
