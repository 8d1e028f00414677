//! The list of alerts.

pub(super) mod list;

use askama::Template;

use super::parts::{FieldError, Sev, Tab};
use super::times::When;

/// What the list shows.
#[derive(Clone, Debug, Template)]
#[template(path = "alerts.html")]
pub(super) struct AlertsPage {
    /// The filter as typed.
    pub(super) q: String,
    /// What in the filter was not understood.
    pub(super) errors: Vec<FieldError>,
    /// Filters that are often wanted.
    pub(super) views: Vec<Tab>,
    /// Path and query of this page.
    pub(super) here: String,
    /// Rows, in groups.
    pub(super) sections: Vec<Rows>,
    /// What is said where there are none.
    pub(super) quiet: Option<Quiet>,
    /// `50 shown`.
    pub(super) total: String,
    /// The next part.
    pub(super) next: Option<String>,
    /// What is left to set up.
    pub(super) checklist: Vec<Task>,
    /// How many of them.
    pub(super) checklist_left: usize,
    /// Whether there is any row.
    pub(super) any_rows: bool,
    /// Whether the reader may act.
    pub(super) can_act: bool,
    /// The page's zone.
    pub(super) zone: String,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// A group of rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rows {
    /// `Paging now`.
    pub(super) title: &'static str,
    /// How many are shown.
    pub(super) count: usize,
    /// What they say.
    pub(super) items: Vec<Row>,
}

/// One alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// Its id.
    pub(super) id: String,
    /// Its number.
    pub(super) number: i64,
    /// Its page.
    pub(super) href: String,
    /// How bad.
    pub(super) severity: Sev,
    /// What is wrong.
    pub(super) title: String,
    /// What is broken.
    pub(super) service: String,
    /// `acknowledged by you`.
    pub(super) state: String,
    /// Who is told next, where nobody answers.
    pub(super) due: Option<Due>,
    /// Events in it.
    pub(super) events: i64,
    /// When it was opened.
    pub(super) opened: When,
    /// Whether it can be acted on.
    pub(super) pickable: bool,
    /// Whether somebody is being paged for it.
    pub(super) paging: bool,
}

/// What follows if nobody answers: `3:54 to Priya`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Due {
    /// When.
    pub(super) iso: String,
    /// How long until then.
    pub(super) left: String,
    /// Who is told then.
    pub(super) to: String,
}

/// What is said where nothing is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Quiet {
    /// `Everything is quiet.`
    pub(super) title: String,
    /// `Last alert 14 h ago. You are on call until Fri 18:00.`
    pub(super) text: String,
}

/// One line of what is left to set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Task {
    /// What.
    pub(super) text: &'static str,
    /// Where.
    pub(super) href: &'static str,
    /// How long it takes.
    pub(super) note: &'static str,
    /// Whether it was done.
    pub(super) done: bool,
}
