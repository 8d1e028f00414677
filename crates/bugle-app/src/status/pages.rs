//! Writes the status pages of tenants, each into a folder of its own beside the installation's.
//!
//! Pages are looked at in turns, so that many of them cost no more than a few at once. What can't
//! be read is not written: the files stay as they are, and say how old they are.

mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bugle_domain::object::Directory;
use bugle_domain::status_page::StatusPage;
use bugle_domain::{AllTenants, ServiceId, StatusPageId, TenantId, TenantScope};
use bugle_engine::status::board::BLIND_AFTER;
use bugle_engine::status::bulletin::Bulletin;
use bugle_engine::status::history::{self, Span};
use bugle_engine::status::rules::States;
use bugle_engine::status::tenant;
use bugle_store::{PublicPage, Store};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use self::turns::{Turns, Why};
use super::publisher::{SHOWN, before, due};
use super::{File, PAGES, Settings, beside, files};
use crate::app::Inner;
use crate::directory_cache::DirectoryCache;
use crate::watch::within;

/// How often some of the pages are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pages that there may be.
const MAX_PAGES: u32 = 2_000;
/// Pages that can't be followed, after which a look is over: the database may be away.
const MAX_FAILURES: usize = 5;

/// Runs until `stop` is cancelled.
pub(super) async fn publish(app: Arc<Inner>, settings: Arc<Settings>, stop: CancellationToken) {
    let mut pages = Pages::new(app, settings);
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => (),
        }
        let looked = tokio::select! {
            () = stop.cancelled() => return,
            looked = pages.look() => looked,
        };
        if let Err(why) = &looked
            && !failing
        {
            tracing::warn!(why, "status pages of tenants are not written");
        }
        failing = looked.is_err();
    }
}

/// What a page says; it is written anew when that changes.
#[derive(Clone, PartialEq)]
struct Said {
    name: String,
    services: Vec<(ServiceId, String)>,
    follow_alerts: bool,
    shown: States<ServiceId>,
    bulletins: Vec<Bulletin<ServiceId>>,
    blind: bool,
}

impl Said {
    fn of(page: &StatusPage, directory: &Directory) -> Self {
        let named = |it: ServiceId| (it, tenant::name(page, directory, it));
        Self {
            name: page.name.clone(),
            services: page.services.iter().map(|it| named(it.service)).collect(),
            follow_alerts: page.follow_alerts,
            shown: States::new(),
            bulletins: Vec::new(),
            blind: false,
        }
    }
}

/// What is kept of a page from one look to the next.
#[derive(Default)]
struct Held {
    spans: Vec<Span<ServiceId>>,
    /// When the spans were read: what ended before that is kept as it is.
    loaded_at: Option<Timestamp>,
    kept_at: Option<(Timestamp, States<ServiceId>)>,
    /// What the files say.
    said: Option<Said>,
}

/// The pages that are public, and whose.
type Public = BTreeMap<StatusPageId, (TenantId, StatusPage)>;

/// What was read of the pages when some tenant's configuration was last changed.
#[derive(Default)]
struct Listed {
    public: Public,
    /// Those whose files are to be there, the pages that do not read among them; `None`: there may
    /// be more of them than were read.
    there: Option<BTreeSet<StatusPageId>>,
}

impl From<Vec<PublicPage>> for Listed {
    fn from(pages: Vec<PublicPage>) -> Self {
        let all = pages.len() < MAX_PAGES as usize;
        let there = all.then(|| pages.iter().map(|it| it.id).collect());
        let public = |it: PublicPage| Some((it.id, (it.tenant, it.page?)));
        Self { public: pages.into_iter().filter_map(public).collect(), there }
    }
}

/// Where the loop reads, and keeps what it sees: all of it apart from the pager's own.
#[derive(Clone)]
struct Source {
    store: Store,
    directories: DirectoryCache,
}

/// What the loop carries from one look to the next.
struct Pages {
    app: Arc<Inner>,
    settings: Arc<Settings>,
    source: Option<Source>,
    /// The pages, while no tenant's configuration is changed.
    listed: Option<Arc<Listed>>,
    held: BTreeMap<StatusPageId, Held>,
    turns: Turns,
    /// Whether nobody can list them.
    hidden: bool,
    /// Those whose folders are there.
    there: Option<BTreeSet<StatusPageId>>,
    /// When it was last known that events become alerts.
    seen_at: Option<Timestamp>,
    /// Whether this node writes down what all of them see.
    leads: bool,
}

impl Pages {
    fn new(app: Arc<Inner>, settings: Arc<Settings>) -> Self {
        Self {
            app,
            settings,
            source: None,
            listed: None,
            held: BTreeMap::new(),
            turns: Turns::default(),
            hidden: false,
            there: None,
            seen_at: None,
            leads: false,
        }
    }

    async fn look(&mut self) -> Result<(), String> {
        let now = self.app.clock.now();
        let source = self.source().await?;
        let listed = self.list(&source).await?;
        let (hidden, forgotten) = (self.hide(), self.forget(&listed));
        self.follow_some(&source, &listed.public, now).await.and(hidden).and(forgotten)
    }

    /// Looks at those whose turn it is.
    async fn follow_some(
        &mut self,
        source: &Source,
        pages: &Public,
        now: Timestamp,
    ) -> Result<(), String> {
        // Before the watch has said anything, what was written by an earlier run is better.
        let Some(watched) = self.app.watch.said() else { return Ok(()) };
        self.leads = watched.reports.iter().map(|it| it.node).min() == Some(self.app.node);
        if !watched.view.verdicts.iter().any(tenant::hides) {
            self.seen_at = Some(watched.view.at);
        }
        // The same holds while this run has not seen yet how things are.
        if self.seen_at.is_none() {
            return Ok(());
        }
        let mut failures = Vec::new();
        for (id, oldest) in self.turns.choose(pages, now) {
            let Some((tenant, page)) = pages.get(&id) else { continue };
            let whose = (TenantScope::granted(*tenant), page, oldest);
            if let Err(why) = self.follow(source, whose, now).await {
                self.turns.pass(id, now);
                failures.push(why);
            }
            if failures.len() >= MAX_FAILURES {
                break;
            }
        }
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    async fn source(&mut self) -> Result<Source, String> {
        if let Some(source) = &self.source {
            return Ok(source.clone());
        }
        let store = beside(&self.app).await?;
        let source = Source { directories: DirectoryCache::new(store.clone()), store };
        Ok(self.source.insert(source).clone())
    }

    /// The public pages, read anew when some tenant's configuration was changed.
    async fn list(&mut self, source: &Source) -> Result<Arc<Listed>, String> {
        if within(source.directories.refresh()).await? {
            self.listed = None;
        }
        if let Some(listed) = &self.listed {
            return Ok(Arc::clone(listed));
        }
        let pages = within(source.store.public_pages(AllTenants::granted(), MAX_PAGES)).await?;
        Ok(Arc::clone(self.listed.insert(Arc::new(pages.into()))))
    }

    /// How many there are.
    fn pages(&self) -> usize {
        self.listed.as_ref().map_or(0, |it| it.public.len())
    }

    /// Has a server of files show nothing where it would list all the pages.
    fn hide(&mut self) -> Result<(), String> {
        if !self.hidden {
            let file = File { path: format!("{PAGES}/index.html").into(), text: String::new() };
            files::put(&self.settings.folder, &file).map_err(|error| error.to_string())?;
            self.hidden = true;
        }
        Ok(())
    }

    /// Removes the files of pages that are not public any more.
    fn forget(&mut self, Listed { public, there }: &Listed) -> Result<(), String> {
        self.held.retain(|id, _| public.contains_key(id));
        self.turns.retain(public);
        let Some(there) = there.as_ref().filter(|it| self.there.as_ref() != Some(*it)) else {
            return Ok(());
        };
        forget(&self.settings.folder.join(PAGES), there).map_err(|error| error.to_string())?;
        self.there = Some(there.clone());
        Ok(())
    }

    /// Looks how the services of a page do, and writes it if it is time to.
    async fn follow(
        &mut self,
        Source { store, directories }: &Source,
        (scope, page, oldest): (TenantScope, &StatusPage, bool),
        now: Timestamp,
    ) -> Result<(), String> {
        let directory = within(directories.get(scope)).await?;
        let mut said = Said::of(page, &directory);
        let seen_at = self.seen_at.unwrap_or(now);
        said.blind = now.duration_since(seen_at) > BLIND_AFTER;
        said.bulletins = self.bulletins(store, (scope, page.id), now).await?;
        let alerts = within(store.services_in_trouble(scope)).await?;
        said.shown = tenant::shown(page, &alerts, &said.bulletins, now);
        let mut held = self.held.remove(&page.id).unwrap_or_default();
        if held.loaded_at.is_none() || (!self.leads && due(held.loaded_at, now)) {
            let since = before(now, SHOWN);
            held.spans = within(store.page_spans(scope, page.id, since)).await?;
            held.loaded_at = Some(now);
        }
        if self.leads && !said.blind {
            history::note(&mut held.spans, &said.shown, now);
        }
        let why = why(held.said.as_ref(), &said);
        let written = if self.turns.take((page.id, scope.tenant()), (why, oldest), now) {
            self.write((page, &directory), &mut held, said.clone(), now)
        } else {
            Ok(())
        };
        let kept = self.keep(store, (scope, page.id, &mut held), said.shown, now).await;
        self.held.insert(page.id, held);
        written.map_err(|error| error.to_string()).and(kept)
    }

    /// What a page tells, newest first. Maintenance goes on by itself when its time has come.
    async fn bulletins(
        &self,
        store: &Store,
        (scope, page): (TenantScope, StatusPageId),
        now: Timestamp,
    ) -> Result<Vec<Bulletin<ServiceId>>, String> {
        let mut rows = within(store.page_bulletins(scope, page, before(now, SHOWN))).await?;
        for row in &mut rows {
            if row.bulletin.keep_time(now) && self.leads {
                // What somebody else has said meanwhile is read at the next look.
                within(store.save_page_bulletin(scope, page, row)).await?;
            }
        }
        Ok(rows.into_iter().map(|row| row.bulletin).collect())
    }

    /// Writes the files.
    fn write(
        &mut self,
        (page, directory): (&StatusPage, &Directory),
        held: &mut Held,
        said: Said,
        now: Timestamp,
    ) -> io::Result<()> {
        let known = tenant::Known {
            directory,
            shown: &said.shown,
            bulletins: &said.bulletins,
            spans: &held.spans,
            now,
            seen_at: self.seen_at.unwrap_or(now),
            every_min: turns::every_min(self.pages()),
        };
        let board = tenant::board(page, address(&self.app, page.id), known);
        let folder = self.settings.folder.join(PAGES).join(page.id.to_string());
        let written = files::write(&folder, &(self.settings.render)(&board));
        match written {
            Ok(()) => held.said = Some(said),
            Err(_) => metrics::counter!("bugle_status_write_failures_total").increment(1),
        }
        written
    }

    /// Keeps how the services did, when that has changed or a minute has passed.
    async fn keep(
        &self,
        store: &Store,
        (scope, page, held): (TenantScope, StatusPageId, &mut Held),
        shown: States<ServiceId>,
        now: Timestamp,
    ) -> Result<(), String> {
        let last = held.kept_at.as_ref();
        let same = last.is_some_and(|(_, states)| *states == shown);
        if !self.leads || (same && !due(last.map(|(at, _)| *at), now)) {
            return Ok(());
        }
        let new = last.map(|(at, _)| *at).max(held.loaded_at).unwrap_or(now);
        let grown: Vec<Span<ServiceId>> =
            held.spans.iter().filter(|span| span.until >= new).copied().collect();
        let old = before(now, SHOWN);
        within(store.save_page_spans(scope, page, &grown, old)).await?;
        held.spans.retain(|span| span.until >= old);
        held.kept_at = Some((now, shown));
        Ok(())
    }
}

/// Why a page is to be written that said something before.
fn why(before: Option<&Said>, said: &Said) -> Option<Why> {
    match before {
        Some(before) if before.blind != said.blind => Some(Why::Sight),
        Some(before) if before == said => None,
        Some(_) | None => Some(Why::News),
    }
}

/// Where a page is served, without a slash at the end.
pub(super) fn address(app: &Inner, page: StatusPageId) -> String {
    let url = app.settings.public_url.as_str().trim_end_matches('/');
    format!("{url}/status/{PAGES}/{page}")
}

/// Removes the folders of pages below `folder` that are not named. What is no page's folder is
/// nobody's here.
fn forget(folder: &Path, there: &BTreeSet<StatusPageId>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut all = Ok(());
    for entry in entries {
        let entry = entry?;
        let id: Option<StatusPageId> = entry.file_name().to_str().and_then(|it| it.parse().ok());
        if id.is_some_and(|id| !there.contains(&id)) && entry.file_type()?.is_dir() {
            all = all.and(fs::remove_dir_all(entry.path()));
        }
    }
    all
}

#[cfg(test)]
mod tests;
