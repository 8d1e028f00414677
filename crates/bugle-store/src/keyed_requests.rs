//! Requests that came with an `Idempotency-Key`, and what was answered to them.

use bugle_domain::{AllTenants, TenantScope};
use jiff::Timestamp;

use crate::Store;
use crate::db::row::Row;
use crate::db::statement::Statement;
use crate::db::value::values;
use crate::db::{WriteClass, retried};
use crate::error::StoreError;

/// A request that came with a key before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyedRequest {
    /// SHA-256 of what was asked.
    pub request_hash: [u8; 32],
    /// When it began.
    pub begun_at: Timestamp,
    /// The status it was answered with; `None`: it has not ended, or ended with its node.
    pub status: Option<u16>,
    /// What was answered; `None` beside a status: that is not kept.
    pub answer: Option<KeptAnswer>,
}

/// What was answered, beside the status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptAnswer {
    /// The headers that belong to it, as the caller wrote them down.
    pub head: String,
    /// The body: text without NUL.
    pub body: String,
}

pub(crate) static FORGET_OLDER: Statement = Statement::new(
    "DELETE FROM keyed_requests WHERE tenant_id = $1 AND key_hash = $2 AND begun_us <= $3",
);

pub(crate) static BEGIN: Statement = Statement::new(
    "INSERT INTO keyed_requests (tenant_id, key_hash, request_hash, begun_us)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING",
);

pub(crate) static FIND: Statement = Statement::new(
    "SELECT k.request_hash, k.begun_us, k.status, k.head, k.body FROM keyed_requests k
     WHERE k.tenant_id = $1 AND k.key_hash = $2",
);

pub(crate) static END: Statement = Statement::new(
    "UPDATE keyed_requests SET status = $3, head = $4, body = $5
     WHERE tenant_id = $1 AND key_hash = $2",
);

pub(crate) static FORGET: Statement =
    Statement::new("DELETE FROM keyed_requests WHERE tenant_id = $1 AND key_hash = $2");

pub(crate) static DROP_OLD: Statement = Statement::new(
    "DELETE FROM keyed_requests WHERE (tenant_id, key_hash) IN (
         SELECT k.tenant_id, k.key_hash FROM keyed_requests k
         WHERE k.begun_us <= $1
         ORDER BY k.begun_us LIMIT $2)",
);

impl Store {
    /// Notes that a request with this key begins. Returns the one that came with it before, if that
    /// is younger than `forgotten`; nothing is noted then.
    ///
    /// Of several at the same time one begins, and the others find it.
    pub async fn begin_keyed_request(
        &self,
        scope: TenantScope,
        (key_hash, request_hash): (&[u8; 32], &[u8; 32]),
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<KeyedRequest>, StoreError> {
        retried!(self.begin_keyed_once(scope, (key_hash, request_hash), now, forgotten))
    }

    async fn begin_keyed_once(
        &self,
        scope: TenantScope,
        (key_hash, request_hash): (&[u8; 32], &[u8; 32]),
        now: Timestamp,
        forgotten: Timestamp,
    ) -> Result<Option<KeyedRequest>, StoreError> {
        let tenant = scope.tenant();
        let mut tx = self.db.write(WriteClass::Then).await?;
        tx.run(&FORGET_OLDER, values![tenant, key_hash, forgotten]).await?;
        let begun = tx.run(&BEGIN, values![tenant, key_hash, request_hash, now]).await?;
        let before = match begun {
            0 => tx.row(&FIND, values![tenant, key_hash]).await?,
            _ => None,
        };
        tx.commit().await?;
        before.as_ref().map(keyed_request).transpose()
    }

    /// Notes how a request with this key was answered, and what, where that is to be kept.
    pub async fn end_keyed_request(
        &self,
        scope: TenantScope,
        key_hash: &[u8; 32],
        status: u16,
        answer: Option<&KeptAnswer>,
    ) -> Result<(), StoreError> {
        let (head, body) = answer.map(|it| (it.head.as_str(), it.body.as_str())).unzip();
        let values = values![scope.tenant(), key_hash, i64::from(status), head, body];
        self.db.run(&END, values).await.map(drop)
    }

    /// Forgets a request, so that one with its key begins anew.
    pub async fn forget_keyed_request(
        &self,
        scope: TenantScope,
        key_hash: &[u8; 32],
    ) -> Result<(), StoreError> {
        self.db.run(&FORGET, values![scope.tenant(), key_hash]).await.map(drop)
    }

    /// Drops requests that began at `before` or earlier, at most `limit` of them. Returns how many
    /// there were; fewer than `limit` means that was all.
    pub async fn retain_keyed_requests(
        &self,
        _: AllTenants,
        before: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let gone = self.db.run(&DROP_OLD, values![before, limit]).await?;
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }
}

fn keyed_request(row: &Row) -> Result<KeyedRequest, StoreError> {
    let corrupt = |why: &'static str| {
        StoreError::corrupt(("keyed_requests", "request_hash"), uuid::Uuid::nil(), why)
    };
    let status = row.opt_int(2)?.and_then(|status| u16::try_from(status).ok());
    let head = row.opt_text(3)?.map(str::to_owned);
    let body = row.opt_text(4)?.map(str::to_owned);
    let answer = head.zip(body).map(|(head, body)| KeptAnswer { head, body });
    Ok(KeyedRequest {
        request_hash: row.bytes(0)?.try_into().map_err(|_| corrupt("not 32 bytes"))?,
        begun_at: row.time(1)?,
        status,
        answer,
    })
}
