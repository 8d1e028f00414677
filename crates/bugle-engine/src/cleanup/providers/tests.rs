//! Which providers go, and that they come back where they were.

use jiff::SignedDuration;

use super::*;
use crate::testing::at;

fn revision(texts: &[&str]) -> Revision {
    let texts = texts.iter().map(|name| (*name).to_owned()).collect();
    let mail = vec!["post".to_owned()];
    Revision::standard(BTreeMap::from([(Channel::Sms, texts), (Channel::Email, mail)]))
}

fn now() -> Timestamp {
    at(60 * 24 * 365)
}

fn ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

/// What is known of providers of texts: since how many days, and when each was last used.
fn uses(known: &[(&str, i64, Option<i64>)]) -> Uses {
    let one = |(name, since, last): &(&str, i64, Option<i64>)| {
        let of = ProviderUse { since: ago(*since), last: last.map(ago) };
        ((Channel::Sms, (*name).to_owned()), of)
    };
    known.iter().map(one).collect()
}

/// The texts' providers with what speaks against each.
fn judged(texts: &[&str], known: &[(&str, i64, Option<i64>)]) -> Vec<(String, String)> {
    let methods = Dependants { methods: 2, waiting: 1, ..Dependants::default() };
    let channels = BTreeMap::from([(Channel::Sms, methods)]);
    let found = providers(&named(&revision(texts)), &uses(known), &channels, now());
    let texts = found.into_iter().filter(|it| it.name.ends_with("(sms)"));
    texts.map(|it| (it.name, it.against.join("; "))).collect()
}

#[test]
fn one_that_nothing_went_through_goes_and_one_in_use_names_who_needs_it() {
    let found = judged(&["first", "spare"], &[("first", 90, Some(2)), ("spare", 90, Some(31))]);
    let used = "it was used 2 days ago; sms is needed: 1 now waiting, 2 contact methods";
    assert_eq!(found[0], ("first (sms)".to_owned(), used.to_owned()));
    assert_eq!(found[1], ("spare (sms)".to_owned(), String::new()));
}

#[test]
fn the_last_of_a_channel_stays_though_nothing_goes_through_it() {
    let found = judged(&["first", "spare"], &[("first", 90, None), ("spare", 90, None)]);
    assert!(found[0].1.starts_with("nobody else would serve sms; sms is needed"), "{found:?}");
    assert_eq!(found[1].1, "", "one is enough");
    let alone = judged(&["first"], &[("first", 90, None)]);
    assert!(alone[0].1.starts_with("nobody else would serve sms"), "{alone:?}");
}

#[test]
fn one_that_is_new_or_not_known_yet_stays() {
    let found = judged(&["first", "new", "odd"], &[("first", 90, Some(0)), ("new", 3, None)]);
    assert!(found[1].1.starts_with("it was named 3 days ago"), "{found:?}");
    assert!(found[2].1.starts_with("it is not known yet how it is used"), "{found:?}");
}

#[test]
fn what_is_taken_comes_back_in_its_place() {
    let before = revision(&["first", "spare", "third"]);
    let goes: Vec<Candidate> =
        kept(&named(&before)).into_iter().filter(|it| it.name == "spare (sms)").collect();
    let after = without(&before, &goes);
    assert_eq!(after, revision(&["first", "third"]));
    let gone = taken(&before, &after);
    assert_eq!(kept(&gone), goes);
    assert_eq!(with(&after, &gone), before);
    assert_eq!(with(&before, &gone), before, "what is there is not put there twice");
    assert_eq!(with(&revision(&[]), &gone), revision(&["spare"]));
}
