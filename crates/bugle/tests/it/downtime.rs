//! What Bugle makes of the time in which it was not there.

use crate::on_each_database;
use crate::world::{LENA, World};

on_each_database! {
    an_alert_that_lasts_over_a_downtime_pages_nobody_twice
    an_alert_that_ended_during_a_downtime_ends_when_its_sender_stays_silent
    an_end_that_passes_while_we_listen_stands
}

/// What Prometheus gives an alert with its defaults: four minutes.
const LIVES_S: i64 = 240;

async fn an_alert_that_lasts_over_a_downtime_pages_nobody_twice(mut w: World) {
    w.prometheus_sends(&[("DiskFull", LIVES_S)]).await;
    w.post("/api/v1/alerts/1/acknowledge", serde_json::json!({})).await;
    w.down_for(3_600).await;
    assert_eq!(w.status(1).await, "acknowledged", "its sender could not renew it");
    w.forward(60).await;
    w.prometheus_sends(&[("DiskFull", LIVES_S)]).await;
    w.forward(180).await;
    w.prometheus_sends(&[("DiskFull", LIVES_S)]).await;
    assert_eq!(w.status(1).await, "acknowledged");
    assert_eq!(w.alert(1).await["event_count"], 3);
    assert_eq!(w.phone(LENA).texts().len(), 1);
    let why = w.why("1").await;
    assert!(why.contains("alerting: Bugle could not be reached for a while"), "{why}");
    w.end().await;
}

async fn an_alert_that_ended_during_a_downtime_ends_when_its_sender_stays_silent(mut w: World) {
    w.prometheus_sends(&[("DiskFull", LIVES_S), ("Slow", LIVES_S)]).await;
    w.down_for(3_600).await;
    w.forward(30).await;
    w.prometheus_sends(&[("Slow", -60)]).await;
    assert_eq!(w.status(2).await, "resolved", "said in so many words");
    assert_eq!(w.status(1).await, "open");
    w.forward(180).await;
    assert_eq!(w.status(1).await, "open");
    w.forward(45).await;
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
    w.end().await;
}

async fn an_end_that_passes_while_we_listen_stands(mut w: World) {
    w.down_for(3_600).await;
    w.prometheus_sends(&[("DiskFull", LIVES_S)]).await;
    w.down_for(5).await;
    w.forward(LIVES_S).await;
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
    let why = w.why("1").await;
    assert!(!why.contains("could not be reached"), "{why}");
    w.end().await;
}
