//! What the operators are told of messages that the program itself failed at. Somebody has to look
//! into the log, and to resolve the alert.

use std::sync::Arc;

use bugle_domain::Severity;
use bugle_engine::dispatch::Candidate;
use serde_json::json;

use super::Notice;
use crate::app::Inner;

/// All failures fold into one alert, as long as it is open.
const KEY: &str = "bugle/failed/message";

impl Inner {
    /// Tells the operators that the program failed at a notification.
    pub(crate) fn note_failure(self: &Arc<Self>, at: &Candidate, what: &'static str) {
        let (tenant, notification) = (at.tenant, at.notification.id);
        let channel = at.notification.channel.as_str();
        tracing::error!(%tenant, %notification, channel, what, "a notification made us fail");
        metrics::counter!("bugle_message_panics_total").increment(1);
        let details = [
            ("tenant", json!(tenant)),
            ("notification", json!(notification)),
            ("channel", json!(channel)),
            ("said", json!(what)),
        ];
        self.fails(Notice {
            key: KEY.to_owned(),
            summary: format!("Notification {notification} ({channel}): {what}"),
            severity: Severity::Critical,
            details: details.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        });
    }
}
