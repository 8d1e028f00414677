//! Makes the message of one or more notifications, for the channel they go out by.

use bugle_channels::{Content, Correspondence, Outgoing};
use bugle_domain::UserId;
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::notification::Notification;
use bugle_domain::object::Directory;
use bugle_engine::dispatch::{AlertBrief, Candidate};
use bugle_engine::message::{self, Hook, Page};
use bytes::Bytes;
use jiff::Timestamp;

use crate::app::Inner;

/// A message, or why there can be none.
#[expect(clippy::large_enum_variant, reason = "taken apart at once, and never kept")]
pub(crate) enum Composed {
    /// Ready to go.
    Outgoing(Outgoing),
    /// There is no way to this person by that method any more.
    Unreachable(&'static str),
}

/// What a message is to say.
#[derive(Clone, Copy)]
pub(crate) struct Saying<'a> {
    /// The notifications it carries.
    pub(crate) carried: &'a [Candidate],
    /// In a digest: how many alerts of its reader were over before they could be sent.
    pub(crate) resolved: u64,
    /// When it goes out.
    pub(crate) now: Timestamp,
}

/// The message that carries `carried`, which all go to one contact method; the first of them lends
/// it its id, link and reference.
pub(crate) fn compose(app: &Inner, directory: &Directory, saying: Saying<'_>) -> Composed {
    let (carried, now) = (saying.carried, saying.now);
    let Some(lead) = carried.first() else { return Composed::Unreachable("nothing to send") };
    let notification = &lead.notification;
    let Some(method) = directory.methods.get(&notification.method) else {
        return Composed::Unreachable("the contact method was removed");
    };
    if method.proven_at.is_none() {
        return Composed::Unreachable("the contact method is not proven any more");
    }
    if directory.users.get(&notification.user).is_none_or(|user| user.disabled) {
        return Composed::Unreachable("the user was removed or disabled");
    }
    let left = notification.deadline.duration_since(now).as_secs();
    Composed::Outgoing(Outgoing {
        notification: notification.id,
        tenant: lead.tenant,
        address: method.address.clone(),
        content: content(app, directory, method, saying),
        possible_repeat: notification.possible_repeat || lead.unsure,
        validity_s: u32::try_from(left.clamp(1, 14_400)).unwrap_or(1),
    })
}

fn content(
    app: &Inner,
    directory: &Directory,
    method: &ContactMethod,
    saying: Saying<'_>,
) -> Content {
    let Saying { carried, resolved, now } = saying;
    let lead = &carried[0];
    if let Address::Webhook(_) = method.address {
        return webhook(app, directory, lead, now);
    }
    let alerts: Vec<&AlertBrief> = carried.iter().map(|one| &one.alert).collect();
    let link = app.link(&lead.notification);
    let ask = app.ask_link(method.user);
    let reference = lead.notification.reference();
    let told = carried.iter().map(|one| (&one.notification, &one.alert));
    let wanted_at = message::worst_wanted_at(told).unwrap_or(now);
    let page = Page {
        directory,
        alerts: &alerts,
        user: method.user,
        link: &link,
        ask: &ask,
        reference: &reference,
        possible_repeat: lead.notification.possible_repeat || lead.unsure,
        wanted_at,
        now,
        replies: app.channels.takes_replies(),
    };
    let digest = lead.digest && (carried.len() > 1 || resolved > 0);
    match method.address.channel() {
        Channel::Sms if digest => Content::Sms { text: message::digest_text(&page, resolved) },
        Channel::Sms => Content::Sms { text: message::sms(&page) },
        Channel::Voice => Content::Voice,
        Channel::Email | Channel::Webhook => {
            let mail =
                if digest { message::digest_mail(&page, resolved) } else { message::email(&page) };
            let thread_key = mail.thread.unwrap_or(lead.alert.id).to_string();
            Content::Email {
                subject: mail.subject,
                text: mail.text,
                html: mail.html,
                thread_key,
                unsubscribe: None,
                correspondence: Correspondence::default(),
            }
        }
    }
}

fn webhook(app: &Inner, directory: &Directory, lead: &Candidate, now: Timestamp) -> Content {
    let url = format!("{}alerts/{}", app.settings.public_url, lead.alert.id);
    let body = message::webhook_body(&Hook {
        directory,
        notification: &lead.notification,
        alert: &lead.alert,
        url: &url,
        now,
    });
    Content::Webhook {
        id: lead.notification.id.to_string(),
        body: Bytes::from(body),
        secret: app.webhook_secret(lead.notification.method),
    }
}

impl Inner {
    /// Where the notification can be answered without signing in.
    pub(crate) fn link(&self, notification: &Notification) -> String {
        let token = notification.token.as_deref().unwrap_or_default();
        format!("{}a/{token}", self.settings.public_url)
    }

    /// Where this person says that somebody was not paged.
    pub(crate) fn ask_link(&self, user: UserId) -> String {
        let page = format!("{}assistance", self.settings.public_url);
        match self.help_address(user) {
            Some(address) => format!("{page} or write to {address}"),
            None => page,
        }
    }
}
