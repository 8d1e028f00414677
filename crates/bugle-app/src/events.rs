//! Events: what was said to us, and what came of each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bugle_domain::event::{Event, EventOutcome};
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, EventId, IntegrationId, TenantScope};
use bugle_store::EventFilter;

use crate::app::App;
use crate::caller::Caller;
use crate::paging::{Listed, Page};
use crate::permission::Permission;
use crate::reading::ReadError;
use crate::why::event::outcome;

/// Which events are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EventQuery {
    /// By this way in.
    pub integration: Option<IntegrationId>,
    /// That went into this alert.
    pub alert: Option<AlertId>,
    /// Only those without an outcome.
    pub pending: bool,
}

/// One event with the name of what it came by.
#[derive(Clone, PartialEq, Debug)]
pub struct EventView {
    /// The event.
    pub event: Event,
    /// Name of its integration.
    pub integration: String,
    /// Number of the alert it opened or folded into.
    pub alert_number: Option<i64>,
    /// What came of it, in a sentence.
    pub outcome: String,
}

/// The bytes an event came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawRequest {
    /// All of them, as received.
    pub bytes: Vec<u8>,
}

impl App {
    /// Events, newest first.
    pub async fn events(
        &self,
        caller: &Caller,
        query: &EventQuery,
        page: &Page,
    ) -> Result<Listed<EventView>, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let before = page.before()?;
        let filter = EventFilter {
            integration: query.integration,
            alert: query.alert,
            pending: query.pending,
        };
        let store = &self.inner().store;
        let found = store.events(caller.scope, filter, before, page.limit() + 1).await?;
        let listed = page.cut(found, |event| event.id.to_string());
        let directory = self.directory(caller.scope).await?;
        let numbers = self.alert_numbers(caller.scope, &listed.items).await?;
        Ok(listed.map(|event| view(&directory, &numbers, event)))
    }

    /// One event.
    pub async fn event(&self, caller: &Caller, id: EventId) -> Result<EventView, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let event = self.find_event(caller.scope, id).await?;
        let directory = self.directory(caller.scope).await?;
        let numbers = self.alert_numbers(caller.scope, std::slice::from_ref(&event)).await?;
        Ok(view(&directory, &numbers, event))
    }

    /// The bytes an event came in.
    pub async fn raw_request(&self, caller: &Caller, id: EventId) -> Result<RawRequest, ReadError> {
        // The bytes may hold an integration's key, as PagerDuty's dialect does.
        caller.require(Permission::SendEvent)?;
        self.find_event(caller.scope, id).await?;
        let bytes = self.inner().store.raw_request(caller.scope, id).await?;
        Ok(RawRequest { bytes: bytes.ok_or(ReadError::Expired)? })
    }

    pub(crate) async fn find_event(
        &self,
        scope: TenantScope,
        id: EventId,
    ) -> Result<Event, ReadError> {
        let found = self.inner().store.event(scope, id).await?;
        found.ok_or_else(|| ReadError::NotFound { what: "event", id: id.to_string() })
    }

    /// Numbers of the alerts that these events went into.
    async fn alert_numbers(
        &self,
        scope: TenantScope,
        events: &[Event],
    ) -> Result<BTreeMap<AlertId, i64>, ReadError> {
        let mut numbers = BTreeMap::new();
        for id in events.iter().filter_map(alert_of) {
            if let Entry::Vacant(place) = numbers.entry(id)
                && let Some(alert) = self.inner().store.alert(scope, id).await?
            {
                place.insert(alert.number);
            }
        }
        Ok(numbers)
    }
}

/// The alert an event went into.
pub(crate) fn alert_of(event: &Event) -> Option<AlertId> {
    match event.outcome {
        Some(EventOutcome::Alerted { alert } | EventOutcome::Folded { alert }) => Some(alert),
        Some(EventOutcome::Suppressed { .. }) | None => None,
    }
}

fn view(directory: &Directory, numbers: &BTreeMap<AlertId, i64>, event: Event) -> EventView {
    let alert_number = alert_of(&event).and_then(|alert| numbers.get(&alert)).copied();
    EventView {
        integration: integration_name(directory, event.integration),
        outcome: outcome(&event, alert_number),
        alert_number,
        event,
    }
}

/// What an integration is called.
pub(crate) fn integration_name(directory: &Directory, id: IntegrationId) -> String {
    directory.integration_name(id).unwrap_or("a removed integration").to_owned()
}
