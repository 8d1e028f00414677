//! Why: the causal record of an event or an alert, from the bytes received to the human act.

pub(crate) mod alert;
pub(crate) mod answer;
pub(crate) mod event;
mod notification;

use bugle_domain::alert::{Alert, TimelineEntry};
use bugle_domain::event::{Event, EventOutcome};
use bugle_domain::notification::{Attempt, Notification};
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, EventId, TenantScope};
use bugle_store::NotificationFilter;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::caller::Caller;
use crate::events::alert_of;
use crate::permission::Permission;
use crate::reading::ReadError;

/// The part of the pipeline a step happened in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Bytes came in and were understood.
    Intake,
    /// It was decided what they mean and who must know.
    Alerting,
    /// Messages were sent.
    Dispatch,
    /// What providers said came of them.
    Receipts,
    /// What people did.
    Responses,
}

impl Stage {
    /// The word used in text and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Alerting => "alerting",
            Self::Dispatch => "dispatch",
            Self::Receipts => "receipts",
            Self::Responses => "responses",
        }
    }
}

/// One link of the chain.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WhyStep {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub stage: Stage,
    /// What, in one sentence.
    pub text: String,
    /// The same for programs.
    pub data: serde_json::Value,
}

/// A causal record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Why {
    /// What was asked about: `evt_…` or `alr_…`.
    pub subject: String,
    /// The event at its beginning, where it is kept.
    pub event: Option<EventId>,
    /// The alert it led to.
    pub alert: Option<AlertId>,
    /// The alert's number.
    pub alert_number: Option<i64>,
    /// The answer in a sentence: "Lena was paged and acknowledged after 41 s." or "Nobody was
    /// paged, because …".
    pub answer: String,
    /// Every step, oldest first.
    pub steps: Vec<WhyStep>,
    /// Steps were left out because there are too many; the newest are missing.
    pub cut: bool,
}

/// Most steps in one answer.
const MAX_STEPS: usize = 2_000;
/// Most lines of an alert's log that are read for one answer.
const MAX_LINES: u32 = 1_000;
/// Most notifications that are read for one answer, the newest.
const MAX_NOTIFICATIONS: u32 = 1_000;

/// All that is known of an alert.
pub(crate) struct AlertFacts {
    pub(crate) alert: Alert,
    pub(crate) timeline: Vec<(Timestamp, TimelineEntry)>,
    pub(crate) notifications: Vec<(Notification, Vec<Attempt>)>,
}

/// All that is known of an event.
struct EventFacts {
    event: Event,
    raw: Option<Vec<u8>>,
}

impl App {
    /// Why an event had the effect it had.
    pub async fn why_event(&self, caller: &Caller, id: EventId) -> Result<Why, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let event = self.find_event(caller.scope, id).await?;
        let directory = self.directory(caller.scope).await?;
        let store = &self.inner().store;
        let alert = match alert_of(&event) {
            Some(alert) => store.alert(caller.scope, alert).await?,
            None => None,
        };
        let raw = self.bytes_for(caller, id).await?;
        let opened = matches!(event.outcome, Some(EventOutcome::Alerted { .. }));
        let event = EventFacts { event, raw };
        let now = self.now();
        match alert {
            Some(alert) if opened => {
                let facts = self.alert_facts(caller.scope, alert).await?;
                let why = of_alert(&directory, Some(&event), &facts, now);
                Ok(Why { subject: id.to_string(), ..why })
            }
            alert => Ok(of_quiet_event(&directory, &event, alert.as_ref(), now)),
        }
    }

    /// Why an alert went as it did.
    pub async fn why_alert(&self, caller: &Caller, id: AlertId) -> Result<Why, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let directory = self.directory(caller.scope).await?;
        let store = &self.inner().store;
        let alert = store.alert(caller.scope, id).await?;
        let alert =
            alert.ok_or_else(|| ReadError::NotFound { what: "alert", id: id.to_string() })?;
        let opening = match store.event(caller.scope, alert.opened_by).await? {
            Some(event) => {
                let raw = self.bytes_for(caller, event.id).await?;
                Some(EventFacts { event, raw })
            }
            None => None,
        };
        let facts = self.alert_facts(caller.scope, alert).await?;
        Ok(of_alert(&directory, opening.as_ref(), &facts, self.now()))
    }

    /// The bytes of a request, for those who may send events: they may hold an integration's key,
    /// as PagerDuty's dialect does.
    async fn bytes_for(&self, caller: &Caller, id: EventId) -> Result<Option<Vec<u8>>, ReadError> {
        if !caller.may(Permission::SendEvent) {
            return Ok(None);
        }
        Ok(self.inner().store.raw_request(caller.scope, id).await?)
    }

    pub(crate) async fn alert_facts(
        &self,
        scope: TenantScope,
        alert: Alert,
    ) -> Result<AlertFacts, ReadError> {
        let store = &self.inner().store;
        let timeline = store.timeline(scope, alert.id, MAX_LINES).await?;
        let filter = NotificationFilter { alert: Some(alert.id), ..NotificationFilter::default() };
        let mut found = store.notifications(scope, filter, None, MAX_NOTIFICATIONS).await?;
        found.sort_by_key(|notification| notification.id);
        let ids = found.iter().map(|notification| notification.id);
        let mut attempts = store.attempts(scope, ids).await?;
        let with_attempts = |it: Notification| {
            let attempts = attempts.remove(&it.id).unwrap_or_default();
            (it, attempts)
        };
        let notifications = found.into_iter().map(with_attempts).collect();
        Ok(AlertFacts { alert, timeline, notifications })
    }
}

/// The causal record of an alert, beginning with the event that opened it, where it is kept.
fn of_alert(
    directory: &Directory,
    opening: Option<&EventFacts>,
    facts: &AlertFacts,
    now: Timestamp,
) -> Why {
    let alert = &facts.alert;
    let mut steps = Vec::new();
    if let Some(EventFacts { event, raw }) = opening {
        steps.extend(event::steps(directory, event, raw.as_deref(), Some(alert.number), now));
    }
    steps.extend(alert::steps(directory, alert, &facts.timeline));
    for (notification, attempts) in &facts.notifications {
        steps.extend(notification::steps(directory, notification, attempts));
    }
    let notifications: Vec<Notification> =
        facts.notifications.iter().map(|(notification, _)| notification.clone()).collect();
    let answer = answer::of_alert(directory, alert, &facts.timeline, &notifications);
    record(alert.id.to_string(), answer, steps, opening.map(|it| it.event.id), Some(alert))
}

/// The causal record of an event that opened no alert.
fn of_quiet_event(
    directory: &Directory,
    facts: &EventFacts,
    alert: Option<&Alert>,
    now: Timestamp,
) -> Why {
    let EventFacts { event, raw } = facts;
    let number = alert.map(|alert| alert.number);
    let steps = event::steps(directory, event, raw.as_deref(), number, now);
    let outcome = event::outcome(event, number);
    let answer = answer::of_quiet_event(event, &outcome, alert.map(|alert| alert.id));
    record(event.id.to_string(), answer, steps, Some(event.id), alert)
}

fn record(
    subject: String,
    answer: String,
    mut steps: Vec<WhyStep>,
    event: Option<EventId>,
    alert: Option<&Alert>,
) -> Why {
    // Stable: what happened at one moment stays in the order of its causes.
    steps.sort_by_key(|step| step.at);
    let cut = steps.len() > MAX_STEPS;
    steps.truncate(MAX_STEPS);
    Why {
        subject,
        event,
        alert: alert.map(|alert| alert.id),
        alert_number: alert.map(|alert| alert.number),
        answer,
        steps,
        cut,
    }
}

#[cfg(test)]
mod tests;
