//! Status pages of tenants: from open alerts to states of services, and what a board says of them.

use bugle_domain::object::Directory;
use bugle_domain::stage::Stage;
use bugle_domain::status_page::StatusPage;
use bugle_domain::{ServiceId, Severity};
use jiff::{SignedDuration, Timestamp};

use super::State;
use super::board::{Board, Head, Region, Touched, Whose, row};
use super::bulletin::{Bulletin, Kind, Phase, Update};
use super::history::Span;
use super::rules::{self, States};
use super::words;
use crate::watch::{Hop, Verdict};

/// What is known of a page when it is written.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The tenant's configuration.
    pub directory: &'a Directory,
    /// How each service does, as it is shown.
    pub shown: &'a States<ServiceId>,
    /// What the public was told, newest first.
    pub bulletins: &'a [Bulletin<ServiceId>],
    /// How the services did.
    pub spans: &'a [Span<ServiceId>],
    /// When.
    pub now: Timestamp,
    /// When it was last known that events become alerts.
    pub seen_at: Timestamp,
    /// How often the files are made anew, in minutes.
    pub every_min: usize,
}

/// Whether nobody knows what alerts there would be while this is so: what a page says is what was
/// known before.
pub fn hides(verdict: &Verdict) -> bool {
    let stage = matches!(verdict.hop, Hop::Stage { stage: Stage::Intake | Stage::Alerting });
    !verdict.harmless && (stage || verdict.hop == Hop::Store)
}

/// What an open alert makes of its service. What should be looked at some time hurts nobody.
pub fn state(severity: Severity) -> State {
    match severity {
        Severity::Critical => State::MajorOutage,
        Severity::High => State::PartialOutage,
        Severity::Medium => State::Degraded,
        Severity::Low | Severity::Info => State::Operational,
    }
}

/// How each service of `page` does, by the open alerts of its tenant and by what was told.
pub fn shown(
    page: &StatusPage,
    alerts: &[(ServiceId, Severity)],
    bulletins: &[Bulletin<ServiceId>],
    now: Timestamp,
) -> States<ServiceId> {
    let mut seen: States<ServiceId> =
        page.services.iter().map(|it| (it.service, State::Operational)).collect();
    for (service, severity) in alerts.iter().filter(|_| page.follow_alerts) {
        if let Some(known) = seen.get_mut(service) {
            *known = state(*severity).max(*known);
        }
    }
    rules::shown(&seen, bulletins, now)
}

/// What the public calls a service. One that has left the page keeps its own name.
pub fn name(page: &StatusPage, directory: &Directory, service: ServiceId) -> String {
    let public = page.services.iter().find(|it| it.service == service);
    let own = || directory.services.get(&service).map(|it| it.name.clone());
    let name = public.and_then(|it| it.name.clone()).or_else(own);
    name.unwrap_or_else(|| "a former service".to_owned())
}

/// What the files of `page` say; they are served under `url`.
pub fn board(page: &StatusPage, url: String, known: Known<'_>) -> Board {
    let Known { directory, shown, bulletins, spans, now, seen_at, every_min } = known;
    let touched = |service: &ServiceId| Touched {
        id: service.to_string(),
        name: name(page, directory, *service),
    };
    let in_state = |it: ServiceId| shown.get(&it).copied().unwrap_or(State::Operational);
    let line = |it: ServiceId| row(it, (touched(&it), String::new()), in_state(it), (spans, now));
    let region = Region {
        name: String::new(),
        url: String::new(),
        rows: page.services.iter().map(|it| line(it.service)).collect(),
        bulletins: bulletins.iter().map(|it| it.in_words(touched)).collect(),
        unseen: None,
    };
    let whose = Whose::Tenant { follow_alerts: page.follow_alerts, every_min };
    let head = Head { name: page.name.clone(), whose, url, at: now, seen_at };
    Board::new(head, vec![region])
}

/// Says something in a bulletin of a tenant. No next update is promised: nobody would be reminded
/// of it.
pub fn say(bulletin: &mut Bulletin<ServiceId>, update: Update) {
    bulletin.say(update, SignedDuration::ZERO);
    bulletin.next_by = None;
}

/// What could be said next.
pub fn draft(
    bulletin: &Bulletin<ServiceId>,
    name: impl Fn(ServiceId) -> String,
    now: Timestamp,
) -> Update {
    let text = match bulletin.kind {
        Kind::Trouble { .. } if bulletin.phase() == Phase::Investigating => {
            words::goes_on(&bulletin.in_words(|it| name(*it)), String::as_str, now)
        }
        Kind::Trouble { .. } | Kind::Maintenance { .. } => String::new(),
    };
    Update { at: now, phase: bulletin.phase(), text, by: None }
}

#[cfg(test)]
mod tests;
