//! Messages: what people read and hear, and what programs get. Pure text; what a provider needs
//! around it (TwiML, MIME, signatures, the GSM alphabet) is made in `bugle-channels`.
//!
//! Short, no blame, the action first. Times are in the zone of the person who reads them.

use bugle_domain::UserId;
use bugle_domain::contact::Channel;
use bugle_domain::notification::{Notification, Receipt};
use bugle_domain::object::Directory;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::dispatch::{AlertBrief, LATE_AFTER};
use crate::zone::zone;

pub use self::digest::{digest_mail, digest_text};
pub use self::email::{Email, email};
pub use self::reply::{Reply, reply};
pub use self::sms::sms;
pub use self::speech::{Speech, after_key, speech};
pub use self::webhook::{Hook, webhook_body};

mod digest;
mod email;
pub mod html;
mod reply;
mod sms;
mod speech;
pub mod text;
mod webhook;

/// What a message to a person is made from.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Names of services and people.
    pub directory: &'a Directory,
    /// What it is about: one or more alerts, in any order; repeats of one count once.
    pub alerts: &'a [&'a AlertBrief],
    /// Who reads it.
    pub user: UserId,
    /// Where it can be answered, whole: `https://bgl.example/a/7Kq2…`.
    pub link: &'a str,
    /// Where to say that somebody was not paged, whole.
    pub ask: &'a str,
    /// Four characters by which the same page is known again.
    pub reference: &'a str,
    /// An earlier try may have reached its person.
    pub possible_repeat: bool,
    /// When it should have gone out, by [`wanted_at`].
    pub wanted_at: Timestamp,
    /// When it goes out.
    pub now: Timestamp,
    /// Whether a reply by text message reaches us.
    pub replies: bool,
}

/// When a message that carries these should have gone out: when what it says of the worst should
/// have been said.
pub fn worst_wanted_at<'a>(
    carried: impl IntoIterator<Item = (&'a Notification, &'a AlertBrief)>,
) -> Option<Timestamp> {
    let worst = carried.into_iter().min_by_key(|(_, alert)| worst_first(alert));
    worst.map(|(notification, _)| wanted_at(notification))
}

/// The order in which alerts are told about.
fn worst_first(alert: &AlertBrief) -> impl Ord + use<> {
    (alert.severity, alert.opened_at, alert.id)
}

/// When a message should have gone out. A second call after an unanswered one is not late.
pub fn wanted_at(notification: &Notification) -> Timestamp {
    let taken = notification.receipt.is_some_and(|(best, _)| best >= Receipt::Accepted);
    if notification.channel == Channel::Voice && taken {
        notification.due_at
    } else {
        notification.wanted_at
    }
}

impl<'a> Page<'a> {
    /// The alerts, worst first and each once.
    fn worst_first(&self) -> Vec<&'a AlertBrief> {
        let mut alerts: Vec<&AlertBrief> = self.alerts.to_vec();
        alerts.sort_by_key(|alert| worst_first(alert));
        alerts.dedup_by_key(|alert| alert.id);
        alerts
    }

    /// `raised 14:52, 31 min late`, where it is late.
    fn late_note(&self, alert: &AlertBrief) -> Option<String> {
        let late = self.now.duration_since(self.wanted_at);
        (late > LATE_AFTER).then(|| {
            let raised = text::clock(alert.opened_at, self.now, &self.zone());
            format!("raised {raised}, {} late", text::duration(late))
        })
    }

    /// `possible repeat #K7Q2`, where it is one; the bare reference otherwise.
    fn reference_note(&self) -> String {
        let repeat = if self.possible_repeat { "possible repeat " } else { "" };
        format!("{repeat}#{}", self.reference)
    }

    /// The name of what is broken, if it is known.
    fn service(&self, alert: &AlertBrief) -> Option<&'a str> {
        self.directory.services.get(&alert.service?).map(|service| service.name.as_str())
    }

    /// The zone its reader lives in, or else the tenant's.
    fn zone(&self) -> TimeZone {
        let own = self.directory.users.get(&self.user).map(|user| user.time_zone.as_str());
        own.and_then(|name| zone(name).ok())
            .or_else(|| zone(&self.directory.tenant.time_zone).ok())
            .unwrap_or(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests;
