//! Files as people write them: planned, applied, exported.

use bugle_domain::StatusPageId;
use bugle_domain::object::{Directory, Object};
use bugle_domain::role::Role;
use bugle_domain::status_page::{PublicService, StatusPage};
use secrecy::ExposeSecret;

use super::document::{parse, write};
use super::prepare::prepare;
use super::{ApplyOptions, ChangeAction, FileFormat, Plan, export};
use crate::error::UseCaseError;
use crate::sample;
use crate::world::World;

const PLAN: ApplyOptions = ApplyOptions { plan_only: true, delete: false };
const DELETE: ApplyOptions = ApplyOptions { plan_only: true, delete: true };

/// A plan as lines.
fn lines(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for change in &plan.changes {
        let sign = match change.action {
            ChangeAction::Create => "+",
            ChangeAction::Change => "~",
            ChangeAction::Delete => "-",
        };
        lines.push(format!("{sign} {} {}", change.kind.as_str(), change.name));
        for field in &change.fields {
            lines.push(format!("    {}: {} -> {}", field.field, field.before, field.after));
        }
    }
    lines.extend(plan.kept.iter().map(|kept| format!("kept: {kept}")));
    lines.extend(plan.notes.iter().map(|note| format!("note: {note}")));
    lines.push(format!("{} unchanged", plan.unchanged));
    lines.join("\n")
}

/// What a file comes to, or everything that is wrong with it.
fn outcome(text: &str, before: &Directory, options: ApplyOptions) -> String {
    let prepared = parse(text, FileFormat::Toml)
        .map_err(super::error::ApplyError::Invalid)
        .and_then(|document| prepare(&document, before, options, sample::now()));
    match prepared {
        Ok(prepared) => lines(&prepared.plan),
        Err(error) if error.problems().is_empty() => format!("{}: {error}", error.code()),
        Err(error) => error
            .problems()
            .iter()
            .map(|it| format!("{} {}: {}", it.pointer, it.code, it.message))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// The sample with a status page.
fn with_page() -> Directory {
    let mut directory = sample::directory();
    let service = *directory.services.keys().next().unwrap();
    directory.add(Object::StatusPage(StatusPage {
        id: StatusPageId::from_stored(uuid::Uuid::from_u128(9)),
        name: "Halden Freight".to_owned(),
        services: vec![PublicService { service, name: Some("Ordering".to_owned()) }],
        follow_alerts: true,
        enabled: false,
    }));
    directory
}

#[test]
fn what_was_exported_changes_nothing_when_applied() {
    let before = with_page();
    for format in [FileFormat::Toml, FileFormat::Json] {
        let text = write(&export::document(&before), format);
        let document = parse(&text, format).unwrap();
        let prepared = prepare(&document, &before, DELETE, sample::now()).unwrap();
        assert_eq!(prepared.plan.changes, [], "{text}");
        assert!(prepared.puts.is_empty() && prepared.deletes.is_empty(), "{prepared:?}");
    }
}

#[test]
fn the_file_reads_like_the_words_people_use() {
    let text = write(&export::document(&with_page()), FileFormat::Toml);
    assert_eq!(text, include_str!("tests/exported.toml"));
}

#[test]
fn a_second_apply_finds_nothing_to_do() {
    let text = include_str!("tests/new_team.toml");
    let before = sample::directory();
    let document = parse(text, FileFormat::Toml).unwrap();
    let prepared = prepare(&document, &before, PLAN, sample::now()).unwrap();
    assert!(!prepared.puts.is_empty());
    let after = super::prepare::laid_over(before, prepared.puts, &prepared.deletes);
    let again = prepare(&document, &after, PLAN, sample::now()).unwrap();
    assert_eq!(again.plan.changes, []);
    assert!(again.puts.is_empty() && again.deletes.is_empty());
}

#[test]
fn a_plan_names_what_is_made_and_what_differs() {
    let plan = outcome(include_str!("tests/new_team.toml"), &sample::directory(), PLAN);
    insta::assert_snapshot!(plan, @r#"
    + user tomas@halden.example
    + team Customs
    ~ schedule Payments
        layers[0].length.count: 2 -> 1
        layers[0].participants: ["lena@halden.example","priya@halden.example"] -> ["lena@halden.example","priya@halden.example","tomas@halden.example"]
    + policy Customs
    + service customs-filing
    + integration Customs probes
    kept: user "lena@halden.example"
    kept: user "priya@halden.example"
    kept: team "Platform"
    kept: policy "Payments"
    kept: policy "Everybody"
    kept: service "checkout-api"
    kept: integration "Prometheus"
    note: t…@halden.example by email is not used before Tomas Berg has proven it.
    note: …678 by sms is not used before Tomas Berg has proven it.
    note: A key is made for integration "Customs probes" and shown once.
    note: Tomas Berg can sign in once invited with a link.
    7 unchanged
    "#);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let text = r#"
[[policies]]
name = "Payments"
repeat = 12
[[policies.levels]]
targets = ["schedule:Paymnts", "user:nobody@halden.example", "Payments"]
delay_s = 1

[[services]]
name = "ledger"
policy = "Ledger"

[[users]]
email = "tomas@halden.example"
name = ""
role = "viewer"
time_zone = "Europe/Atlantis"
methods = [{ name = "phone", channel = "sms", address = "0171" }]
"#;
    insta::assert_snapshot!(outcome(text, &sample::directory(), PLAN), @r#"
    /users/0/methods/0/address address: write the number with + and the country code, such as +4930123456 (8 to 15 digits)
    /policies/0/levels/0/targets/0 missing: there is no target "schedule:Paymnts"
    /policies/0/levels/0/targets/1 missing: there is no user "nobody@halden.example"
    /policies/0/levels/0/targets/2 target: write a target as schedule:NAME, team:NAME or user:MAIL
    /services/0/policy missing: there is no policy "Ledger"
    /users/0/name length: must have 1 to 120 characters, and has 0
    /users/0/time_zone unknown_zone: there is no time zone named "Europe/Atlantis"; write one such as Europe/Berlin
    /policies/0/repeat range: must be from 0 to 9, and is 12
    /policies/0/levels/0/delay_s range: must be from 10 to 86400, and is 1
    /policies/0/levels/0/targets count: must have 1 to 20 entries, and has 0
    "#);
}

#[test]
fn a_file_that_cannot_be_read_says_where() {
    let text = "[[teams]]\nname = \"Platform\"\nmember = []\n";
    insta::assert_snapshot!(outcome(text, &sample::directory(), PLAN), @" syntax: line 3: unknown field `member`, expected `name` or `members`");
}

#[test]
fn deleting_is_asked_for_and_stops_at_what_is_used() {
    let before = sample::directory();
    insta::assert_snapshot!(outcome("schedules = []", &before, PLAN), @r#"
    kept: schedule "Payments"
    8 unchanged
    "#);
    insta::assert_snapshot!(outcome("schedules = []", &before, DELETE), @r#"object_in_use: it is still used by policy "Payments""#);
    insta::assert_snapshot!(outcome("integrations = []", &before, DELETE), @r"
    - integration Prometheus
    7 unchanged
    ");
}

#[test]
fn the_last_admin_stays() {
    let text = r#"
[[users]]
email = "priya@halden.example"
name = "Priya Nair"
role = "viewer"
"#;
    insta::assert_snapshot!(outcome(text, &sample::directory(), PLAN), @"last_admin: this would remove the last admin");
}

#[tokio::test]
async fn an_applied_file_is_there_and_its_export_changes_nothing() {
    let world = World::new().await;
    let (app, admin) = (&world.app, &world.admin);
    let text = include_str!("tests/company.toml");
    let planned = app.apply(admin, text, FileFormat::Toml, PLAN).await.unwrap();
    assert!(!planned.applied && planned.keys.is_empty());
    let done = app.apply(admin, text, FileFormat::Toml, ApplyOptions::default()).await.unwrap();
    assert_eq!(done.plan, planned.plan);
    let [(name, key)] = done.keys.as_slice() else { panic!("one key: {:?}", done.keys) };
    assert_eq!(name, "Prometheus");
    let found = app.integration_for_key(key.expose_secret()).await.unwrap().unwrap();
    assert_eq!(found.integration.name, "Prometheus");

    let again = app.apply(admin, text, FileFormat::Toml, ApplyOptions::default()).await.unwrap();
    assert_eq!((again.plan.changes, again.keys.len()), (Vec::new(), 0));
    for format in [FileFormat::Toml, FileFormat::Json] {
        let exported = app.export(admin, format).await.unwrap();
        let applied = app.apply(admin, &exported, format, DELETE).await.unwrap();
        assert_eq!(applied.plan.changes, [], "{exported}");
    }
    let lena = world.person("Vera Holm", Role::Responder).await;
    let refused = app.apply(&lena, text, FileFormat::Toml, PLAN).await.unwrap_err();
    assert_eq!(refused.code(), "forbidden");
    world.end().await;
}
