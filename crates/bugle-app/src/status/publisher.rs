//! The publisher's loop: read what is told, decide what is to be said, keep it, write the files.
//!
//! Everything is decided in memory, and kept when the database takes it: without one the page goes
//! on telling what this node sees.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bugle_domain::{AllTenants, BulletinId, IncidentId, Severity};
use bugle_engine::incident::{self, Incident};
use bugle_engine::status::audit;
use bugle_engine::status::board::{self, BLIND_AFTER, Board, Head, Region, Touched, Whose};
use bugle_engine::status::bulletin::{self, Bulletin, Kind, Known};
use bugle_engine::status::history::{self, DAYS, Span};
use bugle_engine::status::rules::{self, States};
use bugle_store::{BulletinRow, Store};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Settings, beside, files, installed, note};
use crate::app::Inner;
use crate::entropy;
use crate::incidents;
use crate::operators::Notice;
use crate::watch::{Watched, within};

/// How often it is looked whether something is to be said.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the files are written when nothing has changed, and all else that is not urgent done.
pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// What was changed so lately is read again each time: clocks of nodes differ.
const LATELY: SignedDuration = SignedDuration::from_mins(5);
/// What is shown, and a day.
pub(super) const SHOWN: SignedDuration = SignedDuration::from_hours(24 * (DAYS + 1));
/// What operators are told about under.
const NOTICE_KEY: &str = "bugle/status-page";

/// Runs until `stop` is cancelled.
pub(super) async fn publish(app: Arc<Inner>, settings: Arc<Settings>, stop: CancellationToken) {
    let mut publisher = Publisher::new(app, settings);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = publisher.app.status.wake.notified() => (),
            () = tokio::time::sleep(LOOK_EVERY) => (),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = publisher.look() => (),
        }
    }
}

/// A bulletin, and whether the database has it like this. Version 0: it has it not at all.
struct Held {
    row: BulletinRow,
    unsaved: bool,
}

/// What the files say; they are written anew when it changes.
type Said = (States, Vec<Bulletin>, bool, Vec<Region>);

/// What the loop carries from one look to the next.
struct Publisher {
    app: Arc<Inner>,
    settings: Arc<Settings>,
    store: Option<Store>,
    held: BTreeMap<BulletinId, Held>,
    /// Those that open bulletins tell of, and the one that is open.
    incidents: BTreeMap<IncidentId, Incident>,
    open: Option<IncidentId>,
    spans: Vec<Span>,
    /// When the spans were read: what ended before that is kept as it is.
    loaded_at: Timestamp,
    /// When everything was last read, spans were last kept, files written, and the truth looked at.
    read_at: Option<Timestamp>,
    kept_at: Option<(Timestamp, States)>,
    written: Option<(Timestamp, Said)>,
    audited_at: Option<Timestamp>,
    /// The database did not answer when it was last asked.
    from_memory: bool,
    /// The operators were told of something that is not true.
    told: bool,
}

impl Publisher {
    fn new(app: Arc<Inner>, settings: Arc<Settings>) -> Self {
        Self {
            app,
            settings,
            store: None,
            held: BTreeMap::new(),
            incidents: BTreeMap::new(),
            open: None,
            spans: Vec::new(),
            loaded_at: Timestamp::MIN,
            read_at: None,
            kept_at: None,
            written: None,
            audited_at: None,
            from_memory: false,
            told: false,
        }
    }

    async fn look(&mut self) {
        // Before the watch has said anything, what was written by an earlier run is better.
        let Some(watched) = self.app.watch.said() else { return };
        let now = self.app.clock.now();
        // Of the nodes that see each other, one writes down what all of them see.
        let leads = watched.reports.iter().map(|it| it.node).min() == Some(self.app.node);
        let read = self.read(leads, now).await;
        if let Err(why) = &read
            && !self.from_memory
        {
            tracing::warn!(why, "the status page is made from memory");
        }
        self.from_memory = read.is_err();
        let installed = installed(&self.app);
        let (verdicts, harmless) = rules::harmful(&watched.view.verdicts);
        let verdicts = verdicts.as_slice();
        let promise = self.settings.promise;
        let known = Known { installed: &installed, verdicts, harmless, promise, now };
        self.begin(known, read.is_ok());
        if leads {
            self.follow(known);
        }
        let seen = rules::seen(&installed, verdicts);
        let shown = rules::shown(&seen, &self.bulletins(), now);
        let blind = now.duration_since(watched.view.at) > BLIND_AFTER;
        if leads && !blind {
            history::note(&mut self.spans, &shown, now);
        }
        let others = self.app.status.heard.regions(&self.settings.regions, now);
        self.write(&watched, (shown.clone(), self.bulletins(), blind, others), now);
        if read.is_ok() {
            self.save().await;
            if leads {
                self.save_spans(&shown, now).await;
                self.audit(&seen, now);
            }
        }
    }

    /// Reads what is told: all of it now and then, else what may have changed.
    async fn read(&mut self, leads: bool, now: Timestamp) -> Result<(), String> {
        let store = match &self.store {
            Some(store) => store.clone(),
            None => self.store.insert(beside(&self.app).await?).clone(),
        };
        let open = within(store.open_incident()).await?.map(|row| row.incident);
        let all = due(self.read_at, now);
        let since = before(now, if all { SHOWN } else { LATELY });
        for row in within(store.bulletins(since)).await? {
            let held = self.held.entry(row.bulletin.id);
            let held = held.or_insert_with(|| Held { row: row.clone(), unsaved: false });
            if !held.unsaved {
                held.row = row;
            }
        }
        if all && (self.read_at.is_none() || !leads) {
            self.spans = within(store.status_spans(before(now, SHOWN))).await?;
            self.loaded_at = now;
        }
        self.open = open.as_ref().map(|it| it.id);
        let told = self.held.values().filter(|it| it.row.bulletin.open());
        let told: Vec<IncidentId> = told.filter_map(|it| it.row.bulletin.incident()).collect();
        self.incidents.retain(|id, _| told.contains(id));
        let others: Vec<_> = told.into_iter().filter(|id| Some(*id) != self.open).collect();
        let others = within(store.incidents_of(AllTenants::granted(), &others)).await?;
        self.incidents.extend(others.into_iter().chain(open).map(|it| (it.id, it)));
        if all {
            self.read_at = Some(now);
            self.spans.retain(|span| span.until >= before(now, SHOWN));
        }
        Ok(())
    }

    /// Begins the bulletin of an incident that has none.
    fn begin(&mut self, known: Known<'_>, database: bool) {
        let incident = match self.open.filter(|_| database) {
            Some(open) => self.incidents.get(&open).cloned(),
            None => None,
        };
        let own = self.own().is_some();
        match incident {
            Some(incident) if own || !known.verdicts.is_empty() => self.tell(&incident, known),
            None if database && known.verdicts.is_empty() => self.end_own(known.now),
            None if !database && !known.verdicts.is_empty() && !self.tells() => {
                // Nobody can declare it: this node says what it sees.
                let id = IncidentId::new(known.now, entropy::bytes());
                if let Some(it) = incident::declare(id, known.verdicts, true, known.now) {
                    self.tell(&it, known);
                    self.incidents.insert(id, it);
                }
            }
            Some(_) | None => (),
        }
    }

    /// Whether a trouble that goes on is told of.
    fn tells(&self) -> bool {
        let mut all = self.held.values().map(|it| &it.row.bulletin);
        all.any(|it| it.open() && matches!(it.kind, Kind::Trouble { .. }))
    }

    fn own(&mut self) -> Option<&mut Held> {
        self.held.values_mut().find(|it| it.row.version == 0 && it.row.bulletin.open())
    }

    /// Tells of an incident, unless it is told of. What this node said of it while nobody could
    /// declare it is what was said first.
    fn tell(&mut self, incident: &Incident, known: Known<'_>) {
        let id = Some(incident.id);
        if self.held.values().any(|it| it.row.bulletin.incident() == id) {
            return;
        }
        if let Some(own) = self.own() {
            own.row.bulletin.kind = Kind::Trouble { incident: id };
            return;
        }
        let id = BulletinId::new(known.now, entropy::bytes());
        let bulletin = bulletin::open(id, incident, known);
        tracing::warn!(title = bulletin.title, "the public is told");
        metrics::counter!("bugle_status_bulletins_total").increment(1);
        let row = BulletinRow { bulletin, version: 0 };
        self.held.insert(id, Held { row, unsaved: true });
    }

    /// What this node said by itself is over, and nobody has declared it.
    fn end_own(&mut self, now: Timestamp) {
        let Some(own) = self.own() else { return };
        let Some(id) = own.row.bulletin.incident() else { return };
        if let Some(incident) = self.incidents.get_mut(&id) {
            (incident.mitigated_at, incident.drained_at) = (Some(now), Some(now));
            incident.recovered_at = Some(now);
        }
    }

    /// Brings what goes on up to date.
    fn follow(&mut self, known: Known<'_>) {
        for held in self.held.values_mut() {
            let bulletin = &mut held.row.bulletin;
            held.unsaved |= bulletin.keep_time(known.now);
            let incident = bulletin.incident().and_then(|id| self.incidents.get(&id));
            if let Some(incident) = incident {
                held.unsaved |= bulletin::follow(bulletin, incident, known);
            }
        }
    }

    /// What is told, newest first.
    fn bulletins(&self) -> Vec<Bulletin> {
        self.held.values().rev().map(|held| held.row.bulletin.clone()).collect()
    }

    /// Keeps what is new. What somebody else has changed meanwhile is read again.
    async fn save(&mut self) {
        let Some(store) = self.store.clone() else { return };
        let unsaved = self.held.iter().filter(|(_, held)| held.unsaved).map(|(id, _)| *id);
        for id in unsaved.collect::<Vec<_>>() {
            let Some(held) = self.held.get_mut(&id) else { continue };
            let declared = held.row.bulletin.incident() == self.open;
            if held.row.version == 0 && !declared {
                if held.row.bulletin.open() {
                    continue;
                }
                held.row.bulletin.kind = Kind::Trouble { incident: None };
            }
            let saved = if held.row.version == 0 {
                within(store.publish_bulletin(&held.row.bulletin)).await
            } else {
                within(store.save_bulletin(&held.row)).await
            };
            match saved {
                Ok(true) => {
                    held.row.version += 1;
                    held.unsaved = false;
                    if let Err(why) = within(note(&self.app, &held.row.bulletin)).await {
                        tracing::warn!(why, "the timeline lacks what the public was told");
                    }
                }
                Ok(false) => drop(self.held.remove(&id)),
                Err(why) => tracing::warn!(why, "what the public is told is not kept yet"),
            }
        }
    }

    async fn save_spans(&mut self, shown: &States, now: Timestamp) {
        let Some(store) = &self.store else { return };
        let last = self.kept_at.as_ref();
        let changed = last.is_none_or(|(_, states)| states != shown);
        if !changed && !due(last.map(|(at, _)| *at), now) {
            return;
        }
        let new = last.map_or(self.loaded_at, |(at, _)| self.loaded_at.max(*at));
        let grown: Vec<Span> =
            self.spans.iter().filter(|span| span.until >= new).copied().collect();
        match within(store.save_status_spans(&grown, before(now, SHOWN))).await {
            Ok(()) => self.kept_at = Some((now, shown.clone())),
            Err(why) => tracing::warn!(why, "how components do is not kept yet"),
        }
    }

    /// Writes the files, when they would say something else or are a minute old.
    fn write(&mut self, watched: &Watched, said: Said, now: Timestamp) {
        if let Some((at, old)) = &self.written
            && *old == said
            && !due(Some(*at), now)
        {
            return;
        }
        let (shown, bulletins, _, others) = &said;
        let own = Region {
            name: self.settings.region.clone(),
            url: String::new(),
            rows: board::rows(shown, &self.spans, now),
            bulletins: bulletins.iter().map(|it| it.in_words(|it| Touched::from(*it))).collect(),
            unseen: None,
        };
        let head = Head {
            name: self.settings.name.clone(),
            whose: Whose::Installation,
            url: self.app.settings.public_url.as_str().trim_end_matches('/').to_owned(),
            at: now,
            seen_at: watched.view.at,
        };
        let regions = std::iter::once(own).chain(others.iter().cloned()).collect();
        let board = Board::new(head, regions);
        let files = (self.settings.render)(&board);
        match files::write(&self.settings.folder, &files) {
            Ok(()) => self.written = Some((now, said)),
            Err(error) => {
                metrics::counter!("bugle_status_write_failures_total").increment(1);
                tracing::error!(%error, "the status page could not be written");
            }
        }
    }

    /// Tells the operators what the page says that is not true, each minute.
    fn audit(&mut self, seen: &States, now: Timestamp) {
        if !due(self.audited_at, now) {
            return;
        }
        self.audited_at = Some(now);
        let since = |component| {
            let own = self.spans.iter().filter(|span| span.component == component);
            own.max_by_key(|span| span.from).map(|span| span.from)
        };
        let found = audit::audit(seen, since, &self.bulletins(), now);
        let Some(first) = found.first() else {
            if std::mem::take(&mut self.told) {
                let app = Arc::clone(&self.app);
                incidents::tell(&self.app, async move { app.clear(NOTICE_KEY).await });
            }
            return;
        };
        self.told = true;
        let texts: Vec<String> = found.iter().map(audit::Finding::text).collect();
        tracing::error!(findings = texts.join(" "), "the status page is not true");
        let notice = Notice {
            key: NOTICE_KEY.to_owned(),
            summary: first.text(),
            severity: Severity::High,
            details: [("findings".to_owned(), texts.into())].into_iter().collect(),
        };
        let app = Arc::clone(&self.app);
        incidents::tell(&self.app, async move { app.raise(&notice).await });
    }
}

pub(super) fn due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|at| now.duration_since(at) >= MINUTE)
}

pub(super) fn before(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_sub(span).unwrap_or(Timestamp::MIN)
}
