//! Guarded changes of the stages: planning, beginning, undoing and reading them.

use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::NodeId;
pub use bugle_domain::revision::Difference;
use bugle_domain::revision::{Mistakes, Revision};
use bugle_domain::stage::{Stage, StageRun};
use bugle_engine::change::checked::{Dependants, Misfit, Numbered, Surroundings, checked};
use bugle_engine::change::was_just_undone;
pub use bugle_engine::change::{Change, ChangeKind, ChangeState, UndoWanted, WATCH_FOR};
use bugle_engine::cleanup::CleanUp;
use bugle_engine::watch::View;
use bugle_store::{Begun, NewRevision, RevisionSource};
pub use bugle_store::{Checkpoint, StoredRevision};
use jiff::{SignedDuration, Timestamp};

use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::permission::Permission;

mod drive;
mod error;
mod used;

pub(crate) use drive::ChangeLoop;
pub use error::ChangeError;
pub(crate) use used::channel_users;
use used::used;

/// How long a change may be watched.
pub const WATCHED: std::ops::RangeInclusive<SignedDuration> =
    SignedDuration::from_secs(10)..=SignedDuration::from_hours(24);
/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// What the stages are wanted to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// What a document says.
    Document(String),
    /// What a revision said that there was.
    Revision(i64),
}

/// How it is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeRequest {
    /// What.
    pub wanted: Wanted,
    /// Why. Not empty.
    pub reason: String,
    /// Whether it goes on although it was found not to fit.
    pub forced: bool,
    /// Whether it goes on although it was undone just now. Only together with `forced`.
    pub again: bool,
    /// How long it is watched in the end.
    pub watch_for: SignedDuration,
}

/// What a change would do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangePlan {
    /// The known-good that it would lead away from.
    pub from: i64,
    /// Every setting that would change.
    pub differences: Vec<Difference>,
    /// The stages that would run something different.
    pub stages: BTreeSet<Stage>,
    /// Everything that does not fit.
    pub misfits: Vec<Misfit>,
    /// Tenants, services and notifications now owed that pass through these stages.
    pub touched: Dependants,
    /// When the wanted revision was undone, and why.
    pub blocked: Option<(Timestamp, String)>,
}

impl ChangePlan {
    /// Everything that speaks against it, in sentences.
    pub fn refusals(&self) -> Vec<String> {
        let mut all: Vec<String> = self.misfits.iter().map(ToString::to_string).collect();
        let blocked = self.blocked.iter();
        all.extend(blocked.map(|(at, why)| format!("it was undone at {at}: {why}")));
        all
    }

    /// Whether it was undone by itself just now: then it is tried again only by somebody who says
    /// that they know it.
    pub fn was_just_undone(&self, now: Timestamp) -> bool {
        self.blocked.as_ref().is_some_and(|(at, _)| was_just_undone(*at, now))
    }

    /// Everything for which a request is refused. Empty: it begins.
    fn refused(&self, request: &ChangeRequest, now: Timestamp) -> Vec<String> {
        match (request.forced, self.was_just_undone(now)) {
            (false, _) => self.refusals(),
            (true, true) if !request.again => {
                let mut all = self.refusals();
                all.push("to try it again within the hour, say that you know it".to_owned());
                all
            }
            (true, _) => Vec::new(),
        }
    }
}

/// A change with what was seen on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeView {
    /// The change.
    pub change: Change,
    /// What was seen.
    pub checkpoints: Vec<Checkpoint>,
}

impl App {
    /// Has the watch say something from now on, as far as changes listen to it. For rehearsals.
    pub fn feed_watch(&self, view: View) {
        self.inner().stages.feed(view);
    }

    /// Says what a change would do, and does nothing.
    pub async fn plan_change(
        &self,
        caller: &Caller,
        wanted: &Wanted,
    ) -> Result<ChangePlan, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        let (number, revision, blocked) = self.wanted(wanted).await?;
        plan(self.inner(), Numbered { number, revision: &revision }, blocked).await
    }

    /// Begins a change. Whoever drives it takes it from checkpoint to checkpoint.
    pub async fn begin_change(
        &self,
        caller: &Caller,
        request: ChangeRequest,
    ) -> Result<Change, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        let reason = request.reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON {
            return Err(ChangeError::Reason { limit: MAX_REASON });
        }
        if !WATCHED.contains(&request.watch_for) {
            return Err(ChangeError::WatchTime);
        }
        let author = caller.audit_name();
        let (number, revision, blocked) = self.wanted(&request.wanted).await?;
        let plan = plan(self.inner(), Numbered { number, revision: &revision }, blocked).await?;
        if plan.differences.is_empty() {
            return Err(ChangeError::Nothing);
        }
        if request.forced {
            tracing::warn!(author, reason, refused = ?plan.refusals(), "a change is forced");
        }
        let refusals = plan.refused(&request, self.now());
        // What will not begin gets no revision.
        if refusals.is_empty() && self.inner().store.change_under_way().await?.is_some() {
            return Err(ChangeError::UnderWay);
        }
        let kind = if number == 0 { ChangeKind::Apply } else { ChangeKind::Revert };
        let number = match number {
            0 => {
                let source = RevisionSource::Change;
                let new = NewRevision { revision: &revision, author: &author, reason, source };
                self.inner().store.keep_revision(new, self.now()).await?
            }
            number => number,
        };
        let forced = request.forced;
        let (watch_for, clean_up) = (request.watch_for, None);
        let wanted = Begin { kind, number, author, reason, forced, watch_for, clean_up };
        if !refusals.is_empty() {
            return Err(refuse(self.inner(), wanted, &plan, refusals).await?);
        }
        begin(self.inner(), wanted, &plan).await
    }

    /// Wants the change that is under way undone.
    pub async fn undo_change(&self, caller: &Caller, reason: &str) -> Result<i64, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        let store = &self.inner().store;
        let driven = store.change_under_way().await?.ok_or(ChangeError::NoneUnderWay)?;
        let wanted = UndoWanted { by: caller.audit_name(), reason: reason.to_owned() };
        store.want_undo(driven.change.number, &wanted).await?;
        self.inner().wake_changes.notify_one();
        Ok(driven.change.number)
    }

    /// All changes, newest first.
    pub async fn guarded_changes(&self, caller: &Caller) -> Result<Vec<Change>, ChangeError> {
        let all = caller.all_tenants(Permission::ChangeStages)?;
        Ok(self.inner().store.guarded_changes(all).await?)
    }

    /// One change with what was seen on its way.
    pub async fn guarded_change(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<ChangeView, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        let store = &self.inner().store;
        let change = store.guarded_change(number).await?.ok_or(ChangeError::NoChange(number))?;
        Ok(ChangeView { change, checkpoints: store.checkpoints(number).await? })
    }

    /// All revisions, newest first, and which is the known-good.
    pub async fn stage_revisions(
        &self,
        caller: &Caller,
    ) -> Result<(Vec<StoredRevision>, Option<i64>), ChangeError> {
        let all = caller.all_tenants(Permission::ChangeStages)?;
        let store = &self.inner().store;
        Ok((store.revisions(all).await?, store.known_good().await?))
    }

    /// One revision.
    pub async fn stage_revision(
        &self,
        caller: &Caller,
        number: i64,
    ) -> Result<StoredRevision, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        let found = self.inner().store.revision(number).await?;
        found.ok_or(ChangeError::NoRevision(number))
    }

    /// In which settings two revisions differ.
    pub async fn diff_revisions(
        &self,
        caller: &Caller,
        (before, after): (i64, i64),
    ) -> Result<Vec<Difference>, ChangeError> {
        let before = read(&self.stage_revision(caller, before).await?)?;
        let after = read(&self.stage_revision(caller, after).await?)?;
        Ok(before.diff(&after))
    }

    /// What every stage of every node runs.
    pub async fn stage_runs(&self, caller: &Caller) -> Result<Vec<StageRun>, ChangeError> {
        caller.require(Permission::ChangeStages)?;
        Ok(self.inner().store.stage_runs().await?)
    }

    /// What is wanted: its number (0: it has none yet), what it says, and whether it was undone.
    async fn wanted(&self, wanted: &Wanted) -> Result<WantedRevision, ChangeError> {
        let (number, revision) = match wanted {
            Wanted::Document(text) => (0, Revision::parse(text)?),
            Wanted::Revision(number) => {
                let found = self.inner().store.revision(*number).await?;
                (*number, read(&found.ok_or(ChangeError::NoRevision(*number))?)?)
            }
        };
        let blocked = self.inner().store.blocked(&revision).await?;
        Ok((number, revision, blocked))
    }
}

type WantedRevision = (i64, Revision, Option<(Timestamp, String)>);

fn read(stored: &StoredRevision) -> Result<Revision, Mistakes> {
    Revision::parse(&stored.document)
}

/// A change to be written down.
struct Begin<'a> {
    kind: ChangeKind,
    number: i64,
    author: String,
    reason: &'a str,
    forced: bool,
    watch_for: SignedDuration,
    clean_up: Option<&'a CleanUp>,
}

async fn begin(app: &Inner, wanted: Begin<'_>, plan: &ChangePlan) -> Result<Change, ChangeError> {
    let (clean_up, change) = (wanted.clean_up, draft(app, wanted, plan));
    let begun = match clean_up {
        Some(clean_up) => app.store.begin_change_for(clean_up, &change, app.node).await?,
        None => app.store.begin_change(&change, app.node).await?,
    };
    let begun = match begun {
        Begun::Written(begun) => *begun,
        Begun::UnderWay => return Err(ChangeError::UnderWay),
        Begun::Overtaken => return Err(ChangeError::Overtaken),
    };
    app.wake_changes.notify_one();
    Ok(begun)
}

/// Begins a change to a new revision, made from the known-good of that number, that carries a
/// clean-up out. One that does not fit goes on record as refused, which is what is returned.
pub(crate) async fn begin_for(
    app: &Inner,
    clean_up: &CleanUp,
    (known_good, revision): (i64, &Revision),
) -> Result<Change, ChangeError> {
    let author = clean_up.author.clone();
    let reason = &*format!("clean-up {}: {}", clean_up.number, clean_up.reason);
    let blocked = app.store.blocked(revision).await?;
    let plan = plan(app, Numbered { number: 0, revision }, blocked).await?;
    if plan.from != known_good {
        return Err(ChangeError::Overtaken);
    }
    if app.store.change_under_way().await?.is_some() {
        return Err(ChangeError::UnderWay);
    }
    let new = NewRevision { revision, author: &author, reason, source: RevisionSource::Change };
    let number = app.store.keep_revision(new, app.clock.now()).await?;
    let (kind, forced, watch_for) = (ChangeKind::Apply, false, WATCH_FOR);
    let clean_up = Some(clean_up);
    let wanted = Begin { kind, number, author, reason, forced, watch_for, clean_up };
    let refusals = plan.refusals();
    if refusals.is_empty() {
        return begin(app, wanted, &plan).await;
    }
    on_record(app, wanted, &plan, &refusals).await
}

/// Puts what was refused on record: who tried what, and what spoke against it.
async fn refuse(
    app: &Inner,
    wanted: Begin<'_>,
    plan: &ChangePlan,
    refusals: Vec<String>,
) -> Result<ChangeError, ChangeError> {
    on_record(app, wanted, plan, &refusals).await?;
    Ok(ChangeError::Refused(refusals))
}

async fn on_record(
    app: &Inner,
    wanted: Begin<'_>,
    plan: &ChangePlan,
    refusals: &[String],
) -> Result<Change, ChangeError> {
    let change = Change {
        state: ChangeState::Refused,
        why: Some(refusals.join("; ")),
        ..draft(app, wanted, plan)
    };
    let refused = app.store.log_refused(&change, app.node, refusals).await?;
    let Change { number, author, reason, .. } = &refused;
    tracing::warn!(number, author, reason, ?refusals, "a change is refused");
    metrics::counter!("bugle_change_steps_total", "state" => "refused").increment(1);
    Ok(refused)
}

/// A change as it is written down.
fn draft(app: &Inner, wanted: Begin<'_>, plan: &ChangePlan) -> Change {
    let now = app.clock.now();
    let Begin { kind, number, author, reason, forced, watch_for, clean_up } = wanted;
    // This node first: it is known to live, and whoever else lives takes its tenants meanwhile.
    let mut nodes = vec![app.node];
    nodes.extend(app.living().into_iter().filter(|node| *node != app.node));
    Change {
        number: 0,
        kind,
        revision: number,
        previous: plan.from,
        stages: plan.stages.iter().copied().collect(),
        nodes,
        reached: 0,
        author,
        reason: reason.to_owned(),
        forced,
        watch_for,
        state: ChangeState::Planned,
        entered_at: now,
        began_at: now,
        before: Vec::new(),
        why: None,
        undo: None,
        clean_up: clean_up.map(|it| it.number),
    }
}

/// What a revision would change, and whether it fits beside what runs.
async fn plan(
    app: &Inner,
    wanted: Numbered<'_>,
    blocked: Option<(Timestamp, String)>,
) -> Result<ChangePlan, ChangeError> {
    let (from, known_good) = known_good(app).await?;
    let stages = known_good.changed(wanted.revision);
    let (misfits, touched) = fits(app, wanted, &stages).await?;
    let differences = known_good.diff(wanted.revision);
    Ok(ChangePlan { from, differences, stages, misfits, touched, blocked })
}

/// The revision that every node falls back to, with its number.
pub(crate) async fn known_good(app: &Inner) -> Result<(i64, Revision), ChangeError> {
    let number = app.store.known_good().await?.ok_or(ChangeError::NoRevision(0))?;
    Ok((number, revision(app, number).await?))
}

/// What a revision says.
pub(crate) async fn revision(app: &Inner, number: i64) -> Result<Revision, ChangeError> {
    let stored = app.store.revision(number).await?.ok_or(ChangeError::NoRevision(number))?;
    Ok(read(&stored)?)
}

/// What does not fit, and who passes through the stages at all.
async fn fits(
    app: &Inner,
    wanted: Numbered<'_>,
    stages: &BTreeSet<Stage>,
) -> Result<(Vec<Misfit>, Dependants), ChangeError> {
    let mut revisions: BTreeMap<i64, Revision> = BTreeMap::new();
    let living = app.living();
    let runs = app.store.stage_runs().await?;
    let runs: Vec<StageRun> = runs.into_iter().filter(|run| living.contains(&run.node)).collect();
    for run in &runs {
        if let Some(stored) = app.store.revision(run.revision).await?
            && let Ok(revision) = read(&stored)
        {
            revisions.insert(run.revision, revision);
        }
    }
    let running = runs.iter().filter_map(|run| {
        let revision = revisions.get(&run.revision)?;
        Some((run.stage, Numbered { number: run.revision, revision }))
    });
    let used = used(app).await?;
    let providers = app.channels.names().into_iter();
    let around = Surroundings {
        running: running.collect(),
        providers: providers.map(|(of, names)| (of, names.into_iter().collect())).collect(),
        channels: used.channels,
        lanes: used.lanes,
        events: used.events.clone(),
    };
    Ok((checked(wanted, stages, &around), used.events))
}

/// Brings what the configuration file says now, where it differs from what the last revision of it
/// said: a change like any other.
pub(crate) async fn follow_file(app: &Inner) -> Result<(), ChangeError> {
    let file = app.stages.file();
    let Some(last) = app.store.latest_revision_of_file().await? else { return Ok(()) };
    if last.fingerprint == file.fingerprint().to_string() {
        return say_if_not_run(app, last.number).await;
    }
    let blocked = app.store.blocked(file).await?;
    let plan = plan(app, Numbered { number: 0, revision: file }, blocked).await?;
    let reason = "the configuration file was changed";
    let author = crate::stages::FILE.to_owned();
    let new = NewRevision { revision: file, author: &author, reason, source: RevisionSource::File };
    let number = app.store.keep_revision(new, app.clock.now()).await?;
    if plan.differences.is_empty() {
        return Ok(());
    }
    let kind = ChangeKind::Apply;
    let (forced, watch_for, clean_up) = (false, WATCH_FOR, None);
    let wanted = Begin { kind, number, author, reason, forced, watch_for, clean_up };
    let refusals = plan.refusals();
    if !refusals.is_empty() {
        return Err(refuse(app, wanted, &plan, refusals).await?);
    }
    begin(app, wanted, &plan).await.map(drop)
}

/// Says at every start that the stages run something else than the configuration file has.
async fn say_if_not_run(app: &Inner, of_file: i64) -> Result<(), ChangeError> {
    let Some(known_good) = app.store.known_good().await? else { return Ok(()) };
    let stored = app.store.revision(known_good).await?;
    let file = app.stages.file().fingerprint().to_string();
    if stored.is_some_and(|stored| stored.fingerprint != file) {
        tracing::warn!(
            of_file,
            known_good,
            "the stages do not run what the configuration file has"
        );
    }
    Ok(())
}

/// What the driver asks while a change is planned.
pub(crate) async fn misfits_of(
    app: &Inner,
    change: &Change,
    revision: &Revision,
) -> Result<Vec<String>, ChangeError> {
    let stages: BTreeSet<Stage> = change.stages.iter().copied().collect();
    let wanted = Numbered { number: change.revision, revision };
    let (misfits, _) = fits(app, wanted, &stages).await?;
    Ok(misfits.iter().map(ToString::to_string).collect())
}

/// Whether a node was seen to beat.
pub(crate) fn lives(app: &Inner, node: NodeId) -> bool {
    app.living().contains(&node)
}
