//! Lists of alerts.

use bugle_domain::AlertId;
use bugle_domain::alert::{Actor, Alert};
use bugle_domain::object::Directory;
use bugle_engine::respond::next_level;
use bugle_store::AlertFilter;
use jiff::Timestamp;

use super::error::AlertError;
use super::{AlertCounts, AlertQuery, AlertRow, NextStep, ServiceRef};
use crate::app::App;
use crate::caller::Caller;
use crate::paging::{Listed, Page};
use crate::permission::Permission;
use crate::why::answer::who;

impl App {
    /// Alerts, newest first.
    pub async fn alerts(
        &self,
        caller: &Caller,
        query: &AlertQuery,
        page: &Page,
    ) -> Result<Listed<AlertRow>, AlertError> {
        caller.require(Permission::ReadAlerts)?;
        let filter = AlertFilter {
            integration: None,
            statuses: query.statuses.clone(),
            severities: query.severities.clone(),
            service: query.service,
            text: query.text.clone(),
            since: query.since,
            told: query.told,
        };
        let store = &self.inner().store;
        let found = store.alerts(caller.scope, &filter, page.before()?, page.limit() + 1).await?;
        let listed = page.cut(found, |alert| alert.id.to_string());
        let directory = self.directory(caller.scope).await?;
        let now = self.now();
        Ok(listed.map(|alert| row(&directory, alert, now)))
    }

    /// How many alerts there are.
    pub async fn alert_counts(&self, caller: &Caller) -> Result<AlertCounts, AlertError> {
        caller.require(Permission::ReadAlerts)?;
        let counts = self.inner().store.alert_counts(caller.scope).await?;
        Ok(AlertCounts {
            open: counts.open,
            acknowledged: counts.acknowledged,
            resolved: counts.resolved,
        })
    }

    /// The alert that `alr_…`, `4812` or `#4812` names.
    pub async fn find_alert(&self, caller: &Caller, text: &str) -> Result<AlertId, AlertError> {
        caller.require(Permission::ReadAlerts)?;
        let store = &self.inner().store;
        let number = text.trim().trim_start_matches('#').parse::<i64>();
        let found = match (text.trim().parse::<AlertId>(), number) {
            (Ok(id), _) => store.alert(caller.scope, id).await?,
            (Err(_), Ok(number)) => store.alert_by_number(caller.scope, number).await?,
            (Err(_), Err(_)) => None,
        };
        found.map(|alert| alert.id).ok_or_else(|| AlertError::NotFound(text.trim().to_owned()))
    }
}

/// One alert in a list.
pub(super) fn row(directory: &Directory, alert: Alert, now: Timestamp) -> AlertRow {
    let by = alert.acknowledged.as_ref().map(|(by, _): &(Actor, Timestamp)| who(directory, by));
    AlertRow {
        service: service_of(directory, &alert),
        next: next_step(directory, &alert, now),
        acknowledged_by: by,
        alert,
    }
}

/// What comes next, if nobody answers.
pub(super) fn next_step(directory: &Directory, alert: &Alert, now: Timestamp) -> Option<NextStep> {
    let next = next_level(directory, alert, now)?;
    Some(NextStep { level: next.level, at: next.at, names: next.names })
}

/// What is broken.
pub(super) fn service_of(directory: &Directory, alert: &Alert) -> Option<ServiceRef> {
    let service = directory.services.get(&alert.service?)?;
    let team = service.team.and_then(|id| directory.teams.get(&id));
    Some(ServiceRef {
        id: service.id,
        name: service.name.clone(),
        team: team.map(|team| team.name.clone()),
        description: service.description.clone(),
        runbook_url: service.runbook_url.clone(),
    })
}
