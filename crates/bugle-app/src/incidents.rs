//! Major incidents: what is declared, the room of each, and the timeline that fills itself.

mod act;
mod error;
pub(crate) mod nag;
pub(crate) mod page;
mod people;
mod report;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::IncidentId;
use bugle_engine::incident::{Incident, IncidentLine};
use bugle_store::StoreError;

pub use self::act::{Audience, NewIncident};
pub use self::error::IncidentError;
pub use self::people::Candidate;
pub use self::view::IncidentView;
use crate::app::{App, Inner};
use crate::caller::Caller;
use crate::error::Chain;
use crate::identity::secret;
use crate::operators::{Notice, NoticeError};
use crate::permission::Permission;

/// How long the pipeline may take to take a notice for operators.
pub(crate) const TELL_WITHIN: Duration = Duration::from_secs(10);
/// The same where the watch waits for it, which it does when nothing is broken.
const END_WITHIN: Duration = Duration::from_secs(2);

impl App {
    /// "I have it": the alarm is quiet from now on. For operators. Answering twice is harmless.
    pub async fn answer_incident(
        &self,
        caller: &Caller,
        id: IncidentId,
    ) -> Result<IncidentView, IncidentError> {
        caller.require(Permission::LeadIncidents)?;
        self.note_answer(id, &caller.shown_name()).await?;
        self.incident(caller, id).await
    }

    /// The same by the link in an alarm. What this node said itself is answered from memory, also
    /// when the database is dead.
    pub async fn answer_alarm(&self, token: &str) -> Result<(), IncidentError> {
        let here = self.alarm_answers().answer(token);
        match self.inner().store.incident_of_token(&secret::hash(token)).await {
            Ok(Some(id)) => self.note_answer(id, "an operator, by the link in an alarm").await,
            Ok(None) | Err(_) if here => Ok(()),
            Ok(None) => Err(IncidentError::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// What the alarm of this link says.
    pub async fn alarm_text(&self, token: &str) -> Result<String, IncidentError> {
        if let Some(text) = self.alarm_answers().find(token) {
            return Ok(text);
        }
        let store = &self.inner().store;
        let found = store.incident_of_token(&secret::hash(token)).await?;
        let open = store.open_incident().await?.filter(|row| Some(row.incident.id) == found);
        open.map(|row| row.incident.title).ok_or(IncidentError::NotFound)
    }

    async fn note_answer(&self, id: IncidentId, by: &str) -> Result<(), IncidentError> {
        let now = self.now();
        let store = &self.inner().store;
        if store.answer_incident(id, by, now).await? {
            let line = IncidentLine::new("people", format!("Answered by {by}."), now);
            store.add_incident_line(id, &line).await?;
            self.inner().room_changed(id);
        }
        Ok(())
    }
}

/// Adds a line to the timeline of the watch's incident that is open, if one is.
pub(crate) async fn note(app: &Inner, line: IncidentLine) -> Result<(), StoreError> {
    app.store.note_open_incident(&line).await.map(drop)
}

impl Inner {
    /// Tells listeners that something was done in an incident's room.
    pub(crate) fn room_changed(&self, id: IncidentId) {
        // Without a listener there is nobody to tell.
        let _ = self.rooms.send(id);
    }
}

/// The operators' page about the open incident, which goes through the pipeline as far as that
/// works. The independent path does not depend on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OperatorsPage(Arc<Mutex<Paging>>);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Paging {
    #[default]
    Idle,
    UnderWay,
    /// The pipeline has taken it.
    Taken(IncidentId),
}

impl OperatorsPage {
    fn lock(&self) -> MutexGuard<'_, Paging> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the pipeline has taken it.
    pub(crate) fn is_taken(&self, incident: &Incident) -> bool {
        *self.lock() == Paging::Taken(incident.id)
    }

    /// Whether it is not known yet whether the pipeline takes it.
    pub(crate) fn is_under_way(&self) -> bool {
        *self.lock() == Paging::UnderWay
    }

    /// Raises it, unless that is under way. The pipeline may be what is broken: nobody waits for
    /// it here.
    pub(crate) fn raise(&self, app: &Arc<Inner>, incident: &Incident) {
        if std::mem::replace(&mut *self.lock(), Paging::UnderWay) == Paging::UnderWay {
            return;
        }
        let (notice, id) = (notice(incident), incident.id);
        let (inner, page) = (Arc::clone(app), BackToIdle(self.clone()));
        app.tasks.once(async move {
            if told(TELL_WITHIN, inner.raise(&notice)).await {
                *page.0.lock() = Paging::Taken(id);
            }
        });
    }
}

/// However an attempt to raise it ends, it is not under way any more.
struct BackToIdle(OperatorsPage);

impl Drop for BackToIdle {
    fn drop(&mut self) {
        let mut paging = self.0.lock();
        if *paging == Paging::UnderWay {
            *paging = Paging::Idle;
        }
    }
}

/// Ends the operators' page about an incident. Returns whether the pipeline has taken that: until
/// it has, the incident goes on, so that no page outlives it. It is safe to end it again.
pub(crate) async fn end_page(app: &Inner, incident: IncidentId) -> bool {
    told(END_WITHIN, app.end(&notice_key(incident))).await
}

/// The address of an incident's page.
fn page(app: &Inner, id: IncidentId) -> String {
    format!("{}/incidents/{id}", app.settings.public_url.as_str().trim_end_matches('/'))
}

fn notice(incident: &Incident) -> Notice {
    let details = [("evidence", &incident.evidence), ("incident", &incident.id.to_string())];
    Notice {
        key: notice_key(incident.id),
        summary: incident.title.clone(),
        severity: incident.severity.of_alert(),
        details: details
            .map(|(key, text)| (key.to_owned(), text.as_str().into()))
            .into_iter()
            .collect(),
    }
}

fn notice_key(id: IncidentId) -> String {
    format!("bugle/incident/{id}")
}

/// Tells them and does not wait: the pipeline may be what is broken.
pub(crate) fn tell(
    app: &Inner,
    telling: impl Future<Output = Result<(), NoticeError>> + Send + 'static,
) {
    app.tasks.once(async move {
        told(TELL_WITHIN, telling).await;
    });
}

/// Whether the pipeline took a notice in time.
pub(crate) async fn told(
    limit: Duration,
    telling: impl Future<Output = Result<(), NoticeError>>,
) -> bool {
    match tokio::time::timeout(limit, telling).await {
        Ok(Ok(())) => return true,
        // It is in the log already, once.
        Ok(Err(NoticeError::Nobody)) => (),
        Ok(Err(error)) => {
            tracing::error!(error = %Chain(&error), "operators were not told by the pipeline");
        }
        Err(_) => tracing::error!("operators were not told by the pipeline in time"),
    }
    false
}
