//! Subscribers by text: asked by number, proven by a code, ended by a reply or a short address.
//!
//! Texts cost, and strangers ask for them: nobody does unless the installation says for which
//! numbers, and what goes out on a day has a ceiling that all nodes share.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bugle_channels::sms;
use bugle_domain::SubscriberId;
use bugle_domain::contact::{Address, Channel, PhoneNumber};
use bugle_engine::status::subscribers::{self, CODE_LIFETIME, CODE_TRIES, Links, Subscriber};
use bugle_store::{CodeAsked, StoreError, SubscriberMessage, TextCeiling};
use hmac::Mac as _;
use jiff::{SignedDuration, Timestamp};

use super::StatusError;
use super::subscribers::ago;
use crate::app::{App, Inner};
use crate::error::problem;
use crate::identity::secret;
use crate::limits::place;

/// Bytes of the token of a short address: 64 bits, 11 characters.
const SHORT_BYTES: usize = 8;
/// A code that was asked for so lately is still under way.
const LATELY: SignedDuration = SignedDuration::from_mins(1);
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Parts of a text message, each of which costs.
const MAX_PARTS: usize = 2;
/// Most characters of two parts, and fewer and fewer of them: letters of some alphabets take more
/// room.
const CHARS: std::ops::RangeInclusive<usize> = 60..=290;
/// What the channel may add: the reference.
const ADDED: &str = " #K7Q2";

/// Whether, and to which numbers, subscribers are told by text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts {
    /// Numbers that begin with one of these may ask; none: nobody is told by text.
    pub prefixes: Vec<String>,
    /// Texts of a day (UTC) in all.
    pub per_day: u32,
    /// Codes of a day to the numbers of one prefix.
    pub codes_per_day: u32,
}

impl Texts {
    /// The longest prefix that a number begins with.
    fn prefix(&self, number: &str) -> Option<&str> {
        let fitting = self.prefixes.iter().filter(|it| number.starts_with(it.as_str()));
        fitting.map(String::as_str).max_by_key(|it| it.len())
    }

    fn ceiling<'a>(&self, prefix: &'a str, now: Timestamp) -> TextCeiling<'a> {
        let codes = (prefix, self.codes_per_day);
        TextCeiling { day: day(now), in_all: self.per_day, codes }
    }
}

/// Days since 1970, UTC.
pub(super) fn day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY_S)
}

impl App {
    /// By which ways anybody may ask to be told.
    pub fn subscriber_ways(&self) -> Vec<Channel> {
        let app = self.inner();
        let by_text = !app.status.texts().prefixes.is_empty()
            && app.channels.providers().iter().any(|it| it.channel == Channel::Sms);
        let all = subscribers::CHANNELS.into_iter();
        all.filter(|channel| *channel != Channel::Sms || by_text).collect()
    }

    /// Confirms by the code that was sent to a number, typed at `from`; gives the subscriber and
    /// the token of its page. What is answered does not say whether the number is known.
    ///
    /// # Errors
    ///
    /// [`StatusError::WrongCode`] where it is not right, too old, or was tried too often.
    pub async fn confirm_by_code(
        &self,
        (typed, code): (&str, &str),
        from: IpAddr,
    ) -> Result<(SubscriberId, String), StatusError> {
        let often = |wait| StatusError::TooOften { wait };
        self.inner().limits.code_from.take(&network(from)).map_err(often)?;
        let number: PhoneNumber = typed.parse().map_err(|_| StatusError::WrongCode)?;
        let now = self.now();
        let store = &self.inner().store;
        let since = ago(now, CODE_LIFETIME);
        let asked = store.try_code(&number, since, CODE_TRIES).await?;
        let asked = asked.ok_or(StatusError::WrongCode)?;
        let digits: String = code.chars().filter(char::is_ascii_digit).collect();
        if !self.inner().is_subscriber_code(&asked, &digits) {
            return Err(StatusError::WrongCode);
        }
        if !store.prove_subscriber(asked.id, CODE_TRIES, now).await? {
            return Err(StatusError::WrongCode);
        }
        Ok((asked.id, self.inner().subscriber_token(asked.id)))
    }

    /// Whose page a short address leads to, and the token that opens it.
    pub async fn subscriber_by_short(
        &self,
        short: &str,
    ) -> Result<(SubscriberId, String), StatusError> {
        let found = self.inner().store.subscriber_by_link(&secret::hash(short)).await?;
        let id = found.ok_or(StatusError::NoSubscriber)?;
        Ok((id, self.inner().subscriber_token(id)))
    }

    /// Notes that somebody wants to be told by text, and sends the code.
    pub(super) async fn ask_by_text(
        &self,
        asks: Subscriber,
        from: IpAddr,
    ) -> Result<(), StatusError> {
        if !self.subscriber_ways().contains(&Channel::Sms) {
            return Err(elsewhere(&Texts::default()));
        }
        let texts = self.inner().status.texts();
        let number = asks.address.as_str();
        let Some(prefix) = texts.prefix(number) else { return Err(elsewhere(&texts)) };
        let limits = &self.inner().limits;
        let often = |wait| StatusError::TooOften { wait };
        limits.text_from.take(&network(from)).map_err(often)?;
        if limits.text_to.take(&number.to_owned()).is_err() {
            // Whoever has the phone has enough texts, and whoever asks learns nothing.
            tracing::info!("a number was asked for too often");
            return Ok(());
        }
        let now = asks.asked_at;
        let link = secret::hash(&self.inner().subscriber_short(asks.id));
        let ceiling = texts.ceiling(prefix, now);
        let store = &self.inner().store;
        match store.ask_by_text((&asks, &link), ago(now, LATELY), ceiling).await? {
            CodeAsked::Queued => self.inner().status.wake_telling.notify_waiters(),
            CodeAsked::UnderWay => (),
            CodeAsked::UsedUp => {
                metrics::counter!("bugle_subscriber_texts_refused_total").increment(1);
                tracing::warn!(prefix, "no more codes go out today to those who ask for texts");
                return Err(StatusError::TextsUsedUp);
            }
        }
        Ok(())
    }

    /// Ends the subscription of a phone that texts so, and gives what is answered. `None`: it is no
    /// such text, or not that of a subscriber. The number proves little, as for other replies.
    pub(crate) async fn end_by_text(
        &self,
        from: &PhoneNumber,
        text: &str,
    ) -> Result<Option<String>, StoreError> {
        if !subscribers::ends(text) {
            return Ok(None);
        }
        let store = &self.inner().store;
        let Some(id) = store.subscriber_at(&Address::Sms(from.clone())).await? else {
            return Ok(None);
        };
        store.drop_subscriber(id).await?;
        tracing::info!(%id, "a subscriber ended it by text");
        let settings = self.inner().status.settings();
        let name = settings.map_or_else(|| "Bugle".to_owned(), |it| it.name.clone());
        Ok(Some(subscribers::ended(&name)))
    }
}

impl Inner {
    /// Whether a text may go out to a subscriber now; one that tells of something is counted.
    pub(super) async fn may_text(
        &self,
        message: &SubscriberMessage,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let texts = self.status.texts();
        let Some(prefix) = texts.prefix(message.to.address.as_str()) else { return Ok(false) };
        if message.notice.is_none() {
            return Ok(now.duration_since(message.to.asked_at) < CODE_LIFETIME);
        }
        let may = self.store.count_text(texts.ceiling(prefix, now)).await?;
        if !may {
            metrics::counter!("bugle_subscriber_texts_refused_total").increment(1);
            tracing::warn!(per_day = texts.per_day, "no more texts go to subscribers today");
        }
        Ok(may)
    }

    /// No provider was asked to send it: what was counted is given back.
    pub(super) async fn give_text_back(
        &self,
        message: &SubscriberMessage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if message.notice.is_none() {
            return Ok(());
        }
        self.store.uncount_text(day(now)).await
    }

    /// What a text to a subscriber says, in at most two parts.
    pub(super) fn subscriber_text(
        &self,
        message: &SubscriberMessage,
        name: &str,
        links: &Links,
    ) -> String {
        let Some(notice) = &message.notice else {
            return subscribers::code(&self.subscriber_code(&message.to), name);
        };
        fitting(|max_chars| subscribers::text(notice, name, links, max_chars))
    }

    /// The token of the short address that stands in the texts of a subscriber.
    pub(super) fn subscriber_short(&self, id: SubscriberId) -> String {
        let whole = self.subscriber_mac(id, b"subscriber short").finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(whole.get(..SHORT_BYTES).unwrap_or_default())
    }

    /// The code of whoever asked at that moment: six digits.
    fn subscriber_code(&self, of: &Subscriber) -> String {
        let mut mac = self.subscriber_mac(of.id, b"subscriber code");
        mac.update(&of.asked_at.as_microsecond().to_be_bytes());
        let whole = mac.finalize().into_bytes();
        let number = whole
            .iter()
            .take(SHORT_BYTES)
            .fold(0_u64, |sum, byte| sum.wrapping_mul(256).wrapping_add(u64::from(*byte)));
        format!("{:06}", number % 1_000_000)
    }

    /// Whether these digits are the code. It takes as long whatever they are: hashes of both are
    /// compared.
    fn is_subscriber_code(&self, of: &Subscriber, typed: &str) -> bool {
        let mac = |text: &str| {
            let mut mac = self.subscriber_mac(of.id, b"typed code");
            mac.update(text.as_bytes());
            mac
        };
        mac(typed).verify(&mac(&self.subscriber_code(of)).finalize().into_bytes()).is_ok()
    }
}

fn elsewhere(texts: &Texts) -> StatusError {
    let message = match texts.prefixes.as_slice() {
        [] => "updates do not come by text".to_owned(),
        all => format!("texts go to numbers that begin with {}", all.join(", ")),
    };
    StatusError::Invalid(vec![problem("/address", "invalid", message)])
}

/// The network that an address is of: whoever can change its last part is one.
fn network(ip: IpAddr) -> IpAddr {
    match place(ip) {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        v6 @ IpAddr::V6(_) => v6,
    }
}

/// The longest that fits into the parts.
fn fitting(compose: impl Fn(usize) -> String) -> String {
    let parts = |text: &str| sms::fit(&format!("{text}{ADDED}"), usize::MAX).1;
    let mut sizes = CHARS.rev().step_by(10).map(compose);
    sizes.find(|text| parts(text) <= MAX_PARTS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_where_the_longest_prefix_says() {
        let prefixes = vec!["+45".to_owned(), "+4520".to_owned(), "+46".to_owned()];
        let texts = Texts { prefixes, per_day: 9, codes_per_day: 3 };
        assert_eq!(texts.prefix("+4520123456"), Some("+4520"));
        assert_eq!(texts.prefix("+4530123456"), Some("+45"));
        assert_eq!(texts.prefix("+491701234318"), None);
        assert_eq!(Texts::default().prefix("+4530123456"), None, "nobody unless it is said");
    }

    #[test]
    fn who_changes_the_last_part_of_an_address_is_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:2:4:5:6:7"));
    }

    #[test]
    fn a_text_has_two_parts_at_most_whatever_the_alphabet() {
        let end = " https://bugle.example/status End: https://bugle.example/u/AbCdEfGhIjk";
        for letter in ["x", "€", "ж", "😀"] {
            let composed =
                fitting(|max| format!("{}{end}", letter.repeat(max.saturating_sub(end.len()))));
            assert!(composed.ends_with("/u/AbCdEfGhIjk"), "{letter}: {composed}");
            assert!(sms::fit(&format!("{composed}{ADDED}"), usize::MAX).1 <= 2, "{letter}");
        }
    }
}
