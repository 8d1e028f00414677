//! Tests of PagerDuty Events v2.

use super::super::sample::{fixture, told};
use super::*;

fn read(raw: &[u8]) -> String {
    let said = parse(raw);
    format!("[{}] {}", said.key.as_deref().unwrap_or("no key"), told(&said.events))
}

#[test]
fn alertmanager_is_understood() {
    insta::assert_snapshot!(read(fixture!("alertmanager_pagerduty_v2_trigger")), @r#"
    [0123456789abcdef0123456789abcdef] trigger critical `[FIRING:2] DiskFull c1 (critical)` from `Alertmanager` key `bc835db4d4cee015f5d27a9079947e701ea27ab56ffb5e6e12db14fe1a730fc1`
      link http://example.test/runbook `Runbook`
      link http://vm:18093/#/alerts?receiver=all `Alertmanager`
      link http://example.test/ `img`
      link http://example.test/i.png `img`
      class: "DiskFull"
      client: "Alertmanager"
      component: "db"
      firing: "Labels:\n - alertname = DiskFull\n - cluster = c1\n - instance = db1:9100\n - severity = critical\nAnnotations:\n - description = /var on db1\n - runbook = http://wiki/d\n - summary = Disk 99% full\nSource: http://prom:9090/graph?g0.expr=x\nLabels:\n - alertname = DiskFull\n - cluster = c1\n - instance = db2:9100\n - severity = critical\nAnnotations:\n - summary = Disk 98% full\nSource: \n"
      group: "prod"
      num_firing: "2"
      num_resolved: "0"
      resolved: ""
    "#);
    insta::assert_snapshot!(read(fixture!("alertmanager_pagerduty_v2_resolve")), @r#"
    [0123456789abcdef0123456789abcdef] resolve info `[RESOLVED] DiskFull c1 (critical)` from `Alertmanager` key `bc835db4d4cee015f5d27a9079947e701ea27ab56ffb5e6e12db14fe1a730fc1`
      link http://example.test/runbook `Runbook`
      link http://vm:18093/#/alerts?receiver=all `Alertmanager`
      link http://example.test/ `img`
      link http://example.test/i.png `img`
      class: "DiskFull"
      client: "Alertmanager"
      component: "db"
      firing: ""
      group: "prod"
      num_firing: "0"
      num_resolved: "2"
      resolved: "Labels:\n - alertname = DiskFull\n - cluster = c1\n - instance = db1:9100\n - severity = critical\nAnnotations:\n - description = /var on db1\n - summary = Disk 99% full\nSource: \nLabels:\n - alertname = DiskFull\n - cluster = c1\n - instance = db2:9100\n - severity = critical\nAnnotations:\n - summary = Disk 98% full\nSource: \n"
    "#);
}

#[test]
fn the_python_client_is_understood() {
    insta::assert_snapshot!(read(fixture!("pagerduty_py_trigger")), @r"
    [0123456789abcdef0123456789abcdef] trigger critical `Disk full` from `db1` key ``
      link http://x `t`
      a: 1
    ");
    insta::assert_snapshot!(read(fixture!("pagerduty_py_trigger_all_fields")), @r#"
    [0123456789abcdef0123456789abcdef] trigger critical `Disk full` from `db1` key `disk/db1`
      at 2024-01-02T03:04:05.678Z
      class: "capacity"
      component: "disk"
      group: "prod"
    "#);
    insta::assert_snapshot!(read(fixture!("pagerduty_py_acknowledge")), @r"
    [0123456789abcdef0123456789abcdef] acknowledge info `` from `` key `disk/db1`
    ");
    insta::assert_snapshot!(read(fixture!("pagerduty_py_resolve")), @r"
    [0123456789abcdef0123456789abcdef] resolve info `` from `` key `disk/db1`
    ");
    let change = parse_change(fixture!("pagerduty_py_change"));
    insta::assert_snapshot!(told(&change.events), @r#"
    change info `deploy v1` from `ci` key ``
      at 2024-01-02T03:04:05Z
      build: "7"
    "#);
}

#[test]
fn pypd_is_understood() {
    insta::assert_snapshot!(read(fixture!("pypd_v2")), @r"
    [RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR] trigger high `s` from `h` key `k1`
      a: [1]
    ");
}

#[test]
fn null_is_absent_and_line_breaks_are_kept_out_of_summaries() {
    let raw = br#"{"routing_key":"k","event_action":"trigger","dedup_key":null,"client":null,
        "client_url":null,"links":null,"images":null,"payload":{"summary":"Disk\r\nfull \u00e9",
        "source":"db1","severity":"warning","timestamp":null,"component":null,
        "custom_details":"just text"}}"#;
    insta::assert_snapshot!(read(raw), @r#"
    [k] trigger medium `Disk full é` from `db1` key ``
      custom_details: "just text"
    "#);
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_real_service() {
    insta::assert_snapshot!(read(br#"{"routing_key":"k"}"#), @r"
    [k] /event_action: missing: 'event_action' is missing or blank
    /payload: missing: 'payload' is missing or blank
    ");
    insta::assert_snapshot!(read(br#"{"event_action":"page"}"#), @r"
    [no key] /event_action: unknown_value: 'event_action' is invalid (must be one of: trigger acknowledge resolve)
    /payload: missing: 'payload' is missing or blank
    ");
    insta::assert_snapshot!(
        read(br#"{"event_action":"trigger","payload":{"severity":"bad","summary":" "}}"#), @r"
    [no key] /payload/summary: missing: 'payload.summary' is missing or blank
    /payload/source: missing: 'payload.source' is missing or blank
    /payload/severity: unknown_value: 'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')
    "
    );
    insta::assert_snapshot!(read(br#"{"event_action":"resolve"}"#), @r"
    [no key] /dedup_key: missing: 'dedup_key' is missing or blank
    ");
    insta::assert_snapshot!(read(b"{"), @r"
    [no key] unreadable: EOF while parsing an object at line 1 column 1
    ");
}

#[test]
fn a_key_that_is_not_known_is_explained() {
    assert_eq!(key_fault(None), "'routing_key' is missing or blank");
    assert_eq!(
        key_fault(Some("abc")),
        "Length of 'routing_key' is incorrect (should be 32 characters)"
    );
    assert_eq!(key_fault(Some("a-b")), "'routing_key' cannot contain non-alphanumeric characters.");
    assert_eq!(key_fault(Some(&"a".repeat(32))), "Invalid routing key");
}
