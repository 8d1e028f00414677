//! Tests of PagerDuty Events v1.

use super::super::sample::{fixture, told};
use super::*;

fn read(raw: &[u8]) -> String {
    let said = parse(raw);
    format!("[{}] {}", said.key.as_deref().unwrap_or("no key"), told(&said.events))
}

#[test]
fn alertmanager_and_pypd_are_understood() {
    insta::assert_snapshot!(read(fixture!("alertmanager_pagerduty_v1_trigger")), @r#"
    [0123456789abcdef0123456789abcdef] trigger critical `[FIRING:1] V1` from `Alertmanager` key `704ed52a`
      link http://vm:18095/#/alerts?receiver=v1 `Alertmanager`
      client: "Alertmanager"
      firing: "Labels:\n - alertname = V1\n"
      num_firing: "1"
      num_resolved: "0"
      resolved: ""
    "#);
    insta::assert_snapshot!(read(fixture!("pypd_v1")), @r#"
    [SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS] trigger critical `d` from `c` key `i1`
      link http://x ``
      client: "c"
      x: "y"
    "#);
}

#[test]
fn nulls_of_pygerduty_are_absent() {
    let raw = br#"{"service_key":"k","event_type":"resolve","incident_key":"i","description":null,
        "details":null,"client":null,"client_url":null,"contexts":null}"#;
    insta::assert_snapshot!(read(raw), @"[k] resolve info `` from `Sender` key `i`");
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_real_service() {
    insta::assert_snapshot!(read(br#"{"service_key":"k","event_type":"page"}"#), @r"
    [k] /event_type: unknown_value: event_type is invalid (must be one of: trigger acknowledge resolve)
    ");
    insta::assert_snapshot!(read(br#"{"event_type":"acknowledge"}"#), @r"
    [no key] /incident_key: missing: incident_key is missing or blank
    ");
    insta::assert_snapshot!(read(br#"{"event_type":"trigger"}"#), @r"
    [no key] /description: missing: description is missing or blank
    ");
    insta::assert_snapshot!(read(b"nothing"), @"[no key] unreadable: expected a JSON object");
}
