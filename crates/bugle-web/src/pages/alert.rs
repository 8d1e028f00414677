//! One alert, as at three in the morning on a phone.

pub(super) mod build;
pub(super) mod show;
pub(super) mod token;

use askama::Template;
use bugle_app::alerts::Glyph;

use super::graph::Graph;
use super::parts::{Link, Pair, Raw, Sev};
use super::times::When;

/// What the page of one alert shows.
#[derive(Clone, Debug, Template)]
#[template(path = "alert.html")]
pub(super) struct AlertPage {
    /// Path of the page.
    pub(super) href: String,
    /// The number people say.
    pub(super) number: i64,
    /// How bad.
    pub(super) severity: Sev,
    /// `paging you since 02:41`.
    pub(super) state_line: String,
    /// What is wrong.
    pub(super) title: String,
    /// Service, source, integration.
    pub(super) place: Vec<String>,
    /// `Started`.
    pub(super) started_word: &'static str,
    /// When it began.
    pub(super) started: When,
    /// Events in it.
    pub(super) events: i64,
    /// `312 events`.
    pub(super) events_text: String,
    /// First sentence, for whoever hears the page.
    pub(super) spoken: String,
    /// Events over time.
    pub(super) graph: Option<Graph>,
    /// Who has been told.
    pub(super) told: Vec<Told>,
    /// Why nobody was told, where nobody was.
    pub(super) nobody: String,
    /// What comes next.
    pub(super) next: Option<Next>,
    /// What else is to be said of it: "No more is waiting".
    pub(super) told_note: Option<String>,
    /// The last time.
    pub(super) seen: Option<Seen>,
    /// Other alerts.
    pub(super) also: Vec<Also>,
    /// Changes of the service.
    pub(super) changes: Vec<Line>,
    /// Runbook and links.
    pub(super) links: Vec<Link>,
    /// What the sender said.
    pub(super) details: Vec<Pair>,
    /// As received.
    pub(super) raw: Option<Raw>,
    /// The log.
    pub(super) timeline: Vec<Line>,
    /// The causal record.
    pub(super) why: String,
    /// The page's zone.
    pub(super) zone: String,
    /// Whether the reader may act on it, and there is something to do.
    pub(super) can_act: bool,
    /// The one button.
    pub(super) main: Option<Action>,
    /// What the button will cause.
    pub(super) effect: String,
    /// Opens a text message that acknowledges, for when the button can't.
    pub(super) by_text: Option<String>,
    /// `Pass to Priya`.
    pub(super) pass_on: Option<String>,
    /// When the level was told that waits.
    pub(super) told_at: String,
    /// Resolve as second button.
    pub(super) resolve_too: bool,
    /// What was done.
    pub(super) done: Option<Done>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// What a button does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// "I have it."
    Acknowledge,
    /// "It is over."
    Resolve,
}

impl Action {
    /// Last part of the path that it is posted to.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }

    /// What the button says.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Acknowledge => "Acknowledge",
            Self::Resolve => "Resolve",
        }
    }
}

/// Name of the shape of the sign beside somebody who has been told.
pub(super) fn sign(glyph: Glyph) -> &'static str {
    match glyph {
        Glyph::Waiting => "r-wait",
        Glyph::Trying => "r-try",
        Glyph::Accepted => "r-acc",
        Glyph::Delivered => "r-del",
        Glyph::Seen => "r-seen",
        Glyph::Answered => "ok",
        Glyph::Failed => "r-fail",
        Glyph::Cancelled => "r-none",
    }
}

/// Somebody who has been told, by one way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Told {
    /// When.
    pub(super) at: When,
    /// Name of the shape of the sign.
    pub(super) sign: &'static str,
    /// `You, SMS`.
    pub(super) who: String,
    /// `delivered to …318`.
    pub(super) what: String,
}

/// What comes next if nobody answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Next {
    /// When.
    pub(super) at: When,
    /// Who.
    pub(super) names: String,
    /// `is paged`.
    pub(super) verb: &'static str,
    /// `3:54`.
    pub(super) left: String,
    /// When waiting for it began.
    pub(super) from_iso: String,
    /// How much of the wait is over, in percent.
    pub(super) percent: u8,
}

/// The last alert of the same kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// `9 days ago`.
    pub(super) ago: String,
    /// `, over in 18 min: Jonas rolled back payments 2.14.`
    pub(super) text: String,
    /// Its page.
    pub(super) href: String,
    /// Its number.
    pub(super) number: i64,
}

/// Another alert that is not over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Also {
    /// How bad.
    pub(super) severity: Sev,
    /// What.
    pub(super) title: String,
    /// Its page.
    pub(super) href: String,
}

/// A sentence with its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    /// When.
    pub(super) at: When,
    /// What.
    pub(super) text: String,
}

/// What was done with the alert, and what that caused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Done {
    /// `Acknowledged 02:47:11 by you.`
    pub(super) what: String,
    /// `Priya will not be paged.`
    pub(super) effect: String,
}

/// The page that a link in a message opens: this alert, and nothing else.
#[derive(Clone, Debug, Template)]
#[template(path = "ack.html")]
pub(super) struct AckPage {
    /// Path of the page, with the token.
    pub(super) href: String,
    /// The number people say.
    pub(super) number: i64,
    /// How bad.
    pub(super) severity: Sev,
    /// `paging you since 02:41`.
    pub(super) state_line: String,
    /// What is wrong.
    pub(super) title: String,
    /// Service, source.
    pub(super) place: Vec<String>,
    /// `Started`.
    pub(super) started_word: &'static str,
    /// When it began.
    pub(super) started: When,
    /// Events in it.
    pub(super) events: i64,
    /// `312 events`.
    pub(super) events_text: String,
    /// Who has been told.
    pub(super) told: Vec<Told>,
    /// What comes next.
    pub(super) next: Option<Next>,
    /// Runbook and links.
    pub(super) links: Vec<Link>,
    /// What the sender said.
    pub(super) details: Vec<Pair>,
    /// The page's zone.
    pub(super) zone: String,
    /// The one button.
    pub(super) main: Option<Action>,
    /// What the button will cause.
    pub(super) effect: String,
    /// What was done.
    pub(super) done: Option<Done>,
    /// Whose link it is.
    pub(super) owner: String,
}
