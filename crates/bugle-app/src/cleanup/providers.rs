//! Clean-ups of providers: what the stages name is taken away, and put back, by a guarded change.
//!
//! The record says which change it is. A node that dies between beginning the change and saying so
//! leaves a change that names its clean-up, and the next step finds it.

use bugle_domain::AllTenants;
use bugle_domain::revision::Revision;
use bugle_engine::change::{Change, ChangeState, UndoWanted};
use bugle_engine::cleanup::providers::{self, NamedProvider};
use bugle_engine::cleanup::{Candidate, CleanUp, CleanUpState, STEP};
use bugle_store::{CleanUpStep, StoreError};
use jiff::Timestamp;

use crate::app::Inner;
use crate::change::{self, ChangeError};
use crate::rehearsal::Mechanism;

/// What is saved: the clean-up as it is then, and what is done with it.
type Saved = Option<(CleanUp, CleanUpStep)>;

/// What becomes of the providers that the known-good names.
pub(super) async fn look(app: &Inner, now: Timestamp) -> Result<Vec<Candidate>, ChangeError> {
    let (_, known_good) = change::known_good(app).await?;
    look_at(app, &known_good, now).await
}

async fn look_at(
    app: &Inner,
    known_good: &Revision,
    now: Timestamp,
) -> Result<Vec<Candidate>, ChangeError> {
    let uses = app.store.provider_uses().await?;
    let channels = change::channel_users(app).await?;
    Ok(providers::providers(&providers::named(known_good), &uses, &channels, now))
}

/// The next step of one that takes away or puts back. `None`: its change is under way, or has to
/// wait for another.
pub(super) async fn next(app: &Inner, of: &CleanUp, now: Timestamp) -> Result<Saved, ChangeError> {
    match of.state {
        CleanUpState::Removing => removing(app, of, now).await,
        CleanUpState::Restoring => restoring(app, of, now).await,
        CleanUpState::Removed
        | CleanUpState::Restored
        | CleanUpState::Purging
        | CleanUpState::Purged => Ok(None),
    }
}

async fn removing(app: &Inner, of: &CleanUp, now: Timestamp) -> Result<Saved, ChangeError> {
    let Some(removal) = made(app, of, (of.changes.removal, 0)).await? else {
        return remove(app, of, now).await;
    };
    Ok(match removal.state {
        ChangeState::KnownGood => {
            let gone = providers::kept(&taken(app, &removal).await?);
            Some((of.enter(CleanUpState::Removed, now), CleanUpStep::Keep(gone)))
        }
        ChangeState::Undone | ChangeState::Refused => Some(taken_back(of, &removal, now)),
        _ => of.changes.removal.is_none().then(|| (began(of, &removal), CleanUpStep::Nothing)),
    })
}

/// Judges anew, and begins the change that takes away what goes.
async fn remove(app: &Inner, of: &CleanUp, now: Timestamp) -> Result<Saved, ChangeError> {
    let (number, known_good) = change::known_good(app).await?;
    let found = look_at(app, &known_good, now).await?;
    let (all, blind) = (found.len(), app.lacks(Mechanism::InUse));
    let goes: Vec<Candidate> = found.into_iter().filter(|it| blind || it.goes()).collect();
    let left = i64::try_from(all - goes.len()).unwrap_or(i64::MAX);
    let of = CleanUp { left, ..of.clone() };
    if goes.is_empty() {
        return Ok(Some((of.enter(CleanUpState::Removed, now), CleanUpStep::Nothing)));
    }
    Ok(match begin(app, &of, (number, &providers::without(&known_good, &goes))).await? {
        Some(change) if change.state == ChangeState::Refused => Some(taken_back(&of, &change, now)),
        begun => begun.map(|change| (began(&stepped(&of), &change), CleanUpStep::Nothing)),
    })
}

/// A clean-up whose change has begun: that was a step of it.
fn stepped(of: &CleanUp) -> CleanUp {
    CleanUp { step: of.step + 1, ..of.clone() }
}

fn began(of: &CleanUp, removal: &Change) -> CleanUp {
    let mut after = of.clone();
    after.changes.removal = Some(removal.number);
    after
}

/// The change came to nothing, so nothing was taken away.
fn taken_back(of: &CleanUp, removal: &Change, now: Timestamp) -> (CleanUp, CleanUpStep) {
    let watch = || ("the guard of changes".to_owned(), removal.why.clone().unwrap_or_default());
    let by = of.restored_by.clone();
    let by = by.or_else(|| removal.undo.clone().map(|undo| (undo.by, undo.reason)));
    let restored_by = Some(by.unwrap_or_else(watch));
    let after = began(&CleanUp { restored_by, ..of.enter(CleanUpState::Restored, now) }, removal);
    (after, CleanUpStep::Nothing)
}

async fn restoring(app: &Inner, of: &CleanUp, now: Timestamp) -> Result<Saved, ChangeError> {
    let Some(removal) = made(app, of, (of.changes.removal, 0)).await? else {
        return Ok(Some((of.enter(CleanUpState::Restored, now), CleanUpStep::Nothing)));
    };
    if !removal.state.is_final() {
        undo(app, of, &removal).await?;
        return Ok(None);
    }
    if removal.state != ChangeState::KnownGood {
        return Ok(Some(taken_back(of, &removal, now)));
    }
    let last = removal.number.max(of.changes.failed);
    let Some(restoral) = made(app, of, (of.changes.restoral, last)).await? else {
        return put_back(app, of, &removal, now).await;
    };
    Ok(match restoral.state {
        ChangeState::KnownGood => Some(all_back(of, now)),
        ChangeState::Undone | ChangeState::Refused => Some(still_gone(of, &restoral, now)),
        _ => {
            of.changes.restoral.is_none().then(|| (goes_back(of, &restoral), CleanUpStep::Nothing))
        }
    })
}

/// Begins the change that puts back what another took.
async fn put_back(
    app: &Inner,
    of: &CleanUp,
    removal: &Change,
    now: Timestamp,
) -> Result<Saved, ChangeError> {
    let (number, known_good) = change::known_good(app).await?;
    let wanted = providers::with(&known_good, &taken(app, removal).await?);
    if wanted == known_good {
        return Ok(Some(all_back(of, now)));
    }
    Ok(match begin(app, of, (number, &wanted)).await? {
        Some(change) if change.state == ChangeState::Refused => Some(still_gone(of, &change, now)),
        begun => begun.map(|change| (goes_back(&stepped(of), &change), CleanUpStep::Nothing)),
    })
}

fn goes_back(of: &CleanUp, restoral: &Change) -> CleanUp {
    let mut after = of.clone();
    after.changes.restoral = Some(restoral.number);
    after
}

fn all_back(of: &CleanUp, now: Timestamp) -> (CleanUp, CleanUpStep) {
    let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
    (of.enter(CleanUpState::Restored, now), CleanUpStep::PutBack(limit))
}

/// What was to be put back is not: it can be tried again.
fn still_gone(of: &CleanUp, restoral: &Change, now: Timestamp) -> (CleanUp, CleanUpStep) {
    let (number, why) = (of.number, restoral.why.as_deref().unwrap_or_default());
    tracing::error!(number, why, "what a clean-up took away could not be put back");
    let mut after = CleanUp { restored_by: None, ..of.enter(CleanUpState::Removed, now) };
    (after.changes.restoral, after.changes.failed) = (None, restoral.number);
    (after, CleanUpStep::Nothing)
}

/// The change that a clean-up has on its record, or that was made for it after another one.
async fn made(
    app: &Inner,
    of: &CleanUp,
    (noted, after): (Option<i64>, i64),
) -> Result<Option<Change>, StoreError> {
    if let Some(number) = noted {
        return app.store.guarded_change(number).await;
    }
    let all = app.store.guarded_changes(AllTenants::granted()).await?;
    Ok(all.into_iter().rfind(|it| it.clean_up == Some(of.number) && it.number > after))
}

/// What a change took away.
async fn taken(app: &Inner, removal: &Change) -> Result<Vec<NamedProvider>, ChangeError> {
    let before = change::revision(app, removal.previous).await?;
    let after = change::revision(app, removal.revision).await?;
    Ok(providers::taken(&before, &after))
}

async fn undo(app: &Inner, of: &CleanUp, removal: &Change) -> Result<(), StoreError> {
    let (by, reason) = of.restored_by.clone().unwrap_or_default();
    if app.store.want_undo(removal.number, &UndoWanted { by, reason }).await? {
        app.wake_changes.notify_one();
    }
    Ok(())
}

/// Begins the change from the known-good of that number. `None`: another is under way, or another
/// or somebody else's step came first, and it is looked at again.
async fn begin(
    app: &Inner,
    of: &CleanUp,
    wanted: (i64, &Revision),
) -> Result<Option<Change>, ChangeError> {
    match change::begin_for(app, of, wanted).await {
        Err(ChangeError::UnderWay | ChangeError::Overtaken) => Ok(None),
        begun => begun.map(Some),
    }
}
