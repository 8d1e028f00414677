//! The climb: from a level to the next one that reaches somebody.
//!
//! Nothing is written here: a climb is worked out, and either carried out ([`crate::desk`]) or only
//! told about ("Priya is paged in 3:54").

use bugle_domain::alert::{StampedPolicy, TimelineEntry};
use bugle_domain::object::Directory;

use crate::reach::{Lookup, Resolved};

/// Where a climb begins.
pub(crate) struct Foot<'a> {
    /// The policy that is followed.
    pub(crate) policy: Option<&'a StampedPolicy>,
    /// The first level to try, 0-based; one past the last: the policy has been gone through.
    pub(crate) level: usize,
    /// How often the policy was gone through before.
    pub(crate) cycle: u8,
}

/// What a climb came to.
#[derive(Default)]
pub(crate) struct Climb {
    /// What happened on the way: levels skipped, the fallback begun.
    pub(crate) passed: Vec<TimelineEntry>,
    /// The fallback, where it is followed from now on.
    pub(crate) fallback: Option<StampedPolicy>,
    /// The level that reaches somebody; `None`: all is exhausted.
    pub(crate) reached: Option<Reached>,
}

/// A level that reaches somebody.
pub(crate) struct Reached {
    pub(crate) level: usize,
    pub(crate) cycle: u8,
    /// How long its people have to answer, in seconds.
    pub(crate) delay_s: u32,
    pub(crate) resolved: Resolved,
}

/// Climbs to the next level that reaches somebody: over levels that reach nobody, through repeats,
/// to the tenant's fallback. Where a whole policy reaches nobody its repeats are left out, since
/// they would reach nobody at the same moment.
pub(crate) fn climb(lookup: &mut Lookup<'_>, foot: Foot<'_>) -> Climb {
    let mut climb = Climb::default();
    let (mut level, mut cycle, mut skipped) = (foot.level, foot.cycle, 0);
    loop {
        let Some(policy) = climb.fallback.as_ref().or(foot.policy) else {
            return climb;
        };
        let nobody_at_all = skipped >= policy.levels.len();
        let Some(step) = policy.levels.get(level).filter(|_| !nobody_at_all) else {
            if cycle < policy.repeat && !nobody_at_all {
                (level, cycle) = (0, cycle + 1);
                continue;
            }
            let Some(fallback) = fallback_after(lookup.directory, policy) else {
                return climb;
            };
            climb.passed.push(TimelineEntry::FallbackBegun { policy: fallback.name.clone() });
            climb.fallback = Some(fallback);
            (level, cycle, skipped) = (0, 0, 0);
            continue;
        };
        let resolved = lookup.resolve(&step.targets);
        if !resolved.told.is_empty() {
            climb.reached = Some(Reached { level, cycle, delay_s: step.delay_s, resolved });
            return climb;
        }
        climb.passed.push(TimelineEntry::LevelSkipped { level, cycle, missed: resolved.missed });
        level += 1;
        skipped += 1;
    }
}

/// The tenant's fallback, unless it is what was just gone through.
fn fallback_after(directory: &Directory, followed: &StampedPolicy) -> Option<StampedPolicy> {
    let id = directory.tenant.fallback_policy?;
    let fallback = directory.policies.get(&id)?;
    let again = followed.fallback || followed.id == id;
    (!again).then(|| StampedPolicy::of(fallback, true))
}
