//! Tests of Alertmanager's webhook.

use super::super::sample::{fixture, told};
use super::*;

#[test]
fn a_firing_group_is_an_event_for_each_alert() {
    insta::assert_snapshot!(told(&parse(fixture!("alertmanager_webhook_firing"))), @r#"
    trigger critical `Disk 99% full` from `db1:9100` key `422449101b673b62`
      at 2026-11-20T09:58:55.459342124Z
      link http://wiki/d `Runbook`
      link http://prom:9090/graph?g0.expr=x `Expression`
      link http://vm:18093 `Alertmanager`
      annotations: {"description":"/var on db1","runbook":"http://wiki/d","summary":"Disk 99% full"}
      group_key: "{}:{alertname=\"DiskFull\", cluster=\"c1\"}"
      labels: {"alertname":"DiskFull","cluster":"c1","instance":"db1:9100","severity":"critical"}
      receiver: "all"
    trigger critical `Disk 98% full` from `db2:9100` key `1a04ebd5520db443`
      at 2026-11-20T09:58:55.459342124Z
      link http://vm:18093 `Alertmanager`
      annotations: {"summary":"Disk 98% full"}
      group_key: "{}:{alertname=\"DiskFull\", cluster=\"c1\"}"
      labels: {"alertname":"DiskFull","cluster":"c1","instance":"db2:9100","severity":"critical"}
      receiver: "all"
    "#);
}

#[test]
fn a_resolved_group_resolves_each_alert() {
    insta::assert_snapshot!(told(&parse(fixture!("alertmanager_webhook_resolved"))), @r#"
    resolve critical `Disk 99% full` from `db1:9100` key `422449101b673b62`
      at 2025-12-31T00:00:00Z
      link http://vm:18093 `Alertmanager`
      annotations: {"description":"/var on db1","summary":"Disk 99% full"}
      group_key: "{}:{alertname=\"DiskFull\", cluster=\"c1\"}"
      labels: {"alertname":"DiskFull","cluster":"c1","instance":"db1:9100","severity":"critical"}
      receiver: "all"
    resolve critical `Disk 98% full` from `db2:9100` key `1a04ebd5520db443`
      at 2025-12-31T00:00:00Z
      link http://vm:18093 `Alertmanager`
      annotations: {"summary":"Disk 98% full"}
      group_key: "{}:{alertname=\"DiskFull\", cluster=\"c1\"}"
      labels: {"alertname":"DiskFull","cluster":"c1","instance":"db2:9100","severity":"critical"}
      receiver: "all"
    "#);
}

#[test]
fn one_of_a_firing_group_may_be_over() {
    let raw = br#"{"status":"firing","alerts":[
        {"status":"resolved","labels":{"alertname":"A"},"annotations":null,"fingerprint":"f1"},
        {"status":"firing","labels":{"alertname":"B","severity":"info"}}],"truncatedAlerts":3}"#;
    insta::assert_snapshot!(told(&parse(raw)), @r#"
    resolve high `A` from `Alertmanager` key `f1`
      labels: {"alertname":"A"}
      truncated_alerts: 3
    trigger info `B` from `Alertmanager` key `f8b576674afb3041`
      labels: {"alertname":"B","severity":"info"}
      truncated_alerts: 3
    "#);
}

#[test]
fn a_body_without_alerts_is_refused() {
    insta::assert_snapshot!(told(&parse(br#"{"text":"hello"}"#)), @r"
    /alerts: missing: alerts is missing
    ");
    insta::assert_snapshot!(told(&parse(b"")), @r"
    unreadable: EOF while parsing a value at line 1 column 0
    ");
}
