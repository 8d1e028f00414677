//! Notifications: what was owed to whom, and where each stands.

use bugle_domain::notification::{Attempt, Notification};
use bugle_domain::{AlertId, UserId};

use crate::alerts::ToldLine;

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
    /// Every try, oldest first; only where one notification was asked for.
    pub attempts: Vec<Attempt>,
}
