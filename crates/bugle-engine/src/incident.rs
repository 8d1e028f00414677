//! Major incidents: when one is declared, what its timeline says, and when it is over.
//!
//! Here stands what the watch knows of an incident; what people make of one is its [`room`].

pub mod command;
pub mod report;
pub mod room;

use bugle_domain::{IncidentId, Severity, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::watch::flight::ms_between;
use crate::watch::{Hop, Verdict};

/// How bad an incident is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IncidentSeverity {
    /// Nothing gets through, or it is not known whether anything does.
    Critical,
    /// A part of the ways out is lost, and others serve.
    Major,
}

impl IncidentSeverity {
    /// All there are, worst first.
    pub const ALL: [Self; 2] = [Self::Critical, Self::Major];

    /// The word used in text, API and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Major => "major",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text)
    }

    /// How bad an alert about it is.
    pub fn of_alert(self) -> Severity {
        match self {
            Self::Critical => Severity::Critical,
            Self::Major => Severity::High,
        }
    }
}

/// A declared major incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// How bad it is.
    pub severity: IncidentSeverity,
    /// What is wrong, in a line.
    pub title: String,
    /// The hop that broke first.
    pub hop: Hop,
    /// Tenants known to be hit.
    pub tenants: Vec<TenantId>,
    /// What was seen.
    pub evidence: String,
    /// Since when it was broken, as far as is known.
    pub detected_at: Timestamp,
    /// When that was declared.
    pub declared_at: Timestamp,
    /// When no hop was broken any more.
    pub mitigated_at: Option<Timestamp>,
    /// When nothing waited any more that should not.
    pub drained_at: Option<Timestamp>,
    /// When it was over.
    pub recovered_at: Option<Timestamp>,
    /// When the pipeline had taken the operators' page about it.
    #[serde(default)]
    pub paged_at: Option<Timestamp>,
    /// When a person answered, and who.
    pub answered: Option<(Timestamp, String)>,
}

impl Incident {
    /// Whether it goes on.
    pub fn open(&self) -> bool {
        self.recovered_at.is_none()
    }

    /// Whether the pipeline is yet to take the operators' page about it, and something is broken
    /// that they should know of.
    pub fn wants_page(&self) -> bool {
        self.paged_at.is_none() && self.mitigated_at.is_none() && self.open()
    }

    /// Whether it may end: nothing waits, and nothing was broken for so long.
    pub fn is_over(&self, recover_after_ms: i64, now: Timestamp) -> bool {
        let green = self.mitigated_at.is_some_and(|at| ms_between(at, now) >= recover_after_ms);
        green && self.drained_at.is_some() && self.open()
    }

    /// Ends it; says so for its timeline.
    pub fn recover(&mut self, now: Timestamp) -> String {
        self.recovered_at = Some(now);
        "Recovered.".to_owned()
    }
}

/// A line of an incident's timeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IncidentLine {
    /// When.
    pub at: Timestamp,
    /// Where it comes from: `watch`, `change`, `recovery`, `status`, `people`, `role`, `task`,
    /// `note`, `alert`, `page`, `answer`.
    pub source: String,
    /// What happened, in a sentence.
    pub text: String,
    /// The page that shows more of it, as a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Lines that one timeline may have.
pub const MAX_LINES: usize = 5_000;
/// Those among them that machines may write: the rest is kept for what people do, and for how far
/// it has come.
pub const MAX_MACHINE_LINES: usize = 4_000;
/// Where lines come from that machines write, as often as something happens.
pub const MACHINES: [&str; 4] = ["watch", "alert", "change", "status"];

/// Which of these lines a timeline takes that has so many, and so many of them from machines.
/// Behind the last one that it takes of either stands a line that says so.
pub fn taken(lines: &[IncidentLine], all: usize, by_machines: usize) -> Vec<IncidentLine> {
    let (mut all, mut by_machines) = (all, by_machines);
    let mut taken = Vec::new();
    for line in lines {
        let by_machine = MACHINES.contains(&line.source.as_str());
        if all + 1 >= MAX_LINES || (by_machine && by_machines + 1 >= MAX_MACHINE_LINES) {
            continue;
        }
        all += 1;
        by_machines += usize::from(by_machine);
        taken.push(line.clone());
        let full = if by_machine && by_machines + 1 == MAX_MACHINE_LINES {
            by_machines += 1;
            "So much was noted here by itself that only what people do is from now on."
        } else if all + 1 == MAX_LINES {
            "The timeline is full: no more is noted in it."
        } else {
            continue;
        };
        all += 1;
        taken.push(IncidentLine { text: full.to_owned(), link: None, ..line.clone() });
    }
    taken
}

impl IncidentLine {
    /// A line without a link.
    pub fn new(source: &'static str, text: impl Into<String>, at: Timestamp) -> Self {
        Self { at, source: source.to_owned(), text: text.into(), link: None }
    }

    /// The same with the page that shows more of it.
    #[must_use]
    pub fn linked(mut self, path: impl Into<String>) -> Self {
        self.link = Some(path.into());
        self
    }

    /// In which part of the timeline it is looked for.
    pub fn group(&self) -> LineGroup {
        match self.source.as_str() {
            "page" | "answer" => LineGroup::Pages,
            "watch" | "alert" => LineGroup::Alerts,
            "note" | "status" => LineGroup::Notes,
            _ => LineGroup::Decisions,
        }
    }
}

/// A part of a timeline that can be looked at alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LineGroup {
    /// What was decided and done: roles, tasks, changes, how far it has come.
    Decisions,
    /// Who was paged, and who answered.
    Pages,
    /// What was seen: the watch's verdicts and alerts.
    Alerts,
    /// What people wrote, and what was said to those outside.
    Notes,
}

impl LineGroup {
    /// All there are, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Decisions, Self::Pages, Self::Alerts, Self::Notes];

    /// The word used in text and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Pages => "pages",
            Self::Alerts => "alerts",
            Self::Notes => "notes",
        }
    }

    /// Reads the word that [`Self::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }
}

/// The incident that these verdicts declare. `others` says whether another provider serves where
/// the broken one is a provider.
pub fn declare(
    id: IncidentId,
    verdicts: &[Verdict],
    others: bool,
    now: Timestamp,
) -> Option<Incident> {
    let worst = verdicts.first()?;
    let spared = others && matches!(worst.hop, Hop::Provider { .. } | Hop::MailIn | Hop::Watch);
    let severity = if spared { IncidentSeverity::Major } else { IncidentSeverity::Critical };
    Some(Incident {
        id,
        severity,
        title: title(&worst.hop),
        hop: worst.hop.clone(),
        tenants: worst.tenants.clone(),
        evidence: worst.evidence.clone(),
        detected_at: worst.since,
        declared_at: now,
        mitigated_at: None,
        drained_at: None,
        recovered_at: None,
        paged_at: None,
        answered: None,
    })
}

/// What is wrong, in a line.
pub fn title(hop: &Hop) -> String {
    let words = match hop {
        Hop::Stage { stage: bugle_domain::stage::Stage::Intake } => "events are not taken in",
        Hop::Stage { stage: bugle_domain::stage::Stage::Alerting } => "events are not decided",
        Hop::Stage { stage: bugle_domain::stage::Stage::Dispatch } => "notifications are not sent",
        Hop::Stage { stage: bugle_domain::stage::Stage::Responses } => "no receipts come in",
        Hop::MailIn => "mail is not taken in",
        Hop::Provider { .. } => "messages do not arrive",
        Hop::Store => "it does not do its work",
        Hop::Watch => "a break would not be noticed",
    };
    let mut name = hop.name();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{name}: {words}")
}

/// What a look at the open incident finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// No hop is broken.
    pub green: bool,
    /// Nothing waits that should not.
    pub drained: bool,
}

/// Brings the open incident up to date; says what is new, for its timeline. It does not end it:
/// see [`Incident::is_over`].
pub fn follow(incident: &mut Incident, standing: Standing, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if !standing.green {
        if incident.mitigated_at.take().is_some() {
            incident.drained_at = None;
            lines.push("Broken again.".to_owned());
        }
        return lines;
    }
    let since = incident.detected_at;
    if incident.mitigated_at.is_none() {
        incident.mitigated_at = Some(now);
        lines.push(format!("Mitigated after {} s.", ms_between(since, now) / 1_000));
    }
    if standing.drained && incident.drained_at.is_none() {
        incident.drained_at = Some(now);
        lines.push(format!("Drained after {} s.", ms_between(since, now) / 1_000));
    }
    lines
}

#[cfg(test)]
mod tests {
    use bugle_domain::stage::Stage;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn verdict(hop: Hop) -> Verdict {
        let evidence = "it was seen".to_owned();
        let (tenants, nodes) = (Vec::new(), Vec::new());
        Verdict { hop, since: at(0), evidence, waiting: 3, tenants, nodes, harmless: false }
    }

    fn incident() -> Incident {
        let verdicts = [verdict(Hop::Stage { stage: Stage::Dispatch })];
        declare(IncidentId::new(at(0), [1; 10]), &verdicts, true, at(8)).unwrap()
    }

    #[test]
    fn a_red_verdict_declares_and_a_spared_provider_is_less() {
        assert_eq!(incident().title, "Dispatch: notifications are not sent");
        assert_eq!(incident().severity, IncidentSeverity::Critical);
        let channel = bugle_domain::contact::Channel::Sms;
        let hop = Hop::Provider { channel, provider: "twilio".to_owned() };
        let id = IncidentId::new(at(0), [1; 10]);
        let severity =
            |others| declare(id, &[verdict(hop.clone())], others, at(8)).unwrap().severity;
        assert_eq!(severity(true), IncidentSeverity::Major);
        assert_eq!(severity(false), IncidentSeverity::Critical);
        assert_eq!(declare(id, &[], true, at(8)), None);
    }

    #[test]
    fn it_ends_by_itself_when_it_was_green_and_drained_for_a_while() {
        let mut open = incident();
        let mut step = |green, drained, second| {
            let mut lines = follow(&mut open, Standing { green, drained }, at(second));
            if open.is_over(30_000, at(second)) {
                lines.push(open.recover(at(second)));
            }
            lines.join(" ")
        };
        assert_eq!(step(false, false, 20), "");
        assert_eq!(step(true, false, 28), "Mitigated after 28 s.");
        assert_eq!(step(false, false, 30), "Broken again.");
        assert_eq!(step(true, false, 40), "Mitigated after 40 s.");
        assert_eq!(step(true, false, 80), "", "not over while it drains");
        assert_eq!(step(true, true, 81), "Drained after 81 s. Recovered.");
        assert!(!open.open());
        assert!(!open.is_over(30_000, at(90)), "it ends once");
    }

    #[test]
    fn a_line_is_in_the_part_of_the_timeline_that_it_is_looked_for_in() {
        let group = |source| IncidentLine::new(source, "it was so", at(1)).group();
        for (source, wanted) in [
            ("watch", LineGroup::Alerts),
            ("alert", LineGroup::Alerts),
            ("page", LineGroup::Pages),
            ("answer", LineGroup::Pages),
            ("note", LineGroup::Notes),
            ("status", LineGroup::Notes),
            ("role", LineGroup::Decisions),
            ("change", LineGroup::Decisions),
            ("of a newer version", LineGroup::Decisions),
        ] {
            assert_eq!(group(source), wanted, "{source}");
            assert_eq!(LineGroup::parse(wanted.as_str()), Some(wanted));
        }
        assert_eq!(LineGroup::parse("all"), None);
    }

    #[test]
    fn operators_are_paged_until_that_is_taken_or_it_is_mended() {
        let mut open = incident();
        assert!(open.wants_page());
        open.paged_at = Some(at(9));
        assert!(!open.wants_page());
        open.paged_at = None;
        follow(&mut open, Standing { green: true, drained: false }, at(20));
        assert!(!open.wants_page(), "nobody is woken for what is mended");
    }

    #[test]
    fn machines_leave_room_for_people_and_the_last_line_says_that_it_is_full() {
        let lines = |source, count| vec![IncidentLine::new(source, "it was so", at(1)); count];
        let texts = |taken: Vec<IncidentLine>| {
            taken.into_iter().map(|line| line.text).collect::<Vec<String>>()
        };
        let machines =
            texts(taken(&lines("watch", 9), MAX_MACHINE_LINES - 2, MAX_MACHINE_LINES - 2));
        assert_eq!(machines.len(), 2);
        assert!(machines[0] == "it was so" && machines[1].contains("only what people do"));
        let both = [lines("alert", 1), lines("note", 1), lines("recovery", 1)].concat();
        let people = texts(taken(&both, MAX_MACHINE_LINES, MAX_MACHINE_LINES));
        assert_eq!(people, ["it was so", "it was so"], "there is room for them");
        let few = texts(taken(&lines("status", 1), MAX_MACHINE_LINES + 5, 7));
        assert_eq!(few, ["it was so"], "people took the room, and machines did not");
        let last = texts(taken(&lines("note", 9), MAX_LINES - 2, 0));
        assert_eq!(last, ["it was so", "The timeline is full: no more is noted in it."]);
        assert_eq!(texts(taken(&lines("note", 1), MAX_LINES, 0)), [] as [&str; 0]);
    }
}
