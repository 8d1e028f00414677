//! Which assistance requests belong together, what they share, and when operators are paged.
//!
//! Requests that follow each other within [`NEAR`] are a group. Operators are paged about one when
//! it holds requests of two tenants, or one that the ledger cannot explain; once, however many
//! join it later.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::{AssistanceId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::AssistanceRequest;
use super::finding::Standing;

/// Requests this near to each other may have one cause.
pub const NEAR: SignedDuration = SignedDuration::from_mins(10);

/// Why operators are paged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// The ledger cannot explain one of them.
    Unexplained,
    /// Several tenants ask at about the same time.
    SeveralTenants,
}

/// Something that requests of several tenants have in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// What: `hop`, `dialect`, `channel`, `provider`, `finding`.
    pub what: &'static str,
    /// The value.
    pub value: String,
    /// Of which requests, oldest first.
    pub requests: Vec<AssistanceId>,
}

/// Requests that belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The requests, oldest first; never empty.
    pub requests: Vec<AssistanceId>,
    /// Whose they are.
    pub tenants: BTreeSet<TenantId>,
    /// Why operators must know; `None`: they need not.
    pub reason: Option<Reason>,
    /// The request that a page about it is named after, where there was one.
    pub paged: Option<AssistanceId>,
    /// What they share.
    pub shared: Vec<Shared>,
}

impl Group {
    /// The request that its page is named after.
    pub fn named(&self) -> Option<AssistanceId> {
        self.paged.or_else(|| self.requests.first().copied())
    }

    /// Whether operators are to be paged about it now.
    pub fn wants_page(&self) -> bool {
        self.reason.is_some() && self.paged.is_none()
    }
}

/// The groups of the open requests, the one that began last first.
pub fn groups(open: &[AssistanceRequest], now: Timestamp) -> Vec<Group> {
    let mut sorted: Vec<&AssistanceRequest> = open.iter().filter(|it| it.open()).collect();
    sorted.sort_by_key(|it| (it.opened_at, it.id));
    let near = |one: &&AssistanceRequest, next: &&AssistanceRequest| {
        next.opened_at.duration_since(one.opened_at) <= NEAR
    };
    sorted.chunk_by(near).rev().map(|members| group(members, now)).collect()
}

fn group(members: &[&AssistanceRequest], now: Timestamp) -> Group {
    let tenants: BTreeSet<TenantId> = members.iter().map(|it| it.tenant).collect();
    let unexplained = members.iter().any(|it| it.standing(now) == Standing::Unexplained);
    let reason = match (unexplained, tenants.len()) {
        (true, _) => Some(Reason::Unexplained),
        (false, 2..) => Some(Reason::SeveralTenants),
        (false, _) => None,
    };
    Group {
        requests: members.iter().map(|it| it.id).collect(),
        reason,
        paged: members.iter().find_map(|it| it.paged).map(|paged| paged.named),
        shared: shared(members),
        tenants,
    }
}

/// What requests of at least two tenants have in common.
fn shared(members: &[&AssistanceRequest]) -> Vec<Shared> {
    let mut found: BTreeMap<(usize, &'static str, String), Vec<&AssistanceRequest>> =
        BTreeMap::new();
    for member in members {
        for (place, (what, value)) in features(member).into_iter().enumerate() {
            if let Some(value) = value {
                found.entry((place, what, value)).or_default().push(member);
            }
        }
    }
    let of_several = |members: &Vec<&AssistanceRequest>| {
        members.iter().any(|it| Some(it.tenant) != members.first().map(|first| first.tenant))
    };
    let kept = found.into_iter().filter(|(_, members)| of_several(members));
    kept.map(|((_, what, value), members)| Shared {
        what,
        value,
        requests: members.iter().map(|it| it.id).collect(),
    })
    .collect()
}

/// What may be shared, the most telling first.
fn features(request: &AssistanceRequest) -> [(&'static str, Option<String>); 5] {
    let finding = request.finding.as_ref();
    let place = finding.map(|it| &it.place);
    let text = |word: &str| word.to_owned();
    [
        ("hop", place.and_then(|it| it.hop.as_ref()).map(crate::watch::Hop::name)),
        ("provider", place.and_then(|it| it.provider.clone())),
        ("channel", place.and_then(|it| it.channel).map(|it| text(it.as_str()))),
        ("dialect", place.and_then(|it| it.dialect).map(|it| text(it.as_str()))),
        ("finding", finding.map(|it| text(it.cause.words()))),
    ]
}

#[cfg(test)]
mod tests;
