//! The watch's loop: send, look, judge, say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bugle_channels::Probe;
use bugle_domain::revision::Revision;
use bugle_domain::stage::Stage;
use bugle_engine::watch::books::Books;
use bugle_engine::watch::fingerprints::fingerprints;
use bugle_engine::watch::judge::{Seen, Signal, Watcher};
use bugle_engine::watch::runway::{self, Gauge};
use bugle_engine::watch::thresholds::Thresholds;
use bugle_engine::watch::{Hop, Verdict};
use bugle_store::{PoolSettings, ReportRow, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::RECEIPT;
use super::alarm::{self, Alarm};
use super::canary::Canaries;
use super::certificate::Certificate;
use super::look::{self, Look};
use super::mail::MailCanaries;
use super::report::{Others, PathReport, Report, Watched};
use super::settings::{Settings, Strictness};
use crate::app::Inner;
use crate::error::Chain;
use crate::incidents::OperatorsPage;

/// Connections of the watch's own, and how long anything may take on them. A turn at SQLite's one
/// writer is waited for much longer than one takes where it is only busy.
pub(crate) const POOL: PoolSettings = PoolSettings {
    connections: 2,
    statement_timeout: Duration::from_secs(2),
    lock_timeout: Duration::from_millis(250),
    acquire_timeout: Duration::from_millis(1_500),
};
/// A look at the database, all in all.
const STORE_LIMIT: Duration = Duration::from_secs(2);
/// Wait before something that could not be begun is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// What canaries are given to come through before they are looked at.
const FLIGHT: Duration = Duration::from_millis(250);
/// For a connection to this node, or to a dead man's switch, to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// The probe that must fail is sent this long after the start for the first time.
const FIRST_CONTROL: Duration = Duration::from_secs(30);
/// Canaries' rows are swept this often, which also shows whether the database takes anything at
/// all, and kept this long: longer than any receipt takes.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
const KEEP: SignedDuration = SignedDuration::from_secs(180);
/// What changes slowly is looked at this often.
const SLOW_EVERY: Duration = Duration::from_mins(1);
/// After the start, verdicts are not made for so long: nothing has come to rest yet.
const GRACE: Duration = Duration::from_secs(4);

/// Runs until `stop` is cancelled.
pub(super) async fn watch(app: Arc<Inner>, settings: Arc<Settings>, stop: CancellationToken) {
    let work = async {
        let Some(mut round) = Round::begin(Arc::clone(&app), settings).await else { return };
        round.run().await;
    };
    tokio::select! {
        () = stop.cancelled() => (),
        () = work => (),
    }
}

/// When something was last done.
pub(super) struct Every(Duration, Option<Instant>);

impl Every {
    /// It was never done.
    pub(super) fn new(period: Duration) -> Self {
        Self(period, None)
    }

    /// Whether it is time to do it; it counts as done then.
    pub(super) fn due(&mut self) -> bool {
        let due = self.1.is_none_or(|at| at.elapsed() >= self.0);
        if due {
            self.1 = Some(Instant::now());
        }
        due
    }
}

/// What the loop carries from one second to the next.
pub(super) struct Round {
    pub(super) app: Arc<Inner>,
    pub(super) settings: Arc<Settings>,
    pub(super) store: Store,
    canaries: Canaries,
    mail: Option<MailCanaries>,
    watcher: Watcher,
    look: Look,
    others: Others,
    pub(super) alarm: Option<Alarm>,
    pub(super) page: OperatorsPage,
    /// Whether somebody has answered the incident that is followed here.
    pub(super) answered: bool,
    /// What the revision says that a change under way leads away from.
    beside: Option<Strictness>,
    probe: Probe,
    began: Instant,
    /// Since when the database has not answered us, and since when it has taken nothing.
    store_failed: Option<(Timestamp, String)>,
    write_failed: Option<(Timestamp, String)>,
    control: Every,
    sweep: Every,
    slow: Every,
    heartbeat: Every,
    key_ends: Option<Gauge>,
    certificate: Certificate,
    /// Hops that were broken a second ago, for the timeline.
    pub(super) before: BTreeSet<Hop>,
    written: Vec<Verdict>,
}

impl Round {
    /// Opens what it needs; tries until it has it. `None`: it never will.
    async fn begin(app: Arc<Inner>, settings: Arc<Settings>) -> Option<Self> {
        let told = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(error = %Chain(error), "the watch can't be set up");
        };
        let probe =
            Probe::new(CONNECT_LIMIT, &settings.roots).inspect_err(|error| told(error)).ok()?;
        let certificate =
            Certificate::new(&settings.roots).inspect_err(|error| told(error)).ok()?;
        let address = |kind: &str| app.watch.own_address(&settings.own_url, kind);
        let addresses = address(RECEIPT).and_then(|it| Ok((it, address("lost")?)));
        let canaries = addresses
            .and_then(|addresses| Canaries::new(app.node, &settings, probe.clone(), addresses))
            .inspect_err(|error| told(error))
            .ok()?;
        let mail = settings.mail_in.zip(app.event_address(canaries.by_mail()));
        let mail = mail.map(|(door, to)| MailCanaries::new(door, to, canaries.scope()));
        let alarm = match &settings.operators {
            Some(operators) => Alarm::new(
                operators,
                Some(app.settings.public_url.clone()),
                app.watch.answers.clone(),
                app.webhook_secret(alarm::webhook_method()),
            )
            .inspect_err(|error| told(error))
            .ok(),
            None => None,
        };
        let store = opened(&app, &canaries).await;
        app.configuration_changed(canaries.scope().tenant());
        let watcher = Watcher::new(app.node, settings.thresholds, canaries.paths());
        let first =
            Instant::now().checked_sub(settings.control_every.saturating_sub(FIRST_CONTROL));
        let heartbeat = settings.heartbeat.as_ref().map_or(SLOW_EVERY, |it| it.every);
        Some(Self {
            control: Every(settings.control_every, first),
            sweep: Every::new(SWEEP_EVERY),
            slow: Every::new(SLOW_EVERY),
            heartbeat: Every::new(heartbeat),
            mail,
            look: Look::new(),
            others: Others::default(),
            began: Instant::now(),
            store_failed: None,
            write_failed: None,
            key_ends: None,
            certificate,
            before: BTreeSet::new(),
            written: Vec::new(),
            app,
            settings,
            store,
            canaries,
            watcher,
            alarm,
            page: OperatorsPage::default(),
            answered: false,
            beside: None,
            probe,
        })
    }

    async fn run(&mut self) {
        loop {
            let began = Instant::now();
            self.watcher.set_thresholds(self.thresholds());
            self.second().await;
            metrics::histogram!("bugle_watch_round_seconds").record(began.elapsed());
            tokio::time::sleep(self.every().saturating_sub(began.elapsed())).await;
        }
    }

    /// From when on something is wrong: what the revision says that runs now, which goes with
    /// intake, and the settings of this node for the rest. While a change is under way, the
    /// stricter of that and what it leads away from: it must not blind who watches it.
    pub(super) fn thresholds(&self) -> Thresholds {
        let own = self.runs_now().thresholds(self.settings.thresholds);
        let beside = self.beside.as_ref().map(|it| it.thresholds(self.settings.thresholds));
        beside.map_or(own, |beside| own.stricter(beside))
    }

    /// Time between two canaries on one path, likewise.
    fn every(&self) -> Duration {
        let own = self.runs_now().canary.every;
        self.beside.as_ref().map_or(own, |beside| own.min(beside.canary.every))
    }

    fn runs_now(&self) -> Strictness {
        Strictness::of(&self.app.stages.of(Stage::Intake).revision)
    }

    async fn second(&mut self) {
        self.fly().await;
        let now = self.app.clock.now();
        let books = self.read(now).await;
        let mut gauges = vec![self.look.clock(now)];
        gauges.extend(self.look.gauges(&self.app, now));
        gauges.extend(self.others.clocks());
        gauges.extend(self.key_ends.clone());
        gauges.extend(self.certificate.gauge());
        let statuses = self.app.channels.providers();
        let mut others: Vec<Signal> = look::full(&gauges, now).collect();
        others.extend(look::failing(&statuses, now));
        others.extend(self.mail.as_ref().and_then(MailCanaries::signal));
        others.extend(self.store_signal(now));
        others.extend(self.misfits(now).await);
        let seen = Seen {
            books: books.clone(),
            pulses: look::pulses(&self.app, now),
            others,
            clock_was_set: self.look.clock_was_set(),
        };
        let mut verdicts = self.watcher.observe(&seen, now);
        if self.began.elapsed() < GRACE {
            verdicts.clear();
        }
        let paths = self.canaries.paths();
        let probed = |channel, name: &str| {
            paths.iter().any(|(path, _)| path.channel == channel && path.provider == name)
        };
        let tracks = self.watcher.tracks().iter();
        let report = Report {
            node: self.app.node,
            at: now,
            verdicts,
            canaries: self.watcher.canaries(now),
            paths: tracks
                .map(|track| PathReport {
                    path: track.path.clone(),
                    goal: track.goal,
                    provider_ms: track.provider_ms(),
                })
                .collect(),
            providers: look::providers(&statuses, probed),
            books,
            flow: self.watcher.flow(),
            gauges,
            control_reported: self.watcher.control_reported(),
        };
        let watched = self.exchange(report, now).await;
        self.act(&watched, now).await;
        self.app.watch.say(watched);
        self.keep_house(now).await;
    }

    /// Sends canaries, and lets them fly for a moment.
    async fn fly(&mut self) {
        if !self.watcher.control_runs() && self.control.due() {
            self.watcher.begin_control(self.canaries.control().clone(), self.app.clock.now());
        }
        let control = self.watcher.control_runs();
        let (clock, store) = (&self.app.clock, &self.store);
        let by_mail = async {
            if let Some(mail) = &mut self.mail {
                mail.send(store, clock).await;
            }
        };
        let (sent, ()) = tokio::join!(self.canaries.send(clock, control), by_mail);
        for (path, flight) in sent {
            self.watcher.send(&path, flight);
        }
        tokio::time::sleep(FLIGHT).await;
    }

    /// Reads how far canaries got, and the books.
    async fn read(&mut self, now: Timestamp) -> Option<Books> {
        for (number, at) in self.app.watch.take_receipts() {
            if let Some(event) = self.canaries.event(&number) {
                self.watcher.arrived(event, at);
            }
        }
        let (oldest, scope) = (self.watcher.oldest_event(), self.canaries.scope());
        let store = self.store.clone();
        let reading = async {
            let rows = match oldest {
                Some(oldest) => store.canaries(scope, oldest).await?,
                None => Vec::new(),
            };
            Ok((rows, store.watch_books(now).await?))
        };
        match within(reading).await {
            Ok((rows, books)) => {
                for row in rows {
                    self.watcher.mark(row.event, row.marks, row.fault.as_deref());
                }
                self.store_failed = None;
                Some(books)
            }
            Err(why) => {
                self.store_failed.get_or_insert((now, why));
                None
            }
        }
    }

    fn store_signal(&self, now: Timestamp) -> Option<Signal> {
        let (since, why) = self.store_failed.as_ref().or(self.write_failed.as_ref())?;
        let ripe = now.duration_since(*since) >= SignedDuration::from_secs(2);
        Some(Signal { ripe, ..Signal::certain(Hop::Store, *since, why.clone()) })
    }

    /// Writes what this node's watch says where others read it, and reads theirs. On a database
    /// that only this node has, it is written when the verdicts change.
    async fn exchange(&mut self, report: Report, now: Timestamp) -> Watched {
        let alone = self.store.file().is_some();
        let store = self.store.clone();
        let changed = self.written != report.verdicts;
        let text = serde_json::to_string(&report).unwrap_or_default();
        let node = self.app.node;
        let exchanging = async {
            if !alone || changed {
                store.save_watch_report(node, &text, now).await?;
            }
            if alone { Ok(Vec::new()) } else { store.watch_reports().await }
        };
        let rows: Vec<ReportRow> = match within(exchanging).await {
            Ok(rows) => {
                self.written.clone_from(&report.verdicts);
                rows
            }
            Err(why) => {
                self.write_failed.get_or_insert((now, why));
                Vec::new()
            }
        };
        self.others.merge(report, rows)
    }

    /// Stages that do not run what they should, or were put where they are by no change. While one
    /// is under way the nodes differ on purpose, and its own checkpoints look after that; but a
    /// stage that took its revision and can do nothing with it is broken.
    async fn misfits(&mut self, now: Timestamp) -> Vec<Signal> {
        let Ok(change) = within(self.store.change_under_way()).await else { return Vec::new() };
        self.beside = match &change {
            Some(driven) => self.strictness_of(driven.change.previous).await,
            None => None,
        };
        let Ok(mut runs) = within(self.store.stage_runs()).await else { return Vec::new() };
        let Ok(mut strays) = within(self.store.stray_stages()).await else { return Vec::new() };
        let living = self.app.living();
        runs.retain(|run| living.contains(&run.node));
        strays.retain(|stray| living.contains(&stray.node));
        let stuck = change.map(|driven| driven.change.revision);
        if let Some(wanted) = stuck {
            runs.retain(|run| run.revision == wanted && run.error.is_some());
        }
        let mut signals = fingerprints(&runs, now);
        if stuck.is_some() {
            for signal in &mut signals {
                signal.harmless = false;
            }
        }
        signals.extend(strays.iter().map(|stray| stray.signal(&runs, now)));
        signals
    }

    /// What a revision says of the watch, as far as it can be read.
    async fn strictness_of(&self, number: i64) -> Option<Strictness> {
        let stored = within(self.store.revision(number)).await.ok()??;
        Revision::parse(&stored.document).ok().as_ref().map(Strictness::of)
    }

    /// Sweeps what canaries left, says that it lives, and looks at what changes slowly.
    async fn keep_house(&mut self, now: Timestamp) {
        if self.sweep.due() || self.write_failed.is_some() {
            let before = now.saturating_sub(KEEP).unwrap_or(now);
            match within(self.store.sweep_canaries(before)).await {
                Ok(_) => self.write_failed = None,
                Err(why) => drop(self.write_failed.get_or_insert((now, why))),
            }
        }
        if self.slow.due() {
            if let Ok(end) = within(self.store.next_key_end(now)).await {
                self.key_ends = end.map(|end| runway::ends_at("api key", "an API key", end, now));
            }
            self.certificate.look(&self.app);
        }
        if let Some(heartbeat) = &self.settings.heartbeat
            && self.heartbeat.due()
        {
            heartbeat.beat(&self.probe, &self.app.tasks);
        }
    }
}

/// Opens the watch's own connections and makes its tenant, however long that takes.
async fn opened(app: &Inner, canaries: &Canaries) -> Store {
    loop {
        let opening = async {
            let store = app.store.beside(POOL).await?;
            canaries.set_up(&store, app.clock.now()).await?;
            Ok(store)
        };
        match within(opening).await {
            Ok(store) => return store,
            Err(why) => {
                tracing::error!(why, "the watch can't begin; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// An answer of the database, or why there is none, in time.
pub(crate) async fn within<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, String> {
    match tokio::time::timeout(STORE_LIMIT, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Chain(&error).to_string()),
        Err(_) => Err("the database does not answer in time".to_owned()),
    }
}
