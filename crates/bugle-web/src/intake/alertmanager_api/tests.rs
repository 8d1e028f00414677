//! Tests of the Alertmanager API's dialect.

use super::super::sample::{fixture, told};
use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn prometheus_alerts_fire_until_their_end_has_passed() {
    let raw = fixture!("prometheus_firing");
    insta::assert_snapshot!(told(&parse(raw, at("2026-11-20T10:13:45Z"))), @r#"
    trigger critical `always 1` from `c1` key `b5bd11e7013ac18a`
      at 2026-11-20T10:13:41.632Z
      until 2026-11-20T10:13:55.632Z
      link http://vm:18141/graph?g0.expr=vector%281%29&g0.tab=1 `Expression`
      annotations: {"summary":"always 1"}
      labels: {"alertname":"AlwaysOn","cluster":"c1","severity":"critical"}
    "#);
    insta::assert_snapshot!(told(&parse(raw, at("2026-11-20T10:13:56Z"))), @r#"
    resolve critical `always 1` from `c1` key `b5bd11e7013ac18a`
      at 2026-11-20T10:13:41.632Z
      link http://vm:18141/graph?g0.expr=vector%281%29&g0.tab=1 `Expression`
      annotations: {"summary":"always 1"}
      labels: {"alertname":"AlwaysOn","cluster":"c1","severity":"critical"}
    "#);
}

#[test]
fn an_alert_sent_again_is_the_same_alert() {
    let now = at("2026-11-20T10:13:45Z");
    let key = |raw: &[u8]| parse(raw, now).unwrap()[0].dedup_key.clone();
    assert_eq!(key(fixture!("prometheus_firing")), key(fixture!("prometheus_third")));
}

#[test]
fn amtool_alerts_have_a_zero_begin() {
    let raw = fixture!("amtool_add");
    insta::assert_snapshot!(told(&parse(raw, at("2026-11-20T10:13:45Z"))), @r#"
    trigger critical `x y` from `Alertmanager` key `4a70cfed91c5789c`
      until 2027-01-01T00:00:00Z
      annotations: {"summary":"x y"}
      labels: {"alertname":"Foo","severity":"critical"}
    "#);
}

#[test]
fn an_alert_without_an_end_lives_five_minutes() {
    let raw = br#"[{"labels":{"alertname":"A","empty":""},"endsAt":null}]"#;
    let events = parse(raw, at("2026-11-20T10:00:00Z")).unwrap();
    assert_eq!(events[0].ends_at, Some(at("2026-11-20T10:05:00Z")));
    assert_eq!(events[0].details["labels"].to_string(), r#"{"alertname":"A"}"#);
}

#[test]
fn an_alert_without_labels_is_refused_and_the_others_are_not() {
    let now = at("2026-11-20T10:00:00Z");
    insta::assert_snapshot!(told(&parse(br#"[{"labels":{}}]"#, now)), @r"
    /0/labels: missing: at least one label pair required
    ");
    let raw = br#"[{"labels":{}},{"labels":{"alertname":"A"}}]"#;
    assert_eq!(parse(raw, now).unwrap().len(), 1);
    insta::assert_snapshot!(told(&parse(br#"{"labels":{}}"#, now)), @r"
    unreadable: invalid type: map, expected a sequence at line 1 column 0
    ");
}
