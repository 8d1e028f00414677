//! Names of things: one newtype per kind, `UUIDv7` inside, prefixed text outside.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

/// A text that is not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {expected} and 32 hex digits")]
pub struct ParseIdError {
    /// The prefix that the text should have begun with.
    pub expected: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a new id from the time and 10 random bytes. Both are arguments, so tests can
            /// fix them. Ids sort by creation time, to the millisecond.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// When it was made, to the millisecond; `None` for one that no time is in.
            pub fn made_at(self) -> Option<Timestamp> {
                let (seconds, nanos) = self.0.get_timestamp()?.to_unix();
                let (seconds, nanos) = (i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?);
                Timestamp::new(seconds, nanos).ok()
            }

            /// Wraps a value that the database returned.
            pub const fn from_stored(value: Uuid) -> Self {
                Self(value)
            }

            /// The value as the database stores it.
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, self.0.as_simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )* };
}

fn parse(text: &str, expected: &'static str) -> Result<Uuid, ParseIdError> {
    let hex = text.strip_prefix(expected).filter(|hex| hex.len() == 32);
    hex.and_then(|hex| Uuid::try_parse(hex).ok()).ok_or(ParseIdError { expected })
}

ids! {
    /// Names a client organisation.
    TenantId = "ten_";
    /// Names a person who can be told.
    UserId = "usr_";
    /// Names a group of users.
    TeamId = "tea_";
    /// Names an on-call schedule.
    ScheduleId = "sch_";
    /// Names one cover of a shift.
    OverrideId = "ovr_";
    /// Names an escalation policy.
    PolicyId = "pol_";
    /// Names a service of the catalogue.
    ServiceId = "svc_";
    /// Names a way in for events.
    IntegrationId = "int_";
    /// Names one event.
    EventId = "evt_";
    /// Names one alert.
    AlertId = "alr_";
    /// Names one notification.
    NotificationId = "ntf_";
    /// Names a user's contact method.
    MethodId = "cm_";
    /// Names an API key.
    ApiKeyId = "key_";
    /// Names a signed-in session.
    SessionId = "ses_";
    /// Names one running `bugle` process's identity, kept in its data directory.
    NodeId = "nod_";
    /// Names one claim of notifications by one node.
    ClaimId = "clm_";
    /// Names one request to the web interface.
    RequestId = "req_";
    /// Names one major incident.
    IncidentId = "inc_";
    /// Names what the public is told of one trouble or scheduled maintenance.
    BulletinId = "bul_";
    /// A status page of a tenant.
    StatusPageId = "stp_";
    /// Names who wants to be told of what the status page says.
    SubscriberId = "sub_";
    /// Names one thing that subscribers are told.
    NoticeId = "not_";
    /// Names somebody's asking why nobody was paged.
    AssistanceId = "ast_";
}

/// The tenants of the watch begin here: no time makes such an id before the year 10889.
const RESERVED: u128 = 0xffff_ffff_ffff << 80;

impl TenantId {
    /// The first id that is no client's.
    pub fn reserved_from() -> Self {
        Self(Uuid::from_u128(RESERVED))
    }

    /// The tenant through which the watch of `node` sends its canaries.
    pub fn reserved_for(node: NodeId) -> Self {
        let own = node.0.as_u128() & ((1 << 80) - 1);
        Self(Uuid::from_u128(RESERVED | own))
    }

    /// Whether it is a watch's tenant and no client's. Those are in no list, sum or quota.
    pub fn is_reserved(self) -> bool {
        self >= Self::reserved_from()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_are_the_same_id() {
        let id = AlertId::new(Timestamp::from_second(1_700_000_000).unwrap(), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("alr_"));
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let id = UserId::new(Timestamp::UNIX_EPOCH, [1; 10]).to_string();
        assert_eq!(id.parse::<AlertId>(), Err(ParseIdError { expected: "alr_" }));
        assert_eq!("alr_12".parse::<AlertId>(), Err(ParseIdError { expected: "alr_" }));
    }

    #[test]
    fn the_watch_of_each_node_has_a_tenant_that_is_no_clients() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let reserved = TenantId::reserved_for(NodeId::new(now, [7; 10]));
        assert!(reserved.is_reserved() && !TenantId::new(now, [255; 10]).is_reserved());
        assert_ne!(reserved, TenantId::reserved_for(NodeId::new(now, [8; 10])));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let early = EventId::new(Timestamp::from_second(1).unwrap(), [255; 10]);
        let late = EventId::new(Timestamp::from_second(2).unwrap(), [0; 10]);
        assert!(early < late);
    }
}
