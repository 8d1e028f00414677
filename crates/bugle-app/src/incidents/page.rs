//! Paging somebody from an incident's room: an alert of their own, which they answer like any
//! other, and whose timeline is told in the room.

use bugle_domain::event::Link;
use bugle_domain::{AllTenants, IncidentId, Severity, UserId};
use bugle_engine::incident::IncidentSeverity;
use bugle_engine::incident::room::{Act, Person, Room};
use serde_json::Map;

use super::error::IncidentError;
use super::people::meant;
use super::{TELL_WITHIN, act, told};
use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::operators::Notice;

impl App {
    /// Has somebody paged, and gives what is to be noted of it. Who is paged already and has not
    /// answered is not paged anew.
    pub(super) async fn page_from(
        &self,
        caller: &Caller,
        room: &Room,
        (to, reason): (&str, String),
    ) -> Result<Act, IncidentError> {
        let candidates = self.inner().candidates(room).await?;
        let wanted = Act::Page { to: meant(&candidates, caller, to)?, reason };
        // What will be refused is not sent before.
        act::act(&mut room.clone(), wanted.clone(), caller, self.now())?;
        if let Act::Page { to, reason } = &wanted {
            let whom = (to.tenant, to.user);
            let link = Link { href: super::page(self.inner(), room.id), text: "Incident".into() };
            let notice = notice(room, to, (&caller.shown_name(), reason.trim()));
            self.inner().page_user(whom, notice, link).await?;
        }
        Ok(wanted)
    }
}

fn notice(room: &Room, to: &Person, (by, reason): (&str, &str)) -> Notice {
    let severity = match room.severity {
        IncidentSeverity::Critical => Severity::Critical,
        IncidentSeverity::Major => Severity::High,
    };
    let summary = format!("{by} needs you: {reason} ({})", room.title);
    Notice { key: key(room.id, to.user), summary, severity, details: Map::new() }
}

/// The dedup key of the alert by which somebody is paged.
pub(super) fn key(room: IncidentId, user: UserId) -> String {
    format!("bugle/incident/{room}/page/{user}")
}

/// Ends the pages of an incident that is over: nobody is woken for it any more.
pub(crate) async fn end_pages(app: &Inner, room: &Room) {
    for person in &room.paged {
        told(TELL_WITHIN, app.end_in(person.tenant, &key(room.id, person.user))).await;
    }
}

/// The same for one of the installation's.
pub(crate) async fn end_pages_of(app: &Inner, id: IncidentId) {
    match app.store.installation_room(AllTenants::granted(), id).await {
        Ok(Some(row)) => end_pages(app, &row.room).await,
        Ok(None) => (),
        Err(error) => {
            let error = crate::error::Chain(&error);
            tracing::error!(%error, "the pages of an incident that is over were not ended");
        }
    }
}
