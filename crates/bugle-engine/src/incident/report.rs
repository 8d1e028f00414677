//! The incident report: a draft with what the machine knows filled in, in the frame of four
//! questions, and clearly marked places for what only people know.

use std::fmt::Write as _;

use bugle_domain::TenantId;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::IncidentLine;
use super::room::{Origin, Role, Room, Timings};
use crate::change::Change;

/// What an incident did to one tenant, counted in the ledger's rows between two times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Impact {
    /// Events that were accepted.
    pub accepted: i64,
    /// Notifications that came to be owed.
    pub owed: i64,
    /// Of those, sent more than 1 minute after they should have been, or not yet although it is so
    /// much later.
    pub late_1_min: i64,
    /// The same of 5 minutes.
    pub late_5_min: i64,
    /// The same of 30 minutes.
    pub late_30_min: i64,
    /// Ended without any provider having taken them, although they were still true.
    pub never_sent: i64,
    /// Possibly sent twice.
    pub duplicated: i64,
    /// Sent when somebody had it already, or it was over.
    pub stale: i64,
}

impl Impact {
    /// What is counted, with the words for it, in the order it is shown.
    pub fn columns(&self) -> [(&'static str, i64); 8] {
        [
            ("accepted", self.accepted),
            ("owed", self.owed),
            ("> 1 min late", self.late_1_min),
            ("> 5 min late", self.late_5_min),
            ("> 30 min late", self.late_30_min),
            ("never sent", self.never_sent),
            ("possibly twice", self.duplicated),
            ("stale", self.stale),
        ]
    }

    /// What happened to all of them together.
    pub fn total(tenants: &[TenantImpact]) -> Self {
        let mut total = Self::default();
        for it in tenants {
            total.add(&it.impact);
        }
        total
    }

    /// Adds what it did to another.
    fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.owed += other.owed;
        self.late_1_min += other.late_1_min;
        self.late_5_min += other.late_5_min;
        self.late_30_min += other.late_30_min;
        self.never_sent += other.never_sent;
        self.duplicated += other.duplicated;
        self.stale += other.stale;
    }

    /// Whether anything did not go as it should.
    pub fn harmed(&self) -> bool {
        self.late_1_min + self.never_sent + self.duplicated + self.stale > 0
    }
}

/// A tenant, and what an incident did to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TenantImpact {
    /// Which.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// What it did.
    #[serde(flatten)]
    pub impact: Impact,
}

/// All that a draft is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The incident.
    pub room: Room,
    /// What was seen first, where the watch declared it.
    pub evidence: Option<String>,
    /// Its timeline, oldest first.
    pub lines: Vec<IncidentLine>,
    /// Changes of the stages that may have to do with it, oldest first.
    pub changes: Vec<Change>,
    /// What it did to each tenant that something was said to.
    pub tenants: Vec<TenantImpact>,
    /// From when on the numbers are counted.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Where the pages are; paths of lines follow.
    pub base: String,
}

impl Report {
    /// The sum over all tenants.
    pub fn total(&self) -> Impact {
        Impact::total(&self.tenants)
    }

    /// The draft as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Incident report: {}\n\n", plain(&self.room.title));
        text.push_str(
            "Draft. What Bugle knows is filled in; what only people know is marked **To write**.\n",
        );
        self.what_happened(&mut text);
        self.why(&mut text);
        self.response(&mut text);
        self.prevention(&mut text);
        text
    }

    fn what_happened(&self, text: &mut String) {
        let room = &self.room;
        text.push_str("\n## What happened?\n\n");
        let ended = match &room.closed {
            Some(closed) => format!("it was closed at {}", utc(closed.at)),
            None => "it goes on".to_owned(),
        };
        let began = utc(room.began_at);
        let lasted = length(self.until.duration_since(room.began_at).as_secs());
        let severity = room.severity.as_str();
        say(text, &format!("From {began}, for {lasted}; {ended}. Severity: {severity}."));
        if !room.affected.is_empty() {
            say(text, &format!("Affected: {}", plain(&room.affected)));
        }
        to_write(text, "what those who use it saw, in a sentence they would understand.");
        say(text, &format!("\nBetween {} and {}:\n", utc(self.from), utc(self.until)));
        self.impact_table(text);
    }

    fn impact_table(&self, text: &mut String) {
        let names = self.total().columns().map(|(name, _)| name);
        say(text, &format!("| tenant | {} |", names.join(" | ")));
        say(text, &format!("|---|{}", "--:|".repeat(names.len())));
        let row = |name: &str, impact: &Impact| {
            let numbers = impact.columns().map(|(_, number)| number.to_string());
            format!("| {name} | {} |", numbers.join(" | "))
        };
        for it in &self.tenants {
            say(text, &row(&plain(&it.name), &it.impact));
        }
        say(text, &row("**all**", &self.total()));
        let harmed = self.tenants.iter().filter(|it| it.impact.harmed()).count();
        say(text, &format!("\nTenants with any harm: {harmed} of {}.", self.tenants.len()));
    }

    fn why(&self, text: &mut String) {
        text.push_str("\n## Why did it happen?\n\n");
        let declared = match &self.room.origin {
            Origin::Watch => "The watch declared it".to_owned(),
            Origin::Person { name } => format!("{} declared it", plain(name)),
            Origin::Alert { name, number } => {
                format!("{} declared it from alert #{number}", plain(name))
            }
        };
        say(text, &format!("{declared} at {}.", utc(self.room.declared_at)));
        if let Some(evidence) = &self.evidence {
            say(text, &format!("Seen first: {}.", plain(evidence)));
        }
        for change in &self.changes {
            let Change { number, author, reason, revision, .. } = change;
            let (began, state) = (utc(change.began_at), change.state.words());
            let forced = if change.forced { ", forced past what spoke against it" } else { "" };
            let (author, reason) = (plain(author), plain(reason));
            say(
                text,
                &format!(
                    "\n[Change {number}]({}/changes/{number}) to revision {revision}{forced}, by \
                     {author} ({reason}), began at {began}; it is {state}.",
                    self.base
                ),
            );
        }
        to_write(text, "the cause, and why it could do this much harm.");
    }

    fn response(&self, text: &mut String) {
        text.push_str("\n## How did we respond?\n\n");
        timings(text, &self.room.timings());
        let roles: Vec<String> = Role::ALL
            .iter()
            .filter_map(|role| self.room.roles.get(role).map(|who| (role.words(), who)))
            .map(|(role, who)| format!("{role} {}", plain(&who.name)))
            .collect();
        if !roles.is_empty() {
            say(text, &format!("\nAt the end: {}.", roles.join(", ")));
        }
        to_write(text, "what helped, what was in the way, and what was luck.");
        text.push_str("\n### Timeline\n\n| time (UTC) | from | what happened |\n|---|---|---|\n");
        for line in &self.lines {
            let said = match &line.link {
                Some(path) => format!("[{}]({}{path})", plain(&line.text), self.base),
                None => plain(&line.text),
            };
            say(text, &format!("| {} | {} | {said} |", seconds(line.at), line.source));
        }
    }

    fn prevention(&self, text: &mut String) {
        text.push_str("\n## What are we doing to prevent it from happening again?\n\n");
        text.push_str("| action | owner | date | drill that will prove it |\n|---|---|---|---|\n");
        for task in self.room.tasks.iter().filter(|task| task.done.is_none()) {
            let owner = task.assignee.as_deref().map_or("**To write**".to_owned(), plain);
            let action = plain(&task.text);
            say(text, &format!("| {action} | {owner} | **To write** | **To write** |"));
        }
        say(text, "| **To write** | **To write** | **To write** | **To write** |");
    }
}

fn timings(text: &mut String, timings: &Timings) {
    let rows = [
        ("noticed", timings.detect_s),
        ("declared", timings.declare_s),
        ("first said outside", timings.first_post_s),
        ("mitigated", timings.mitigate_s),
        ("drained", timings.drain_s),
    ];
    text.push_str("| until it was | from when it broke |\n|---|--:|\n");
    for (name, took) in rows {
        let took = took.map_or("not known".to_owned(), length);
        say(text, &format!("| {name} | {took} |"));
    }
}

/// `18 s`, `3 min 5 s`, `2 h 4 min`.
pub fn length(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match SignedDuration::from_secs(seconds).as_hours() {
        0 if seconds < 60 => format!("{seconds} s"),
        0 => format!("{} min {} s", seconds / 60, seconds % 60),
        hours => format!("{hours} h {} min", seconds / 60 % 60),
    }
}

fn say(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// Marks a place for people.
fn to_write(text: &mut String, what: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n> **To write:** {what}");
}

fn utc(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn seconds(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%m-%d %H:%M:%S").to_string()
}

/// Text of people that means nothing in Markdown and stays in its line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => out.push(' '),
            '\\' | '|' | '<' | '>' | '*' | '_' | '`' | '[' | ']' | '#' | '&' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bugle_domain::stage::Stage;
    use bugle_domain::{IncidentId, UserId};

    use super::*;
    use crate::change::{ChangeKind, ChangeState, WATCH_FOR};
    use crate::incident::IncidentSeverity;
    use crate::incident::room::{Closed, Person, Task};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn room() -> Room {
        let tenant = TenantId::new(at(0), [1; 10]);
        let lena =
            Person { tenant, user: UserId::new(at(0), [1; 10]), name: "Lena | Ortiz".to_owned() };
        let task = Task {
            number: 1,
            text: "Drill it".to_owned(),
            assignee: Some("Lena".to_owned()),
            done: None,
        };
        Room {
            id: IncidentId::new(at(0), [1; 10]),
            tenant: Some(tenant),
            origin: Origin::Alert { name: "Lena".to_owned(), number: 12 },
            severity: IncidentSeverity::Major,
            title: "Checkout <b>is</b> slow".to_owned(),
            affected: "Payments".to_owned(),
            began_at: at(0),
            detected_at: at(20),
            declared_at: at(95),
            roles: [(Role::Commander, lena)].into(),
            here: Vec::new(),
            paged: Vec::new(),
            tasks: vec![task],
            alerts: Vec::new(),
            next_update_by: None,
            nags: None,
            first_post_at: None,
            mitigated_at: Some(at(600)),
            drained_at: None,
            closed: Some(Closed { at: at(7_300), by: "Lena".to_owned(), reason: "ok".to_owned() }),
        }
    }

    fn change() -> Change {
        Change {
            number: 7,
            kind: ChangeKind::Revert,
            revision: 3,
            previous: 4,
            stages: vec![Stage::Dispatch],
            nodes: Vec::new(),
            reached: 0,
            author: "Priya".to_owned(),
            reason: "clean up | tidy".to_owned(),
            forced: true,
            watch_for: WATCH_FOR,
            state: ChangeState::Undone,
            entered_at: at(2),
            began_at: at(-1),
            before: Vec::new(),
            why: None,
            undo: None,
            clean_up: None,
        }
    }

    fn report() -> Report {
        let impact = Impact { accepted: 40, owed: 9, late_1_min: 2, stale: 1, ..Impact::default() };
        let other = Impact { accepted: 2, ..Impact::default() };
        let of = |name: &str, impact| TenantImpact {
            tenant: TenantId::new(at(0), [1; 10]),
            name: name.to_owned(),
            impact,
        };
        let line = IncidentLine::new("note", "Lena: it is *db1*\n| really", at(100));
        Report {
            room: room(),
            evidence: None,
            lines: vec![line.linked("/incidents/inc_1#l3")],
            changes: vec![change()],
            tenants: vec![of("Halden", impact), of("Other", other)],
            from: at(0),
            until: at(7_300),
            base: "https://bugle.example".to_owned(),
        }
    }

    #[test]
    fn the_four_questions_are_asked_and_what_is_known_is_filled_in() {
        let text = report().markdown();
        let questions: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(
            questions,
            [
                "## What happened?",
                "## Why did it happen?",
                "## How did we respond?",
                "## What are we doing to prevent it from happening again?"
            ]
        );
        for known in [
            "From 2023-11-14 22:13:20 UTC, for 2 h 1 min; it was closed at 2023-11-15 00:15:00 UTC",
            "| Halden | 40 | 9 | 2 | 0 | 0 | 0 | 0 | 1 |",
            "| **all** | 42 | 9 | 2 | 0 | 0 | 0 | 0 | 1 |",
            "Tenants with any harm: 1 of 2.",
            "Lena declared it from alert #12 at",
            "| declared | 1 min 35 s |",
            "| mitigated | 10 min 0 s |",
            "| drained | not known |",
            "commander Lena \\| Ortiz",
            "| Drill it | Lena | **To write** | **To write** |",
            "[Change 7](https://bugle.example/changes/7) to revision 3, forced past what spoke \
             against it, by Priya (clean up \\| tidy), began at 2023-11-14 22:13:19 UTC; it \
             is undone.",
        ] {
            assert!(text.contains(known), "{known}\n{text}");
        }
        assert_eq!(text.matches("> **To write:**").count(), 3);
    }

    #[test]
    fn what_people_wrote_means_nothing_in_markdown() {
        let text = report().markdown();
        assert!(text.contains("# Incident report: Checkout \\<b\\>is\\</b\\> slow"), "{text}");
        assert!(
            text.contains(
                "[Lena: it is \\*db1\\* \\| really](https://bugle.example/incidents/inc_1#l3)"
            ),
            "{text}"
        );
    }
}
