//! Everything an alert's page needs, read at one go.

use bugle_domain::alert::{Alert, AlertStatus, TimelineEntry};
use bugle_domain::contact::Channel;
use bugle_domain::event::Event;
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, IntegrationId, TenantScope, UserId};
use bugle_engine::message::text::{duration, names};
use bugle_engine::{narrate, respond};
use bugle_store::{AlertFilter, NotificationFilter, StoreError};
use jiff::{SignedDuration, Timestamp};

use super::error::AlertError;
use super::list::{next_step, row, service_of};
use super::{
    AlertRow, AlertView, ChangeLine, Glyph, NextStep, SimilarAlert, TimelineLine, ToldLine, told,
};
use crate::app::App;
use crate::caller::Caller;
use crate::events::integration_name;
use crate::permission::Permission;
use crate::why::alert::kind;
use crate::why::answer::who;

/// Most lines of the log that are shown.
const MAX_LINES: u32 = 500;
/// Most messages that are shown.
const MAX_TOLD: u32 = 200;
/// Other alerts shown beside this one.
const MAX_ALSO_OPEN: u32 = 5;
/// Changes shown beside it.
const MAX_CHANGES: u32 = 10;
/// How long before the alert a change may be and still be shown.
const CHANGES_SINCE: SignedDuration = SignedDuration::from_hours(24);

impl App {
    /// Everything an alert's page needs.
    pub async fn alert(&self, caller: &Caller, id: AlertId) -> Result<AlertView, AlertError> {
        caller.require(Permission::ReadAlerts)?;
        let view = self.alert_view(caller.scope, id, caller.user).await?;
        let mut view = view.ok_or_else(|| AlertError::NotFound(id.to_string()))?;
        let directory = self.directory(caller.scope).await?;
        view.also_open = self.also_open(caller.scope, &directory, id).await?;
        Ok(view)
    }

    /// An alert without other alerts, as `reader` sees it.
    pub(super) async fn alert_view(
        &self,
        scope: TenantScope,
        id: AlertId,
        reader: Option<UserId>,
    ) -> Result<Option<AlertView>, StoreError> {
        let store = &self.inner().store;
        let Some(alert) = store.alert(scope, id).await? else { return Ok(None) };
        let now = self.now();
        let directory = self.directory(scope).await?;
        let timeline = store.timeline(scope, id, MAX_LINES).await?;
        let told = self.told(scope, &directory, (id, reader)).await?;
        let next = next_step(&directory, &alert, now);
        let line = |(at, entry): &(Timestamp, TimelineEntry)| TimelineLine {
            at: *at,
            text: narrate::line(entry, &directory),
            kind: kind(entry),
        };
        Ok(Some(AlertView {
            headline: headline(&directory, &alert, &told, (next.as_ref(), now)),
            service: service_of(&directory, &alert),
            integration: integration_name(&directory, alert.integration),
            policy: alert.policy.as_ref().map(|policy| (policy.id, policy.name.clone())),
            folded: (alert.event_count - 1).max(0),
            preview: respond::preview(&directory, &alert, now),
            pass_on_to: next.as_ref().map(|next| next.names.clone()).unwrap_or_default(),
            timeline: timeline.iter().map(line).collect(),
            similar: self.similar(scope, &directory, &alert).await?,
            also_open: Vec::new(),
            changes: self.changes_beside(scope, &directory, &alert).await?,
            told,
            next,
            now,
            alert,
        }))
    }

    /// Who has been told, oldest first, what waits last.
    async fn told(
        &self,
        scope: TenantScope,
        directory: &Directory,
        (id, reader): (AlertId, Option<UserId>),
    ) -> Result<Vec<ToldLine>, StoreError> {
        let store = &self.inner().store;
        let filter = NotificationFilter { alert: Some(id), ..NotificationFilter::default() };
        let found = store.notifications(scope, filter, None, MAX_TOLD).await?;
        let ids = found.iter().map(|notification| notification.id);
        let mut attempts = store.attempts(scope, ids).await?;
        let mut lines: Vec<ToldLine> = found
            .iter()
            .map(|it| {
                told::line(directory, it, attempts.remove(&it.id).unwrap_or_default(), reader)
            })
            .collect();
        lines.sort_by_key(|line| (line.glyph == Glyph::Waiting, line.at, line.notification));
        Ok(lines)
    }

    async fn similar(
        &self,
        scope: TenantScope,
        directory: &Directory,
        alert: &Alert,
    ) -> Result<Option<SimilarAlert>, StoreError> {
        let store = &self.inner().store;
        let key = (alert.integration, alert.dedup_key.as_str());
        let found = store.similar_alerts(scope, key, alert.id, 1).await?;
        let Some(earlier) = found.into_iter().next() else { return Ok(None) };
        let lines = store.timeline(scope, earlier.id, MAX_LINES).await?;
        let notes = lines.into_iter().rev().filter_map(|(_, entry)| match entry {
            TimelineEntry::Note { text, .. } => Some(text),
            _ => None,
        });
        Ok(Some(SimilarAlert {
            id: earlier.id,
            number: earlier.number,
            opened_at: earlier.opened_at,
            resolved_at: earlier.resolved_at,
            acknowledged_by: earlier.acknowledged.as_ref().map(|(by, _)| who(directory, by)),
            note: notes.into_iter().next(),
        }))
    }

    async fn also_open(
        &self,
        scope: TenantScope,
        directory: &Directory,
        but: AlertId,
    ) -> Result<Vec<AlertRow>, StoreError> {
        let filter = AlertFilter {
            statuses: vec![AlertStatus::Open, AlertStatus::Acknowledged],
            ..AlertFilter::default()
        };
        let found = self.inner().store.alerts(scope, &filter, None, MAX_ALSO_OPEN * 4).await?;
        let now = self.now();
        let mut others: Vec<Alert> = found.into_iter().filter(|alert| alert.id != but).collect();
        others.sort_by_key(|alert| (alert.severity, std::cmp::Reverse(alert.opened_at)));
        others.truncate(usize::try_from(MAX_ALSO_OPEN).unwrap_or(usize::MAX));
        Ok(others.into_iter().map(|alert| row(directory, alert, now)).collect())
    }

    /// Changes that came by the integrations of the alert's service, around its beginning.
    async fn changes_beside(
        &self,
        scope: TenantScope,
        directory: &Directory,
        alert: &Alert,
    ) -> Result<Vec<ChangeLine>, StoreError> {
        let belongs = |id: IntegrationId| {
            let service = directory.integrations.get(&id).and_then(|it| it.service);
            id == alert.integration || (service.is_some() && service == alert.service)
        };
        let ways: Vec<IntegrationId> =
            directory.integrations.keys().copied().filter(|id| belongs(*id)).collect();
        let since = alert.opened_at.saturating_sub(CHANGES_SINCE).unwrap_or(Timestamp::MIN);
        let found = self.inner().store.changes(scope, &ways, since, MAX_CHANGES).await?;
        Ok(found.into_iter().map(change_line).collect())
    }
}

fn change_line(event: Event) -> ChangeLine {
    ChangeLine {
        event: event.id,
        at: event.body.occurred_at.unwrap_or(event.received_at),
        link: event.body.links.into_iter().next().map(|link| link.href),
        summary: event.body.summary,
        source: event.body.source,
    }
}

/// The first sentence of the page, for whoever hears it.
fn headline(
    directory: &Directory,
    alert: &Alert,
    told: &[ToldLine],
    (next, now): (Option<&NextStep>, Timestamp),
) -> String {
    let mut said = vec![
        format!("{}.", alert.severity.word()),
        format!("{}.", alert.summary.trim_end_matches('.')),
    ];
    match (alert.status, &alert.acknowledged) {
        (AlertStatus::Resolved, _) => said.push("It is over.".to_owned()),
        (AlertStatus::Acknowledged, Some((by, _))) => {
            said.push(format!("{} has it.", who(directory, by)));
        }
        (AlertStatus::Open | AlertStatus::Acknowledged, _) => {
            let paged = paged(told);
            if !paged.is_empty() {
                said.push(format!("Paging {}.", names(&paged)));
            }
            if let Some(next) = next {
                let wait = duration(next.at.duration_since(now));
                said.push(format!("Next: {} in {wait}.", names(&next.names)));
            }
        }
    }
    said.join(" ")
}

/// Who is being paged, each once; the reader is "you".
fn paged(told: &[ToldLine]) -> Vec<&str> {
    let mut paged: Vec<&str> = Vec::new();
    let active = told.iter().filter(|it| it.glyph != Glyph::Cancelled);
    for line in active.filter(|line| line.channel != Channel::Webhook) {
        let name = if line.you { "you" } else { line.name.as_str() };
        if !paged.contains(&name) {
            paged.push(name);
        }
    }
    paged
}
