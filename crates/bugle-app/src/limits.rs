//! How often people may try what costs something: signing in, sending codes.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use bugle_domain::MethodId;

use crate::clock::Clock;
use crate::identity::limit::Limit;

/// Sign-ins under one address: 10 at once, then one a minute.
const SIGN_IN_AS: (u32, Duration) = (10, Duration::from_mins(1));
/// Sign-ins from one place: 60 at once, then one every 2 s. A whole office may share an address.
const SIGN_IN_FROM: (u32, Duration) = (60, Duration::from_secs(2));
/// Codes and tests to one contact method: 3 at once, then one every 2 minutes.
const MESSAGES_TO: (u32, Duration) = (3, Duration::from_mins(2));

/// Requests to be told of the status page from one place: 10 at once, then one every 6 minutes.
const SUBSCRIBE_FROM: (u32, Duration) = (10, Duration::from_mins(6));
/// Questions to one address whether it wants to be told: 2 at once, then one every 20 minutes.
const SUBSCRIBE_TO: (u32, Duration) = (2, Duration::from_mins(20));

/// All limits of one node.
#[derive(Debug)]
pub(crate) struct UseLimits {
    /// By mail address.
    pub(crate) sign_in_as: Limit<String>,
    /// By the other side's address.
    pub(crate) sign_in_from: Limit<IpAddr>,
    /// By contact method.
    pub(crate) messages_to: Limit<MethodId>,
    /// By the other side's address.
    pub(crate) subscribe_from: Limit<IpAddr>,
    /// By the address that is to be told.
    pub(crate) subscribe_to: Limit<String>,
}

impl UseLimits {
    /// Limits by `clock`.
    pub(crate) fn new(clock: &Clock) -> Self {
        fn limit<K: std::hash::Hash + Eq + Clone>(
            clock: &Clock,
            (burst, every): (u32, Duration),
        ) -> Limit<K> {
            Limit::new(clock, NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN), every)
        }
        Self {
            sign_in_as: limit(clock, SIGN_IN_AS),
            sign_in_from: limit(clock, SIGN_IN_FROM),
            messages_to: limit(clock, MESSAGES_TO),
            subscribe_from: limit(clock, SUBSCRIBE_FROM),
            subscribe_to: limit(clock, SUBSCRIBE_TO),
        }
    }
}
