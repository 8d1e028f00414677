//! When a request is looked at again.

use bugle_domain::{AssistanceId, TenantId};

use super::finding::{Cause, Place};
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn undecided() -> AssistanceRequest {
    let finding = Finding { cause: Cause::Deciding, text: String::new(), place: Place::default() };
    AssistanceRequest {
        id: AssistanceId::new(at(0), [1; 10]),
        tenant: TenantId::new(at(0), [1; 10]),
        about: About::Time,
        integration: None,
        expected: "a text".to_owned(),
        from: at(-60),
        until: at(0),
        by: Reporter { user: None, name: "Lena".to_owned() },
        opened_at: at(0),
        finding: Some(finding),
        traced_at: Some(at(0)),
        paged: None,
        said: Vec::new(),
        replica: None,
        closed: None,
    }
}

/// The seconds at which it is read, looked at each second for two days. `keeps`: what was read is
/// kept, or else it could not be read at all.
fn reads(keeps: bool) -> Vec<i64> {
    let mut request = undecided();
    let mut tried = None;
    if !keeps {
        (request.finding, request.traced_at) = (None, None);
    }
    let mut reads = Vec::new();
    for second in 0..2 * 86_400 {
        if request.wants_trace(tried, at(second)) {
            reads.push(second);
            if keeps {
                request.traced_at = Some(at(second));
            } else {
                tried = Some(at(second));
            }
        }
    }
    reads
}

#[test]
fn what_stays_undecided_is_read_ever_more_seldom_and_at_last_no_more() {
    let kept = reads(true);
    assert_eq!(kept[..8], [10, 20, 40, 80, 160, 320, 640, 1_240], "{kept:?}");
    assert_eq!(kept.iter().filter(|it| **it > 86_400 + 600).count(), 0);
    assert!(kept.len() < 160, "{}", kept.len());
    let failed = reads(false);
    assert_eq!(failed[..5], [0, 10, 20, 40, 80], "one that cannot be read is as bounded");
    assert_eq!(failed.len(), kept.len() + 1);
}

#[test]
fn what_is_settled_is_not_read_again() {
    let mut request = undecided();
    assert!(request.wants_trace(None, at(10)));
    request.finding.as_mut().unwrap().cause = Cause::Delivered;
    assert!(!request.wants_trace(None, at(10)));
}
