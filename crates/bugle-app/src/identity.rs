//! Who somebody is: set-up, sign-in, sessions, single-use links, passwords, API keys.
//!
//! Only hashes of secrets are kept: argon2id for passwords, SHA-256 for tokens and keys that have
//! enough randomness of their own.

pub mod error;
mod key;
pub(crate) mod limit;
mod link;
pub(crate) mod password;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod setup;

use std::net::IpAddr;

use bugle_domain::role::Role;
use bugle_domain::{ApiKeyId, RequestId, SessionId, UserId};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::caller::Caller;

/// A session that is not used for this long ends. Twelve hours, so that whoever was woken at night
/// and signed in is still signed in at the end of the shift; a link in a page needs no session.
pub const SESSION_IDLE: SignedDuration = SignedDuration::from_hours(12);
/// A session ends after this long, used or not.
pub const SESSION_ABSOLUTE: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long a single-use sign-in link holds.
pub const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(72);
/// Shortest password, in characters.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Longest password, in characters: hashing more would be a way to keep us busy.
pub const MAX_PASSWORD_CHARS: usize = 256;

/// Where a request came from, as the list of sessions shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientInfo {
    /// The other side's address, for rate limits.
    pub ip: IpAddr,
    /// What the browser calls itself; cut to 200 characters.
    pub user_agent: String,
    /// The request that is being answered.
    pub request: RequestId,
}

/// Whether the installation has been set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetupState {
    /// There is no tenant yet.
    Needed,
    /// There is one; set-up is over for good.
    Done,
}

/// What the first person says.
#[derive(Clone, Debug)]
pub struct SetupForm {
    /// Single-use token of the set-up URL.
    pub token: SecretString,
    /// What the tenant is called.
    pub tenant: String,
    /// The person's name.
    pub name: String,
    /// The person's mail address.
    pub email: String,
    /// The password chosen.
    pub password: SecretString,
    /// IANA name of the browser's zone.
    pub time_zone: String,
}

/// Somebody who has just signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who, and what they may do.
    pub caller: Caller,
    /// The session's token, for the cookie: 43 letters, digits, `-` and `_`. Only its hash is kept.
    pub token: SecretString,
    /// When the session ends if it is not used.
    pub idle_until: Timestamp,
    /// When it ends in any case.
    pub until: Timestamp,
}

/// A session, as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// What the browser called itself.
    pub user_agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An API key, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// The part of its text that may be shown: `bgl_live_1a2b3c4d`.
    pub hint: String,
    /// What it may do.
    pub role: Role,
    /// Whose it is; `None`: the tenant's.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// What a new API key shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewApiKey {
    /// What it is called, 1–80 characters.
    pub name: String,
    /// What it may do; not more than who makes it.
    pub role: Role,
    /// When it ends by itself; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// Acts as its maker (`true`) or as the tenant's own key (`false`, needs "manage API keys").
    pub personal: bool,
}

/// A key that was just made. The secret is not shown again.
#[derive(Clone, Debug)]
pub struct CreatedApiKey {
    /// What is kept.
    pub key: ApiKeyView,
    /// `bgl_live_<8>_<32>`.
    pub secret: SecretString,
}

/// A single-use link, without the host: `{public_url}/sign-in/{token}`.
#[derive(Clone, Debug)]
pub struct SignInLink {
    /// Who it signs in.
    pub user: UserId,
    /// The token in it.
    pub token: SecretString,
    /// Until when it holds.
    pub until: Timestamp,
}

/// Who the caller is, for `GET /api/v1/me` and the top of every page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// The person, where one acts.
    pub user: Option<bugle_domain::user::User>,
    /// The tenant's name.
    pub tenant: String,
    /// The tenant's id.
    pub tenant_id: bugle_domain::TenantId,
    /// What the caller may do.
    pub role: Role,
    /// Whether the caller also stands above tenants.
    pub operator: bool,
    /// Zone that times are shown in.
    pub time_zone: String,
}

/// A user who was just made, and the link that lets them in to choose a password.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The user.
    pub user: bugle_domain::user::User,
    /// Version of the user.
    pub version: i64,
    /// The link.
    pub link: SignInLink,
}

#[cfg(test)]
mod tests;
