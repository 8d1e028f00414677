//! What operators do with the status page: post, take over, tell of a trouble, plan maintenance.

use bugle_domain::{AllTenants, BulletinId, IncidentId};
use bugle_engine::status::bulletin::{self, Bulletin, DeclaredTrouble, Kind, Known, Phase, Update};
use bugle_engine::status::history::DAYS;
use bugle_engine::status::rules;
use bugle_engine::status::{Component, State};
use bugle_store::{BulletinRow, StoreError};
use jiff::{SignedDuration, Timestamp};

use super::note;
use super::{Settings, StatusError, installed};
use crate::app::App;
use crate::caller::Caller;
use crate::entropy;
use crate::error::{Chain, Problem, problem};
use crate::permission::Permission;

/// Longest title, in characters.
const MAX_TITLE: usize = 120;
/// Longest update, in characters.
const MAX_TEXT: usize = 4_000;
/// Maintenance is planned at most so far ahead.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);
/// Updates are promised where there is no page that says how often.
const PROMISE: SignedDuration = SignedDuration::from_mins(20);

/// A bulletin, and what could be said next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftedBulletin<C = Component> {
    /// The bulletin.
    pub bulletin: Bulletin<C>,
    /// To be given back when something is posted.
    pub version: i64,
    /// What could be said next.
    pub draft: Update,
    /// Whether nothing is ever said by itself: it tells of no incident that the watch declared.
    pub by_hand: bool,
}

/// All that an operator sees of the status page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desk {
    /// Whether there is a status page: it needs the watch.
    pub on: bool,
    /// The components there are, and how each does.
    pub components: Vec<(Component, State)>,
    /// What was told in the last 90 days, newest first.
    pub bulletins: Vec<DraftedBulletin>,
}

/// A trouble that the watch does not see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewTrouble {
    /// The incident that a person declared for it.
    pub incident: Option<IncidentId>,
    /// In a line.
    pub title: String,
    /// The first update.
    pub text: String,
    /// How bad it is.
    pub state: Option<State>,
    /// What it touches.
    pub components: Vec<Component>,
}

/// Maintenance to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewMaintenance {
    /// In a line.
    pub title: String,
    /// What it means for those who use it.
    pub text: String,
    /// What it touches.
    pub components: Vec<Component>,
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// An update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    /// What was seen of the bulletin when it was written.
    pub version: i64,
    /// How far it has come.
    pub phase: Option<Phase>,
    /// What is said.
    pub text: String,
}

impl App {
    /// What is told, with a draft for each that is open. For operators.
    pub async fn status_desk(&self, caller: &Caller) -> Result<Desk, StatusError> {
        caller.require(Permission::PostStatus)?;
        let now = self.now();
        let since = now.saturating_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(now);
        let rows = self.inner().store.bulletins(since).await?;
        let mut bulletins = Vec::with_capacity(rows.len());
        for row in rows {
            bulletins.push(self.drafted(row).await?);
        }
        let verdicts = self.verdicts();
        let plain: Vec<Bulletin> = bulletins.iter().map(|it| it.bulletin.clone()).collect();
        let seen = rules::seen(&installed(self.inner()), &verdicts);
        let shown = rules::shown(&seen, &plain, now);
        let on = self.inner().status.settings().is_some();
        Ok(Desk { on, components: shown.into_iter().collect(), bulletins })
    }

    /// One bulletin with its draft. For operators.
    pub async fn bulletin(
        &self,
        caller: &Caller,
        id: BulletinId,
    ) -> Result<DraftedBulletin, StatusError> {
        caller.require(Permission::PostStatus)?;
        let row = self.inner().store.bulletin(id).await?.ok_or(StatusError::NotFound)?;
        self.drafted(row).await
    }

    /// Tells of a trouble that the watch does not see. For operators.
    pub async fn tell_trouble(
        &self,
        caller: &Caller,
        new: NewTrouble,
    ) -> Result<BulletinId, StatusError> {
        self.publish(self.preview_trouble(caller, new).await?).await
    }

    /// What the public would read if it was told of this trouble now. Nothing is kept. For
    /// operators.
    pub async fn preview_trouble(
        &self,
        caller: &Caller,
        new: NewTrouble,
    ) -> Result<Bulletin, StatusError> {
        caller.require(Permission::PostStatus)?;
        let mut problems = words(&new.title, &new.text, new.components.is_empty());
        let state = bad(new.state, &mut problems);
        if let Some(id) = new.incident {
            let all = AllTenants::granted();
            let room = self.inner().store.installation_room(all, id).await?;
            if !room.is_some_and(|row| row.room.open()) {
                problems.push(problem("/incident", "invalid", "there is no such open incident"));
            }
        }
        let Some(state) = state.filter(|_| problems.is_empty()) else {
            return Err(StatusError::Invalid(problems));
        };
        let update = self.update(caller, Phase::Investigating, &new.text);
        let kind = Kind::Trouble { incident: new.incident };
        Ok(self.begin((kind, state), new.title, new.components, update))
    }

    /// Announces maintenance. For operators.
    pub async fn plan_maintenance(
        &self,
        caller: &Caller,
        new: NewMaintenance,
    ) -> Result<BulletinId, StatusError> {
        self.publish(self.preview_maintenance(caller, new)?).await
    }

    /// What the public would read if this was announced now. Nothing is kept. For operators.
    pub fn preview_maintenance(
        &self,
        caller: &Caller,
        new: NewMaintenance,
    ) -> Result<Bulletin, StatusError> {
        caller.require(Permission::PostStatus)?;
        let mut problems = words(&new.title, &new.text, new.components.is_empty());
        problems.extend(times(new.from, new.until, self.now()));
        let Some((from, until)) = new.from.zip(new.until).filter(|_| problems.is_empty()) else {
            return Err(StatusError::Invalid(problems));
        };
        let update = self.update(caller, Phase::Scheduled, &new.text);
        let kind = Kind::Maintenance { from, until };
        Ok(self.begin((kind, State::Maintenance), new.title, new.components, update))
    }

    /// Says something in a bulletin. For operators.
    pub async fn post_update(
        &self,
        caller: &Caller,
        id: BulletinId,
        post: Post,
    ) -> Result<DraftedBulletin, StatusError> {
        let saved = self.save(self.said(caller, id, &post).await?).await?;
        note(self.inner(), &saved.bulletin).await?;
        Ok(saved)
    }

    /// What the public would read if this was posted now. Nothing is kept. For operators.
    pub async fn preview_update(
        &self,
        caller: &Caller,
        id: BulletinId,
        post: &Post,
    ) -> Result<Bulletin, StatusError> {
        Ok(self.said(caller, id, post).await?.bulletin)
    }

    /// The bulletin as it is when this has been said in it.
    async fn said(
        &self,
        caller: &Caller,
        id: BulletinId,
        post: &Post,
    ) -> Result<BulletinRow, StatusError> {
        caller.require(Permission::PostStatus)?;
        let mut row = self.inner().store.bulletin(id).await?.ok_or(StatusError::NotFound)?;
        if row.version != post.version {
            return Err(StatusError::Overtaken);
        }
        let phase = phase(row.bulletin.kind, post)?;
        row.bulletin.say(self.update(caller, phase, &post.text), self.promise());
        Ok(row)
    }

    /// Takes over a bulletin, or gives it back: whoever has it says everything, and Bugle only
    /// drafts. For operators.
    pub async fn take_over_bulletin(
        &self,
        caller: &Caller,
        id: BulletinId,
        take: bool,
    ) -> Result<DraftedBulletin, StatusError> {
        caller.require(Permission::PostStatus)?;
        let mut row = self.inner().store.bulletin(id).await?.ok_or(StatusError::NotFound)?;
        row.bulletin.hand = take.then(|| caller.shown_name());
        self.save(row).await
    }

    /// A bulletin with its first update.
    fn begin(
        &self,
        about: (Kind, State),
        title: String,
        components: Vec<Component>,
        update: Update,
    ) -> Bulletin {
        let mut bulletin = begun(about, title, components, update.at);
        bulletin.say(update, self.promise());
        bulletin
    }

    async fn publish(&self, bulletin: Bulletin) -> Result<BulletinId, StatusError> {
        if !self.inner().store.publish_bulletin(&bulletin).await? {
            return Err(StatusError::Overtaken);
        }
        self.inner().status.wake.notify_one();
        note(self.inner(), &bulletin).await?;
        Ok(bulletin.id)
    }

    /// Tells the public, in words made by itself, of an incident that `caller` just declared.
    pub(crate) async fn tell_declared(
        &self,
        caller: &Caller,
        incident: IncidentId,
        (told, since): (DeclaredTrouble, Timestamp),
    ) -> Result<BulletinId, StatusError> {
        let (verdicts, harmless) = rules::harmful(&self.verdicts());
        let known = Known {
            installed: &installed(self.inner()),
            verdicts: &verdicts,
            harmless,
            promise: self.promise(),
            now: self.now(),
        };
        let id = BulletinId::new(known.now, entropy::bytes());
        let told = (told, caller.shown_name());
        self.publish(bulletin::tell((id, incident), told, since, known)).await
    }

    async fn save(&self, mut row: BulletinRow) -> Result<DraftedBulletin, StatusError> {
        if !self.inner().store.save_bulletin(&row).await? {
            return Err(StatusError::Overtaken);
        }
        self.inner().status.wake.notify_one();
        row.version += 1;
        self.drafted(row).await
    }

    pub(super) fn update(&self, caller: &Caller, phase: Phase, text: &str) -> Update {
        Update {
            at: self.now(),
            phase,
            text: text.trim().to_owned(),
            by: Some(caller.shown_name()),
        }
    }

    fn promise(&self) -> SignedDuration {
        self.inner().status.settings().map_or(PROMISE, |it: std::sync::Arc<Settings>| it.promise)
    }

    fn verdicts(&self) -> Vec<bugle_engine::watch::Verdict> {
        self.inner().watch.said().map(|it| it.view.verdicts.clone()).unwrap_or_default()
    }

    async fn drafted(&self, row: BulletinRow) -> Result<DraftedBulletin, StatusError> {
        let BulletinRow { bulletin, version } = row;
        let store = &self.inner().store;
        let incident = match bulletin.incident() {
            Some(id) => match store.incident(AllTenants::granted(), id).await {
                // Only people can say more of what cannot be read.
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(error = %Chain(&error), "a bulletin's incident is passed over");
                    None
                }
                found => found?.map(|row| row.incident),
            },
            None => None,
        };
        let installed = installed(self.inner());
        let (verdicts, harmless) = rules::harmful(&self.verdicts());
        let known = Known {
            installed: &installed,
            verdicts: &verdicts,
            harmless,
            promise: self.promise(),
            now: self.now(),
        };
        let draft = bulletin::draft(&bulletin, incident.as_ref(), known);
        let by_hand = matches!(bulletin.kind, Kind::Trouble { .. }) && incident.is_none();
        Ok(DraftedBulletin { bulletin, version, draft, by_hand })
    }
}

/// Whether `caller` may tell the public so of an incident: one of the `installation`.
pub(crate) fn check_told(
    caller: &Caller,
    told: &DeclaredTrouble,
    installation: bool,
) -> Result<(), StatusError> {
    let mut problems = touches(told.components.is_empty());
    if installation {
        caller.require(Permission::PostStatus)?;
    } else {
        let message = "only an incident of the installation is told on its status page";
        problems.push(problem("/told", "invalid", message));
    }
    bad(Some(told.state), &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(StatusError::Invalid(problems)) }
}

/// A bulletin in which nothing was said yet.
pub(super) fn begun<C>(
    (kind, state): (Kind, State),
    title: String,
    components: Vec<C>,
    now: Timestamp,
) -> Bulletin<C> {
    let began_at = match kind {
        Kind::Maintenance { from, .. } => from,
        Kind::Trouble { .. } => now,
    };
    Bulletin {
        id: BulletinId::new(now, entropy::bytes()),
        kind,
        title: title.trim().to_owned(),
        state,
        components,
        began_at,
        updates: Vec::new(),
        next_by: None,
        hand: None,
    }
}

/// How far `post` says that it has come, if it is all that it must be.
pub(super) fn phase(kind: Kind, post: &Post) -> Result<Phase, StatusError> {
    let phases: &[Phase] = match kind {
        Kind::Trouble { .. } => &Phase::OF_TROUBLE,
        Kind::Maintenance { .. } => &Phase::OF_MAINTENANCE,
    };
    let mut problems = text(&post.text);
    let phase = post.phase.filter(|phase| phases.contains(phase));
    if phase.is_none() {
        problems.push(problem("/phase", "invalid", "choose how far it has come"));
    }
    phase.filter(|_| problems.is_empty()).ok_or(StatusError::Invalid(problems))
}

/// How bad a trouble is, which must be said.
pub(super) fn bad(state: Option<State>, problems: &mut Vec<Problem>) -> Option<State> {
    let bad = state.filter(|state| *state > State::Maintenance);
    if bad.is_none() {
        problems.push(problem("/state", "invalid", "say how bad it is"));
    }
    bad
}

/// What is wrong with the title and the first update of a bulletin, and with touching nothing.
pub(super) fn words(title: &str, said: &str, touches_nothing: bool) -> Vec<Problem> {
    let mut problems = text(said);
    if title.trim().is_empty() || title.chars().count() > MAX_TITLE {
        let message = format!("say in a line what it is, in at most {MAX_TITLE} characters");
        problems.push(problem("/title", "invalid", message));
    }
    problems.extend(touches(touches_nothing));
    problems
}

fn touches(nothing: bool) -> Vec<Problem> {
    let untouched = problem("/components", "invalid", "choose what it touches");
    if nothing { vec![untouched] } else { Vec::new() }
}

fn text(said: &str) -> Vec<Problem> {
    let length = said.chars().count();
    if !said.trim().is_empty() && length <= MAX_TEXT {
        return Vec::new();
    }
    let message = format!("say something, in at most {MAX_TEXT} characters");
    vec![problem("/text", "invalid", message)]
}

pub(super) fn times(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let soon = |at: &Timestamp| at.duration_since(now) <= MAX_AHEAD;
    if !from.as_ref().is_some_and(soon) {
        problems.push(problem("/from", "invalid", "say when it begins, within a year"));
    }
    if !until.is_some_and(|until| until > now && from.is_none_or(|from| until > from)) {
        problems.push(problem("/until", "invalid", "say when it ends, later than it begins"));
    }
    problems
}
