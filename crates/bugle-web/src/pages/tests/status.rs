//! The status page's files, from boards that are quiet, in trouble, full, and blind.

use std::collections::BTreeMap;

use bugle_app::status::{
    ChannelCount, Desk, DraftedBulletin, Subscriber, SubscriberCounts, SubscriberView,
};
use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use bugle_domain::{BulletinId, IncidentId};
use bugle_engine::incident;
use bugle_engine::status::board::{Board, Head, Region, Touched, Unseen, Whose, rows};
use bugle_engine::status::bulletin::{self, Bulletin, Kind, Known, Phase, Update};
use bugle_engine::status::history::{DAYS, Span};
use bugle_engine::status::rules::{self, Installed, States};
use bugle_engine::status::subscribers::CHANNELS;
use bugle_engine::status::{Component, State};
use bugle_engine::watch::{Hop, Verdict};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{at, check, folder, shell};
use crate::pages::parts::FieldError;
use crate::pages::shell::Section;
use crate::pages::status::{preview, render};
use crate::pages::status_bulletins::Answer;
use crate::pages::{status_desk, subscribe};

fn now() -> Timestamp {
    at("2026-03-14T15:12:04Z")
}

fn installed() -> Installed {
    let providers = Channel::ALL.map(|channel| (channel, [channel.as_str().to_owned()].into()));
    Installed { providers: providers.into(), mail_in: false, nodes: 1 }
}

fn dispatch() -> Verdict {
    Verdict {
        hop: Hop::Stage { stage: Stage::Dispatch },
        since: at("2026-03-14T14:52:00Z"),
        evidence: "7 canaries did not come through".to_owned(),
        waiting: 12,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless: false,
    }
}

/// The bulletin of 14 March, as far as it has come at a quarter past three.
pub(super) fn trouble() -> Bulletin {
    let declared = at("2026-03-14T14:52:09Z");
    let verdicts = [dispatch()];
    let id = IncidentId::new(declared, [1; 10]);
    let incident = incident::declare(id, &verdicts, true, declared).unwrap();
    let promise = SignedDuration::from_mins(20);
    let installed = installed();
    let (verdicts, harmless, installed) = (&verdicts, false, &installed);
    let known = Known { installed, verdicts, harmless, promise, now: declared };
    let mut told = bulletin::open(BulletinId::new(declared, [2; 10]), &incident, known);
    let text = "A clean-up put some services <back> & apart. We restore them.".to_owned();
    let by = Some("Lena".to_owned());
    let at = at("2026-03-14T15:05:00Z");
    told.say(Update { at, phase: Phase::Identified, text, by }, promise);
    told
}

fn over(number: u8) -> Bulletin {
    let mut told = trouble();
    let ago = SignedDuration::from_hours(30 * i64::from(number));
    told.began_at = now() - ago;
    told.id = BulletinId::new(told.began_at, [number; 10]);
    told.kind = Kind::Trouble { incident: None };
    told.state = State::ALL[2 + usize::from(number % 3)];
    let text = "It is over. It lasted 18 min.".to_owned();
    let at = told.began_at + SignedDuration::from_mins(18);
    told.updates.iter_mut().for_each(|update| update.at = told.began_at);
    told.say(Update { at, phase: Phase::Resolved, text, by: None }, SignedDuration::ZERO);
    told
}

fn work() -> Bulletin {
    let (from, until) = (at("2026-03-22T01:00:00Z"), at("2026-03-22T02:30:00Z"));
    let mut told = over(1);
    told.id = BulletinId::new(now(), [9; 10]);
    told.kind = Kind::Maintenance { from, until };
    told.title = "Database move; reading, no writing".to_owned();
    told.state = State::Maintenance;
    told.components = vec![Component::Web, Component::Api];
    told.began_at = from;
    let text = "Pages can be read, not changed, while the database moves to another host; nothing \
                else is touched, and events are accepted as always.";
    let at = at("2026-03-10T09:00:00Z");
    told.updates = vec![Update { at, phase: Phase::Scheduled, text: text.to_owned(), by: None }];
    told
}

/// So many days of each component, with trouble now and then; what came before was not measured.
fn spans(states: &States, days: i64, every: i64) -> Vec<Span> {
    let mut spans = Vec::new();
    for (number, component) in (0..).zip(states.keys()) {
        for day in 0..days {
            let from = now() - SignedDuration::from_hours(24 * (days - day));
            let mut rest = from;
            if (day + number * 5) % every == every - 1 {
                let minutes = 3 + (day * 37) % 600;
                let index = 1 + usize::try_from(day % 4).unwrap();
                rest = from + SignedDuration::from_mins(minutes);
                let state = State::ALL[index];
                spans.push(Span { component: *component, state, from, until: rest });
            }
            let until = from + SignedDuration::from_hours(24);
            let state = State::Operational;
            spans.push(Span { component: *component, state, from: rest, until });
        }
    }
    spans
}

fn board(verdicts: &[Verdict], bulletins: Vec<Bulletin>, (days, every): (i64, i64)) -> Board {
    let seen = rules::seen(&installed(), verdicts);
    let shown = rules::shown(&seen, &bulletins, now());
    let mut spans = spans(&shown, days, every);
    bugle_engine::status::history::note(&mut spans, &shown, now());
    let head = Head {
        name: "Halden & Söhne".to_owned(),
        whose: Whose::Installation,
        url: "https://bugle.example".to_owned(),
        at: now(),
        seen_at: now(),
    };
    let rows = rows(&shown, &spans, now());
    let (name, url) = (String::new(), String::new());
    let bulletins = bulletins.iter().map(|it| it.in_words(|it| Touched::from(*it))).collect();
    Board::new(head, vec![Region { name, url, rows, bulletins, unseen: None }])
}

fn quiet() -> Board {
    board(&[], Vec::new(), (DAYS, 100))
}

fn in_trouble() -> Board {
    board(&[dispatch()], vec![work(), trouble(), over(3), over(8)], (60, 23))
}

fn files(board: &Board) -> BTreeMap<String, String> {
    render(board).into_iter().map(|file| (file.path.into_owned(), file.text)).collect()
}

fn show(name: &str, board: &Board) -> BTreeMap<String, String> {
    let files = files(board);
    for page in ["index.html", "history.html"] {
        check::whole(&format!("{name} {page}"), &files[page]);
        if let Some(folder) = folder() {
            std::fs::write(format!("{folder}/status-{name}-{page}"), &files[page]).unwrap();
        }
    }
    files
}

#[test]
fn every_page_is_whole_light_and_named() {
    let quiet_files = show("quiet", &quiet());
    let bytes = quiet_files["index.html"].len();
    assert!(bytes <= 14_000, "{bytes} bytes, where nobody compresses it");
    show("new", &board(&[], Vec::new(), (0, 1)));
    show("trouble", &in_trouble());
    let mut blind = quiet();
    blind.seen_at = now() - SignedDuration::from_mins(5);
    let files = show("blind", &blind);
    assert!(files["index.html"].contains("last heard at"));
    let many: Vec<Bulletin> = std::iter::once(trouble()).chain((1..=60).map(over)).collect();
    show("huge", &board(&[dispatch()], many, (DAYS, 3)));
}

#[test]
fn a_tenants_page_speaks_of_its_own_services_and_of_itself() {
    let quiet = quiet();
    let of_tenant = |follow_alerts, seen_at| {
        let head = Head {
            name: "Halden".to_owned(),
            whose: Whose::Tenant { follow_alerts, every_min: 14 },
            url: "https://bugle.example/status/p/stp_1".to_owned(),
            at: now(),
            seen_at,
        };
        Board::new(head, quiet.regions.clone())
    };
    let files = show("tenant", &of_tenant(true, now()));
    assert!(files["index.html"].len() <= 14_000);
    assert!(!files.contains_key("status.json"), "no other installation reads of a tenant");
    assert!(files["index.html"].contains("as the worst alert that is open for it"));
    assert!(files["index.html"].contains("data-every=\"14\""));
    for file in ["index.html", "history.html", "index.txt"] {
        assert!(files[file].contains("anew every 14 minutes: if"), "{file}: {}", files[file]);
    }
    for (file, text) in &files {
        for of_installation in
            ["/status/subscribe", "synthetic", "bugle.example/status\"", "example/history"]
        {
            assert!(!text.contains(of_installation), "{file}: {of_installation}: {text}");
        }
    }
    let summary = json(&files, "api/v2/summary.json");
    assert_eq!(summary["page"]["url"], "https://bugle.example/status/p/stp_1/");
    let by_hand = show("tenant-by-hand", &of_tenant(false, now()));
    assert!(by_hand["index.html"].contains("as bad as its owner says"));
    let blind = show("tenant-blind", &of_tenant(true, now() - SignedDuration::from_mins(5)));
    assert!(blind["index.html"].contains("Alerts were last known to come through at"));
    assert!(blind["badge.svg"].contains("not known"));
}

/// Four regions: quiet, in trouble, and two that nobody knows of.
fn together() -> Board {
    let named = |name: &str, board: Board| {
        let url = format!("https://{}.example/", name.to_lowercase());
        Region { name: name.to_owned(), url, ..board.regions.into_iter().next().unwrap() }
    };
    let other = board(&[dispatch()], vec![work(), trouble(), over(3)], (60, 23));
    let mut silent = named("APAC", board(&[dispatch()], Vec::new(), (30, 20)));
    silent.unseen = Some(Unseen { since: Some(at("2026-03-14T15:01:00Z")) });
    let mut never = named("LATAM", board(&[], Vec::new(), (30, 20)));
    never.unseen = Some(Unseen { since: None });
    let mut own = named("EMEA", quiet());
    own.url = String::new();
    Board::new(
        Head {
            name: "Halden & Söhne".to_owned(),
            whose: Whose::Installation,
            url: "https://bugle.example".to_owned(),
            at: now(),
            seen_at: now(),
        },
        vec![own, named("NA", other), silent, never],
    )
}

#[test]
fn regions_stand_together_on_one_light_page_and_each_on_its_own() {
    let board = together();
    let files = show("regions", &board);
    let bytes = files["index.html"].len();
    assert!(bytes <= 14_000, "{bytes} bytes, where nobody compresses it");
    let heard = check::heard(&files["index.html"]);
    for said in [
        "NA: Notifications are late",
        "down: 4 of 7 components",
        "not known; was down",
        "Not known since",
        "It was never read.",
        "Not known; was down",
    ] {
        assert!(heard.contains(said), "{said:?} is not in {heard}");
    }
    for region in ["emea", "na", "apac", "latam"] {
        let page = &files[&format!("regions/{region}.html")];
        check::whole(region, page);
        assert!(page.contains("class=\"bars\"") && page.contains("href=\"../history.html\""));
        if let Some(folder) = folder() {
            std::fs::write(format!("{folder}/status-region-{region}.html"), page).unwrap();
        }
    }
    assert!(!files["regions/emea.html"].contains("Notifications are late"));
    assert!(files["index.txt"].contains("APAC: NOT KNOWN since 2026-03-14 15:01:00 UTC"));
}

#[test]
fn a_region_that_is_not_known_is_never_green() {
    let mut board = together();
    board.regions.remove(2);
    board.regions.remove(1);
    let head = Head {
        name: board.name.clone(),
        whose: board.whose,
        url: board.url.clone(),
        at: board.at,
        seen_at: board.seen_at,
    };
    let files = files(&Board::new(head, board.regions));
    assert!(files["index.html"].contains("<span>LATAM: not known</span>"));
    assert!(files["index.txt"].starts_with("Halden & Söhne status: LATAM: not known.\n"));
    assert!(files["badge.svg"].contains("Status: not known"));
    let summary = json(&files, "api/v2/summary.json");
    assert_eq!(summary["status"]["indicator"], "minor");
    let unknown: Vec<&Value> = summary["components"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["id"].as_str().unwrap().starts_with("latam"))
        .collect();
    assert_eq!(unknown.len(), 8, "a group and its components");
    assert!(unknown.iter().all(|it| it["status"] == "degraded_performance"));
    assert!(unknown.iter().all(|it| it["description"] == "Not known."));
}

#[test]
fn what_is_told_of_a_region_touches_its_components_alone() {
    let summary = json(&files(&together()), "api/v2/summary.json");
    let touched = summary["incidents"][0]["components"].as_array().unwrap();
    let ids: Vec<&str> = touched.iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["na-integrations", "na-email", "na-sms", "na-voice"]);
}

#[test]
fn a_page_says_everything_without_colour_and_without_eyes() {
    let files = files(&in_trouble());
    let heard = check::heard(&files["index.html"]);
    for said in [
        "Notifications are late",
        "Events are accepted and become alerts, but no notifications go out by any channel.",
        "next update, at the latest",
        "Cause found.",
        "SMS notifications: 9",
        "Days with trouble:",
        "The cause is not known yet. Next update by 15:12 UTC.",
        "Database move",
        "Halden &#38; Söhne status",
    ] {
        assert!(heard.contains(said), "{said:?} is not in {heard}");
    }
    assert!(!heard.contains("Lena"), "who said it is for operators");
    let down = heard.matches(" Down").count();
    assert_eq!(down, 4, "each component's state is a word: {heard}");
}

#[test]
fn a_link_into_the_history_leads_somewhere() {
    let files = files(&in_trouble());
    let ids: Vec<String> = check::tags(&files["history.html"])
        .iter()
        .filter_map(|tag| tag.get("id").map(str::to_owned))
        .collect();
    let index = check::tags(&files["index.html"]);
    let links: Vec<&str> = index.iter().filter_map(|tag| tag.get("href")).collect();
    let into: Vec<&str> =
        links.iter().filter_map(|href| href.strip_prefix("history.html#")).collect();
    assert!(into.len() >= 3, "{links:?}");
    assert!(into.iter().all(|id| ids.iter().any(|known| known == id)), "{into:?} {ids:?}");
    let known: Vec<&str> = files.keys().map(String::as_str).collect();
    for href in links.iter().filter(|href| !href.contains(['#', ':'])) {
        assert!(known.contains(href), "{href} is no file");
    }
}

#[test]
fn marks_and_texts_stand_out_by_day_and_by_night() {
    let css = include_str!("../../../assets/status.css");
    let blocks: Vec<&str> = css.split(":root{").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let tokens = check::tokens(block);
        let get = |name: &str| {
            let value = tokens.iter().find(|(key, _)| *key == name).unwrap().1;
            // The short form says each digit once.
            match value.len() {
                4 => value.chars().flat_map(|c| [c; 2]).skip(1).collect::<String>(),
                _ => value.to_owned(),
            }
        };
        for ground in ["--paper", "--card"] {
            for text in ["--ink", "--dim", "--faint", "--link"] {
                let ratio = check::contrast(&get(text), &get(ground));
                assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}");
            }
            for mark in ["--ok", "--sle", "--pa", "--dn", "--mt", "--edge"] {
                let ratio = check::contrast(&get(mark), &get(ground));
                assert!(ratio >= 2.9, "{mark} on {ground}: {ratio:.2}");
            }
        }
    }
}

#[test]
fn a_terminal_is_told_the_same() {
    let text = files(&in_trouble()).remove("index.txt").unwrap();
    let short: Vec<String> = text.lines().map(|line| line.chars().take(88).collect()).collect();
    let short: Vec<&str> = short.iter().map(|line| line.trim_end()).collect();
    insta::assert_snapshot!(short.join("\n"), @r"
    Halden & Söhne status: Notifications are late.

    Notifications are late (since 2026-03-14 14:52:00 UTC)
      2026-03-14 15:05:00 UTC  Cause found. A clean-up put some services <back> & apart. We
      2026-03-14 14:52:09 UTC  We are looking. Events are accepted and become alerts, but no

    Event intake             Working          99.92 %
    Web interface            Working          100 %
    API                      Working          99.76 %
    Integration platform     Down             99.51 %
    Email notifications      Down             99.97 %
    SMS notifications        Down             99.54 %
    Voice notifications      Down             99.28 %

    Database move; reading, no writing (2026-03-22 01:00:00 UTC to 2026-03-22 02:30:00 UTC)
      2026-03-10 09:00:00 UTC  Planned. Pages can be read, not changed, while the database m

    Of the last 90 days; a time of partial failure counts at 30 %.
    Written 2026-03-14 15:12:04 UTC and anew each minute: if that is long ago, Bugle itself
    ");
}

fn json(files: &BTreeMap<String, String>, path: &str) -> Value {
    serde_json::from_str(&files[path]).unwrap()
}

#[test]
fn the_json_is_statuspages() {
    let files = files(&in_trouble());
    let summary = json(&files, "api/v2/summary.json");
    assert_eq!(summary["status"]["indicator"], "critical");
    assert_eq!(summary["page"]["time_zone"], "Etc/UTC");
    assert_eq!(summary["page"]["updated_at"], "2026-03-14T15:12:04.000Z");
    let states: Vec<String> = summary["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            "intake operational",
            "web operational",
            "api operational",
            "integrations major_outage",
            "email major_outage",
            "sms major_outage",
            "voice major_outage",
        ]
    );
    let open = &summary["incidents"][0];
    assert_eq!((&open["status"], &open["impact"]), (&"identified".into(), &"critical".into()));
    assert_eq!(open["incident_updates"][1]["status"], "investigating");
    assert_eq!(open["incident_updates"][1]["incident_id"], open["id"]);
    assert_eq!(summary["scheduled_maintenances"][0]["scheduled_for"], "2026-03-22T01:00:00.000Z");
    let count = |path: &str, list: &str| json(&files, path)[list].as_array().unwrap().len();
    assert_eq!(count("api/v2/incidents.json", "incidents"), 3);
    assert_eq!(count("api/v2/incidents/unresolved.json", "incidents"), 1);
    let works = "scheduled_maintenances";
    assert_eq!(count("api/v2/scheduled-maintenances.json", works), 1);
    assert_eq!(count("api/v2/scheduled-maintenances/upcoming.json", works), 1);
    assert_eq!(count("api/v2/scheduled-maintenances/active.json", works), 0);
    let plain = json(&files, "api/v2/status.json");
    assert_eq!(plain["status"]["description"], "Major Service Outage");
}

#[test]
fn components_of_a_region_are_a_group() {
    let mut board = quiet();
    board.regions[0].name = "North America".to_owned();
    let components = json(&files(&board), "api/v2/components.json")["components"].take();
    assert_eq!(
        (&components[0]["id"], &components[0]["group"]),
        (&"north-america".into(), &true.into())
    );
    assert_eq!(components[0]["components"][4], "north-america-email");
    assert_eq!(components[5]["group_id"], "north-america");
}

#[test]
fn a_calendars_lines_are_short_and_its_text_is_quoted() {
    let calendar = files(&in_trouble()).remove("maintenance.ics").unwrap();
    assert!(calendar.lines().all(|line| line.len() <= 75), "{calendar}");
    assert!(calendar.ends_with("END:VCALENDAR\r\n"));
    let unfolded = calendar.replace("\r\n ", "");
    assert!(unfolded.contains("SUMMARY:Database move\\; reading\\, no writing\r\n"), "{unfolded}");
    assert!(unfolded.contains("DTSTART:20260322T010000Z\r\nDTEND:20260322T023000Z\r\n"));
}

#[test]
fn feeds_are_escaped_twice_where_they_carry_html() {
    let files = files(&in_trouble());
    for feed in ["history.atom", "history.rss"] {
        assert!(files[feed].contains("&amp;lt;back&amp;gt; &amp;amp; apart"), "{}", files[feed]);
        assert!(files[feed].contains("<title>Halden &amp; Söhne status</title>"));
    }
    assert!(files["badge.svg"].contains("Status: down"));
}

#[test]
fn the_operators_pages() {
    let (times, app) = (super::times(), shell("Status page", Section::Status));
    let drafted = |bulletin: Bulletin| {
        let draft = Update { by: None, ..bulletin.updates[0].clone() };
        let by_hand = bulletin.incident().is_none();
        DraftedBulletin { bulletin, version: 3, draft, by_hand }
    };
    let components = vec![(Component::Web, State::Operational), (Component::Sms, State::Degraded)];
    let bulletins = vec![drafted(trouble()), drafted(work())];
    let desk = Desk { on: true, components, bulletins };
    let mails = ChannelCount { channel: Channel::Email, confirmed: 1_204, asked: 7 };
    let counts = SubscriberCounts { channels: vec![mails], components: Vec::new() };
    let html = super::show("status-desk", &app, &status_desk::build(desk.clone(), &counts, &times));
    assert!(html.contains("1204, 7 not confirmed") && html.contains("Forget an address"));
    let sent = vec![("components".to_owned(), "sms".to_owned())];
    let errors = vec![FieldError::new("title", "Say in a line what it is.")];
    let wrong = Answer { errors, ..Answer::default() };
    super::show("status-trouble", &app, &status_desk::trouble_form(&desk, &sent, wrong));
    super::show(
        "status-maintenance",
        &app,
        &status_desk::maintenance_form(&desk, &Vec::new(), Answer::default()),
    );
    let mut taken = drafted(trouble());
    taken.bulletin.hand = Some("Lena".to_owned());
    super::show("status-bulletin", &app, &status_desk::build_one(taken, None, &times));
    let open = status_desk::build_one(drafted(work()), None, &times);
    super::show("status-bulletin-open", &app, &open);
}

/// The element of an id with all that it holds, in one line.
fn element<'a>(html: &'a str, from: &str, until: &str) -> &'a str {
    let start = html.find(from).unwrap_or_else(|| panic!("{from} is not in {html}"));
    let end = html[start..].find(until).unwrap();
    &html[start..start + end]
}

#[test]
fn what_is_previewed_is_what_the_page_shows() {
    let app = shell("Status page", Section::Status);
    let board = in_trouble();
    let index = files(&board).remove("index.html").unwrap();
    let touched = |it: &Bulletin| it.in_words(|it| Touched::from(*it));
    // The page's first trouble is its heading; all else is the same.
    let plain = |html: &str| html.replace("h1", "h2").replace("history.html", "/history.html");
    let drawn = preview(&touched(&trouble()), None, now());
    let shown = element(&index, "<section class=\"now", "</section>");
    assert!(drawn.contains(&plain(shown)), "{drawn} {shown}");
    let planned = preview(&touched(&work()), None, now());
    let shown = element(&index, "<p><b>Database move", "</p>");
    assert!(planned.contains(shown), "{planned} {shown}");
    let ended = preview(&touched(&over(3)), None, now());
    let history = files(&board).remove("history.html").unwrap();
    let id = format!("<section class=\"past\" id=\"{}\"", over(3).id);
    let shown = element(&history, &id, "</section>");
    assert!(ended.contains(shown), "{ended} {shown}");

    let drafted = DraftedBulletin {
        draft: trouble().updates[0].clone(),
        bulletin: trouble(),
        version: 3,
        by_hand: false,
    };
    let mut page = status_desk::build_one(drafted, None, &super::times());
    let html = super::show("status-bulletin-drawn-not", &app, &page);
    assert!(html.contains("value=\"preview\"") && !html.contains("value=\"post\""), "{html}");
    page.preview = Some(drawn);
    let html = super::show("status-bulletin-preview", &app, &page);
    assert!(html.contains("Nothing is posted yet.") && html.contains("value=\"post\""), "{html}");
}

#[test]
fn the_pages_of_subscribers() {
    let app = super::shell("Be told", Section::Status);
    let components = vec![Component::Web, Component::Sms];
    let there = subscribe::There { ways: vec![Channel::Email, Channel::Webhook], components };
    let errors = vec![FieldError::new("address", "Write a mail address.")];
    let typed =
        vec![("by".to_owned(), "webhook".to_owned()), ("address".to_owned(), "<x>".to_owned())];
    let html = super::show("subscribe", &app, &subscribe::build_form(&there, &typed, errors));
    assert!(html.contains("value=\"webhook\" checked") && html.contains("&#60;x&#62;"), "{html}");
    assert!(!html.contains("Text message"), "nobody asks by text unless it is turned on");
    let by_text = subscribe::There { ways: CHANNELS.to_vec(), ..there };
    let form = subscribe::build_form(&by_text, &Vec::new(), Vec::new());
    let html = super::show("subscribe-text", &app, &form);
    assert!(html.contains("Text message") && html.contains("+4512345678"), "{html}");
    let wrong = vec![FieldError::new("code", "This code is not right.")];
    let html = super::show("subscribe-code", &app, &subscribe::build_code("<+45>", wrong));
    assert!(html.contains("value=\"&#60;+45&#62;\"") && html.contains("one-time-code"), "{html}");
    let subscriber = |confirmed_at| Subscriber {
        id: bugle_domain::SubscriberId::new(now(), [1; 10]),
        address: bugle_domain::contact::Address::parse(Channel::Email, "ada@example.com").unwrap(),
        components: vec![Component::Sms],
        asked_at: now(),
        confirmed_at,
    };
    let view = |confirmed_at| SubscriberView {
        subscriber: subscriber(confirmed_at),
        components: by_text.components.clone(),
        secret: None,
    };
    let page = |it| subscribe::build(it, "/status/subscribers/sub_1/token".to_owned());
    let html = super::show("subscriber-asked", &app, &page(view(None)));
    assert!(html.contains("Yes, tell me") && html.contains("value=\"sms\" checked"), "{html}");
    let html = super::show("subscriber", &app, &page(view(Some(now()))));
    assert!(html.contains("token/unsubscribe") && !html.contains("value=\"web\" checked"));
}
