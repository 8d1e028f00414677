//! Contact methods: a user's ways to be reached.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{MethodId, UserId};

/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL_BYTES: usize = 254;

/// Which way a message goes out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Mail over SMTP.
    Email,
    /// A text message.
    Sms,
    /// A phone call.
    Voice,
    /// An HTTP request to a program, signed.
    Webhook,
}

impl Channel {
    /// All channels there are.
    pub const ALL: [Self; 4] = [Self::Email, Self::Sms, Self::Voice, Self::Webhook];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Webhook => "webhook",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }

    /// Whether a person reads it. Messages to people are bundled and have ceilings; a program's are
    /// not.
    pub fn reaches_a_person(self) -> bool {
        match self {
            Self::Email | Self::Sms | Self::Voice => true,
            Self::Webhook => false,
        }
    }
}

/// An address that is not of the form its channel needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not E.164.
    #[error("write the number with + and the country code, such as +4930123456 (8 to 15 digits)")]
    Phone,
    /// Not a mail address.
    #[error("write a mail address such as lena@example.com")]
    Email,
    /// Not a URL that can be posted to.
    #[error("write a URL that begins with https:// or http://, without user name or password")]
    Url,
}

/// A telephone number in E.164: `+` and 8 to 15 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// A mail address: one `@`, no spaces or control characters, at most 254 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = AddressError;

            fn try_from(text: String) -> Result<Self, AddressError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

text_type!(PhoneNumber);
text_type!(EmailAddress);

impl FromStr for PhoneNumber {
    type Err = AddressError;

    /// Spaces, dashes, dots and brackets are dropped; a leading `00` is read as `+`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bare: String = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}'))
            .collect();
        let digits = bare
            .strip_prefix('+')
            .or_else(|| bare.strip_prefix("00"))
            .ok_or(AddressError::Phone)?;
        let valid = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if valid { Ok(Self(format!("+{digits}"))) } else { Err(AddressError::Phone) }
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (local, host) = text.rsplit_once('@').ok_or(AddressError::Email)?;
        let plain =
            |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',');
        let valid = !local.is_empty()
            && !host.is_empty()
            && text.len() <= MAX_EMAIL_BYTES
            && text.chars().all(plain)
            && !local.contains('@')
            && !host.starts_with('.')
            && !host.ends_with('.');
        if valid { Ok(Self(text.to_owned())) } else { Err(AddressError::Email) }
    }
}

/// Where a contact method leads. The channel is in the variant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "channel", content = "address", rename_all = "lowercase")]
pub enum Address {
    /// A mailbox.
    Email(EmailAddress),
    /// A phone that takes text messages.
    Sms(PhoneNumber),
    /// A phone that rings.
    Voice(PhoneNumber),
    /// A program.
    Webhook(Url),
}

impl Address {
    /// Reads the text of an address on `channel`.
    ///
    /// # Errors
    ///
    /// [`AddressError`] that says what the channel needs.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, AddressError> {
        match channel {
            Channel::Email => text.parse().map(Self::Email),
            Channel::Sms => text.parse().map(Self::Sms),
            Channel::Voice => text.parse().map(Self::Voice),
            Channel::Webhook => {
                let url: Url = text.trim().parse().map_err(|_| AddressError::Url)?;
                let plain = url.username().is_empty() && url.password().is_none() && url.has_host();
                let http = matches!(url.scheme(), "http" | "https");
                if http && plain { Ok(Self::Webhook(url)) } else { Err(AddressError::Url) }
            }
        }
    }

    /// Which way a message to it goes out.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::Voice(_) => Channel::Voice,
            Self::Webhook(_) => Channel::Webhook,
        }
    }

    /// The address as text, whole.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Sms(number) | Self::Voice(number) => number.as_str(),
            Self::Webhook(url) => url.as_str(),
        }
    }

    /// The address with most of it hidden, as shown on alert pages: `…318`, `l…@example.com`.
    pub fn masked(&self) -> String {
        match self {
            Self::Email(address) => {
                let (local, host) = address.as_str().split_once('@').unwrap_or(("", ""));
                let first = local.chars().next().unwrap_or('?');
                format!("{first}…@{host}")
            }
            Self::Sms(number) | Self::Voice(number) => {
                let text = number.as_str();
                format!("…{}", &text[text.len().saturating_sub(3)..])
            }
            Self::Webhook(url) => url.host_str().unwrap_or("?").to_owned(),
        }
    }
}

/// One of a user's ways to be reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContactMethod {
    /// Its id.
    pub id: MethodId,
    /// Whose it is.
    pub user: UserId,
    /// What the user calls it, such as "work phone". 1–80 characters.
    pub name: String,
    /// Where it leads.
    #[serde(flatten)]
    pub address: Address,
    /// When its owner proved to receive there, by typing a code that was sent. Never used before.
    pub proven_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
