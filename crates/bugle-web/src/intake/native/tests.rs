//! Tests of the native dialect.

use super::super::sample::told;
use super::*;

#[test]
fn a_whole_event_is_read() {
    let raw = br#"{"action":"trigger","summary":"checkout-api 5xx 14.2%","severity":"critical",
        "source":"eu-3","dedup_key":"checkout/5xx","occurred_at":"2026-11-20T10:00:00+01:00",
        "ends_at":null,"links":[{"href":"https://grafana.example/d/1","text":"Graph"},{"text":"x"}],
        "details":{"limit":2},"unknown":[1,2]}"#;
    insta::assert_snapshot!(told(&parse(raw)), @r"
    trigger critical `checkout-api 5xx 14.2%` from `eu-3` key `checkout/5xx`
      at 2026-11-20T09:00:00Z
      link https://grafana.example/d/1 `Graph`
      limit: 2
    ");
}

#[test]
fn a_summary_is_enough() {
    insta::assert_snapshot!(told(&parse(br#"{"summary":"disk\r\nfull"}"#)), @r"
    trigger high `disk full` from `` key ``
    ");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let raw = br#"{"action":"ring","severity":"severe","occurred_at":"soon","summary":{}}"#;
    insta::assert_snapshot!(told(&parse(raw)), @r"
    /action: unknown_value: must be trigger, acknowledge, resolve or change
    /severity: unknown_value: must be critical, high, medium, low or info
    /summary: missing: say what is wrong
    /occurred_at: not_a_time: must be a time as in RFC 3339
    ");
    insta::assert_snapshot!(told(&parse(br#"{"action":"resolve"}"#)), @r"
    /dedup_key: missing: say which alert is meant
    ");
    insta::assert_snapshot!(told(&parse(b"summary=x")), @"unreadable: expected a JSON object");
    insta::assert_snapshot!(told(&parse(b"[]")), @"unreadable: expected a JSON object");
}
