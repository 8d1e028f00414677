//! The words of bulletins: facts, in sentences that a customer understands.

use bugle_domain::contact::Channel;
use bugle_domain::stage::Stage;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::bulletin::{Bulletin, DeclaredTrouble, Known, Phase};
use super::rules::{self, Installed};
use super::{Component, State};
use crate::incident::Incident;
use crate::watch::{Hop, Verdict};

/// What comes after the facts, and is no longer true when there is another update.
pub(super) const LOOKING: &str = "The cause is not known yet.";

/// What becomes of events where they are refused.
const REFUSED: &str = "What we accepted before is kept. What we refuse is not: send it again until \
     it is accepted.";

/// What the first update is made of.
pub(super) struct Facts<'a> {
    /// What broke first.
    pub(super) hop: &'a Hop,
    /// What that touches.
    pub(super) hit: &'a [Component],
    /// What there is.
    pub(super) installed: &'a Installed,
    /// What else is broken.
    pub(super) spared: &'a [Verdict],
    /// Customers that are known to be hit; 0: it may be all of them.
    pub(super) customers: usize,
    /// Since when.
    pub(super) since: Timestamp,
    /// When the next update comes.
    pub(super) next_by: Timestamp,
}

impl Facts<'_> {
    /// Whether another provider serves where one is broken.
    fn another_serves(&self, channel: Channel) -> bool {
        rules::spared(self.installed, channel, self.spared)
    }
}

/// In a line.
pub(super) fn title(facts: &Facts<'_>) -> String {
    let text = match facts.hop {
        Hop::Store => "Bugle is down",
        Hop::Stage { stage: Stage::Intake } => "Events are not taken in",
        Hop::Stage { stage: Stage::Alerting | Stage::Dispatch } => "Notifications are late",
        Hop::Stage { stage: Stage::Responses } => "Answers to notifications do not reach us",
        Hop::MailIn => "Events by email are not taken in",
        Hop::Provider { channel, .. } if facts.another_serves(*channel) => {
            return format!("{} may be late", messages(*channel));
        }
        Hop::Provider { channel, .. } => {
            return format!("{} do not arrive", messages(*channel));
        }
        Hop::Watch => "We may not notice when something breaks",
    };
    text.to_owned()
}

fn messages(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "Emails",
        Channel::Sms => "Text messages",
        Channel::Voice => "Calls",
        Channel::Webhook => "Webhooks",
    }
}

/// The first update: what users see, who, since when, what still works, what becomes of events,
/// and when the next one comes.
pub(super) fn first(facts: &Facts<'_>) -> String {
    let sentences = [
        seen(facts),
        who(facts),
        format!("It began at {}.", clock(facts.since)),
        works(facts.installed, facts.hit),
        kept(facts).to_owned(),
        format!("{LOOKING} {}", promise(facts.next_by)),
    ];
    joined(&sentences)
}

fn joined(sentences: &[String]) -> String {
    let said: Vec<&str> =
        sentences.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    said.join(" ")
}

fn seen(facts: &Facts<'_>) -> String {
    match facts.hop {
        Hop::Store => "Events are refused, pages and API answer with an error, and no \
             notifications go out."
            .to_owned(),
        Hop::Stage { stage: Stage::Intake } => {
            "Events that you send us are refused or not answered.".to_owned()
        }
        Hop::Stage { stage: Stage::Alerting } => {
            "Events are accepted, but nobody is notified of new ones yet.".to_owned()
        }
        Hop::Stage { stage: Stage::Dispatch } => {
            "Events are accepted and become alerts, but no notifications go out by any channel."
                .to_owned()
        }
        Hop::Stage { stage: Stage::Responses } => "Notifications go out, but acknowledging by \
             text, call or link may have no effect. Acknowledge on the web interface instead."
            .to_owned(),
        Hop::MailIn => {
            "Mail to the addresses of integrations is not taken in. Events that are sent \
             another way are."
                .to_owned()
        }
        Hop::Provider { channel, .. } if facts.another_serves(*channel) => format!(
            "{} through one of our providers do not arrive. Others serve, and some messages may \
             be late.",
            messages(*channel)
        ),
        Hop::Provider { channel, .. } => format!(
            "{} that we send reach nobody. People are notified by their other contact methods.",
            messages(*channel)
        ),
        Hop::Watch => "Our own checks do not report what they must. We know of nothing that is \
             broken."
            .to_owned(),
    }
}

fn who(facts: &Facts<'_>) -> String {
    match facts.customers {
        0 if facts.hit.is_empty() => String::new(),
        0 => "It may affect everybody.".to_owned(),
        1 => "It affects at least one customer.".to_owned(),
        many => format!("It affects at least {many} customers."),
    }
}

fn works(installed: &Installed, hit: &[Component]) -> String {
    let spared = installed.components().into_iter().filter(|it| !hit.contains(it));
    match listed(spared) {
        names if names.is_empty() || hit.is_empty() => String::new(),
        names => format!("Not affected: {names}."),
    }
}

/// `API, Email notifications and SMS notifications`.
fn listed(components: impl Iterator<Item = Component>) -> String {
    let names: Vec<&str> = components.map(Component::name).collect();
    match &names[..] {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Whether events are kept, late or lost.
fn kept(facts: &Facts<'_>) -> &'static str {
    match facts.hop {
        Hop::Store | Hop::Stage { stage: Stage::Intake } => REFUSED,
        Hop::Stage { stage: Stage::Alerting | Stage::Dispatch } => {
            "No event is lost: what we accept is kept, and its notifications go out late."
        }
        Hop::MailIn => {
            "What we accepted before is kept. What we do not take your mail server holds back, and \
             sends again."
        }
        Hop::Stage { stage: Stage::Responses } | Hop::Provider { .. } | Hop::Watch => {
            "No event is lost."
        }
    }
}

/// In a line, what a person told of when they declared it.
pub(super) fn title_told(told: &DeclaredTrouble) -> String {
    match (&told.components[..], told.state) {
        ([one], state) => format!("{}: {}", one.name(), state.words().to_lowercase()),
        (_, State::MajorOutage) => "Some of our services are down".to_owned(),
        (_, State::PartialOutage) => "Some of our services fail in part".to_owned(),
        _ => "Some of our services are degraded".to_owned(),
    }
}

/// The first update of what a person declared: what they know, and what holds always.
pub(super) fn first_told(told: &DeclaredTrouble, since: Timestamp, known: &Known<'_>) -> String {
    let hit = listed(told.components.iter().copied());
    let seen = match told.state {
        State::MajorOutage => format!("Down: {hit}."),
        State::PartialOutage => format!("Failing in part: {hit}."),
        _ => format!("Slow, or not at its best: {hit}."),
    };
    let refused = told.components.contains(&Component::Intake);
    let taken_in = if refused { REFUSED } else { "No event is lost: what we accept is kept." };
    let by = known.now.saturating_add(known.promise).unwrap_or(Timestamp::MAX);
    let affected = told.affected.trim().trim_end_matches('.');
    let sentences = [
        if affected.is_empty() { String::new() } else { format!("{affected}.") },
        seen,
        "It may affect everybody.".to_owned(),
        format!("It began at {}.", clock(since)),
        works(known.installed, &known.hit_and(&told.components)),
        taken_in.to_owned(),
        format!("{LOOKING} {}", promise(by)),
    ];
    joined(&sentences)
}

/// The update after the first, at a phase.
pub(super) fn next(
    bulletin: &Bulletin,
    phase: Phase,
    incident: &Incident,
    known: &Known<'_>,
) -> String {
    let by = known.now.saturating_add(known.promise).unwrap_or(Timestamp::MAX);
    match phase {
        Phase::Monitoring => {
            let at = worked_at(bulletin, incident, known.now);
            let waits = if incident.drained_at.is_some() {
                "What had to wait has gone out."
            } else {
                "What had to wait is going out now, what is urgent and new first."
            };
            let worked = if at < known.now { at } else { known.now };
            let since = clock(worked);
            format!("It works again since {since}. {waits} We keep watching. {}", promise(by))
        }
        Phase::Resolved => {
            let end = worked_at(bulletin, incident, known.now);
            let lasted = length(end.duration_since(bulletin.began_at));
            let (from, to) = (clock(bulletin.began_at), clock(end));
            format!(
                "It is over. It lasted {lasted}, from {from} to {to}. What had to wait has gone \
                 out."
            )
        }
        _ if bulletin.phase() == Phase::Monitoring || !bulletin.open() => {
            format!("It is broken again. {LOOKING} {}", promise(by))
        }
        _ => still(bulletin, by, known.now),
    }
}

/// When it worked again, for those who use Bugle: before its incident was mitigated, where what was
/// left harmed nobody.
fn worked_at(bulletin: &Bulletin, incident: &Incident, now: Timestamp) -> Timestamp {
    let known = [bulletin.works_since(), incident.mitigated_at];
    known.into_iter().flatten().min().unwrap_or(now)
}

/// Nothing has changed but the time.
pub(super) fn still(bulletin: &Bulletin, by: Timestamp, now: Timestamp) -> String {
    let said = goes_on(bulletin, |it| it.name(), now);
    format!("{said} {}", promise(by))
}

/// That it goes on, and what it touches.
pub(super) fn goes_on<'a, C>(
    bulletin: &'a Bulletin<C>,
    name: impl Fn(&'a C) -> &'a str,
    now: Timestamp,
) -> String {
    let names: Vec<&str> = bulletin.components.iter().map(name).collect();
    let hit =
        if names.is_empty() { String::new() } else { format!(" Affected: {}.", names.join(", ")) };
    let since = length(now.duration_since(bulletin.began_at));
    format!("It goes on, for {since} now.{hit} We are working on it.")
}

fn promise(by: Timestamp) -> String {
    format!("Next update by {}.", clock(by))
}

/// `14:52 UTC`.
fn clock(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%H:%M UTC").to_string()
}

/// `45 s`, `18 min`, `2 h 5 min`.
fn length(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
