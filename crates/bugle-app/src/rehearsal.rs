//! What a rehearsal of failures takes out of a node, and where it stops one. Whoever serves real
//! tenants takes out nothing and stops nowhere.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bugle_domain::TenantId;
use bugle_domain::contact::Channel;

use crate::app::Inner;

/// Something that protects people, and that a rehearsal can do without to see that it is missed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Mechanism {
    /// A change that is red, and a stage that no change put where it is, are taken back.
    Undo,
    /// What is owed is judged before it is sent: whether it is still true, and how late it is.
    Judge,
    /// What an earlier run had in hand is found and gone on with.
    Resume,
    /// What the program fails at is set aside, so that the rest goes on.
    SetAside,
    /// What is in use is left by a clean-up, whatever its tag says.
    InUse,
    /// Operators are paged about assistance requests.
    Assistance,
}

/// A moment on the way of a notification.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// It is claimed, which is saved; no provider was called.
    Claimed,
    /// A provider answered, which is not saved.
    Answered,
    /// What the provider answered is saved.
    Saved,
    /// A provider reports what became of it, which is not saved.
    Receipt,
}

/// Is told when a step is reached. It may keep the caller there.
pub type Hook = Arc<dyn Fn(Step) + Send + Sync>;

/// Work that the program may fail at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Work {
    /// An event is decided.
    Event,
    /// A message is composed, for this channel.
    Message(Channel),
    /// It is judged whether notifications go out.
    Judgement,
    /// An incident is closed. The page about it is ended already.
    Recovery,
}

/// Is told of work that is about to be done, with the dedup key or incident it is about. It panics
/// where the program is to fail at it.
pub type Fault = Arc<dyn Fn(Work, &str) + Send + Sync>;

/// Says of a tenant whether what it sends is accepted and then lost, where no book can know of it.
pub type Swallow = Arc<dyn Fn(TenantId) -> bool + Send + Sync>;

/// What is rehearsed.
#[derive(Clone, Default)]
pub struct Rehearsal {
    /// What is taken out.
    pub without: BTreeSet<Mechanism>,
    /// Told of steps.
    pub at: Option<Hook>,
    /// A fault in the program.
    pub fault: Option<Fault>,
    /// What intake loses.
    pub swallow: Option<Swallow>,
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { without, at, fault, swallow } = self;
        f.debug_struct("Rehearsal")
            .field("without", without)
            .field("at", &at.is_some())
            .field("fault", &fault.is_some())
            .field("swallow", &swallow.is_some())
            .finish()
    }
}

impl Inner {
    /// Whether a mechanism was taken out.
    pub(crate) fn lacks(&self, mechanism: Mechanism) -> bool {
        self.settings.rehearsal.without.contains(&mechanism)
    }

    /// Tells a rehearsal that a step is reached for these. Canaries count for nothing.
    pub(crate) fn reach(&self, step: Step, tenants: impl IntoIterator<Item = TenantId>) {
        if let Some(at) = &self.settings.rehearsal.at
            && tenants.into_iter().any(|tenant| !tenant.is_reserved())
        {
            at(step);
        }
    }

    /// Fails at work about one of these, where that is rehearsed.
    pub(crate) fn falter<'a>(&self, work: Work, about: impl IntoIterator<Item = &'a str>) {
        if let Some(fault) = &self.settings.rehearsal.fault {
            about.into_iter().for_each(|key| fault(work, key));
        }
    }
}
