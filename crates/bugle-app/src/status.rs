//! The status page: what the public is told, written out as files that outlive everything else.
//!
//! A publisher follows the watch on a thread of its own, and so does that of tenants' pages. What
//! they write can be served by anything, and is, by us too: an answer needs neither the database
//! nor a worker.

mod desk;
mod error;
mod files;
mod page_desk;
mod pages;
mod publisher;
mod regions;
mod subscribed;
mod subscribers;
mod telling;
mod texts;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use bugle_engine::incident::IncidentLine;
use bugle_engine::status::board::Board;
use bugle_engine::status::bulletin::Bulletin;
use bugle_engine::status::rules::Installed;
use bugle_store::{Store, StoreError};
use jiff::SignedDuration;
use tokio::sync::Notify;
use url::Url;

pub(crate) use self::desk::check_told;
pub use self::desk::{Desk, DraftedBulletin, NewMaintenance, NewTrouble, Post};
pub use self::error::StatusError;
pub use self::page_desk::{NewPageBulletin, PageDesk, PageNews};
pub use self::subscribed::{ChannelCount, SubscriberCounts};
pub use self::subscribers::{Asks, Subscriber, SubscriberView};
use self::telling::TellingLoop;
pub use self::texts::Texts;
use crate::app::{App, Inner};
use crate::watch::{POOL, within};

/// How the status page is made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its files are written.
    pub folder: PathBuf,
    /// Whose page it is.
    pub name: String,
    /// What its components are grouped under; empty: nothing.
    pub region: String,
    /// Updates of an open bulletin are never further apart.
    pub promise: SignedDuration,
    /// The installations of other regions.
    pub regions: Vec<OtherRegion>,
    /// Whether, and to which numbers, subscribers are told by text.
    pub texts: Texts,
    /// Makes the files from what is to be said.
    pub render: fn(&Board) -> Vec<File>,
}

/// An installation of another region, with a status page of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherRegion {
    /// What people call it.
    pub name: String,
    /// Where the files of its page are; ends with a slash.
    pub url: Url,
}

/// What other regions' installations read of this one, below the folder.
pub const REPORT: &str = "status.json";
/// Where the pages of each region are, below the folder.
pub const REGIONS: &str = "regions";

/// Where the status pages of tenants are, each in a folder of its name, below the folder; and below
/// `/status`.
pub const PAGES: &str = "p";

/// One file of the status page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Where it is, below the folder.
    pub path: Cow<'static, str>,
    /// What it holds.
    pub text: String,
}

/// What the publisher shares with the rest of the process.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    settings: RwLock<Option<Arc<Settings>>>,
    /// What was read of other regions.
    heard: regions::Heard,
    /// Somebody has something to say.
    wake: Notify,
    /// There is something to tell subscribers.
    wake_telling: Notify,
}

impl Shared {
    fn settings(&self) -> Option<Arc<Settings>> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn texts(&self) -> Texts {
        self.settings().map(|it| it.texts.clone()).unwrap_or_default()
    }
}

impl App {
    /// Starts the publisher of this node. Call it once. It says nothing before the watch does.
    pub fn start_status(&self, settings: Settings) {
        let settings = Arc::new(settings);
        let shared = &self.inner().status;
        *shared.settings.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::clone(&settings));
        let telling = TellingLoop::new(Arc::clone(self.inner()), settings.name.clone());
        self.tasks().worker("telling", move |stop| telling.clone().run(stop));
        if !settings.regions.is_empty() {
            let (app, settings) = (Arc::clone(self.inner()), Arc::clone(&settings));
            self.tasks().worker("regions", move |stop| {
                regions::read(Arc::clone(&app), Arc::clone(&settings), stop)
            });
        }
        let (app, of_tenants) = (Arc::clone(self.inner()), Arc::clone(&settings));
        self.tasks().apart("status_pages", move |stop| {
            pages::publish(Arc::clone(&app), Arc::clone(&of_tenants), stop)
        });
        let app = Arc::clone(self.inner());
        self.tasks().apart("status", move |stop| {
            publisher::publish(Arc::clone(&app), Arc::clone(&settings), stop)
        });
    }

    /// A file of the status page, as it was last written, by this run or an earlier one. `None`:
    /// there is no status page, or it was never written.
    pub async fn status_file(&self, path: &str) -> Option<Vec<u8>> {
        let settings = self.inner().status.settings()?;
        tokio::fs::read(settings.folder.join(path)).await.ok()
    }
}

/// Connections for a publisher alone: what holds up the pager's holds up no page.
async fn beside(app: &Inner) -> Result<Store, String> {
    match app.store.file() {
        // On a file of this machine's own, other connections would wait as these do.
        Some(_) => Ok(app.store.clone()),
        None => within(app.store.beside(POOL)).await,
    }
}

/// What this installation has, as it runs now.
fn installed(app: &Inner) -> Installed {
    let (nodes, mail_in) = (app.living().len(), app.settings.mail_domain.is_some());
    let mut installed = Installed { nodes, mail_in, ..Installed::default() };
    for provider in app.channels.providers() {
        installed.providers.entry(provider.channel).or_default().insert(provider.name);
    }
    installed
}

/// Writes into its incident's timeline what a bulletin said last.
async fn note(app: &Inner, bulletin: &Bulletin) -> Result<(), StoreError> {
    let Some((update, id)) = bulletin.updates.last().zip(bulletin.incident()) else {
        return Ok(());
    };
    let phase = update.phase.words();
    let text = match &update.by {
        None => format!("Status page: {}. {phase}.", bulletin.title),
        Some(by) => format!("Status page, by {by}: {phase}. {}", update.text),
    };
    let line = IncidentLine::new("status", text, update.at);
    let line = line.linked(format!("/status-page/{}", bulletin.id));
    app.store.add_incident_line(id, &line).await?;
    app.room_changed(id);
    Ok(())
}
