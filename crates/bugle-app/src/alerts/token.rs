//! The link in a message: reads and answers its one alert, without signing in.

use bugle_domain::alert::{Actor, Alert, Via};
use bugle_domain::{AlertId, NotificationId, TenantScope, UserId};
use bugle_engine::respond::{Response, ResponseAction};
use jiff::{SignedDuration, Timestamp};

use super::error::AlertError;
use super::{Answered, TokenView};
use crate::app::App;

/// How long a link still shows its alert after that is over.
pub const LINK_AFTER_END: SignedDuration = SignedDuration::from_hours(24);
/// Longest token that is looked up.
const MAX_TOKEN_CHARS: usize = 64;

/// What a link leads to.
struct Linked {
    scope: TenantScope,
    notification: NotificationId,
    alert: AlertId,
    user: UserId,
    name: String,
    time_zone: String,
}

impl App {
    /// What the link in a message shows. Changes nothing: programs that look at mail follow links.
    pub async fn alert_by_token(&self, token: &str) -> Result<TokenView, AlertError> {
        let linked = self.linked(token).await?;
        let view = self.alert_view(linked.scope, linked.alert, Some(linked.user)).await?;
        Ok(TokenView {
            view: view.ok_or(AlertError::LinkGone)?,
            user: linked.user,
            name: linked.name,
            time_zone: linked.time_zone,
            notification: linked.notification,
        })
    }

    /// What the button behind such a link does, as its person.
    pub async fn answer_by_token(
        &self,
        token: &str,
        action: ResponseAction,
    ) -> Result<Answered, AlertError> {
        let linked = self.linked(token).await?;
        let response = Response {
            action,
            by: Actor::User { id: linked.user, name: linked.name },
            via: Via::Link,
            notification: Some(linked.notification),
            seen: None,
        };
        self.answered(linked.scope, linked.alert, &response).await
    }

    async fn linked(&self, token: &str) -> Result<Linked, AlertError> {
        let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if token.is_empty() || token.len() > MAX_TOKEN_CHARS || !plain {
            return Err(AlertError::LinkGone);
        }
        let store = &self.inner().store;
        let found = store.by_token(token).await?;
        let (tenant, notification, alert, user) = found.ok_or(AlertError::LinkGone)?;
        let scope = TenantScope::granted(tenant);
        let kept = store.alert(scope, alert).await?.ok_or(AlertError::LinkGone)?;
        let directory = self.directory(scope).await?;
        let person = directory.users.get(&user).filter(|user| !user.disabled);
        let person = person.filter(|_| holds(&kept, self.now())).ok_or(AlertError::LinkGone)?;
        let (name, time_zone) = (person.name.clone(), person.time_zone.clone());
        Ok(Linked { scope, notification, alert, user, name, time_zone })
    }
}

/// Until a day after the alert is over.
fn holds(alert: &Alert, now: Timestamp) -> bool {
    let dead = alert.resolved_at.and_then(|end| end.saturating_add(LINK_AFTER_END).ok());
    dead.is_none_or(|dead| now < dead)
}
