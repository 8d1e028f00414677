//! The status page: told by itself within seconds, read by real clients, and there when nothing
//! else is.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bugle::config::MailIn;
use bugle_app::UseCaseError;
use bugle_app::status::{DraftedBulletin, NewMaintenance, NewTrouble, Post, StatusError};
use bugle_domain::stage::Stage;
use bugle_engine::status::bulletin::Phase;
use bugle_engine::status::{Component, State};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Command;

use crate::clients::{free_port, listens};
use crate::watch::quick;
use crate::world::{LENA, LIMIT, World, critical, new_schema, variable};

/// From a break to the first word.
const TOLD_WITHIN: Duration = Duration::from_secs(15);

impl World {
    /// A file of the status page, as the node serves it.
    async fn public(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("{}/{path}", self.base)).await.unwrap()
    }

    async fn public_json(&self, path: &str) -> Value {
        self.public(&format!("api/v2/{path}.json")).await.json().await.unwrap_or_default()
    }

    async fn until_published(&self) {
        self.until("the page is written", || async {
            self.public("index.txt").await.text().await.unwrap().contains("Everything works.")
        })
        .await;
    }

    /// Waits until a trouble is told of; gives how long that took.
    async fn until_told(&self) -> Duration {
        let began = Instant::now();
        self.until("it is told", || async {
            let open = self.public_json("incidents/unresolved").await;
            open["incidents"].as_array().is_some_and(|all| !all.is_empty())
        })
        .await;
        began.elapsed()
    }

    async fn until_over(&self) -> Value {
        self.until("it is over", || async {
            let told = self.public_json("incidents").await;
            told["incidents"][0]["status"] == "resolved"
        })
        .await;
        self.public_json("incidents").await["incidents"].take()
    }
}

/// What was said, oldest first.
fn phases(incident: &Value) -> Vec<&str> {
    let updates = incident["incident_updates"].as_array().unwrap().iter().rev();
    updates.map(|update| update["status"].as_str().unwrap()).collect()
}

fn states(summary: &Value) -> Vec<String> {
    let all = summary["components"].as_array().unwrap().iter();
    all.map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect()
}

async fn a_break_is_told_within_seconds_and_so_is_its_end(world: World) {
    world.until_green().await;
    world.until_published().await;
    world.app().hold(Stage::Dispatch, true).await;
    let took = world.until_told().await;
    assert!(took <= TOLD_WITHIN, "{took:?}");
    let summary = world.public_json("summary").await;
    let wanted = [
        "intake operational",
        "web operational",
        "api operational",
        "integrations major_outage",
        "email major_outage",
        "sms major_outage",
        "voice major_outage",
    ];
    assert_eq!(states(&summary), wanted);
    let body = summary["incidents"][0]["incident_updates"][0]["body"].as_str().unwrap();
    assert!(body.contains("no notifications go out") && body.contains("Next update by"), "{body}");
    let page = world.public("status").await.text().await.unwrap();
    assert!(page.contains("Notifications are late"), "{page}");

    world.app().hold(Stage::Dispatch, false).await;
    let told = world.until_over().await;
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(phases(&told[0]), ["investigating", "monitoring", "resolved"]);
    assert_eq!(told[0]["components"].as_array().unwrap().len(), 4);
    let summary = world.public_json("summary").await;
    assert!(states(&summary).iter().all(|it| it.ends_with(" operational")), "{summary}");

    // The incident's own timeline says what the public was told.
    let operator = world.operator().await;
    let (room, _) = world.app().incidents(&operator).await.unwrap().remove(0);
    let view = world.app().incident(&operator, room.id).await.unwrap();
    let lines = view.lines.iter().filter(|line| line.source == "status");
    let lines: Vec<&str> = lines.map(|line| line.text.as_str()).collect();
    assert_eq!(lines[0], "Status page: Notifications are late. We are looking.");

    // And its report how long everything took.
    let report = world.app().incident_report(&operator, room.id).await.unwrap();
    let timings = view.room.timings();
    assert!(timings.first_post_s.is_some_and(|it| it <= 15), "{timings:?}");
    assert!(timings.mitigate_s.is_some() && timings.drain_s.is_some(), "{timings:?}");
    assert!(report.markdown().contains("The watch declared it at "), "{}", report.markdown());
    assert!(report.evidence.is_some() && report.lines.len() > 3);
    world.end().await;
}

mod a_break_is_told_within_seconds_and_so_is_its_end {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        let world = World::watched(None, quick).await;
        super::a_break_is_told_within_seconds_and_so_is_its_end(world).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let world = World::watched(Some(new_schema().await), quick).await;
        super::a_break_is_told_within_seconds_and_so_is_its_end(world).await;
    }
}

/// Tables are locked, so that the database answers nothing that matters. What the page says
/// meanwhile comes from memory, and is kept when it answers again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stands_still_is_told_and_keeps_nobody_from_the_page() {
    let url = new_schema().await;
    let world = World::watched(Some(url.clone()), quick).await;
    world.until_green().await;
    world.until_published().await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    let tables = "events, incidents, watch_reports, status_bulletins, status_spans";
    let lock = format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
    sqlx::query(sqlx::AssertSqlSafe(lock)).execute(&mut *holder).await.unwrap();

    let took = world.until_told().await;
    assert!(took <= TOLD_WITHIN, "{took:?}");
    let began = Instant::now();
    let text = world.public("index.txt").await.text().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(text.contains("status: Bugle is down."), "{text}");
    let told = world.public_json("incidents/unresolved").await["incidents"].take();
    holder.rollback().await.unwrap();

    let kept = world.until_over().await;
    assert_eq!(kept.as_array().unwrap().len(), 1, "it is told once: {kept}");
    assert_eq!((&kept[0]["id"], &kept[0]["created_at"]), (&told[0]["id"], &told[0]["created_at"]));
    assert_eq!(phases(&kept[0])[0], "investigating");
    pool.close().await;
    world.settle().await;
    world.end().await;
}

fn post(drafted: &DraftedBulletin, phase: Phase, text: &str) -> Post {
    Post { version: drafted.version, phase: Some(phase), text: text.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_over_says_it_all_and_is_given_drafts() {
    let world = World::watched(None, quick).await;
    let (app, operator) = (world.app(), world.operator().await);
    world.until_green().await;
    world.until_published().await;
    app.hold(Stage::Dispatch, true).await;
    world.until_told().await;
    // The page is written before the database has it.
    world
        .until("it is kept", || async {
            !app.status_desk(&operator).await.unwrap().bulletins.is_empty()
        })
        .await;
    let told = app.status_desk(&operator).await.unwrap().bulletins.remove(0);
    let id = told.bulletin.id;
    let mine = app.take_over_bulletin(&operator, id, true).await.unwrap();
    let late = app.post_update(&operator, id, post(&told, Phase::Identified, "Late.")).await;
    assert!(matches!(late, Err(StatusError::Overtaken)), "{late:?}");
    let text = "A clean-up went wrong.";
    let said = app.post_update(&operator, id, post(&mine, Phase::Identified, text)).await.unwrap();

    app.hold(Stage::Dispatch, false).await;
    world
        .until("it could be said that it is over", || async {
            app.bulletin(&operator, id).await.unwrap().draft.phase == Phase::Resolved
        })
        .await;
    let open = world.public_json("incidents/unresolved").await["incidents"].take();
    assert_eq!(phases(&open[0]), ["investigating", "identified"], "nothing was said by itself");
    let drafted = app.bulletin(&operator, id).await.unwrap();
    let text = drafted.draft.text.clone();
    assert_eq!(drafted.version, said.version, "and nothing was changed");
    app.post_update(&operator, id, post(&drafted, Phase::Resolved, &text)).await.unwrap();
    let over = world.until_over().await;
    assert!(over[0]["incident_updates"][0]["body"].as_str().unwrap().starts_with("It is over."));
    let page = world.public("history.html").await.text().await.unwrap();
    assert!(page.contains("A clean-up went wrong.") && !page.contains("Lena"), "{page}");
    world.settle().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_watch_does_not_see_people_tell() {
    let world = World::watched(None, quick).await;
    let (app, operator) = (world.app(), world.operator().await);
    world.until_green().await;
    world.until_published().await;
    let wrong = app.tell_trouble(&operator, NewTrouble::default()).await.unwrap_err();
    let fields: Vec<&str> = wrong.problems().iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(fields, ["/text", "/title", "/components", "/state"]);
    let wrong = app.plan_maintenance(&operator, NewMaintenance::default()).await.unwrap_err();
    let fields: Vec<&str> = wrong.problems().iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(fields, ["/text", "/title", "/components", "/from", "/until"]);
    let new = NewTrouble {
        incident: None,
        title: "Pages are slow".to_owned(),
        text: "We look into it.".to_owned(),
        state: Some(State::Degraded),
        components: vec![Component::Web],
    };
    let id = app.tell_trouble(&operator, new).await.unwrap();
    world.until_told().await;
    let summary = world.public_json("summary").await;
    assert!(states(&summary).contains(&"web degraded_performance".to_owned()), "{summary}");
    // The same by the API, with the key of an operator.
    let told = world.get(&format!("/api/v1/bulletins/{id}")).await;
    assert_eq!((&told["kind"], &told["updates"][0]["by"]), (&"trouble".into(), &LENA.into()));
    let over = json!({ "version": told["version"], "phase": "resolved", "text": "It is over." });
    let said = world.post(&format!("/api/v1/bulletins/{id}/updates"), over).await;
    assert_eq!(said["open"], false, "{said}");
    world.until_over().await;
    let summary = world.public_json("summary").await;
    assert!(states(&summary).contains(&"web operational".to_owned()), "{summary}");
    world.end().await;
}

/// Runs a script with an address.
async fn run(program: &str, arguments: &[&str], base: &str) -> String {
    let mut command = Command::new(variable(program));
    command.args(arguments).arg(base);
    command.env("NODE_PATH", variable("BUGLE_TEST_NODE_MODULES"));
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The npm client, which knows no host but Statuspage's own. What it calls active work is asked for
/// under the name of upcoming work, so that is not asked of it.
const STATUSPAGE: &str = "
    const { Statuspage } = require('statuspage.io');
    const client = new Statuspage('bugle');
    client.apiClient.defaults.baseURL = process.argv[1];
    (async () => {
      const { api } = client;
      const [summary, status, all] =
        await Promise.all([api.getSummary(), api.getStatus(), api.getComponents()]);
      const { incidents } = api;
      const [told, open] = await Promise.all([incidents.getAll(), incidents.getUnresolved()]);
      const works = api.scheduledMaintenances;
      const [work, upcoming] = await Promise.all([works.getAll(), works.getUpcoming()]);
      console.log(JSON.stringify([summary.page.name, status.status.description,
        all.components.length, told.incidents.length, open.incidents.length,
        work.scheduled_maintenances.length,
        upcoming.scheduled_maintenances.map(it => it.name)]));
    })().catch(error => { console.error(error); process.exit(1); });
";

const FEEDS: &str = "
import sys, feedparser
for name in ['atom', 'rss']:
    feed = feedparser.parse(sys.argv[1] + '/history.' + name)
    assert not feed.bozo, feed.bozo_exception
    entry = feed.entries[0]
    assert feed.feed.title == 'Bugle status', feed.feed.title
    assert entry.updated_parsed or entry.published_parsed
    print(len(feed.entries), entry.title)
";

const CALENDAR: &str = "
import sys, urllib.request, icalendar
text = urllib.request.urlopen(sys.argv[1] + '/maintenance.ics').read()
calendar = icalendar.Calendar.from_ical(text)
for event in calendar.walk('VEVENT'):
    assert not event.errors, event.errors
    print(event['SUMMARY'], event.decoded('DTEND') - event.decoded('DTSTART'))
";

async fn work(world: &World) {
    let from = world.clock.now() + SignedDuration::from_hours(24);
    let new = NewMaintenance {
        title: "Database move, reading only".to_owned(),
        text: "Pages can be read, not changed.".to_owned(),
        components: vec![Component::Web],
        from: Some(from),
        until: Some(from + SignedDuration::from_mins(90)),
    };
    let operator = world.operator().await;
    world.app().plan_maintenance(&operator, new).await.unwrap();
    world
        .until("it is announced", || async {
            let upcoming = world.public_json("scheduled-maintenances/upcoming").await;
            upcoming["scheduled_maintenances"].as_array().is_some_and(|it| it.len() == 1)
        })
        .await;
}

async fn all_clients_read(base: &str) {
    let said = run("BUGLE_TEST_NODE", &["-e", STATUSPAGE], base).await;
    let wanted = r#"["Bugle","All Systems Operational",7,0,0,1,["Database move, reading only"]]"#;
    assert_eq!(said, wanted);
    let said = run("BUGLE_TEST_PYTHON", &["-c", FEEDS], base).await;
    assert_eq!(said, "1 Database move, reading only\n1 Database move, reading only");
    let said = run("BUGLE_TEST_PYTHON", &["-c", CALENDAR], base).await;
    assert_eq!(said, "Database move, reading only 1:30:00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_clients_read_it_from_the_node_and_from_a_file_server_when_the_node_is_dead() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    world.until_published().await;
    work(&world).await;
    all_clients_read(&world.base).await;
    the_node_serves_it_with_care(&world).await;

    let (folder, path) = world.leave_files().await;
    let port = free_port().await;
    let mut server = Command::new(variable("BUGLE_TEST_PYTHON"));
    server.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]);
    server.stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = server.current_dir(&path).kill_on_drop(true).spawn().unwrap();
    let up = async {
        while !listens(port).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LIMIT, up).await.unwrap();
    let base = format!("http://127.0.0.1:{port}");
    all_clients_read(&base).await;
    let page = reqwest::get(format!("{base}/")).await.unwrap().text().await.unwrap();
    assert!(
        page.contains("Everything works") && page.contains("Written <time datetime="),
        "{page}"
    );
    server.kill().await.unwrap();
    drop(folder);
}

async fn the_node_serves_it_with_care(world: &World) {
    let http = reqwest::Client::new();
    let get = |path: &str| http.get(format!("{}/{path}", world.base));
    let page = get("status").header("accept", "text/html").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let tag = page.headers()["etag"].clone();
    let again = get("status").header("accept", "text/html").header("if-none-match", tag);
    assert!(matches!(again.send().await.unwrap().status().as_u16(), 200 | 304));
    let plain = get("status").send().await.unwrap();
    assert_eq!(plain.headers()["content-type"], "text/plain; charset=utf-8");
    let json = get("api/v2/status.json").send().await.unwrap();
    assert_eq!(json.headers()["access-control-allow-origin"], "*");
    // Beside it, and another thing: the Alertmanager API.
    let amtools = get("api/v2/status").send().await.unwrap().text().await.unwrap();
    assert!(amtools.contains("versionInfo") && !amtools.contains("indicator"), "{amtools}");
    assert_eq!(get("index.html").send().await.unwrap().status(), 200);
}

/// So many connections to the door for mail, from places that are all this machine: more than it
/// has room for.
async fn crowd(door: SocketAddr) -> Vec<TcpStream> {
    let mut crowd = Vec::new();
    for place in 2..=11 {
        for _ in 0..20 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, place], 0))).unwrap();
            crowd.push(socket.connect(door).await.unwrap());
        }
    }
    crowd
}

/// That a component is down, and no other.
fn only_down(down: &str, summary: &Value) -> bool {
    let states = states(summary);
    let others = states.iter().filter(|it| !it.ends_with(" operational"));
    others.eq([&format!("{down} major_outage")])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_for_mail_that_takes_nothing_is_told_of_alone_and_so_is_its_end() {
    let world = World::watched(None, |lab, behaviour| {
        quick(lab, behaviour);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        behaviour.mail_in = Some(MailIn { listen, domain: "in.example".to_owned() });
    })
    .await;
    world.until_green().await;
    world.until_published().await;
    let summary = world.public_json("summary").await;
    assert!(states(&summary).contains(&"email_initiation operational".to_owned()), "{summary}");
    let crowd = crowd(world.mail_address()).await;
    let took = world.until_told().await;
    assert!(took <= TOLD_WITHIN, "{took:?}");
    let summary = world.public_json("summary").await;
    assert!(only_down("email_initiation", &summary), "{:?}", states(&summary));
    assert_eq!(summary["incidents"][0]["name"], "Events by email are not taken in");
    let event = world.post_event("checkout", critical("db1 is down")).await;
    world.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    assert!(event.starts_with("evt_"), "another way in takes events as ever");
    drop(crowd);
    let told = world.until_over().await;
    assert_eq!(phases(&told[0]), ["investigating", "monitoring", "resolved"]);
    let summary = world.public_json("summary").await;
    assert!(states(&summary).iter().all(|it| it.ends_with(" operational")), "{summary}");
    world.end().await;
}
