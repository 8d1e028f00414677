//! What the channels need to be told; already checked, except where `Channels::new` says more.

use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::roots::Roots;

/// All channels and their providers, each list in the order of preference.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Mail servers.
    pub email: Vec<SmtpSettings>,
    /// Who sends text messages.
    pub sms: Vec<TwilioSettings>,
    /// Who makes calls.
    pub voice: Vec<TwilioSettings>,
    /// Our own webhooks.
    pub webhook: WebhookSettings,
    /// Certificate authorities that are believed beside the public ones, wherever TLS is spoken.
    pub roots: Roots,
}

/// The longest that a request may take. What was to be sent this long ago, and has no outcome, is
/// not under way any more.
pub const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// How long, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For a connection to come about. 1–30 s.
    pub connect: Duration,
    /// For a whole request, connecting included. 1 s to [`LONGEST_REQUEST`].
    pub request: Duration,
    /// Messages in a period; `None` for as many as come.
    pub rate: Option<Rate>,
}

/// So many messages in a period, evenly spread, with bursts of up to one period's worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many. At least 1.
    pub messages: u32,
    /// In how long. More than zero.
    pub per: Duration,
}

/// User name and password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// How a connection to a mail server is kept secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmtpSecurity {
    /// Not at all: only for a server on the same machine or a network of one's own.
    None,
    /// Plain at first, then `STARTTLS`; nothing is said before, and a server without it is refused.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// A mail server that takes our mail.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// What the operator calls it. Unique among mail servers.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port: 587, 465 or 25.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: SmtpSecurity,
    /// Where the server wants one.
    pub login: Option<Login>,
    /// `From:`, such as `Bugle <bugle@example.com>`.
    pub from: String,
    /// How long, and how often.
    pub limits: Limits,
}

/// An account with Twilio, or with something that speaks as Twilio does.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// What the operator calls it; part of callback URLs: letters, digits, `-`, `_`. The same name
    /// for text messages and for calls means the same account.
    pub name: String,
    /// Where the API is; `https://api.twilio.com` for Twilio itself.
    pub api_base: Url,
    /// `AC…`.
    pub account_sid: String,
    /// Signs requests to and callbacks from Twilio.
    pub auth_token: SecretString,
    /// Keys of the newer callback signatures, where the account uses them.
    pub callback_keys: Vec<SharedKey>,
    /// A number in E.164, an alphanumeric sender (texts only), or a messaging service (`MG…`).
    pub from: String,
    /// How long, and how often.
    pub limits: Limits,
}

/// A key by which Twilio signs callbacks with SHA-256.
#[derive(Clone, Debug)]
pub struct SharedKey {
    /// Its id, as the header names it.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// Our own webhooks.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Ranges that may be posted to although they are private. Empty on a shared installation.
    pub allow: Vec<IpNet>,
    /// How long, and how often.
    pub limits: Limits,
}
