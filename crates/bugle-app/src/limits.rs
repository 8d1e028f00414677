//! How often people may try what costs something: signing in, sending codes.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use bugle_domain::contact::Address;
use bugle_domain::{MethodId, UserId};

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
/// Questions to one mailbox or host whether it wants to be told: 2 at once, then one every 20
/// minutes.
const SUBSCRIBE_TO: (u32, Duration) = (2, Duration::from_mins(20));
/// Such questions in all: 300 at once, then one every 12 s. So many are kept until the day after.
const SUBSCRIBE_ALL: (u32, Duration) = (300, Duration::from_secs(12));

/// Codes by text that are asked for in one network: 5 at once, then one every half hour.
const TEXT_FROM: (u32, Duration) = (5, Duration::from_mins(30));
/// Codes by text to one number: 2 at once, then one an hour.
const TEXT_TO: (u32, Duration) = (2, Duration::from_hours(1));
/// Codes that are typed in one network: 20 at once, then one a minute.
const CODE_FROM: (u32, Duration) = (20, Duration::from_mins(1));
/// Replicas of assistance requests' paths: each may cost as much as a page.
pub(crate) const REPLICAS_PER_MINUTE: u32 = 6;
/// Answers to one person's mails: 5 at once, then one every 5 minutes.
const MAIL_ANSWERS_TO: (u32, Duration) = (5, Duration::from_mins(5));

/// All limits of one node.
#[derive(Debug)]
pub(crate) struct UseLimits {
    /// By mail address.
    pub(crate) sign_in_as: Limit<String>,
    /// By the other side's address.
    pub(crate) sign_in_from: Limit<IpAddr>,
    /// By contact method.
    pub(crate) messages_to: Limit<MethodId>,
    /// By [`place`].
    pub(crate) subscribe_from: Limit<IpAddr>,
    /// By [`owner`].
    pub(crate) subscribe_to: Limit<String>,
    /// Of everybody.
    pub(crate) subscribe_all: Limit<()>,
    /// By network.
    pub(crate) text_from: Limit<IpAddr>,
    /// By number.
    pub(crate) text_to: Limit<String>,
    /// By network.
    pub(crate) code_from: Limit<IpAddr>,
    /// Of all operators.
    pub(crate) replicas: Limit<()>,
    /// By whoever wrote.
    pub(crate) mail_answers_to: Limit<UserId>,
}

impl UseLimits {
    /// Limits by `clock`.
    pub(crate) fn new(clock: &Clock) -> Self {
        fn limit<K: std::hash::Hash + Ord + Clone>(
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
            subscribe_all: limit(clock, SUBSCRIBE_ALL),
            text_from: limit(clock, TEXT_FROM),
            text_to: limit(clock, TEXT_TO),
            code_from: limit(clock, CODE_FROM),
            replicas: limit(
                clock,
                (REPLICAS_PER_MINUTE, Duration::from_mins(1) / REPLICAS_PER_MINUTE),
            ),
            mail_answers_to: limit(clock, MAIL_ANSWERS_TO),
        }
    }
}

/// The place that an address is of: of IPv6 the network of a customer, who has all of it.
pub fn place(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Whom a message to an address reaches: whatever follows a `+` is one mailbox, and whatever the
/// path is one host.
pub(crate) fn owner(address: &Address) -> String {
    match address {
        Address::Webhook(url) => url.host_str().unwrap_or_default().to_lowercase(),
        Address::Email(_) | Address::Sms(_) | Address::Voice(_) => {
            let text = address.as_str().to_lowercase();
            let (local, host) = text.rsplit_once('@').unwrap_or((&text, ""));
            let mailbox = local.split_once('+').filter(|(name, _)| !name.is_empty());
            format!("{}@{host}", mailbox.map_or(local, |(name, _)| name))
        }
    }
}

#[cfg(test)]
mod tests {
    use bugle_domain::contact::Channel;

    use super::*;

    #[test]
    fn one_owner_counts_once() {
        let of = |channel, text: &str| owner(&Address::parse(channel, text).unwrap());
        let mail = |text| of(Channel::Email, text);
        assert_eq!(mail("Lena+1@halden.example"), mail("lena@halden.example"));
        assert_ne!(mail("mei@halden.example"), mail("lena@halden.example"));
        let hook = |text| of(Channel::Webhook, text);
        assert_eq!(hook("https://a.example/?1"), hook("https://A.example/2"));
        assert_ne!(hook("https://a.example/"), hook("https://b.example/"));
        let ip = |text: &str| place(text.parse().unwrap());
        assert_eq!(ip("2001:db8:1:2::3"), ip("2001:db8:1:2:4:5:6:7"));
        assert_ne!(ip("2001:db8:1:2::3"), ip("2001:db8:1:3::3"));
        assert_ne!(ip("192.0.2.1"), ip("192.0.2.2"));
    }
}
