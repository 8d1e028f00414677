//! Callbacks of providers: receipts, pressed keys, the words of a call, and replies by text.

use std::collections::BTreeSet;

pub use bugle_channels::twilio::CallbackRequest;
use bugle_channels::twilio::{
    AnsweredBy, CallEnd, CallProgress, CallReport, Callback, CallbackError, MessageProgress,
    MessageReport, SignatureError, TextFromPhone, twiml,
};
use bugle_domain::alert::{Actor, AlertStatus, Via};
use bugle_domain::notification::{Notification, NotificationState};
use bugle_domain::stage::Stage;
use bugle_domain::{AlertId, NotificationId, TenantId, TenantScope, UserId};
use bugle_engine::dispatch::{self, AlertBrief, ReceiptNews};
use bugle_engine::message::{self, Page, Reply};
use bugle_engine::respond::{Effect, Response, ResponseAction};
use bugle_store::{LastMessage, NotificationFilter, StoreError};
use jiff::SignedDuration;

use crate::app::App;
use crate::dispatch::LATE_BATCH;
use crate::error::{ErrorKind, UseCaseError, storage_kind};
use crate::rehearsal::Step;
use crate::responses::RespondError;

/// Most alerts that one reply or key answers: as many as one message carries.
const MAX_ANSWERED: usize = LATE_BATCH as usize;
/// Most alerts of one message that are looked at for what a call says.
const MAX_SPOKEN: usize = 200;

/// Most alerts of one message that are looked at to find what a reply may mean.
const MAX_MEANT: usize = 16;
/// A message that went out so shortly before another may be the one that a reply answers.
const UNREAD_FOR: SignedDuration = SignedDuration::from_mins(1);

/// A callback was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CallbackFailed {
    /// Its signature is missing or wrong. Nothing was done.
    #[error("the callback is not believed")]
    NotBelieved(#[from] SignatureError),
    /// It lacks something its kind must have.
    #[error("the callback can't be read")]
    Unreadable(#[from] CallbackError),
    /// The database failed. The provider should call back again.
    #[error("could not save what the callback says")]
    Store(#[from] StoreError),
    /// An answer could not be applied.
    #[error("could not apply the answer")]
    Respond(#[from] RespondError),
}

impl UseCaseError for CallbackFailed {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotBelieved(_) => ErrorKind::Forbidden,
            Self::Unreadable(_) => ErrorKind::Invalid,
            Self::Store(error) => storage_kind(error),
            Self::Respond(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotBelieved(_) => "callback_not_signed",
            Self::Unreadable(_) => "callback_unreadable",
            Self::Store(error) => error.code(),
            Self::Respond(error) => error.code(),
        }
    }
}

/// One notification of a message, as found by a callback.
type Carried = (TenantId, NotificationId, AlertId, UserId);

impl App {
    /// Takes a callback of a provider that speaks as Twilio does, and returns the XML to answer
    /// with. `kind` and `notification` come from its path.
    ///
    /// # Errors
    ///
    /// [`CallbackFailed`]; nothing was changed then, and the provider may call back again.
    pub async fn twilio_callback(
        &self,
        provider: &str,
        kind: &str,
        notification: Option<NotificationId>,
        request: &CallbackRequest,
    ) -> Result<String, CallbackFailed> {
        self.inner().channels.verify_callback(provider, request)?;
        if !self.inner().stages.works(Stage::Responses) {
            return Err(RespondError::Stopped.into());
        }
        let callback = Callback::parse(kind, &request.params)?;
        if let Callback::Text(text) = &callback {
            return self.text_from_phone(text).await;
        }
        let Some(id) = notification else { return Ok(twiml::hang_up()) };
        match callback {
            Callback::Message(report) => self.message_report(provider, id, &report).await,
            Callback::Call(report) => self.call_report(provider, id, &report).await,
            Callback::Voice(asked) => self.words(provider, id, asked.answered_by).await,
            Callback::Gather(key) => self.key(provider, id, key.key).await,
            Callback::Text(_) => Ok(twiml::no_reply()),
        }
    }

    async fn message_report(
        &self,
        provider: &str,
        id: NotificationId,
        report: &MessageReport,
    ) -> Result<String, CallbackFailed> {
        let news = match report.progress {
            MessageProgress::OnItsWay => return Ok(twiml::no_reply()),
            MessageProgress::Delivered => ReceiptNews::Delivered,
            MessageProgress::Seen => ReceiptNews::Seen,
            MessageProgress::Failed { retry, .. } => {
                ReceiptNews::Undelivered { permanent: !retry, detail: report.detail.clone() }
            }
        };
        self.receipt(id, (provider, &report.provider_ref), &news).await?;
        self.inner().note_report(provider, report);
        Ok(twiml::no_reply())
    }

    async fn call_report(
        &self,
        provider: &str,
        id: NotificationId,
        report: &CallReport,
    ) -> Result<String, CallbackFailed> {
        let CallProgress::Ended { how, .. } = report.progress else {
            return Ok(twiml::no_reply());
        };
        let machine = report.answered_by == Some(AnsweredBy::Machine);
        let news = ReceiptNews::CallEnded {
            answered_by_key: false,
            voicemail: machine || how == CallEnd::Voicemail,
            picked_up: how == CallEnd::HungUp && !machine,
        };
        self.receipt(id, (provider, &report.provider_ref), &news).await?;
        Ok(twiml::no_reply())
    }

    /// Applies what is known of a message to all notifications it carried.
    async fn receipt(
        &self,
        id: NotificationId,
        by: (&str, &str),
        news: &ReceiptNews,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let inner = self.inner();
        let ready = inner.stages.of(Stage::Dispatch);
        let carried = inner.store.same_message(id).await?;
        inner.reach(Step::Receipt, carried.iter().map(|(tenant, ..)| *tenant));
        for (tenant, carried, alert, _) in carried {
            let limits = &ready.limits;
            let mut apply = |_: TenantId, notification: &Notification, _: &AlertBrief| {
                let latest = is_of_latest_try(notification, by.1);
                latest.then(|| dispatch::after_receipt(notification, news, limits, now))?
            };
            inner.store.with_notification(carried, Some(by), now, &mut apply).await?;
            inner.changed(&[(tenant, alert)]);
        }
        inner.wake_dispatch.wake();
        Ok(())
    }

    /// What is said when a call is answered: the menu while an alert still needs somebody.
    async fn words(
        &self,
        provider: &str,
        id: NotificationId,
        answered_by: Option<AnsweredBy>,
    ) -> Result<String, CallbackFailed> {
        if let Some(words) = self.inner().spoken.words(id) {
            // A code is not for a machine that others may listen to.
            let machine = answered_by == Some(AnsweredBy::Machine);
            return Ok(if machine { twiml::hang_up() } else { twiml::said(&words) });
        }
        let (mut found, mut alerts) = (None, Vec::new());
        let carried = self.inner().store.same_message(id).await?;
        for (_, one, ..) in carried.iter().take(MAX_SPOKEN) {
            let mut look = |tenant: TenantId, about: &Notification, brief: &AlertBrief| {
                if *one == id {
                    found = Some((tenant, about.clone()));
                }
                alerts.push(brief.clone());
                None
            };
            self.inner().store.with_notification(*one, None, self.now(), &mut look).await?;
        }
        let (Some((tenant, notification)), Some(paths)) =
            (found, self.inner().channels.callback_paths(provider))
        else {
            return Ok(twiml::hang_up());
        };
        let directory = self.directory(TenantScope::granted(tenant)).await?;
        let open: Vec<&AlertBrief> =
            alerts.iter().filter(|alert| alert.status == AlertStatus::Open).collect();
        let page = Page {
            directory: &directory,
            alerts: &open,
            user: notification.user,
            link: &self.inner().link(&notification),
            ask: &self.inner().ask_link(notification.user),
            reference: &notification.reference(),
            possible_repeat: notification.possible_repeat,
            wanted_at: message::wanted_at(&notification),
            now: self.now(),
            replies: false,
        };
        let speech = message::speech(&page);
        if open.is_empty() {
            return Ok(twiml::said(&message::after_key(&[], self.now())));
        }
        if answered_by == Some(AnsweredBy::Machine) {
            return Ok(twiml::voicemail(&speech.voicemail));
        }
        let (gather_url, possible_repeat) = (paths.gather(id), notification.possible_repeat);
        let spoken = &speech.opening;
        Ok(twiml::menu(twiml::Menu { spoken, possible_repeat, gather_url: &gather_url }))
    }

    async fn key(
        &self,
        provider: &str,
        id: NotificationId,
        key: Option<char>,
    ) -> Result<String, CallbackFailed> {
        let Some(action) = key.and_then(action_of_key) else {
            return self.words(provider, id, None).await;
        };
        let carried = self.inner().store.same_message(id).await?;
        let effects = self.answer_all(&carried, action, Via::Voice).await?;
        let effects: Vec<Effect> = effects.into_iter().map(|(_, effect)| effect).collect();
        Ok(twiml::said(&message::after_key(&effects, self.now())))
    }

    /// A reply by text answers the last message that was taken for that phone, or the alert whose
    /// number it names. Where another went there shortly before, it may be about that one.
    /// "STOP" of a subscriber ends that, and answers no page.
    async fn text_from_phone(&self, text: &TextFromPhone) -> Result<String, CallbackFailed> {
        if let Some(said) = self.end_by_text(&text.from, &text.text).await? {
            return Ok(twiml::reply(&said));
        }
        let messages = self.inner().store.by_phone(&text.from).await?;
        let Some((last, before)) = messages.split_first() else {
            tracing::info!("a text came from a phone that nothing was sent to");
            return Ok(twiml::no_reply());
        };
        let now = self.now();
        let Some((action, about)) = read_reply(&text.text) else {
            return Ok(twiml::reply(&message::reply(Reply::NotUnderstood, now)));
        };
        let lately = |one: &&LastMessage| {
            let apart = last.sent_at.duration_since(one.sent_at);
            // What may not have arrived is not what somebody answers who has something older.
            let unread = !last.taken || apart <= UNREAD_FOR;
            (one.tenant, one.user) == (last.tenant, last.user) && unread
        };
        let before: Vec<&LastMessage> = before.iter().filter(lately).collect();
        let carried = match about {
            About::Last => {
                let numbers = self.meant(action, last, &before).await?;
                if !numbers.is_empty() {
                    return Ok(twiml::reply(&message::reply(Reply::Which(action, &numbers), now)));
                }
                carried(last).collect()
            }
            About::All => carried(last).chain(before.into_iter().flat_map(carried)).collect(),
            About::Alert(number) => self.named(last, number).await?,
        };
        let effects = self.answer_all(&carried, action, Via::Sms).await?;
        Ok(twiml::reply(&message::reply(Reply::Done(&effects), now)))
    }

    /// The numbers of the alerts that a reply without a number may be about, where it is not clear
    /// which of the last messages it answers. Empty where it is.
    async fn meant(
        &self,
        action: ResponseAction,
        last: &LastMessage,
        before: &[&LastMessage],
    ) -> Result<Vec<i64>, StoreError> {
        let scope = TenantScope::granted(last.tenant);
        let of = |message: &LastMessage| {
            message.notifications.iter().map(|(_, alert)| *alert).collect::<BTreeSet<AlertId>>()
        };
        let mut earlier: BTreeSet<_> = before.iter().flat_map(|message| of(message)).collect();
        let last = of(last);
        earlier.retain(|alert| !last.contains(alert));
        let earlier = self.waiting(scope, action, earlier).await?;
        if earlier.is_empty() {
            return Ok(earlier);
        }
        let mut numbers = self.waiting(scope, action, last).await?;
        numbers.extend(earlier);
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The numbers of those alerts for which an answer does something.
    async fn waiting(
        &self,
        scope: TenantScope,
        action: ResponseAction,
        alerts: BTreeSet<AlertId>,
    ) -> Result<Vec<i64>, StoreError> {
        let mut numbers = Vec::new();
        for id in alerts.into_iter().take(MAX_MEANT) {
            let Some(alert) = self.inner().store.alert(scope, id).await? else { continue };
            let waits = match alert.status {
                AlertStatus::Open => true,
                AlertStatus::Acknowledged => action == ResponseAction::Resolve,
                AlertStatus::Resolved => false,
            };
            if waits {
                numbers.push(alert.number);
            }
        }
        Ok(numbers)
    }

    /// What the person who got the last message was told of an alert, by its number.
    async fn named(&self, last: &LastMessage, number: i64) -> Result<Vec<Carried>, StoreError> {
        let scope = TenantScope::granted(last.tenant);
        let Some(named) = self.inner().store.alert_by_number(scope, number).await? else {
            return Ok(Vec::new());
        };
        let mut carried: Vec<Carried> = carried(last).collect();
        carried.retain(|(_, _, alert, _)| *alert == named.id);
        if carried.is_empty() {
            carried = self.told_of(last.tenant, last.user, named.id).await?;
        }
        Ok(carried)
    }

    /// The latest notification by which this person was told of that alert, if they were.
    async fn told_of(
        &self,
        tenant: TenantId,
        user: UserId,
        alert: AlertId,
    ) -> Result<Vec<Carried>, StoreError> {
        let scope = TenantScope::granted(tenant);
        let of = NotificationFilter { alert: Some(alert), user: Some(user), unfinished: false };
        let told = self.inner().store.notifications(scope, of, None, 1).await?;
        Ok(told.into_iter().map(|one| (tenant, one.id, alert, user)).collect())
    }

    /// Answers all alerts of a message, and says by number what that caused.
    async fn answer_all(
        &self,
        carried: &[Carried],
        action: ResponseAction,
        via: Via,
    ) -> Result<Vec<(i64, Effect)>, CallbackFailed> {
        let mut effects = Vec::with_capacity(carried.len());
        for (tenant, notification, alert, user) in carried.iter().take(MAX_ANSWERED) {
            let scope = TenantScope::granted(*tenant);
            let by = self.person(scope, *user).await?;
            let notification = Some(*notification);
            let response = Response { action, by, via, notification, seen: None };
            let responded = self.respond(scope, *alert, &response).await?;
            effects.push((responded.number, responded.effect));
        }
        Ok(effects)
    }

    async fn person(&self, scope: TenantScope, user: UserId) -> Result<Actor, StoreError> {
        let directory = self.directory(scope).await?;
        Ok(Actor::User { id: user, name: directory.user_name(user).to_owned() })
    }
}

/// News of an earlier try says nothing about the latest. While that one is being sent, what its
/// provider calls it is not saved yet, and the name that is saved is an earlier one's.
fn is_of_latest_try(notification: &Notification, of_try: &str) -> bool {
    let sending = matches!(notification.state, NotificationState::Sending { .. });
    let saved = notification.provider_ref.as_deref();
    saved.is_none_or(|saved| (saved == of_try) != sending)
}

/// The digits that people know from other pagers.
fn action_of_key(key: char) -> Option<ResponseAction> {
    match key {
        '4' => Some(ResponseAction::Acknowledge),
        '5' => Some(ResponseAction::PassOn),
        '6' => Some(ResponseAction::Resolve),
        _ => None,
    }
}

/// What a reply is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    /// The message that it answers.
    Last,
    /// All of the messages that it may answer.
    All,
    /// The alert with this number.
    Alert(i64),
}

/// Each notification of a message.
fn carried(message: &LastMessage) -> impl Iterator<Item = Carried> {
    let (tenant, user) = (message.tenant, message.user);
    message.notifications.iter().map(move |(id, alert)| (tenant, *id, *alert, user))
}

/// Reads a reply: what is wanted, and of which alerts. The digits and the words for them, in any
/// case, with or without `#` before the number.
fn read_reply(text: &str) -> Option<(ResponseAction, About)> {
    let mut words = text.split_whitespace();
    let word = words.next()?.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let action = match word.as_str() {
        "4" | "ack" | "a" | "ok" | "acknowledge" => ResponseAction::Acknowledge,
        "5" | "pass" | "escalate" => ResponseAction::PassOn,
        "6" | "resolve" | "resolved" | "r" | "fixed" => ResponseAction::Resolve,
        _ => return None,
    };
    let about = words.find_map(|word| match word.trim_start_matches('#').parse() {
        Ok(number) => Some(About::Alert(number)),
        Err(_) => word.eq_ignore_ascii_case("all").then_some(About::All),
    });
    Some((action, about.unwrap_or(About::Last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_as_people_write_them() {
        use ResponseAction::{Acknowledge, PassOn, Resolve};
        assert_eq!(read_reply("4"), Some((Acknowledge, About::Last)));
        assert_eq!(read_reply(" Ack! "), Some((Acknowledge, About::Last)));
        assert_eq!(read_reply("ok thanks"), Some((Acknowledge, About::Last)));
        assert_eq!(read_reply("4 #4812"), Some((Acknowledge, About::Alert(4812))));
        assert_eq!(read_reply("pass on"), Some((PassOn, About::Last)));
        assert_eq!(read_reply("6 4812"), Some((Resolve, About::Alert(4812))));
        assert_eq!(read_reply("4 ALL"), Some((Acknowledge, About::All)));
        for unclear in ["", "what?", "45", "please ack"] {
            assert_eq!(read_reply(unclear), None, "{unclear}");
        }
    }
}
