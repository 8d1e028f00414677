//! What an SMTP server says: a code, an enhanced code (RFC 3463) and words.

use std::borrow::Cow;
use std::fmt;

use bugle_domain::EventId;

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    /// 2xx it is done, 4xx come again, 5xx do not.
    pub(super) code: u16,
    text: Cow<'static, str>,
}

impl Reply {
    /// An answer whose words begin with their enhanced code.
    pub(super) const fn new(code: u16, text: &'static str) -> Self {
        Self { code, text: Cow::Borrowed(text) }
    }

    /// The same with a reason that is made up of what was sent; it is put on one line.
    pub(super) fn because(code: u16, enhanced: &str, reason: &str) -> Self {
        let reason = bugle_domain::text::one_line(reason);
        let plain: String = reason.chars().filter(char::is_ascii).take(300).collect();
        Self { code, text: Cow::Owned(format!("{enhanced} {plain}")) }
    }

    /// Events are durable; they are named by their ids.
    pub(super) fn queued(events: &[EventId]) -> Self {
        let ids: Vec<String> = events.iter().map(EventId::to_string).collect();
        Self { code: 250, text: Cow::Owned(format!("2.0.0 OK queued as {}", ids.join(" "))) }
    }

    /// How it counts in metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self.code {
            200..400 => "accepted",
            400..500 => "deferred",
            _ => "refused",
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\r\n", self.code, self.text)
    }
}

/// It is done.
pub(super) const OK: Reply = Reply::new(250, "2.0.0 ok");
/// A mail is kept.
pub(super) const KEPT: Reply = Reply::new(250, "2.0.0 kept");
/// The text may come.
pub(super) const GO_ON: Reply = Reply::new(354, "end with <CRLF>.<CRLF>");
/// The end.
pub(super) const BYE: Reply = Reply::new(221, "2.0.0 bye");
/// Something here does not work, or there is too much of it.
pub(super) const LATER: Reply = Reply::new(451, "4.3.2 not now, come again");
/// The server stops, or has too many connections.
pub(super) const CLOSING: Reply = Reply::new(421, "4.3.2 not now, come again");
/// One place has too many connections.
pub(super) const TOO_MANY_FROM: Reply = Reply::new(421, "4.7.0 too many connections from there");
/// Nothing came.
pub(super) const TOO_SLOW: Reply = Reply::new(421, "4.4.2 nothing came in time");
/// Too many commands that are none.
pub(super) const TOO_MANY_FAULTS: Reply = Reply::new(421, "4.7.0 too many mistakes");
/// Too many commands.
pub(super) const TOO_MANY_COMMANDS: Reply = Reply::new(421, "4.7.0 too many commands");
/// There is no such address.
pub(super) const UNKNOWN: Reply = Reply::new(550, "5.1.1 there is no such address here");
/// An integration that is disabled.
pub(super) const DISABLED: Reply = Reply::new(550, "5.2.1 this integration is disabled");
/// Somebody else's address.
pub(super) const NO_RELAY: Reply = Reply::new(550, "5.7.1 mail is not passed on from here");
/// A mail goes to a few.
pub(super) const TOO_MANY_TO: Reply = Reply::new(452, "4.5.3 too many recipients");
/// A mail is too large.
pub(super) const TOO_BIG: Reply = Reply::new(552, "5.3.4 too big: at most 10 MB");
/// A line that ends with no CRLF.
pub(super) const BARE: Reply = Reply::new(521, "5.5.2 a bare CR or LF is not taken");
/// A line that does not end.
pub(super) const TOO_LONG: Reply = Reply::new(500, "5.5.2 line too long");
/// A command that is none.
pub(super) const NO_COMMAND: Reply = Reply::new(500, "5.5.1 no such command");
/// A command that is not done here.
pub(super) const NOT_HERE: Reply = Reply::new(502, "5.5.1 not here");
/// Commands out of order.
pub(super) const ORDER: Reply = Reply::new(503, "5.5.1 not in this order");
/// What stands behind a command.
pub(super) const PARAMETER: Reply = Reply::new(555, "5.5.4 not with this parameter");
/// How a command is written.
pub(super) const SYNTAX: Reply = Reply::new(501, "5.5.4 written wrongly");
/// Who asks whether somebody is here.
pub(super) const SEND_AND_SEE: Reply = Reply::new(252, "2.5.0 send it, and see");
