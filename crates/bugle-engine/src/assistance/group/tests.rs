//! When operators are paged, and what requests share.

use bugle_domain::contact::Channel;
use bugle_domain::integration::Dialect;
use bugle_domain::stage::Stage;

use super::*;
use crate::assistance::finding::{Cause, Finding, Place};
use crate::assistance::{About, Closed, Paged, Reporter};
use crate::testing::{at, id};
use crate::watch::Hop;

pub(crate) fn asked(number: u128, tenant: u128, minute: i64, cause: Cause) -> AssistanceRequest {
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

/// It is on the page that is named after `named`, and was decided at `minute`.
fn paged(mut request: AssistanceRequest, named: u128, minute: i64) -> AssistanceRequest {
    request.paged = Some(Paged::new(id(AssistanceId::from_stored, named), at(minute)));
    request
}

/// Whether each group wants a page, the one that began last first.
fn wanted(open: &[AssistanceRequest]) -> Vec<(usize, Option<Reason>, bool)> {
    let found = groups(open, at(100));
    let pages = |it: &Group| matches!(it.step(false, at(100)), Step::Page(..));
    found.iter().map(|it| (it.requests.len(), it.reason, pages(it))).collect()
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

/// What is to be done about the only group, in words.
fn step(open: &[AssistanceRequest], heard: bool, minute: i64) -> String {
    let numbers = |ids: Vec<AssistanceId>| {
        ids.iter().map(|it| it.as_uuid().as_u128().to_string()).collect::<Vec<_>>().join(",")
    };
    let [group] = &groups(open, at(minute))[..] else { panic!("one group: {open:?}") };
    match group.step(heard, at(minute)) {
        Step::Nothing => "nothing".to_owned(),
        Step::Page(about, Reason::Unexplained) => format!("page {}: unexplained", numbers(about)),
        Step::Page(about, Reason::SeveralTenants) => format!("page {}: several", numbers(about)),
        Step::Add(to, about) => format!("add {} to {}", numbers(about), numbers(vec![to])),
        Step::Join(to, about) => format!("join {} to {}", numbers(about), numbers(vec![to])),
    }
}

#[test]
fn who_joins_is_added_until_somebody_answers_and_then_pages_again_with_what_is_new() {
    let first = || {
        let (one, two) = (asked(1, 1, 0, Cause::Sent), asked(2, 2, 5, Cause::Sent));
        vec![paged(one, 1, 5), paged(two, 1, 5)]
    };
    let with = |joins: &[AssistanceRequest]| [first(), joins.to_vec()].concat();
    let mut untraced = asked(3, 1, 9, Cause::Sent);
    untraced.finding = None;
    let (known, unnamed) = (asked(3, 1, 9, Cause::Sent), asked(3, 3, 9, Cause::Sent));
    let lost = asked(3, 1, 9, Cause::NoSuchEvent);
    let cases = [
        // What joins, whether somebody has answered, when it is looked at, what is to be done.
        (vec![], true, 9, "nothing"),
        (vec![known.clone()], false, 9, "add 3 to 1"),
        (vec![lost.clone()], false, 9, "add 3 to 1"),
        (vec![known.clone()], true, 9, "join 3 to 1"),
        (vec![unnamed.clone()], true, 9, "page 3: several"),
        (vec![lost.clone()], true, 9, "page 3: unexplained"),
        (vec![untraced.clone()], true, 9, "nothing"),
        (vec![untraced.clone()], true, 10, "page 3: unexplained"),
        (vec![known.clone(), asked(4, 3, 9, Cause::Sent)], true, 9, "page 3,4: several"),
        (vec![untraced, asked(4, 1, 9, Cause::Sent)], true, 9, "join 4 to 1"),
        // What pages again has a name of its own, which is what comes next is added to.
        (vec![paged(unnamed.clone(), 3, 9), asked(4, 4, 10, Cause::Sent)], false, 99, "add 4 to 3"),
        (vec![paged(unnamed, 3, 9), asked(4, 3, 10, Cause::Sent)], true, 99, "join 4 to 3"),
    ];
    for (joins, heard, minute, expected) in cases {
        assert_eq!(step(&with(&joins), heard, minute), expected, "{joins:?}, {heard}");
    }
    let group = &groups(&with(&[asked(4, 4, 25, Cause::NoSuchEvent)]), at(100))[0];
    assert!(group.pages.is_empty(), "what comes later is a group of its own");
}

#[test]
fn a_storm_of_requests_is_no_storm_of_pages() {
    let mut open = vec![asked(1, 1, 0, Cause::NoSuchEvent)];
    let (mut pages, mut number) = (0, 1);
    // A request of a new tenant each minute for an hour, and whoever is paged answers at once.
    for minute in 0..60 {
        number += 1;
        open.push(asked(number, number, minute, Cause::NoSuchEvent));
        let step = groups(&open, at(minute))[0].step(true, at(minute));
        let Step::Page(about, _) = step else { continue };
        pages += 1;
        for it in open.iter_mut().filter(|it| about.contains(&it.id)) {
            it.paged = Some(Paged::new(about[0], at(minute)));
        }
    }
    assert_eq!(pages, 30, "one each two minutes");
    assert!(open[..60].iter().all(|it| it.paged.is_some()), "and none is left out");
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
