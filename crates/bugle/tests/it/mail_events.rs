//! Events by mail: Python's SMTP client, Alertmanager and swaks write to an integration's address,
//! somebody is paged, and *Why?* holds the bytes of the mail.

use crate::commands::{bugle, said};
use crate::mail_in::{on_each_database_with_mail, takes_mail};
use crate::world::{LENA, LIMIT, World};

/// What every script begins with, beside a client and its mails: what is answered to one.
const SAID: &str = r"
def said(mail, to=to):
    client.ehlo_or_helo_if_needed(), client.mail('mon@mon.example')
    code, text = client.rcpt(to)
    if code == 250:
        code, text = client.data(mail.as_string())
    else:
        client.rset()
    print(code, text.decode())
";

impl World {
    /// The mail address of an integration, as the API shows it.
    pub(crate) async fn event_address(&self, integration: &str) -> String {
        let all = self.get("/api/v1/integrations").await;
        let all = all["data"].as_array().unwrap();
        let found = all.iter().find(|it| it["name"] == integration).unwrap();
        let path = format!("/api/v1/integrations/{}/address", found["id"].as_str().unwrap());
        self.get(&path).await["address"].as_str().unwrap().to_owned()
    }

    async fn answers_to(&self, to: &str, script: &str) -> Vec<String> {
        let said = self.python_mails(to, &format!("{SAID}{script}")).await;
        said.lines().map(str::to_owned).collect()
    }
}

/// The event that a mail became.
fn queued(said: &str) -> &str {
    said.strip_prefix("250 2.0.0 OK queued as ").unwrap_or_else(|| panic!("{said}"))
}

async fn a_mail_pages_once_and_its_end_ends_it(w: World) {
    let to = w.event_address("checkout").await;
    let script = "problem = mail(1, '** PROBLEM Service Alert: db1/disk is CRITICAL **', 'Full.')\n\
         said(problem)\nsaid(problem)\nsaid(mail(1, 'x', 'Changed on the way.'))\n\
         said(mail(2, 'Re: what is it', 'I look.', In_Reply_To='<1@home.example>'))\n\
         said(mail(3, '** RECOVERY Service Alert: db1/disk is OK **', 'Well.',\n\
                   Auto_Submitted='auto-generated'))\n";
    let said = w.answers_to(&to, script).await;
    let [first, again, changed, reply, end] = &said[..] else { panic!("{said:#?}") };
    assert_eq!(first, again, "the same mail is the same event");
    assert_eq!(first, changed, "a mail is known by its id");
    let event = queued(first);
    w.phone(LENA).wait_for_text("db1/disk is CRITICAL", LIMIT).await.unwrap();
    w.until("the end", || async { w.status(1).await == "resolved" }).await;
    let why = w.why(event).await;
    assert!(why.contains("(email)") && why.contains("Read as a trigger, critical"), "{why}");
    for folded in [reply, end] {
        let why = w.why(queued(folded)).await;
        assert!(why.contains("key \"Service Alert: db1/disk\""), "{why}");
    }
    let raw = w.http.get(format!("{}/api/v1/events/{event}/raw", w.base));
    let raw = raw.bearer_auth(&w.api_key).send().await.unwrap().text().await.unwrap();
    assert!(raw.contains("Subject: ** PROBLEM") && raw.contains("\r\n\r\nFull."), "{raw}");
    let alert = w.alert(1).await;
    assert_eq!((&alert["event_count"], &alert["details"]["text"]), (&3.into(), &"I look.".into()));
    assert_eq!(alert["source"], "lena@home.example");
    w.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_says_where_to_mail_to() {
    let w = World::watched(None, takes_mail).await;
    let output = bugle(&w, &["mail-address", "checkout"]).await;
    assert_eq!(said(&output).trim(), w.event_address("checkout").await);
    w.end().await;
    let without = World::in_real_time().await;
    let output = bugle(&without, &["mail-address", "checkout"]).await;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("takes no mail in"), "{told}");
    without.end().await;
}

async fn what_cannot_be_taken_is_refused_while_the_sender_listens(w: World) {
    let to = w.event_address("checkout").await;
    let all = w.get("/api/v1/integrations").await;
    let id = all["data"].as_array().unwrap().iter().find(|it| it["name"] == "checkout").unwrap();
    let id = id["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/integrations/{id}");
    let forged = format!("{}@in.example", "int-".to_owned() + &"a".repeat(52));
    let script = format!(
        "said(mail(1, 'x', 'x'), '{forged}')\n\
         said(mail(2, 'x', ('a' * 70 + '\\n') * 8000))\n\
         for number in range(3):\n    said(mail(10 + number, f'[key: {{number}}] low', 'x', X_Priority='5'))\n"
    );
    let mut draft = w.get(&path).await;
    let fields = draft.as_object_mut().unwrap();
    fields.remove("id");
    fields.remove("key_hint");
    fields.insert("quota_per_minute".to_owned(), 2.into());
    w.put(&path, draft.clone()).await;
    let said = w.answers_to(&to, &script).await;
    assert_eq!(said[0], "550 5.1.1 there is no such address here");
    assert_eq!(said[1], "552 5.3.4 the body is too long");
    assert!(said[2].starts_with("250 ") && said[3].starts_with("250 "), "{said:#?}");
    assert!(said[4].starts_with("451 4.3.2 this integration may send 2 events"), "{said:#?}");
    draft["disabled"] = true.into();
    w.put(&path, draft).await;
    let said = w.answers_to(&to, "said(mail(20, 'x', 'x'))").await;
    assert_eq!(said, ["550 5.2.1 this integration is disabled"]);
    let requests = w.get(&format!("{path}/requests")).await;
    let statuses = requests["data"].as_array().unwrap().iter().map(|it| it["status"].clone());
    let mut statuses: Vec<i64> = statuses.map(|it| it.as_i64().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [250, 250, 451, 552]);
    w.store.close().await;
    let said = w.answers_to(&to, "said(mail(30, 'x', 'x'))").await;
    assert_eq!(said, ["451 4.3.2 not now, come again"]);
    w.leave_files().await;
}

on_each_database_with_mail! {
    a_mail_pages_once_and_its_end_ends_it
    what_cannot_be_taken_is_refused_while_the_sender_listens
}
