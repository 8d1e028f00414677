//! The filter box reads what people type, and says what it does not understand.

use bugle_domain::ServiceId;

use super::*;

fn services() -> Vec<Service> {
    let service = |number, name: &str| Service {
        id: ServiceId::new(Timestamp::UNIX_EPOCH, [number; 10]),
        name: name.to_owned(),
        policy: None,
        team: None,
        description: String::new(),
        runbook_url: None,
    };
    vec![service(1, "Payments"), service(2, "Card Gateway")]
}

fn read(text: &str) -> (AlertQuery, Vec<String>) {
    let now = Timestamp::from_second(1_000_000).unwrap();
    let (query, errors) = parse(text, &services(), None, now);
    (query, errors.into_iter().map(|error| error.text).collect())
}

#[test]
fn nothing_typed_means_what_is_not_over() {
    let (query, errors) = read("");
    assert_eq!(query.statuses, [AlertStatus::Open, AlertStatus::Acknowledged]);
    assert!(errors.is_empty());
}

#[test]
fn tokens_and_words_are_told_apart() {
    let (query, errors) = read("is:open service:card-gateway sev:crit since:2h disk full");
    assert_eq!(query.statuses, [AlertStatus::Open]);
    assert_eq!(query.service, Some(services()[1].id));
    assert_eq!(query.severities, [Severity::Critical]);
    assert_eq!(query.since, Some(Timestamp::from_second(1_000_000 - 7_200).unwrap()));
    assert_eq!(query.text.as_deref(), Some("disk full"));
    assert!(errors.is_empty());
}

#[test]
fn what_is_not_understood_is_said() {
    let (_, errors) = read("is:shut sev:bad service:x since:2y since:99999999999d");
    assert_eq!(errors.len(), 5, "{errors:?}");
}

#[test]
fn a_colon_in_a_word_is_a_word() {
    assert_eq!(read("http://db-3:5432").0.text.as_deref(), Some("http://db-3:5432"));
}
