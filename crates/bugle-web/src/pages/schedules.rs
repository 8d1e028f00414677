//! Schedules: who is on call when, the result first.

pub(super) mod build;
pub(super) mod cover;
pub(super) mod create;
pub(super) mod edit;
pub(super) mod show;
pub(super) mod timeline;

use askama::Template;

use super::parts::{Choice, FieldError, Tab};
use super::times::When;

#[derive(Template)]
#[template(path = "schedules.html")]
pub(super) struct SchedulesPage {
    /// By name.
    pub(super) rows: Vec<Row>,
    /// The page's zone.
    pub(super) zone: String,
    /// Whether the reader may make schedules.
    pub(super) can_edit: bool,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// One schedule in the list.
pub(super) struct Row {
    /// Its page.
    pub(super) href: String,
    /// Its name.
    pub(super) name: String,
    /// Who is on call now.
    pub(super) who: Option<String>,
    /// `until Fri 18:00`.
    pub(super) until: String,
    /// Who follows; empty: nobody known.
    pub(super) next: String,
    /// Whether the person can be reached.
    pub(super) reachable: bool,
    /// Why not.
    pub(super) trouble: &'static str,
}

#[derive(Template)]
#[template(path = "schedule.html")]
pub(super) struct SchedulePage {
    /// Its page.
    pub(super) href: String,
    /// Its name.
    pub(super) name: String,
    /// Who uses it, and its zone.
    pub(super) used: String,
    /// Who is on call.
    pub(super) now: Now,
    /// What is missing.
    pub(super) gaps: Gaps,
    /// `19 Oct – 1 Nov 2026`.
    pub(super) range: String,
    /// A window earlier.
    pub(super) earlier: String,
    /// The window with today.
    pub(super) today: String,
    /// A window later.
    pub(super) later: String,
    /// Lengths of the window.
    pub(super) spans: Vec<Tab>,
    /// Zones of the axis.
    pub(super) zones: Vec<Tab>,
    /// The drawing.
    pub(super) svg: String,
    /// Shifts by day.
    pub(super) days: Vec<Day>,
    /// Whether shifts by day are shown on a wide screen too.
    pub(super) list: bool,
    /// The same as a table.
    pub(super) table: Vec<Line>,
    /// The page's zone.
    pub(super) zone: String,
    /// The zone that covers are typed in.
    pub(super) schedule_zone: String,
    /// The form of a cover.
    pub(super) cover: Cover,
    /// What changes next.
    pub(super) handoffs: Vec<Handoff>,
    /// Covers in the window.
    pub(super) overrides: Vec<Made>,
    /// Whether the reader may cover.
    pub(super) can_cover: bool,
    /// Whether the reader may change the layers.
    pub(super) can_edit: bool,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// Who is on call now.
pub(super) struct Now {
    /// Who; `None`: nobody.
    pub(super) who: Option<String>,
    /// `until Fri 23 Oct 18:00, 27 h left`.
    pub(super) until: String,
    /// `Can Lena be reached?`
    pub(super) reach_question: String,
    /// `Yes, three ways`.
    pub(super) reach: String,
    /// The sign.
    pub(super) reach_icon: &'static str,
    /// Which ways.
    pub(super) reach_ways: String,
}

/// What is missing.
pub(super) struct Gaps {
    /// `Next 30 days`.
    pub(super) window: &'static str,
    /// The sign.
    pub(super) icon: &'static str,
    /// `1 gap, 8 h`.
    pub(super) text: String,
    /// When.
    pub(super) detail: String,
}

/// The shifts that begin on a day.
pub(super) struct Day {
    /// `Fri 23 Oct`.
    pub(super) text: String,
    /// Whether it is today.
    pub(super) today: bool,
    /// The shifts.
    pub(super) shifts: Vec<Entry>,
}

/// A shift or gap in the list of a day.
pub(super) struct Entry {
    /// When it begins.
    pub(super) at: When,
    /// Who.
    pub(super) who: String,
    /// How long.
    pub(super) length: String,
    /// Which colour.
    pub(super) colour: String,
    /// Nobody.
    pub(super) gap: bool,
    /// By a cover.
    pub(super) cover: bool,
}

/// A shift in the table.
pub(super) struct Line {
    /// Who.
    pub(super) who: String,
    /// From when.
    pub(super) from: String,
    /// Until when.
    pub(super) until: String,
    /// How long.
    pub(super) length: String,
    /// By which layer, or a cover.
    pub(super) by: String,
}

/// The form of a cover.
#[derive(Default)]
pub(super) struct Cover {
    /// Who may.
    pub(super) people: Vec<Choice>,
    /// As typed.
    pub(super) from: String,
    /// As typed.
    pub(super) until: String,
    /// As typed.
    pub(super) reason: String,
    /// What it would cause.
    pub(super) preview: Option<String>,
}

/// A change of who is on call.
pub(super) struct Handoff {
    /// When.
    pub(super) at: String,
    /// Who comes.
    pub(super) to: String,
    /// `from Lena, cover`.
    pub(super) note: String,
}

/// A cover that was made.
pub(super) struct Made {
    /// Its id.
    pub(super) id: String,
    /// `Tomás covers Fri 18:00 – Sat 10:00: dentist`.
    pub(super) text: String,
}
