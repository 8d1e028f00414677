//! Recovery does not hurt: dispatch stood still for twenty minutes with much owed, and goes on.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World};

on_each_database! {
    recovery_does_not_hurt
    a_level_has_its_whole_time_after_a_stall
}

/// Alerts raised in each quarter of the stall, critical and low; of ten, six are over when it ends.
const RAISED: usize = 100;

/// Says what happened to something at the checkout, or elsewhere.
async fn say(w: &World, integration: &str, action: &str, (key, severity): (&str, &str)) {
    let event = json!({
        "action": action, "summary": key, "severity": severity, "source": "test", "dedup_key": key,
    });
    w.post_event(integration, event).await;
}

/// Waits until everything that was said is decided.
async fn decided(w: &World) {
    w.until("all is decided", async || w.sums().await.pending == 0).await;
}

/// What is raised in one quarter of the stall.
async fn raise(w: &World, quarter: usize) {
    for number in 0..RAISED {
        for severity in ["critical", "low"] {
            say(w, "checkout", "trigger", (&key(quarter, number, severity), severity)).await;
        }
    }
    decided(w).await;
}

/// Six of ten are over before anybody was told: five were resolved, one was acknowledged.
async fn most_is_over(w: &World, quarter: usize) {
    for number in (0..RAISED).filter(|number| number % 10 < 6) {
        let action = if number % 10 == 5 { "acknowledge" } else { "resolve" };
        for severity in ["critical", "low"] {
            say(w, "checkout", action, (&key(quarter, number, severity), severity)).await;
        }
    }
    decided(w).await;
}

fn key(quarter: usize, number: usize, severity: &str) -> String {
    let state = if number % 10 < 6 { "over" } else { "open" };
    format!("{state} {severity} {quarter}-{number}")
}

async fn recovery_does_not_hurt(w: World) {
    w.hold_dispatch(true).await;
    for quarter in 0..4 {
        raise(&w, quarter).await;
        w.clock.push(SignedDuration::from_mins(5));
    }
    w.clock.push(SignedDuration::from_mins(1));
    for quarter in 0..4 {
        most_is_over(&w, quarter).await;
    }
    let before = w.sums().await;
    assert_eq!(
        before.owed,
        4 * 100 * (3 + 1),
        "three ways for each critical one, mail for the rest"
    );
    assert_eq!(before.ended.cancelled, before.owed * 6 / 10);

    // The operator sees what it comes to, before it goes out.
    let plan = w.backlog().await.plan;
    assert_eq!((plan.total.total(), plan.total.dropped()), (640, 0), "{plan:?}");
    assert_eq!((plan.total.sent, plan.total.digested), (480, 160), "{plan:?}");

    w.hold_dispatch(false).await;
    // A new page is on time from the first moment.
    say(&w, "nowhere", "trigger", ("something new", "critical")).await;
    w.phone(PRIYA).wait_for_text("something new", LIMIT).await.unwrap();
    w.settle().await;
    let drain = w.backlog().await.drain.unwrap();
    assert!(drain.per_second > 0.0 && drain.share < 100, "{drain:?}");

    // One message by each way, which says that it is late; and one digest.
    let texts = w.phone(LENA).texts();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].body.starts_with("160 alerts, worst CRIT"), "{}", texts[0].body);
    assert!(texts[0].body.contains("21 min late"), "{}", texts[0].body);
    w.forward(120).await;
    let mails = w.lab.mailbox("lena@halden.example").mails();
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(mails.len(), 2, "one with what is urgent, one digest: {subjects:?}");
    assert!(subjects[1].starts_with("160 alerts are open"), "{subjects:?}");
    let digest = &mails[1].text;
    assert!(digest.contains("400 more were resolved meanwhile"), "{digest}");
    for said in texts.iter().map(|it| &it.body).chain(mails.iter().map(|it| &it.text)) {
        assert!(!said.contains("over critical") && !said.contains("over low"), "stale: {said}");
    }

    // Nobody else was told because of us.
    let told = w.phone(PRIYA).texts();
    assert_eq!(told.len(), 1, "only what is new: {told:?}");
    let after = w.sums().await;
    assert!(after.balanced());
    assert_eq!(after.ended.expired, 0, "{after:?}");
    assert_eq!(after.waiting, 160, "the call nobody took rings once more: {after:?}");
    w.end().await;
}

async fn a_level_has_its_whole_time_after_a_stall(w: World) {
    w.hold_dispatch(true).await;
    say(&w, "checkout", "trigger", ("db1 is down", "critical")).await;
    decided(&w).await;
    for _ in 0..4 {
        w.clock.push(SignedDuration::from_mins(5));
        // Each time anew: a look that comes later would find other times.
        let stands = async || {
            let waits = w.alert(1).await["escalation"].take();
            let deadline = waits["deadline"].as_str().unwrap_or_default().parse::<Timestamp>();
            deadline.is_ok_and(|at| at > w.clock.now())
        };
        w.until("the clock stands", stands).await;
    }
    assert!(w.why("1").await.contains("Level 1 has more time"));
    w.clock.push(SignedDuration::from_mins(1));
    w.hold_dispatch(false).await;
    w.phone(LENA).wait_for_text("21 min late", LIMIT).await.unwrap();
    w.settle().await;
    w.forward(299).await;
    assert!(w.phone(PRIYA).texts().is_empty(), "{}", w.why("1").await);
    w.forward(1).await;
    w.phone(PRIYA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    let why = w.why("1").await;
    assert!(why.contains("has its whole time from its first page on"), "{why}");
    w.end().await;
}
