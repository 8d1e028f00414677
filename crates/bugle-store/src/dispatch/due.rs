//! Where something is due, and in which order it is read: what is new in the order it came to be
//! due, then what is late, the most severe first and of those the newest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bugle_domain::notification::Lane;
use bugle_domain::{Severity, TenantId};
use bugle_engine::dispatch::{Candidate, LATE_AFTER, Pace};
use futures_util::future;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::DispatchPass;
use crate::Store;
use crate::alerts::{BRIEF_COLUMNS, brief, brief_columns};
use crate::db::row::Row;
use crate::db::statement::Kind::{Id, Int};
use crate::db::statement::{Statement, heads};
use crate::db::value::{Rows, Value, row, values};
use crate::error::StoreError;
use crate::notifications::{NOTIFICATION_COLUMNS, notification, notification_columns};

/// A column of what is due first of one rank of a lane, in a walk over the tenants.
macro_rules! first_of {
    ($rank:literal, $column:literal) => {
        concat!(
            "(SELECT n.",
            $column,
            " FROM notifications n{lite: INDEXED BY notifications_waiting}
             WHERE n.state = 'waiting' AND n.lane = $1 AND n.tenant_id = heads.tenant_id
                 AND n.rank = ",
            $rank,
            " ORDER BY n.due_us LIMIT 1)"
        )
    };
}
pub(crate) use first_of;

/// The ranks of what waits in a lane: the worse of its two severities and the other, and the same
/// again of what was held back before. The last are late, whenever they are due: whoever they are
/// for has had a message.
pub(crate) const RANKS: usize = 4;
/// What is added to the rank of what is held back.
pub(super) const HELD: i64 = 2;
/// How old something due is to be late.
const FRESH_FOR: SignedDuration = LATE_AFTER;
/// Most tenants whose late notifications one pass reads; more take turns.
const LATE_TENANTS: usize = 4;

/// Where a notification about an alert of this severity stands in its lane, before it is held.
pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Critical | Severity::Medium => 0,
        Severity::High | Severity::Low | Severity::Info => 1,
    }
}

/// The tenants that have something waiting in a lane, each with the earliest due time of each rank.
pub(crate) static WAITING: Statement = Statement::new(concat!(
    heads!(
        "notifications n{lite: INDEXED BY notifications_waiting}",
        "n.state = 'waiting' AND n.lane = $1",
        "n.tenant_id",
        "n.rank, n.due_us",
        " AND n.tenant_id > $2"
    ),
    " SELECT heads.tenant_id, ",
    first_of!("0", "due_us"),
    ", ",
    first_of!("1", "due_us"),
    ", ",
    first_of!("2", "due_us"),
    ", ",
    first_of!("3", "due_us"),
    "
     FROM heads WHERE heads.tenant_id IS NOT NULL
     LIMIT $3"
));

/// Reads what is due of a lane and rank within a time, from one end of it.
macro_rules! candidates {
    ($order:literal, $hold:literal) => {
        Statement::with_rows(
            concat!(
                "SELECT n.tenant_id, ",
                notification_columns!(),
                ", ",
                brief_columns!(),
                ", n.held, n.unsure, m.last_sent_us, m.window_from_us, m.window_count
                 FROM {rows}
                 {lite:CROSS JOIN notifications n ON n.tenant_id = r.tenant_id AND n.id IN (
                     SELECT w.id FROM notifications w INDEXED BY notifications_waiting
                     WHERE w.state = 'waiting' AND w.lane = r.lane AND w.tenant_id = r.tenant_id
                         AND w.rank = r.rank AND w.due_us > r.after_us AND w.due_us <= r.until_us
                     ORDER BY w.due_us ",
                $order,
                " LIMIT $1)}
                 {pg:CROSS JOIN LATERAL (
                     SELECT n.tenant_id, n.held, n.unsure, ",
                notification_columns!(),
                "
                     FROM notifications n
                     WHERE n.state = 'waiting' AND n.lane = r.lane AND n.tenant_id = r.tenant_id
                         AND n.rank = r.rank AND n.due_us > r.after_us AND n.due_us <= r.until_us
                     ORDER BY n.due_us ",
                $order,
                " LIMIT $1 ",
                $hold,
                ") AS n}
                 {lite:JOIN alerts a ON a.tenant_id = n.tenant_id AND a.id = n.alert_id
                 LEFT JOIN method_pace m
                     ON m.tenant_id = n.tenant_id AND m.method_id = n.method_id}
                 {pg:CROSS JOIN LATERAL (
                     SELECT ",
                brief_columns!(),
                "
                     FROM alerts a
                     WHERE a.tenant_id = n.tenant_id AND a.id = n.alert_id LIMIT 1) AS a
                 LEFT JOIN LATERAL (
                     SELECT p.last_sent_us, p.window_from_us, p.window_count
                     FROM method_pace p
                     WHERE p.tenant_id = n.tenant_id AND p.method_id = n.method_id LIMIT 1) AS m
                     ON true}
                 ORDER BY n.tenant_id, n.due_us, n.id"
            ),
            1,
            &[
                ("tenant_id", Id),
                ("lane", Int),
                ("rank", Int),
                ("after_us", Int),
                ("until_us", Int),
            ],
        )
    };
}

/// What came to be due lately, oldest first.
pub(crate) static FRESH: Statement = candidates!("ASC", "FOR UPDATE SKIP LOCKED");

/// The same, and nobody is kept from claiming it.
pub(crate) static FRESH_SEEN: Statement = candidates!("ASC", "");

/// What is late, newest first.
pub(crate) static LATE: Statement = candidates!("DESC", "FOR UPDATE SKIP LOCKED");

/// Where something is due, found before the transaction begins, without any lock.
#[derive(Default)]
pub(super) struct Outlook {
    /// Where something may be that is due lately, lane by lane, in the order it is served.
    pub(super) fresh: Vec<Stretch>,
    /// Tenants in `fresh`, over both lanes.
    heads: usize,
    /// The same of what is late.
    pub(super) late: Vec<Stretch>,
    more: bool,
    pub(super) next_due: Option<Timestamp>,
}

/// A lane and rank of a tenant, in which something waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stretch {
    pub(crate) lane: Lane,
    pub(crate) tenant: TenantId,
    pub(crate) rank: i64,
}

/// A tenant in a lane, with the earliest due time of each rank.
struct Head {
    tenant: TenantId,
    earliest: [Option<Timestamp>; RANKS],
}

impl Store {
    pub(super) async fn due_heads(&self, pass: &DispatchPass<'_>) -> Result<Outlook, StoreError> {
        let turn = self.turns.dispatch();
        let limit = usize::try_from(pass.limit).unwrap_or(usize::MAX);
        let mut outlook = Outlook::default();
        let mut late = Vec::new();
        let mut last = Uuid::nil();
        let own = TenantId::reserved_for(pass.node);
        let waiting = pass.lanes.iter().map(|lane| self.waiting_around(*lane, turn));
        let waiting = future::try_join_all(waiting).await?;
        for (lane, mut found) in pass.lanes.iter().copied().zip(waiting) {
            // What another node's watch sends is claimed there and nowhere else.
            found.retain(|head| !head.tenant.is_reserved() || head.tenant == own);
            // From where the last pass stopped, around.
            found.sort_by_key(|head| (head.tenant.as_uuid() <= turn, head.tenant));
            found.dedup_by_key(|head| head.tenant);
            for head in found {
                let (fresh, more) = head.split(lane, pass.now, &mut outlook.next_due);
                late.extend(more);
                if fresh.is_empty() {
                    continue;
                }
                if outlook.heads >= limit {
                    outlook.more = true;
                    continue;
                }
                outlook.heads += 1;
                outlook.fresh.extend(fresh);
                last = head.tenant.as_uuid();
            }
        }
        self.turns.set_dispatch(if outlook.more { last } else { Uuid::nil() });
        outlook.late = self.take_turns(late);
        Ok(outlook)
    }

    /// The tenants that wait in a lane, from where the last pass stopped, around.
    async fn waiting_around(&self, lane: Lane, turn: Uuid) -> Result<Vec<Head>, StoreError> {
        let mut found = self.waiting_in(lane, turn).await?;
        if turn != Uuid::nil() {
            found.append(&mut self.waiting_in(lane, Uuid::nil()).await?);
        }
        Ok(found)
    }

    /// The late ones of a few tenants, from where the last pass stopped, around.
    fn take_turns(&self, mut late: Vec<Stretch>) -> Vec<Stretch> {
        let turn = self.turns.late();
        let mut tenants: Vec<TenantId> = late.iter().map(|stretch| stretch.tenant).collect();
        tenants.sort_by_key(|tenant| (tenant.as_uuid() <= turn, *tenant));
        tenants.dedup();
        tenants.truncate(LATE_TENANTS);
        self.turns.set_late(tenants.last().map_or(Uuid::nil(), |tenant| tenant.as_uuid()));
        late.retain(|stretch| tenants.contains(&stretch.tenant));
        late
    }

    async fn waiting_in(&self, lane: Lane, from: Uuid) -> Result<Vec<Head>, StoreError> {
        let values = values![lane.as_i16(), from, crate::MAX_WALK];
        let rows = self.db.rows(&WAITING, values).await?;
        let head = |row: &Row| {
            let tenant = TenantId::from_stored(row.id(0)?);
            let earliest = [row.opt_time(1)?, row.opt_time(2)?, row.opt_time(3)?, row.opt_time(4)?];
            Ok(Head { tenant, earliest })
        };
        rows.iter().map(head).collect()
    }
}

impl Head {
    /// Where it has something fresh and something late in the lane; what is due later is noted.
    fn split(
        &self,
        lane: Lane,
        now: Timestamp,
        next_due: &mut Option<Timestamp>,
    ) -> (Vec<Stretch>, Vec<Stretch>) {
        let (mut fresh, mut late) = (Vec::new(), Vec::new());
        for (rank, earliest) in (0..).zip(self.earliest) {
            let Some(earliest) = earliest else { continue };
            let stretch = Stretch { lane, tenant: self.tenant, rank };
            if earliest > now {
                *next_due = Some(next_due.map_or(earliest, |known| known.min(earliest)));
            } else if rank >= HELD {
                late.push(stretch);
            } else {
                fresh.push(stretch);
                if earliest <= fresh_from(now) {
                    late.push(stretch);
                }
            }
        }
        (fresh, late)
    }
}

/// What was due at this time or before is late.
fn fresh_from(now: Timestamp) -> Timestamp {
    now.checked_sub(FRESH_FOR).unwrap_or(Timestamp::MIN)
}

/// What is read of one lane: of each tenant no more than its share of the room there is.
pub(super) struct Asked {
    pub(super) statement: &'static Statement,
    share: u32,
    rows: Rows,
}

impl Asked {
    pub(super) fn values(&mut self) -> Vec<Value> {
        values![self.share, std::mem::take(&mut self.rows)]
    }
}

impl Outlook {
    /// What is known without a search.
    pub(super) fn only(pass: &DispatchPass<'_>) -> Self {
        Self { fresh: pass.only.iter().copied().collect(), ..Self::default() }
    }

    /// What to read by `statement` of what came to be due lately in a lane.
    pub(super) fn fresh_in(
        &self,
        (lane, statement): (Lane, &'static Statement),
        now: Timestamp,
        room: u32,
    ) -> Option<Asked> {
        let of_lane = self.fresh.iter().filter(|stretch| stretch.lane == lane);
        asked(statement, of_lane.map(|stretch| (stretch, fresh_from(now), now)), room)
    }

    /// What to read of what is late in a lane.
    pub(super) fn late_in(&self, lane: Lane, now: Timestamp, room: u32) -> Option<Asked> {
        let of_lane = self.late.iter().filter(|stretch| stretch.lane == lane).map(|stretch| {
            let until = if stretch.rank >= HELD { now } else { fresh_from(now) };
            (stretch, Timestamp::MIN, until)
        });
        asked(&LATE, of_lane, room)
    }
}

/// What to read of these stretches, each between two times.
fn asked<'a>(
    statement: &'static Statement,
    stretches: impl Iterator<Item = (&'a Stretch, Timestamp, Timestamp)>,
    room: u32,
) -> Option<Asked> {
    let (mut rows, mut tenants) = (Rows::new(), BTreeSet::new());
    for (stretch, after, until) in stretches {
        tenants.insert(stretch.tenant);
        rows.push(row![stretch.tenant, stretch.lane.as_i16(), stretch.rank, after, until]);
    }
    if rows.is_empty() || room == 0 {
        return None;
    }
    let share = room.div_ceil(u32::try_from(tenants.len()).unwrap_or(u32::MAX));
    Some(Asked { statement, share, rows })
}

/// Adds what was read of what came to be due lately, in its order.
pub(super) fn add_fresh(
    found: &[Row],
    asked: &Asked,
    room: &mut u32,
    candidates: &mut Vec<Candidate>,
) -> Result<(), StoreError> {
    for mut of_tenant in by_tenant(found)?.into_values() {
        of_tenant.truncate(asked.share as usize);
        *room = room.saturating_sub(u32::try_from(of_tenant.len()).unwrap_or(u32::MAX));
        candidates.append(&mut of_tenant);
    }
    Ok(())
}

/// Adds what was read of what is late: of each tenant the most severe first, and of those the
/// newest; the tenants in turns.
pub(super) fn add_late(
    found: &[Row],
    asked: &Asked,
    room: &mut u32,
    candidates: &mut Vec<Candidate>,
) -> Result<(), StoreError> {
    let mut in_turns = Vec::new();
    for mut of_tenant in by_tenant(found)?.into_values() {
        of_tenant.sort_by_key(|it| (it.alert.severity, Reverse(it.notification.due_at)));
        of_tenant.truncate(asked.share as usize);
        in_turns.extend(of_tenant.into_iter().enumerate());
    }
    in_turns.sort_by_key(|(turn, _)| *turn);
    *room = room.saturating_sub(u32::try_from(in_turns.len()).unwrap_or(u32::MAX));
    candidates.extend(in_turns.into_iter().map(|(_, candidate)| candidate));
    Ok(())
}

fn by_tenant(found: &[Row]) -> Result<BTreeMap<TenantId, Vec<Candidate>>, StoreError> {
    let mut by_tenant: BTreeMap<TenantId, Vec<Candidate>> = BTreeMap::new();
    for row in found {
        let candidate = candidate(row)?;
        by_tenant.entry(candidate.tenant).or_default().push(candidate);
    }
    Ok(by_tenant)
}

fn candidate(row: &Row) -> Result<Candidate, StoreError> {
    let alert = 1 + NOTIFICATION_COLUMNS;
    let rest = alert + BRIEF_COLUMNS;
    let pace = match row.opt_time(rest + 2)? {
        Some(last_sent_at) => Some(Pace {
            last_sent_at,
            window_from: row.time(rest + 3)?,
            window_count: u32::try_from(row.int(rest + 4)?).unwrap_or(u32::MAX),
        }),
        None => None,
    };
    Ok(Candidate {
        tenant: TenantId::from_stored(row.id(0)?),
        notification: notification(row, 1)?,
        held: row.flag(rest)?,
        unsure: row.flag(rest + 1)?,
        digest: false,
        alert: brief(row, alert)?,
        pace,
    })
}
