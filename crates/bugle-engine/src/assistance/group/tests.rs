//! When operators are paged, and what requests share.

use bugle_domain::contact::Channel;
use bugle_domain::integration::Dialect;
use bugle_domain::stage::Stage;

use super::*;
use crate::assistance::finding::{Cause, Finding, Place};
use crate::assistance::{About, Closed, Paged, Reporter};
use crate::testing::{at, id};
use crate::watch::Hop;

fn asked(number: u128, tenant: u128, minute: i64, cause: Cause) -> AssistanceRequest {
    let place = Place {
        hop: Some(Hop::Stage { stage: Stage::Intake }),
        dialect: Some(Dialect::Native),
        channel: Some(Channel::Sms),
        provider: None,
    };
    AssistanceRequest {
        id: id(AssistanceId::from_stored, number),
        tenant: id(TenantId::from_stored, tenant),
        about: About::Time,
        integration: None,
        expected: "a text".to_owned(),
        from: at(0),
        until: at(1),
        by: Reporter { user: None, name: "Lena".to_owned() },
        opened_at: at(minute),
        finding: Some(Finding { cause, text: String::new(), place }),
        traced_at: Some(at(minute)),
        paged: None,
        said: Vec::new(),
        replica: None,
        closed: None,
    }
}

/// Whether each group wants a page, the one that began last first.
fn wanted(open: &[AssistanceRequest]) -> Vec<(usize, Option<Reason>, bool)> {
    let found = groups(open, at(100));
    found.iter().map(|it| (it.requests.len(), it.reason, it.wants_page())).collect()
}

#[test]
fn two_of_different_tenants_within_ten_minutes_page_operators() {
    let explained = Cause::NothingCame;
    let first = asked(1, 1, 0, explained);
    assert_eq!(wanted(std::slice::from_ref(&first)), [(1, None, false)]);
    let same_tenant = [first.clone(), asked(2, 1, 3, explained)];
    assert_eq!(wanted(&same_tenant), [(2, None, false)]);
    let in_time = [first.clone(), asked(2, 2, 10, explained)];
    assert_eq!(wanted(&in_time), [(2, Some(Reason::SeveralTenants), true)]);
    let too_late = [first.clone(), asked(2, 2, 11, explained)];
    assert_eq!(wanted(&too_late), [(1, None, false), (1, None, false)]);
    let mut closed = in_time.clone();
    closed[0].closed = Some(Closed { at: at(9), by: "Otto".to_owned() });
    assert_eq!(wanted(&closed), [(1, None, false)], "what is closed is answered");
}

#[test]
fn one_that_the_ledger_cannot_explain_pages_operators() {
    for cause in Cause::ALL {
        let reason = (cause.standing() == Standing::Unexplained).then_some(Reason::Unexplained);
        let [(_, found, page)] = wanted(&[asked(1, 1, 0, *cause)])[..] else { panic!() };
        assert_eq!((found, page), (reason, reason.is_some()), "{cause:?}");
    }
    let mut untraced = asked(1, 1, 0, Cause::Sent);
    untraced.finding = None;
    let standing = |now| untraced.standing(now);
    assert_eq!(standing(at(0)), Standing::Undecided, "it is about to be read");
    assert_eq!(standing(at(1)), Standing::Unexplained);
}

#[test]
fn a_group_is_paged_once_however_many_join_it() {
    let mut open = vec![asked(1, 1, 0, Cause::Sent), asked(2, 2, 5, Cause::Sent)];
    for it in &mut open {
        it.paged = Some(Paged { named: id(AssistanceId::from_stored, 1), at: at(5) });
    }
    open.push(asked(3, 3, 14, Cause::NoSuchEvent));
    assert_eq!(wanted(&open), [(3, Some(Reason::Unexplained), false)]);
    let named = groups(&open, at(100))[0].named();
    assert_eq!(named, Some(id(AssistanceId::from_stored, 1)));
    open.push(asked(4, 4, 25, Cause::NoSuchEvent));
    let later = [(1, Some(Reason::Unexplained), true), (3, Some(Reason::Unexplained), false)];
    assert_eq!(wanted(&open), later, "what comes later is a group of its own");
}

#[test]
fn what_requests_of_several_tenants_share_is_named() {
    let mut open = vec![
        asked(1, 1, 0, Cause::NothingCame),
        asked(2, 1, 1, Cause::Sent),
        asked(3, 2, 2, Cause::Sent),
    ];
    if let Some(finding) = &mut open[2].finding {
        finding.place.channel = Some(Channel::Email);
        finding.place.dialect = Some(Dialect::PagerdutyV2);
    }
    let found = groups(&open, at(100)).remove(0).shared;
    let found: Vec<_> = found.iter().map(|it| (it.what, &*it.value, it.requests.len())).collect();
    assert_eq!(found, [("hop", "intake", 3), ("finding", "a provider has it", 2)]);
}
