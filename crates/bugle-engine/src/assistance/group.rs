//! Which assistance requests belong together, what they share, and when operators are paged.
//!
//! Requests that follow each other within [`NEAR`] are a group. Operators are paged about one when
//! it holds requests of two tenants, or one that the ledger cannot explain. Who joins it later is
//! added to that page while nobody has answered it. Afterwards it pages again if the page knew
//! nothing of it: a tenant that was not named, or what the ledger cannot explain.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::{AssistanceId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::AssistanceRequest;
use super::finding::Standing;

/// Requests this near to each other may have one cause.
pub const NEAR: SignedDuration = SignedDuration::from_mins(10);

/// A group pages again no sooner than so long after its last page. What comes meanwhile is in that.
pub const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(2);

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

/// A page that operators got about requests of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupPage {
    /// The request that it is named after.
    pub named: AssistanceId,
    /// When it was decided.
    pub since: Timestamp,
}

/// A request that no page is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Unsaid {
    id: AssistanceId,
    tenant: TenantId,
    standing: Standing,
}

/// What is to be done about a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing, as far as is known by now.
    Nothing,
    /// Operators are paged about these, for this reason. The page is named after the first.
    Page(Vec<AssistanceId>, Reason),
    /// The page with this name says these, too: nobody has answered it.
    Add(AssistanceId, Vec<AssistanceId>),
    /// These are nothing new to whoever has answered the page with this name, and belong to it.
    Join(AssistanceId, Vec<AssistanceId>),
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
    /// The pages about it, oldest first.
    pub pages: Vec<GroupPage>,
    /// What they share.
    pub shared: Vec<Shared>,
    /// Those that no page is about, oldest first.
    unsaid: Vec<Unsaid>,
    /// Whose requests its pages are about.
    named: BTreeSet<TenantId>,
}

impl Group {
    /// The page whose answer counts: the last, where something joined what is paged about.
    pub fn joined(&self) -> Option<&GroupPage> {
        self.pages.last().filter(|_| !self.unsaid.is_empty())
    }

    /// What is to be done about it. `heard`: somebody has answered the page that was [joined].
    ///
    /// [joined]: Self::joined
    pub fn step(&self, heard: bool, now: Timestamp) -> Step {
        let ids = |of: &[Unsaid]| of.iter().map(|it| it.id).collect();
        let Some(last) = self.pages.last() else {
            return self
                .reason
                .map_or(Step::Nothing, |reason| Step::Page(ids(&self.unsaid), reason));
        };
        if self.unsaid.is_empty() {
            return Step::Nothing;
        }
        if !heard {
            return Step::Add(last.named, ids(&self.unsaid));
        }
        if let Some(reason) = self.news() {
            let soon = now.duration_since(last.since) < AGAIN_AFTER;
            return if soon { Step::Nothing } else { Step::Page(ids(&self.unsaid), reason) };
        }
        // One that is not settled may yet be what the ledger cannot explain.
        let known: Vec<Unsaid> =
            self.unsaid.iter().filter(|it| it.standing == Standing::Explained).copied().collect();
        if known.is_empty() { Step::Nothing } else { Step::Join(last.named, ids(&known)) }
    }

    /// Why whoever has answered must know of what joined; `None`: they know it.
    fn news(&self) -> Option<Reason> {
        if self.unsaid.iter().any(|it| it.standing == Standing::Unexplained) {
            return Some(Reason::Unexplained);
        }
        let unnamed = self.unsaid.iter().any(|it| !self.named.contains(&it.tenant));
        unnamed.then_some(Reason::SeveralTenants)
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
        pages: pages(members),
        shared: shared(members),
        unsaid: members.iter().filter(|it| it.paged.is_none()).map(|it| unsaid(it, now)).collect(),
        named: members.iter().filter(|it| it.paged.is_some()).map(|it| it.tenant).collect(),
        tenants,
    }
}

fn unsaid(request: &AssistanceRequest, now: Timestamp) -> Unsaid {
    Unsaid { id: request.id, tenant: request.tenant, standing: request.standing(now) }
}

fn pages(members: &[&AssistanceRequest]) -> Vec<GroupPage> {
    let mut since: BTreeMap<AssistanceId, Timestamp> = BTreeMap::new();
    for paged in members.iter().filter_map(|it| it.paged.as_ref()) {
        since.entry(paged.named).and_modify(|at| *at = paged.at.min(*at)).or_insert(paged.at);
    }
    let mut pages: Vec<GroupPage> =
        since.into_iter().map(|(named, since)| GroupPage { named, since }).collect();
    pages.sort_by_key(|page| (page.since, page.named));
    pages
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
pub(crate) mod tests;
