//! Tables of what is sent, held or dropped, and of what follows.

mod backlog;
mod drain;
mod ends;
mod follow;
mod judge;

use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::Channel;
use bugle_domain::notification::{Lane, Notification, NotificationState};
use bugle_domain::{AlertId, IntegrationId, NotificationId, Severity, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::testing::{LENA, at, id, method_of, user};

/// Seconds after the tests' begin.
fn sec(seconds: i64) -> Timestamp {
    at(0) + SignedDuration::from_secs(seconds)
}

/// A notification for Lena, due at the begin.
fn notification(number: u128, channel: Channel) -> Notification {
    Notification {
        id: id(NotificationId::from_stored, number),
        alert: id(AlertId::from_stored, number),
        user: user(LENA),
        method: method_of(LENA, channel),
        channel,
        lane: Lane::Urgent,
        level: 0,
        cycle: 0,
        wanted_at: at(0),
        due_at: at(0),
        deadline: at(60),
        state: NotificationState::Waiting,
        tries: 0,
        receipt: None,
        possible_repeat: false,
        token: None,
        provider_ref: None,
        created_at: at(0),
    }
}

fn brief(number: u128, severity: Severity) -> AlertBrief {
    AlertBrief {
        id: id(AlertId::from_stored, number),
        number: 4_800 + i64::try_from(number).unwrap(),
        status: AlertStatus::Open,
        severity,
        summary: "checkout-api 5xx 14.2% (limit 2%)".to_owned(),
        source: "prometheus-1".to_owned(),
        dedup_key: "db".to_owned(),
        integration: id(IntegrationId::from_stored, 1),
        service: None,
        extra: "{}".to_owned(),
        opened_at: at(0),
        event_count: 1,
    }
}

fn candidate(number: u128, channel: Channel, severity: Severity) -> Candidate {
    Candidate {
        tenant: id(TenantId::from_stored, 1),
        notification: notification(number, channel),
        held: false,
        unsure: false,
        digest: false,
        alert: brief(number, severity),
        pace: None,
    }
}
