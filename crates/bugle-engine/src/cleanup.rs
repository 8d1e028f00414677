//! Clean-up: what may be taken away, and what speaks against it.
//!
//! Pure. A tag (disabled, expired, retired) only makes something a candidate. Whether it goes is
//! decided by what names it, by when it was last used, and by floors that hold whatever is asked.
//! Candidates come in the order of their ids, so that a clean-up goes on where it stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bugle_domain::integration::Integration;
use bugle_domain::object::{Directory, ObjectKind};
use bugle_domain::role::Role;
use bugle_domain::user::User;
use bugle_domain::{IntegrationId, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::check::dependants;
use crate::watch::{Hop, Verdict, View};

pub mod providers;

/// What was used within this time is in use, whatever its tag says.
pub const IDLE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What was taken away can be put back within this time.
pub const GRACE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Things that one step takes away, puts back or drops, and looks at, at most.
pub const STEP: usize = 100;
/// Most names of dependants that a sentence lists.
const NAMED: usize = 5;

/// What is cleaned up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// API keys that have expired or were revoked.
    Keys,
    /// Users that are disabled.
    Users,
    /// Integrations that are disabled.
    Integrations,
    /// Nodes that no longer run.
    Nodes,
    /// Providers that no message went through.
    Providers,
}

impl What {
    /// All there are.
    pub const ALL: [Self; 5] =
        [Self::Keys, Self::Users, Self::Integrations, Self::Nodes, Self::Providers];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Users => "users",
            Self::Integrations => "integrations",
            Self::Nodes => "nodes",
            Self::Providers => "providers",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == text)
    }

    /// What is a candidate at all.
    pub fn words(self) -> &'static str {
        match self {
            Self::Keys => "API keys that have expired or were revoked",
            Self::Users => "users that are disabled",
            Self::Integrations => "integrations that are disabled",
            Self::Nodes => "nodes that no longer run",
            Self::Providers => "providers that the stages name",
        }
    }
}

/// Where a clean-up stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleanUpState {
    /// Step by step, things are taken away.
    Removing,
    /// All of them are; they can be put back.
    Removed,
    /// Step by step, they are put back.
    Restoring,
    /// They were put back.
    Restored,
    /// Their time to be put back has passed, and step by step they are dropped.
    Purging,
    /// They are gone.
    Purged,
}

impl CleanUpState {
    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removing => "removing",
            Self::Removed => "removed",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::Purging => "purging",
            Self::Purged => "purged",
        }
    }

    /// Whether nothing more happens to it.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Restored | Self::Purged)
    }

    /// Whether what it took away can be put back.
    pub fn can_be_restored(self) -> bool {
        matches!(self, Self::Removing | Self::Removed)
    }
}

/// A clean-up under way or over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CleanUp {
    /// Its number.
    pub number: i64,
    /// What is cleaned up.
    pub what: What,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it was written down.
    pub began_at: Timestamp,
    /// Where it stands.
    pub state: CleanUpState,
    /// Since when.
    pub entered_at: Timestamp,
    /// Counts its steps: a step is saved only after the one before it.
    pub step: i64,
    /// The last thing that was looked at. Nodes are of no tenant: of the nil one.
    pub after: Option<(TenantId, Uuid)>,
    /// Things taken away.
    pub removed: i64,
    /// Candidates that were left, because something spoke against it.
    pub left: i64,
    /// Things put back.
    pub restored: i64,
    /// Who wanted it put back, and why.
    pub restored_by: Option<(String, String)>,
    /// The changes that carry it out, where the stages name what is cleaned up.
    #[serde(default)]
    pub changes: ByChange,
}

/// The guarded changes that carry a clean-up out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ByChange {
    /// The one that takes away.
    pub removal: Option<i64>,
    /// The one that puts back.
    pub restoral: Option<i64>,
    /// The last one that did not put back.
    pub failed: i64,
}

impl CleanUp {
    /// Until when what it took away can be put back, once that is all.
    pub fn kept_until(&self) -> Option<Timestamp> {
        let removed = self.state == CleanUpState::Removed;
        removed.then(|| self.entered_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX))
    }

    /// The same in another state.
    #[must_use]
    pub fn enter(&self, state: CleanUpState, now: Timestamp) -> Self {
        Self { state, entered_at: now, after: None, ..self.clone() }
    }
}

/// What the watch says against going on with a clean-up: a stage or what all stand on is broken.
/// What a provider does has nothing to do with it.
pub fn stopped_by(view: &View) -> Option<&Verdict> {
    let ours = |hop: &Hop| matches!(hop, Hop::Stage { .. } | Hop::Store);
    view.verdicts.iter().find(|verdict| ours(&verdict.hop))
}

/// A candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What belongs to it and goes with it.
    pub with: Vec<(ObjectKind, Uuid)>,
    /// Everything that speaks against it, in sentences. Empty: it goes.
    pub against: Vec<String>,
}

impl Candidate {
    /// Whether it goes.
    pub fn goes(&self) -> bool {
        self.against.is_empty()
    }
}

/// Disabled users with an id above `after`, at most `limit`.
pub fn users(
    directory: &Directory,
    used: &BTreeMap<UserId, Timestamp>,
    operators: &Operators,
    (after, limit): (Uuid, usize),
    now: Timestamp,
) -> Vec<Candidate> {
    let later = (Bound::Excluded(UserId::from_stored(after)), Bound::Unbounded);
    let users = directory.users.range(later).map(|(_, user)| user);
    let candidate = |user: &User| {
        let id = user.id.as_uuid();
        let mut against = Vec::new();
        against.extend(named(ObjectKind::User, id, directory, now));
        against.extend(lately(used.get(&user.id).copied(), now));
        if operators.is_the_last(user.id) {
            against.push("nobody else is an operator".to_owned());
        }
        if is_last_admin(user, directory) {
            against.push("nobody else is an admin of the tenant".to_owned());
        }
        let methods = directory.methods(user.id).map(|it| (ObjectKind::Method, it.id.as_uuid()));
        let covers = directory.overrides_of.values().flatten();
        let covers = covers.filter(|it| it.user == Some(user.id) && it.until <= now);
        let covers = covers.map(|it| (ObjectKind::Override, it.id.as_uuid()));
        Candidate { id, name: user.name.clone(), with: methods.chain(covers).collect(), against }
    };
    users.filter(|user| user.disabled).take(limit).map(candidate).collect()
}

/// Who stands above tenants, and who of them can sign in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operators {
    /// All.
    pub all: BTreeSet<UserId>,
    /// Those who are not disabled.
    pub acting: BTreeSet<UserId>,
}

impl Operators {
    /// Whether nobody else could act as an operator.
    fn is_the_last(&self, user: UserId) -> bool {
        self.all.contains(&user) && !self.acting.iter().any(|other| *other != user)
    }
}

/// Whether it is an admin beside whom nobody can act as one.
fn is_last_admin(user: &User, directory: &Directory) -> bool {
    let others = directory.users.values().filter(|other| other.id != user.id);
    user.role == Role::Admin
        && !others.into_iter().any(|other| other.role == Role::Admin && !other.disabled)
}

/// How an integration is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// When a request came last, taken or refused.
    pub last: Option<Timestamp>,
    /// Its alerts that are open. Large numbers may be counted short.
    pub open_alerts: u32,
}

/// Disabled integrations with an id above `after`, at most `limit`.
pub fn integrations(
    directory: &Directory,
    traffic: &BTreeMap<IntegrationId, Traffic>,
    (after, limit): (Uuid, usize),
    now: Timestamp,
) -> Vec<Candidate> {
    let candidate = |it: &Integration| {
        let id = it.id.as_uuid();
        let mut against = Vec::new();
        against.extend(named(ObjectKind::Integration, id, directory, now));
        let traffic = traffic.get(&it.id).copied().unwrap_or_default();
        against.extend(lately(traffic.last, now));
        match traffic.open_alerts {
            0 => (),
            1 => against.push("1 of its alerts is open".to_owned()),
            open => against.push(format!("{open} of its alerts are open")),
        }
        Candidate { id, name: it.name.clone(), with: Vec::new(), against }
    };
    let all = directory.integrations.values();
    let later = all.filter(|it| it.id.as_uuid() > after && it.disabled);
    later.take(limit).map(candidate).collect()
}

/// An API key that has expired or was revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedKey {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// When it ended.
    pub ended_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
}

/// What becomes of ended keys.
pub fn keys(ended: Vec<EndedKey>, now: Timestamp) -> Vec<Candidate> {
    let candidate = |key: EndedKey| {
        let mut against = Vec::new();
        against.extend(lately(key.used_at, now));
        if key.ended_at > now {
            against.push("it has not ended".to_owned());
        }
        Candidate { id: key.id, name: key.name, with: Vec::new(), against }
    };
    ended.into_iter().map(candidate).collect()
}

/// A node that is not known to live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SilentNode {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Its last beat, by its own clock.
    pub seen_at: Timestamp,
    /// Tenants that it owns.
    pub owns: usize,
}

/// What becomes of silent nodes.
pub fn nodes(silent: Vec<SilentNode>, now: Timestamp) -> Vec<Candidate> {
    let candidate = |node: SilentNode| {
        let mut against = Vec::new();
        against.extend(lately(Some(node.seen_at), now));
        if node.owns > 0 {
            against.push(format!("{} tenants are placed on it", node.owns));
        }
        Candidate { id: node.id, name: node.name, with: Vec::new(), against }
    };
    silent.into_iter().map(candidate).collect()
}

/// What names it. Covers that are over do not count.
fn named(kind: ObjectKind, id: Uuid, directory: &Directory, now: Timestamp) -> Option<String> {
    let past = |cover: Uuid| {
        let mut covers = directory.overrides_of.values().flatten();
        covers.any(|it| it.id.as_uuid() == cover && it.until <= now)
    };
    let found = dependants(kind, id, directory).into_iter();
    let found: Vec<String> = found
        .filter(|(kind, id, _)| *kind != ObjectKind::Override || !past(*id))
        .map(|(kind, _, name)| format!("{} \"{name}\"", kind.as_str()))
        .collect();
    if found.is_empty() {
        return None;
    }
    let some = found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if found.len() > NAMED { ", …" } else { "" };
    Some(format!("it is named by {some}{more}"))
}

/// Whether it was used just now.
fn lately(used: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let used = used.filter(|used| now.duration_since(*used) < IDLE)?;
    Some(format!("it was used {}", days_ago(used, now)))
}

/// `3 days ago`.
fn days_ago(then: Timestamp, now: Timestamp) -> String {
    match now.duration_since(then).as_hours().max(0) / 24 {
        0 => "within the last day".to_owned(),
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

#[cfg(test)]
mod tests;
