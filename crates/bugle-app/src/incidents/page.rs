//! Paging somebody from an incident's room: an alert of their own, which they answer like any
//! other, and whose timeline is told in the room.

use std::time::Duration;

use bugle_domain::alert::{AlertStatus, Escalation};
use bugle_domain::event::Link;
use bugle_domain::{AllTenants, IncidentId, UserId};
use bugle_engine::incident::room::{Act, Person, Room};
use serde_json::Map;

use super::error::IncidentError;
use super::people::meant;
use super::{TELL_WITHIN, act, told};
use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::operators::Notice;

/// How often it is tried to end a page, and how long is waited before it is again.
const END_TRIES: u32 = 30;
const END_AGAIN: Duration = Duration::from_secs(2);

impl App {
    /// Has somebody paged, and gives what is to be noted of it. Who is being paged already is not
    /// paged anew; who has answered, or was not reached, is.
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
            let paged = self.inner().own_alert(to.tenant, &notice.key).await?;
            let left = paged.filter(|alert| alert.status != AlertStatus::Resolved);
            if let Some(alert) = left {
                if matches!(alert.escalation, Escalation::Waiting { .. }) {
                    let (name, number) = (to.name.clone(), alert.number);
                    return Err(IncidentError::PagedAlready { name, number });
                }
                self.inner().end_in(to.tenant, &notice.key).await?;
            }
            self.inner().page_user(whom, notice, link).await?;
        }
        Ok(wanted)
    }

    /// Ends the pages of an incident, and nobody waits for it.
    pub(super) fn end_pages_later(&self, room: Room) {
        let app = self.inner().clone();
        self.inner().tasks.once(async move { end_pages(&app, &room).await });
    }

    /// The same of one person's.
    pub(super) fn end_page_later(&self, room: IncidentId, person: Person) {
        let app = self.inner().clone();
        self.inner().tasks.once(async move { end_page_of(&app, room, &person).await });
    }
}

fn notice(room: &Room, to: &Person, (by, reason): (&str, &str)) -> Notice {
    let severity = room.severity.of_alert();
    let summary = format!("{by} needs you: {reason} ({})", room.title);
    Notice { key: key(room.id, to.user), summary, severity, details: Map::new() }
}

/// The dedup key of the alert by which somebody is paged.
pub(super) fn key(room: IncidentId, user: UserId) -> String {
    format!("bugle/incident/{room}/page/{user}")
}

/// Ends the pages of an incident that is over, however busy everything is just then: nobody is
/// woken for it any more.
pub(crate) async fn end_pages(app: &Inner, room: &Room) {
    for person in &room.paged {
        end_page_of(app, room.id, person).await;
    }
}

/// Ends the page of one person.
pub(super) async fn end_page_of(app: &Inner, room: IncidentId, person: &Person) {
    for _ in 0..END_TRIES {
        if ended(app, room, person).await {
            return;
        }
        tokio::time::sleep(END_AGAIN).await;
    }
}

async fn ended(app: &Inner, room: IncidentId, person: &Person) -> bool {
    let key = key(room, person.user);
    told(TELL_WITHIN, async { Ok(app.end_in(person.tenant, &key).await?) }).await
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
