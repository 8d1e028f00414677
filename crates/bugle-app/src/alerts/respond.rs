//! What people do with an alert.

use bugle_domain::AlertId;
use bugle_domain::alert::{TimelineEntry, Via};
use bugle_engine::narrate;
use bugle_engine::respond::{Response, ResponseAction};
use jiff::Timestamp;

use super::error::AlertError;
use super::{Answered, MAX_NOTE_CHARS, TimelineLine};
use crate::app::App;
use crate::caller::Caller;
use crate::error::problem;
use crate::permission::Permission;

impl App {
    /// Acknowledges, resolves or passes on. Doing it twice is harmless. `seen` is when the level
    /// was told that the caller knows of, for passing on.
    pub async fn answer(
        &self,
        caller: &Caller,
        id: AlertId,
        (action, seen): (ResponseAction, Option<Timestamp>),
        via: Via,
    ) -> Result<Answered, AlertError> {
        caller.require(Permission::Respond)?;
        let by = caller.actor.clone();
        let response = Response { action, by, via, notification: None, seen };
        self.answered(caller.scope, id, &response).await
    }

    pub(super) async fn answered(
        &self,
        scope: bugle_domain::TenantScope,
        id: AlertId,
        response: &Response,
    ) -> Result<Answered, AlertError> {
        let done = self.respond(scope, id, response).await?;
        let alert = self.inner().store.alert(scope, id).await?;
        let alert = alert.ok_or_else(|| AlertError::NotFound(id.to_string()))?;
        Ok(Answered { effect: done.effect, sentence: done.sentence, alert })
    }

    /// Writes a note into an alert's log.
    pub async fn add_note(
        &self,
        caller: &Caller,
        id: AlertId,
        text: &str,
    ) -> Result<TimelineLine, AlertError> {
        caller.require(Permission::WriteNote)?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_NOTE_CHARS {
            let message = format!("write 1 to {MAX_NOTE_CHARS} characters");
            return Err(AlertError::Invalid(vec![problem("/text", "length", message)]));
        }
        let at = self.now();
        let entry = TimelineEntry::Note { by: caller.actor.clone(), text: text.to_owned() };
        let store = &self.inner().store;
        if !store.add_timeline(caller.scope, id, at, &entry).await? {
            return Err(AlertError::NotFound(id.to_string()));
        }
        self.inner().changed(&[(caller.scope.tenant(), id)]);
        let directory = self.directory(caller.scope).await?;
        Ok(TimelineLine { at, text: narrate::line(&entry, &directory), kind: "note" })
    }
}
