//! What a text message or a key answers: the messages that came to a phone, or may have.

use bugle_domain::contact::PhoneNumber;
use bugle_domain::{AlertId, MethodId, NotificationId, TenantId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Kind::Id;
use crate::db::statement::Statement;
use crate::db::value::{Rows, row, values};
use crate::error::StoreError;

/// Most contact methods that are looked at for what went to one phone.
const MAX_METHODS: u32 = 8;
/// Most messages to one phone that a reply may be about.
const MAX_MESSAGES: usize = 4;
/// Most notifications that are looked at of what is being sent to one phone.
const MAX_SENDING: u32 = 256;

/// A message to a phone number that a provider took, or may have taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    /// Whose it is.
    pub tenant: TenantId,
    /// Whose phone it is.
    pub user: UserId,
    /// The contact method.
    pub method: MethodId,
    /// When it was taken, or given to the provider that has not said yet.
    pub sent_at: Timestamp,
    /// Whether a provider said, or may have meant to say, that it took it. Else it is on its way
    /// to one, or in this process.
    pub taken: bool,
    /// What was in it: each notification with its alert.
    pub notifications: Vec<(NotificationId, AlertId)>,
}

pub(crate) static BY_PHONE: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, COALESCE(m.accepted_us, m.last_sent_us), m.last_ids, m.before_us,
         m.before_ids
     FROM objects o
     JOIN method_pace m ON m.tenant_id = o.tenant_id AND m.method_id = o.id
     WHERE o.phone = $1 AND o.phone IS NOT NULL AND o.kind = 'method'
     ORDER BY COALESCE(m.accepted_us, m.last_sent_us) DESC
     LIMIT $2",
);

/// What is being sent to a phone: the answer of its owner may overtake that of the provider.
pub(crate) static SENDING_TO: Statement = Statement::new(
    "SELECT n.tenant_id, n.claim_id, n.method_id, n.user_id, n.claimed_us, n.id, n.alert_id
     FROM notifications n
     JOIN objects o ON o.tenant_id = n.tenant_id AND o.id = n.method_id AND o.kind = 'method'
         AND o.phone = $1 AND o.phone IS NOT NULL
     WHERE n.state = 'sending' AND n.channel = 'sms'
     ORDER BY n.claimed_us DESC, n.claim_id, n.tenant_id, n.method_id, n.id
     LIMIT $2",
);

/// What one claim sent to one method went out as one message.
pub(crate) static MESSAGE_OF: Statement = Statement::new(
    "SELECT o.tenant_id, o.id, o.alert_id, o.user_id
     FROM notifications n
     JOIN notifications o ON o.claim_id = n.claim_id AND o.tenant_id = n.tenant_id
         AND o.method_id = n.method_id AND o.channel IN ('sms', 'voice')
     WHERE n.id = $1 AND n.channel IN ('sms', 'voice')
     ORDER BY o.id",
);

pub(crate) static PART_OF_MESSAGE: Statement = Statement::with_rows(
    "SELECT n.id, n.alert_id, n.user_id
     FROM {rows}
     JOIN notifications n ON n.tenant_id = $1 AND n.id = r.id{any:n.id=id}
     ORDER BY n.id",
    1,
    &[("id", Id)],
);

impl Store {
    /// Finds the last messages that providers took for a phone number, over all tenants, the
    /// newest first; at most four.
    ///
    /// Takes no scope: a reply by text message comes from a number, and the provider's signature
    /// was checked.
    pub async fn by_phone(&self, number: &PhoneNumber) -> Result<Vec<LastMessage>, StoreError> {
        let mut taken = Vec::new();
        for row in self.db.rows(&BY_PHONE, values![number.as_str(), MAX_METHODS]).await? {
            let (tenant, method) = (TenantId::from_stored(row.id(0)?), row.id(1)?);
            taken.push((row.time(2)?, tenant, method, message_ids(row.text(3)?, method)?));
            if let Some(at) = row.opt_time(4)? {
                taken.push((at, tenant, method, message_ids(row.text(5)?, method)?));
            }
        }
        taken.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let mut messages = self.sending_to(number).await?;
        for (sent_at, tenant, method, ids) in taken.into_iter().take(MAX_MESSAGES) {
            let parts = self.parts_of_message(tenant, ids).await?;
            let Some((_, _, user)) = parts.first() else { continue };
            messages.push(LastMessage {
                tenant,
                user: *user,
                method: MethodId::from_stored(method),
                sent_at,
                taken: true,
                notifications: parts.iter().map(|(id, alert, _)| (*id, *alert)).collect(),
            });
        }
        messages.sort_by_key(|message| std::cmp::Reverse(message.sent_at));
        messages.truncate(MAX_MESSAGES);
        Ok(messages)
    }

    /// What is being sent to this phone, newest first.
    async fn sending_to(&self, number: &PhoneNumber) -> Result<Vec<LastMessage>, StoreError> {
        let mut messages: Vec<(Uuid, LastMessage)> = Vec::new();
        for row in self.db.rows(&SENDING_TO, values![number.as_str(), MAX_SENDING]).await? {
            let (tenant, claim) = (TenantId::from_stored(row.id(0)?), row.id(1)?);
            let method = MethodId::from_stored(row.id(2)?);
            let part = (NotificationId::from_stored(row.id(5)?), AlertId::from_stored(row.id(6)?));
            // A claim holds messages to many, and several people may share a phone.
            let same = |(of, it): &(Uuid, LastMessage)| {
                (*of, it.tenant, it.method) == (claim, tenant, method)
            };
            if let Some((_, message)) = messages.last_mut().filter(|it| same(it)) {
                message.notifications.push(part);
                continue;
            }
            messages.push((
                claim,
                LastMessage {
                    tenant,
                    method,
                    user: UserId::from_stored(row.id(3)?),
                    sent_at: row.time(4)?,
                    taken: false,
                    notifications: vec![part],
                },
            ));
        }
        Ok(messages.into_iter().map(|(_, message)| message).collect())
    }

    /// Finds all that went out in one message with this notification, itself included. Empty: there
    /// is no such notification, or it never went out.
    ///
    /// Takes no scope: providers call back with the id alone, and their signature was checked.
    pub async fn same_message(
        &self,
        id: NotificationId,
    ) -> Result<Vec<(TenantId, NotificationId, AlertId, UserId)>, StoreError> {
        let part = |row: &Row| {
            Ok((
                TenantId::from_stored(row.id(0)?),
                NotificationId::from_stored(row.id(1)?),
                AlertId::from_stored(row.id(2)?),
                UserId::from_stored(row.id(3)?),
            ))
        };
        self.db.rows(&MESSAGE_OF, values![id]).await?.iter().map(part).collect()
    }

    async fn parts_of_message(
        &self,
        tenant: TenantId,
        ids: Vec<NotificationId>,
    ) -> Result<Vec<(NotificationId, AlertId, UserId)>, StoreError> {
        let mut rows = Rows::new();
        for id in ids {
            rows.push(row![id]);
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let part = |row: &Row| {
            Ok((
                NotificationId::from_stored(row.id(0)?),
                AlertId::from_stored(row.id(1)?),
                UserId::from_stored(row.id(2)?),
            ))
        };
        self.db.rows(&PART_OF_MESSAGE, values![tenant, rows]).await?.iter().map(part).collect()
    }
}

fn message_ids(text: &str, id: Uuid) -> Result<Vec<NotificationId>, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(("method_pace", "last_ids"), id, error))
}
