//! What is the reader's own: ways to be reached, rules, profile, sessions, keys.

pub(super) mod act;
pub(super) mod show;

use askama::Template;

use super::parts::{Choice, FieldError};

#[derive(Template)]
#[template(path = "me.html")]
pub(super) struct MePage {
    /// Full name.
    pub(super) name: String,
    /// For signing in.
    pub(super) email: String,
    /// What the reader may do.
    pub(super) role: &'static str,
    /// Where.
    pub(super) tenant: String,
    /// The reader's zone.
    pub(super) time_zone: String,
    /// Zones that are offered.
    pub(super) zones: Vec<&'static str>,
    /// Ways to be reached.
    pub(super) methods: Vec<Way>,
    /// Kinds of ways.
    pub(super) channels: Vec<Choice>,
    /// As typed.
    pub(super) address: String,
    /// As typed.
    pub(super) way_name: String,
    /// Whether rules are the reader's own.
    pub(super) own_rules: bool,
    /// Rules by urgency.
    pub(super) rules: Vec<Rules>,
    /// Whether single keys do things.
    pub(super) keys_on: bool,
    /// Where the reader is signed in.
    pub(super) sessions: Vec<Session>,
    /// Keys for programs.
    pub(super) api_keys: Vec<Key>,
    /// The key that was just made.
    pub(super) new_key: Option<String>,
    /// What a new key may do.
    pub(super) roles: Vec<Choice>,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// One way to be reached.
pub(super) struct Way {
    /// Its id.
    pub(super) id: String,
    /// What its owner calls it.
    pub(super) name: String,
    /// `SMS`.
    pub(super) channel: &'static str,
    /// Where to.
    pub(super) address: String,
    /// Whether it may be used.
    pub(super) proven: bool,
}

/// The rules of one urgency.
pub(super) struct Rules {
    /// `urgent` or `normal`.
    pub(super) urgency: &'static str,
    /// `Critical and high`.
    pub(super) title: &'static str,
    /// What happens.
    pub(super) steps: Vec<Step>,
    /// What can be set, with empty places at the end.
    pub(super) edit: Vec<Edit>,
}

/// One step of the rules.
pub(super) struct Step {
    /// `at once`, `after 60 s`.
    pub(super) after: String,
    /// Which way.
    pub(super) way: String,
}

/// One rule in the form.
pub(super) struct Edit {
    /// Which way.
    pub(super) ways: Vec<Choice>,
    /// Seconds.
    pub(super) delay: String,
}

/// One session.
pub(super) struct Session {
    /// Its id.
    pub(super) id: String,
    /// What the browser calls itself.
    pub(super) agent: String,
    /// When it began.
    pub(super) since: String,
    /// When it was used.
    pub(super) used: String,
    /// Whether it is this one.
    pub(super) current: bool,
}

/// One key for programs.
pub(super) struct Key {
    /// Its id.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// The part that may be shown.
    pub(super) hint: String,
    /// What it may do.
    pub(super) role: &'static str,
    /// `last used 14:20`.
    pub(super) used: String,
}
