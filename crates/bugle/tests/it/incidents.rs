//! Major incidents that people declare: the room, what two do at once, promises, and the report.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::on_each_database;
use crate::world::{LENA, LIMIT, PRIYA, World};

on_each_database! {
    an_incident_is_led_from_an_alert_to_its_report
    what_many_do_at_once_is_all_kept
    whoever_promised_an_update_is_told_when_it_is_due
    the_public_is_told_from_the_room
    whoever_declares_can_have_the_public_told_at_once
    somebody_is_paged_from_the_room_and_answers
}

impl World {
    async fn declare(&self, new: Value) -> String {
        let made = self.post("/api/v1/incidents", new).await;
        made["incident"]["id"].as_str().unwrap().to_owned()
    }

    async fn say(&self, id: &str, text: &str) -> (u16, Value) {
        self.try_post(&format!("/api/v1/incidents/{id}/say"), json!({ "text": text })).await
    }

    /// The report in the form that is asked for: its media type and its text.
    async fn report(&self, id: &str, accept: &str) -> (String, String) {
        let url = format!("{}/api/v1/incidents/{id}/report", self.base);
        let request = reqwest::Client::new().get(url).bearer_auth(&self.api_key);
        let answer = request.header("accept", accept).send().await.unwrap();
        assert!(answer.status().is_success());
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, answer.text().await.unwrap())
    }

    async fn room(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/incidents/{id}")).await
    }
}

/// What the timeline says from one source.
fn from<'a>(view: &'a Value, source: &str) -> Vec<&'a str> {
    let lines = view["timeline"].as_array().unwrap().iter();
    let lines = lines.filter(|line| line["source"] == source);
    lines.map(|line| line["text"].as_str().unwrap()).collect()
}

async fn an_incident_is_led_from_an_alert_to_its_report(w: World) {
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    let id = w.declare(json!({ "alert": 1, "affected": "Checkout", "severity": "major" })).await;
    w.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    let view = w.room(&id).await;
    assert_eq!(view["incident"]["title"], "db1 is down");
    assert_eq!(view["incident"]["roles"]["commander"]["name"], LENA);
    assert_eq!(view["incident"]["origin"]["number"], 1);
    assert!(from(&view, "page")[0].starts_with("#1: "), "{view}");
    assert!(from(&view, "answer")[0].contains("acknowledged"), "{view}");
    for line in view["timeline"].as_array().unwrap() {
        assert!(line["link"].as_str().unwrap().starts_with('/'), "{line}");
    }

    let (status, error) = w.say(&id, "/lead Priya").await;
    assert_eq!((status, error["type"].as_str()), (422, Some("/docs/errors#incident_refused")));
    let (status, error) = w.say(&id, "/status identified: the disk").await;
    assert_eq!((status, error["code"].as_str()), (409, Some("incident_not_public")), "{error}");
    let (status, error) = w.say(&id, "/laed Priya").await;
    assert_eq!((status, error["type"].as_str()), (422, Some("/docs/errors#no_command")));
    for said in [
        "/lead Priya: I am off at six",
        "/task Call the bank",
        "/update We are on it.",
        "it was the disk",
        "/mitigated",
        "/close the disk is new",
    ] {
        let (status, answer) = w.say(&id, said).await;
        assert_eq!(status, 200, "{said}: {answer}");
    }
    let view = w.room(&id).await;
    assert_eq!(from(&view, "note"), [format!("{LENA}: it was the disk")]);
    assert_eq!(from(&view, "role").len(), 2);
    let timings = &view["incident"]["timings"];
    for known in ["detect_s", "declare_s", "first_post_s", "mitigate_s"] {
        assert!(timings[known].is_i64(), "{known}: {timings}");
    }
    assert_eq!(view["incident"]["status"], "closed");
    assert_eq!(w.say(&id, "/join").await.0, 409, "it is over");
    assert_eq!(w.say(&id, "the vendor called").await.0, 200, "notes are still taken");

    // The report's numbers are the ledger's.
    w.settle().await;
    let report = w.app().incident_report(&w.operator().await, id.parse().unwrap()).await.unwrap();
    let (total, sums) = (report.total(), w.sums().await);
    assert_eq!((total.accepted, total.owed), (sums.accepted, sums.owed), "{total:?}");
    assert!(sums.accepted > 0 && sums.owed > 0 && !total.harmed(), "{total:?}");
    let text = report.markdown();
    assert!(text.contains("## Why did it happen?") && text.contains("| Call the bank |"), "{text}");
    assert_eq!(w.report(&id, "*/*").await, ("text/markdown; charset=utf-8".to_owned(), text));
    let (kind, html) = w.report(&id, "text/html").await;
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(html.contains("<h2 id=\"why-did-it-happen\">"), "{html}");
    let (_, json) = w.report(&id, "application/json").await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["total"]["owed"], total.owed);
    w.end().await;
}

async fn somebody_is_paged_from_the_room_and_answers(w: World) {
    let id = w.declare(json!({ "title": "everything is slow" })).await;
    assert_eq!(w.say(&id, "/page Priya").await.0, 422, "she wants to know why");
    assert_eq!(w.say(&id, "/page Nobody: look").await.0, 422);
    assert_eq!(w.say(&id, "/page Priya: the disk of db1").await.0, 200);
    w.phone(PRIYA).wait_for_text("needs you: the disk of db1", LIMIT).await.unwrap();
    let view = w.room(&id).await;
    let pages = from(&view, "page");
    assert!(pages.contains(&format!("{LENA} pages {PRIYA}: the disk of db1").as_str()), "{view}");
    assert!(pages.contains(&format!("#1: Level 1: {PRIYA} is paged.").as_str()), "{view}");
    let opened = &w.get("/api/v1/alerts/1").await["alert"];
    assert_eq!(opened["policy"], PRIYA, "{opened}");
    let (status, refused) = w.say(&id, "/page Priya: and now").await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("paged_already")), "{refused}");
    w.phone(PRIYA).reply("4").await.unwrap();
    w.until("she has it", || async {
        from(&w.room(&id).await, "answer").iter().any(|line| line.contains("acknowledged"))
    })
    .await;

    // Who has answered can be woken again.
    w.clock.push(SignedDuration::from_secs(90));
    assert_eq!(w.say(&id, "/page Priya: failover broke").await.0, 200);
    w.phone(PRIYA).wait_for_text("failover broke", LIMIT).await.unwrap();

    // Whoever has not answered is left in peace when it is over.
    assert_eq!(w.say(&id, "/page me: the bank").await.0, 200);
    w.phone(LENA).wait_for_text("the bank", LIMIT).await.unwrap();
    assert_eq!(w.say(&id, "/close it is fast again").await.0, 200);
    w.until("the page is over", || async {
        w.get("/api/v1/alerts/3").await["alert"]["status"] == "resolved"
    })
    .await;
    w.end().await;
}

async fn what_many_do_at_once_is_all_kept(w: World) {
    let id = w.declare(json!({ "title": "everything is slow" })).await;
    let hand = |text: &'static str| {
        let (w, id) = (&w, &id);
        async move {
            for number in 0..3 {
                assert_eq!(w.say(id, &format!("{text} {number}")).await.0, 200);
            }
        }
    };
    tokio::join!(hand("/task do"), hand("noted"), hand("/task do also"), hand("noted, too"));
    let view = w.room(&id).await;
    assert_eq!(view["incident"]["tasks"].as_array().unwrap().len(), 6);
    assert_eq!((from(&view, "task").len(), from(&view, "note").len()), (6, 6), "{view}");

    // A request that is sent twice declares once.
    let new = json!({ "title": "once" });
    let first = w.post_keyed("/api/v1/incidents", "key-1", new.clone()).await;
    let again = w.post_keyed("/api/v1/incidents", "key-1", new).await;
    assert_eq!((first.status, again.status, again.replayed), (201, 201, true));
    assert_eq!(first.body["incident"]["id"], again.body["incident"]["id"]);
    w.end().await;
}

async fn whoever_promised_an_update_is_told_when_it_is_due(w: World) {
    let id = w.declare(json!({ "title": "slow", "communications": "priya" })).await;
    assert_eq!(w.say(&id, "/next 2").await.0, 200);
    w.forward(110).await;
    assert!(w.phone(PRIYA).texts().is_empty(), "not yet");
    w.forward(30).await;
    w.phone(PRIYA).wait_for_text("Update due: slow", LIMIT).await.unwrap();
    let told = |view: &Value| from(view, "status").iter().filter(|it| it.contains("due")).count();
    assert_eq!(told(&w.room(&id).await), 1);
    w.forward(610).await;
    w.until("told again", || async { told(&w.room(&id).await) == 2 }).await;
    assert_eq!(w.say(&id, "/update It goes on.").await.0, 200);
    w.forward(620).await;
    assert_eq!(told(&w.room(&id).await), 2, "the promise was kept");
    w.end().await;
}

async fn whoever_declares_can_have_the_public_told_at_once(w: World) {
    let told = json!({ "state": "partial_outage", "components": ["sms"] });
    let new = json!({
        "title": "carrier A drops us", "affected": "Texts to some networks are late",
        "installation": true, "told": told,
    });
    let view = w.room(&w.declare(new).await).await;
    assert_eq!(view["incident"]["timings"]["first_post_s"], 0);
    let bulletins = w.get("/api/v1/bulletins").await;
    let bulletin = &bulletins["data"][0];
    assert_eq!(bulletin["incident"], view["incident"]["id"]);
    assert_eq!(bulletin["title"], "SMS notifications: partly failing");
    let text = bulletin["updates"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("Texts to some networks are late. Failing in part: SMS"), "{text}");
    assert!(bulletin["next_by"].is_string(), "the next one is promised");
    // Whoever gets it wrong has declared nothing.
    for (wrong, place) in [
        (json!({ "title": "x", "told": told }), "/told"),
        (
            json!({
                "title": "x", "installation": true,
                "told": { "state": "partial_outage", "components": [] },
            }),
            "/components",
        ),
    ] {
        let (status, error) = w.try_post("/api/v1/incidents", wrong).await;
        assert_eq!((status, &error["errors"][0]["pointer"]), (422, &json!(place)), "{error}");
    }
    assert_eq!(w.get("/api/v1/incidents").await["data"].as_array().unwrap().len(), 1);
    w.end().await;
}

async fn the_public_is_told_from_the_room(w: World) {
    let id = w.declare(json!({ "title": "mail is slow", "installation": true })).await;
    let (status, error) = w.say(&id, "/update Mail is slow.").await;
    assert_eq!((status, error["type"].as_str()), (409, Some("/docs/errors#public_not_told")));
    let trouble = json!({
        "incident": id, "title": "Mail is slow", "text": "We are looking.",
        "components": ["email"], "state": "degraded_performance",
    });
    let told = w.post("/api/v1/bulletins", trouble.clone()).await;
    assert_eq!(told["incident"], id);
    assert_eq!(w.try_post("/api/v1/bulletins", trouble).await.0, 409, "it is told of once");
    assert_eq!(w.say(&id, "/update It is the spool.").await.0, 200);
    assert_eq!(w.say(&id, "/status identified: The spool is full.").await.0, 200);
    let view = w.room(&id).await;
    let said = from(&view, "status");
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].ends_with("Cause found. The spool is full."), "{said:?}");
    let bulletin = told["id"].as_str().unwrap();
    let bulletin = w.get(&format!("/api/v1/bulletins/{bulletin}")).await;
    assert_eq!(bulletin["updates"][2]["phase"], "identified", "{bulletin}");
    let act = json!({ "act": "status", "phase": "monitoring", "text": "It is fast again." });
    w.post(&format!("/api/v1/incidents/{id}/acts"), act).await;
    assert_eq!(w.say(&id, "/status scheduled: at four").await.0, 422, "that is for maintenance");
    let view = w.room(&id).await;
    let said = from(&view, "status");
    assert!(said[1].ends_with("We are looking. It is the spool."), "{said:?}");
    assert_eq!(view["incident"]["timings"]["first_post_s"], 0);
    assert!(view["incident"]["next_update_by"].is_string(), "the next one is promised");
    w.end().await;
}
