//! Notifications as rows.

use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Lane, Notification, NotificationState, Receipt};
use bugle_domain::{AlertId, ClaimId, MethodId, NotificationId, UserId};
use uuid::Uuid;

use crate::db::row::Row;
use crate::error::StoreError;

/// The columns that [`notification`] reads, of the table named `n`.
macro_rules! notification_columns {
    () => {
        "n.id, n.alert_id, n.user_id, n.method_id, n.channel, n.lane, n.level, n.cycle, n.due_us,
         n.deadline_us, n.state, n.tries, n.receipt, n.receipt_us, n.possible_repeat, n.token,
         n.provider_ref, n.created_us, n.claim_id, n.send_by_us, n.receipt_due_us, n.ended,
         n.ended_reason, n.ended_us, n.wanted_us"
    };
}
pub(crate) use notification_columns;

/// How many columns that is.
pub(crate) const NOTIFICATION_COLUMNS: usize = 25;

/// Reads a notification from the columns from `at` on.
pub(crate) fn notification(row: &Row, at: usize) -> Result<Notification, StoreError> {
    let id = row.id(at)?;
    let corrupt = |column, problem| StoreError::corrupt(("notifications", column), id, problem);
    let lane = i16::try_from(row.int(at + 5)?).ok().and_then(Lane::from_i16);
    let receipt = match row.opt_text(at + 12)? {
        Some(word) => {
            let receipt = Receipt::parse(word).ok_or_else(|| corrupt("receipt", "no such word"))?;
            Some((receipt, row.time(at + 13)?))
        }
        None => None,
    };
    Ok(Notification {
        id: NotificationId::from_stored(id),
        alert: AlertId::from_stored(row.id(at + 1)?),
        user: UserId::from_stored(row.id(at + 2)?),
        method: MethodId::from_stored(row.id(at + 3)?),
        channel: Channel::parse(row.text(at + 4)?)
            .ok_or_else(|| corrupt("channel", "no such channel"))?,
        lane: lane.ok_or_else(|| corrupt("lane", "no such lane"))?,
        level: usize::try_from(row.int(at + 6)?).map_err(|_| corrupt("level", "negative"))?,
        cycle: u8::try_from(row.int(at + 7)?).map_err(|_| corrupt("cycle", "out of range"))?,
        wanted_at: row.time(at + 24)?,
        due_at: row.time(at + 8)?,
        deadline: row.time(at + 9)?,
        state: state(row, at, id)?,
        tries: u16::try_from(row.int(at + 11)?).unwrap_or(u16::MAX),
        receipt,
        possible_repeat: row.flag(at + 14)?,
        token: row.opt_text(at + 15)?.map(str::to_owned),
        provider_ref: row.opt_text(at + 16)?.map(str::to_owned),
        created_at: row.time(at + 17)?,
    })
}

fn state(row: &Row, at: usize, id: Uuid) -> Result<NotificationState, StoreError> {
    let missing = || StoreError::corrupt(("notifications", "state"), id, "a part is missing");
    match row.text(at + 10)? {
        "waiting" => Ok(NotificationState::Waiting),
        "sending" => Ok(NotificationState::Sending {
            claim: row.opt_id(at + 18)?.map(ClaimId::from_stored).ok_or_else(missing)?,
            send_by: row.opt_time(at + 19)?.ok_or_else(missing)?,
        }),
        "handed_off" => Ok(NotificationState::HandedOff {
            receipt_due: row.opt_time(at + 20)?.ok_or_else(missing)?,
        }),
        "ended" => Ok(NotificationState::Ended {
            end: row.opt_text(at + 21)?.and_then(End::parse).ok_or_else(missing)?,
            reason: row.opt_text(at + 22)?.ok_or_else(missing)?.to_owned(),
            at: row.opt_time(at + 23)?.ok_or_else(missing)?,
        }),
        _ => Err(StoreError::corrupt(("notifications", "state"), id, "no such state")),
    }
}
