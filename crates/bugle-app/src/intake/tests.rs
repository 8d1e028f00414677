//! Quotas: what an integration may send in a minute.

use bugle_domain::event::{Action, EventBody};
use bugle_domain::integration::Dialect;
use bugle_domain::{EventId, TenantId};
use jiff::Timestamp;

use super::*;

fn event(severity: Severity) -> NewEvent {
    let (now, id) = (Timestamp::UNIX_EPOCH, EventId::new(Timestamp::UNIX_EPOCH, [1; 10]));
    NewEvent {
        id,
        tenant: TenantId::new(now, [2; 10]),
        integration: IntegrationId::new(now, [3; 10]),
        dialect: Dialect::Native,
        received_at: now,
        idempotency_key: None,
        body: EventBody {
            action: Action::Trigger,
            summary: "disk full".to_owned(),
            severity,
            source: String::new(),
            dedup_key: "k".to_owned(),
            occurred_at: None,
            ends_at: None,
            links: Vec::new(),
            details: serde_json::Map::new(),
        },
        request: id,
        raw: None,
    }
}

#[test]
fn over_its_quota_an_integration_is_asked_to_come_again() {
    let quotas = Quotas::default();
    for _ in 0..3 {
        quotas.check(&[event(Severity::Low)], 3).unwrap();
    }
    let error = quotas.check(&[event(Severity::Low)], 3).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("quota_exceeded", ErrorKind::RateLimited));
}

#[test]
fn a_flood_of_lesser_events_keeps_no_critical_one_out() {
    let quotas = Quotas::default();
    while quotas.check(&[event(Severity::Low)], 5).is_ok() {}
    for _ in 0..5 {
        quotas.check(&[event(Severity::Critical)], 5).unwrap();
    }
    assert!(quotas.check(&[event(Severity::Critical)], 5).is_err());
}

#[test]
fn a_quota_that_was_changed_counts_at_once() {
    let quotas = Quotas::default();
    while quotas.check(&[event(Severity::Low)], 2).is_ok() {}
    assert!(quotas.check(&[event(Severity::Low)], 100).is_ok());
}
