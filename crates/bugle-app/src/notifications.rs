//! Notifications: what was owed to whom, and where each stands.

use bugle_domain::notification::{Attempt, Notification};
use bugle_domain::object::Directory;
use bugle_domain::{AlertId, NotificationId, UserId};
use bugle_store::NotificationFilter;

use crate::alerts::{ToldLine, told};
use crate::app::App;
use crate::caller::Caller;
use crate::paging::{Listed, Page};
use crate::permission::Permission;
use crate::reading::ReadError;

/// Which notifications are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NotificationQuery {
    /// About this alert.
    pub alert: Option<AlertId>,
    /// Owed to this person.
    pub user: Option<UserId>,
    /// Only those that have not ended.
    pub unfinished: bool,
}

/// One notification with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotificationView {
    /// The notification.
    pub notification: Notification,
    /// How it is shown.
    pub line: ToldLine,
    /// Every try, oldest first.
    pub attempts: Vec<Attempt>,
}

impl App {
    /// Notifications, newest first.
    pub async fn notifications(
        &self,
        caller: &Caller,
        query: &NotificationQuery,
        page: &Page,
    ) -> Result<Listed<NotificationView>, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let filter = NotificationFilter {
            alert: query.alert,
            user: query.user,
            unfinished: query.unfinished,
        };
        let store = &self.inner().store;
        let found = store.notifications(caller.scope, filter, page.before()?, page.limit() + 1);
        let listed = page.cut(found.await?, |notification| notification.id.to_string());
        let ids = listed.items.iter().map(|notification| notification.id);
        let mut attempts = store.attempts(caller.scope, ids).await?;
        let directory = self.directory(caller.scope).await?;
        Ok(listed.map(|notification| {
            let attempts = attempts.remove(&notification.id).unwrap_or_default();
            view(&directory, notification, attempts, caller.user)
        }))
    }

    /// One notification with its attempts.
    pub async fn notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<NotificationView, ReadError> {
        caller.require(Permission::ReadAlerts)?;
        let store = &self.inner().store;
        let found = store.notification(caller.scope, id).await?;
        let found = found
            .ok_or_else(|| ReadError::NotFound { what: "notification", id: id.to_string() })?;
        let mut attempts = store.attempts(caller.scope, [id]).await?;
        let directory = self.directory(caller.scope).await?;
        let attempts = attempts.remove(&id).unwrap_or_default();
        Ok(view(&directory, found, attempts, caller.user))
    }
}

fn view(
    directory: &Directory,
    notification: Notification,
    attempts: Vec<Attempt>,
    reader: Option<UserId>,
) -> NotificationView {
    let line = told::line(directory, &notification, attempts.clone(), reader);
    NotificationView { notification, line, attempts }
}
