//! Saving what was decided, for alerting and for responses alike: one place, one transaction.

use std::collections::BTreeMap;

use bugle_domain::alert::Alert;
use bugle_domain::event::EventOutcome;
use bugle_domain::notification::{End, Notification, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, EventId, NodeId, TenantId};
use bugle_engine::alerting::Decisions;
use jiff::Timestamp;

use crate::alerts::{extra, json};
use crate::db::Tx;
use crate::db::statement::Kind::{Id, Int, Text};
use crate::db::statement::{Statement, Together};
use crate::db::value::{Rows, row, values};
use crate::dispatch::{END, rank};
use crate::error::StoreError;
use crate::events::outcome_words;
use crate::ledger::{self, Entries};
use crate::timeline::{self, Lines};

/// Notes the number of the last alert of tenants of which somebody has the placement.
pub(crate) static NUMBERS: Statement = Statement::with_rows(
    "INSERT INTO alert_numbers (tenant_id, last_number)
     SELECT r.tenant_id, r.last_number
     FROM {rows}
     WHERE true
     ON CONFLICT (tenant_id) DO UPDATE SET last_number = excluded.last_number",
    0,
    &[("tenant_id", Id), ("last_number", Int)],
);

pub(crate) static OPEN: Statement = Statement::with_rows(
    "INSERT INTO alerts (tenant_id, id, number, integration_id, service_id, dedup_key, status,
         severity, summary, source, extra, policy, escalation, due_us, resolve_us, opened_by,
         opened_us, event_count, last_event_us, acknowledged, resolved_us)
     SELECT r.tenant_id, r.id, r.number, r.integration_id, r.service_id, r.dedup_key, r.status,
         r.severity, r.summary, r.source, r.extra, r.policy, r.escalation, r.due_us, r.resolve_us,
         r.opened_by, r.opened_us, r.event_count, r.last_event_us, r.acknowledged, r.resolved_us
     FROM {rows}",
    0,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("number", Int),
        ("integration_id", Id),
        ("service_id", Id),
        ("dedup_key", Text),
        ("status", Text),
        ("severity", Text),
        ("summary", Text),
        ("source", Text),
        ("extra", Text),
        ("policy", Text),
        ("escalation", Text),
        ("due_us", Int),
        ("resolve_us", Int),
        ("opened_by", Id),
        ("opened_us", Int),
        ("event_count", Int),
        ("last_event_us", Int),
        ("acknowledged", Text),
        ("resolved_us", Int),
    ],
);

pub(crate) static CHANGE: Statement = Statement::with_rows(
    "UPDATE alerts AS a SET status = r.status, severity = r.severity, summary = r.summary,
         source = r.source, extra = r.extra, policy = r.policy, escalation = r.escalation,
         due_us = r.due_us, resolve_us = r.resolve_us, event_count = r.event_count,
         last_event_us = r.last_event_us, acknowledged = r.acknowledged,
         resolved_us = r.resolved_us
     FROM {rows of alerts}
     WHERE {same:a}",
    0,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("status", Text),
        ("severity", Text),
        ("summary", Text),
        ("source", Text),
        ("extra", Text),
        ("policy", Text),
        ("escalation", Text),
        ("due_us", Int),
        ("resolve_us", Int),
        ("event_count", Int),
        ("last_event_us", Int),
        ("acknowledged", Text),
        ("resolved_us", Int),
    ],
);

pub(crate) static DECIDE: Statement = Statement::with_rows(
    "UPDATE events AS e SET outcome = r.outcome, reason = r.reason, alert_id = r.alert_id,
         decided_us = $1
     FROM {rows of events}
     WHERE {same:e} AND COALESCE(e.outcome, '') = ''",
    1,
    &[("tenant_id", Id), ("id", Id), ("outcome", Text), ("reason", Text), ("alert_id", Id)],
);

pub(crate) static CANCEL: Statement = Statement::with_rows(
    "UPDATE notifications AS n SET state = 'ended', ended = 'cancelled', ended_reason = r.reason,
         ended_us = $1
     FROM {rows}
     WHERE n.tenant_id = r.tenant_id AND n.alert_id = r.alert_id AND n.state{pg: || ''} = 'waiting'
         {any:n.tenant_id=tenant_id}{any:n.alert_id=alert_id}
     RETURNING {pg:n.}tenant_id",
    1,
    &[("tenant_id", Id), ("alert_id", Id), ("reason", Text)],
);

pub(crate) static OWE: Statement = Statement::with_rows(
    "INSERT INTO notifications (tenant_id, id, alert_id, user_id, method_id, channel, lane, level,
         cycle, created_us, wanted_us, deadline_us, token, due_us, rank, state, tries, held,
         unsure, possible_repeat)
     SELECT r.tenant_id, r.id, r.alert_id, r.user_id, r.method_id, r.channel, r.lane, r.level,
         r.cycle, r.created_us, r.wanted_us, r.deadline_us, r.token, r.due_us, r.rank, 'waiting', 0,
         0, 0, 0
     FROM {rows}",
    0,
    &[
        ("tenant_id", Id),
        ("id", Id),
        ("alert_id", Id),
        ("user_id", Id),
        ("method_id", Id),
        ("channel", Text),
        ("lane", Int),
        ("level", Int),
        ("cycle", Int),
        ("created_us", Int),
        ("wanted_us", Int),
        ("deadline_us", Int),
        ("token", Text),
        ("due_us", Int),
        ("rank", Int),
    ],
);

/// What is new, and what it comes to in the books.
static SAVE: Together<6> =
    Together::new([&DECIDE, &NUMBERS, &OPEN, &timeline::INSERT, &OWE, &ledger::ADD]);

/// Saves the decisions of a stage for each tenant, and books them with the other `entries` of the
/// transaction. The caller holds every alert that changes, and the placement of every tenant in
/// `numbers`: they say which alert was its last, and it opens some only there.
pub(crate) async fn save(
    tx: &mut Tx,
    decided: Vec<(TenantId, Decisions)>,
    (now, numbers): (Timestamp, BTreeMap<TenantId, i64>),
    (mut entries, stage, node): (Entries, Stage, Option<NodeId>),
) -> Result<(), StoreError> {
    let (mut outcomes, mut opened, mut changed) = (Vec::new(), Vec::new(), Rows::new());
    let (mut cancel, mut owed, mut over) = (Rows::new(), Rows::new(), Rows::new());
    let mut lines = Lines::default();
    for (tenant, decisions) in decided {
        let ranks = ranks(&decisions);
        outcomes.extend(decisions.outcomes.into_iter().map(|outcome| (tenant, outcome)));
        opened.extend(decisions.opened.into_iter().map(|alert| (tenant, alert)));
        for alert in decisions.changed {
            changed.push(changed_row(tenant, alert)?);
        }
        for (alert, at, entry) in decisions.timeline {
            lines.push((tenant, alert), at, &entry)?;
        }
        for (alert, reason) in decisions.cancel {
            cancel.push(row![tenant, alert, reason]);
        }
        let count = i64::try_from(decisions.owed.len()).unwrap_or(i64::MAX);
        entries.of(tenant).owed += count;
        for notification in decisions.owed {
            if let NotificationState::Ended { end, reason, .. } = &notification.state {
                over.push(row![tenant, notification.id, end.as_str(), reason]);
                entries.end(tenant, *end, 1);
            }
            let rank = ranks.get(&notification.alert).copied().unwrap_or_default();
            owed.push(owed_row(tenant, rank, notification));
        }
    }
    let first = outcomes.first().map(|(_, (event, _))| *event);
    let outcomes = outcome_rows(outcomes, &mut entries);
    let (numbers, opened) = numbered(opened, &numbers)?;
    if !changed.is_empty() {
        tx.run(&CHANGE, values![changed]).await?;
    }
    if !cancel.is_empty() {
        for row in tx.rows(&CANCEL, values![now, cancel]).await? {
            entries.end(TenantId::from_stored(row.id(0)?), End::Cancelled, 1);
        }
    }
    let count = outcomes.len();
    let values = [
        values![now, outcomes],
        values![numbers],
        values![opened],
        values![lines.into_rows()],
        values![owed],
        values![entries.into_rows(stage, node)],
    ];
    let [decided, ..] = tx.run_together(&SAVE, values).await?;
    if let Some(first) = first.filter(|_| usize::try_from(decided) != Ok(count)) {
        let problem = format!("{decided} of a batch of {count} from this one on were undecided");
        return Err(StoreError::corrupt(("events", "outcome"), first.as_uuid(), problem));
    }
    // What came to be owed and was over within one batch.
    if !over.is_empty() {
        tx.run(&END, values![now, over]).await?;
    }
    Ok(())
}

/// What [`DECIDE`] decides, booked in `entries`.
fn outcome_rows(outcomes: Vec<(TenantId, (EventId, EventOutcome))>, entries: &mut Entries) -> Rows {
    let mut rows = Rows::new();
    for (tenant, (event, outcome)) in outcomes {
        let sums = entries.of(tenant);
        *match outcome {
            EventOutcome::Alerted { .. } => &mut sums.alerted,
            EventOutcome::Folded { .. } => &mut sums.folded,
            EventOutcome::Suppressed { .. } => &mut sums.suppressed,
        } += 1;
        let (word, reason, alert) = outcome_words(outcome);
        rows.push(row![tenant, event, word, reason, alert]);
    }
    rows
}

/// Gives new alerts their numbers: what [`NUMBERS`] notes and what [`OPEN`] opens.
fn numbered(
    opened: Vec<(TenantId, Alert)>,
    numbers: &BTreeMap<TenantId, i64>,
) -> Result<(Rows, Rows), StoreError> {
    let mut last: BTreeMap<TenantId, i64> = BTreeMap::new();
    let mut rows = Rows::new();
    for (tenant, alert) in opened {
        let known = numbers.get(&tenant).copied().unwrap_or_default();
        let number = last.entry(tenant).or_insert(known);
        *number += 1;
        rows.push(opened_row(tenant, *number, alert)?);
    }
    let mut noted = Rows::new();
    for (tenant, number) in last {
        noted.push(row![tenant, number]);
    }
    Ok((noted, rows))
}

fn opened_row(
    tenant: TenantId,
    number: i64,
    alert: Alert,
) -> Result<[crate::db::value::Value; 21], StoreError> {
    Ok(row![
        tenant,
        alert.id,
        number,
        alert.integration,
        alert.service,
        alert.dedup_key.as_str(),
        alert.status.as_str(),
        alert.severity.as_str(),
        alert.summary.as_str(),
        alert.source.as_str(),
        extra(&alert)?,
        alert.policy.as_ref().map(json).transpose()?,
        json(&alert.escalation)?,
        alert.due_at(),
        alert.resolve_at,
        alert.opened_by,
        alert.opened_at,
        alert.event_count,
        alert.last_event_at,
        alert.acknowledged.as_ref().map(json).transpose()?,
        alert.resolved_at,
    ])
}

fn changed_row(
    tenant: TenantId,
    alert: Alert,
) -> Result<[crate::db::value::Value; 15], StoreError> {
    Ok(row![
        tenant,
        alert.id,
        alert.status.as_str(),
        alert.severity.as_str(),
        alert.summary.as_str(),
        alert.source.as_str(),
        extra(&alert)?,
        alert.policy.as_ref().map(json).transpose()?,
        json(&alert.escalation)?,
        alert.due_at(),
        alert.resolve_at,
        alert.event_count,
        alert.last_event_at,
        alert.acknowledged.as_ref().map(json).transpose()?,
        alert.resolved_at,
    ])
}

/// Where what is owed about each alert stands in its lane.
pub(crate) fn ranks(decisions: &Decisions) -> BTreeMap<AlertId, i64> {
    if decisions.owed.is_empty() {
        return BTreeMap::new();
    }
    let alerts = decisions.opened.iter().chain(&decisions.changed);
    alerts.map(|alert| (alert.id, rank(alert.severity))).collect()
}

fn owed_row(
    tenant: TenantId,
    rank: i64,
    notification: Notification,
) -> [crate::db::value::Value; 15] {
    row![
        tenant,
        notification.id,
        notification.alert,
        notification.user,
        notification.method,
        notification.channel.as_str(),
        notification.lane.as_i16(),
        notification.level,
        notification.cycle,
        notification.created_at,
        notification.wanted_at,
        notification.deadline,
        notification.token,
        notification.due_at,
        rank,
    ]
}
