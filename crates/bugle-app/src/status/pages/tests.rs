//! What is written of tenants' pages, when, and where.

use std::path::PathBuf;
use std::time::Instant;

use bugle_domain::service::Service;
use bugle_domain::stage::Stage;
use bugle_domain::status_page::PublicService;
use bugle_engine::status::board::Board;
use bugle_engine::watch::{Hop, Verdict};
use jiff::SignedDuration;

use super::*;
use crate::objects::draft::{ServiceDraft, StatusPageDraft};
use crate::status::Texts;
use crate::watch::Watched;
use crate::world::{WRITE, World};

/// A world whose tenant has a page, and that page.
async fn world() -> (World, StatusPageId) {
    let world = World::new().await;
    let service = ServiceDraft {
        name: "payments-db".to_owned(),
        policy: None,
        team: None,
        description: String::new(),
        runbook_url: None,
    };
    let made = world.app.create::<Service>(&world.admin, service, WRITE).await.unwrap();
    let page = StatusPageDraft {
        name: "Halden".to_owned(),
        services: vec![PublicService { service: made.object.id, name: None }],
        follow_alerts: true,
        enabled: true,
    };
    let made = world.app.create::<StatusPage>(&world.admin, page, WRITE).await.unwrap();
    (world, made.object.id)
}

/// How pages are made here: each has one file, which names the thread that made it.
fn settings(folder: &tempfile::TempDir) -> Settings {
    let render = |_: &Board| {
        let text = std::thread::current().name().unwrap_or_default().to_owned();
        vec![File { path: "made".into(), text }]
    };
    Settings {
        folder: folder.path().to_owned(),
        name: "Bugle".to_owned(),
        region: String::new(),
        promise: SignedDuration::from_mins(30),
        regions: Vec::new(),
        texts: Texts::default(),
        render,
    }
}

/// The file of a page.
fn made(folder: &tempfile::TempDir, page: StatusPageId) -> PathBuf {
    folder.path().join(PAGES).join(page.to_string()).join("made")
}

#[tokio::test]
async fn pages_are_written_where_that_holds_up_no_pager() {
    let ((world, page), folder) = (world().await, tempfile::tempdir().unwrap());
    world.app.inner().watch.say(Watched::nothing(world.app.now()));
    world.app.start_status(settings(&folder));
    let (path, began) = (made(&folder, page), Instant::now());
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(20), "never written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fs::read_to_string(path).unwrap(), "status_pages");
    world.end().await;
}

#[tokio::test]
async fn the_list_is_read_when_a_configuration_was_changed() {
    let ((world, page), folder) = (world().await, tempfile::tempdir().unwrap());
    let mut pages = Pages::new(Arc::clone(world.app.inner()), Arc::new(settings(&folder)));
    let source = pages.source().await.unwrap();
    let first = pages.list(&source).await.unwrap();
    assert_eq!(first.public.keys().copied().collect::<Vec<_>>(), [page]);
    assert!(Arc::ptr_eq(&first, &pages.list(&source).await.unwrap()), "nothing was changed");
    world.app.delete::<StatusPage>(&world.admin, page, WRITE).await.unwrap();
    assert!(pages.list(&source).await.unwrap().public.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_run_that_begins_in_an_outage_says_nothing_until_it_has_seen_how_things_are() {
    let ((world, page), folder) = (world().await, tempfile::tempdir().unwrap());
    let mut pages = Pages::new(Arc::clone(world.app.inner()), Arc::new(settings(&folder)));
    let mut watched = Watched::nothing(world.app.now());
    watched.view.verdicts.push(Verdict {
        hop: Hop::Stage { stage: Stage::Intake },
        since: world.app.now(),
        evidence: "No event came through.".to_owned(),
        waiting: 0,
        tenants: Vec::new(),
        nodes: Vec::new(),
        harmless: false,
    });
    world.app.inner().watch.say(watched);
    pages.look().await.unwrap();
    assert!(!made(&folder, page).exists() && pages.held.is_empty(), "nothing is known, nor noted");
    world.app.inner().watch.say(Watched::nothing(world.app.now()));
    pages.look().await.unwrap();
    assert!(made(&folder, page).exists());
    world.end().await;
}

fn page_id(number: u128) -> StatusPageId {
    StatusPageId::from_stored(uuid::Uuid::from_u128(number))
}

#[test]
fn the_folder_of_a_page_that_is_no_more_goes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [gone, there, file] = [1, 2, 3].map(|number| page_id(number).to_string());
    for name in [&gone, &there, "lost+found", "stp_1"] {
        fs::create_dir_all(path(name).join("api")).unwrap();
    }
    for name in [&file, "README"] {
        fs::write(path(name), "").unwrap();
    }
    forget(folder.path(), &BTreeSet::from([page_id(2)])).unwrap();
    assert!(!path(&gone).exists());
    for name in [&there, &file, "lost+found", "stp_1", "README"] {
        assert!(path(name).exists(), "{name}");
    }
    forget(&path("nowhere"), &BTreeSet::new()).unwrap();
}

#[test]
fn a_page_that_does_not_read_and_one_beyond_the_most_keep_their_files() {
    let tenant = TenantId::from_stored(uuid::Uuid::from_u128(1));
    let unreadable = |number| PublicPage { tenant, id: page_id(number), page: None };
    let listed = Listed::from(vec![unreadable(1)]);
    assert!(listed.public.is_empty());
    assert_eq!(listed.there, Some([page_id(1)].into()));
    let listed = Listed::from((0..u128::from(MAX_PAGES)).map(unreadable).collect::<Vec<_>>());
    assert_eq!(listed.there, None, "there may be more");
}
