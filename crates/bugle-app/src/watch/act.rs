//! What the watch does about what it sees: incidents are declared and followed, operators are told.

use std::sync::Arc;

use bugle_domain::notification::Lane;
use bugle_engine::incident::{self, Incident, IncidentLine, Standing};
use bugle_engine::watch::books::Books;
use bugle_engine::watch::{Hop, Verdict};
use bugle_store::IncidentRow;
use jiff::{SignedDuration, Timestamp};

use super::alarm::Call;
use super::report::Watched;
use super::run::{Round, within};
use crate::incidents;
use crate::rehearsal::Work;

impl Round {
    /// Declares and follows incidents, and tells the operators.
    pub(super) async fn act(&mut self, watched: &Watched, now: Timestamp) {
        self.answered = false;
        let open = within(self.store.open_incident()).await;
        let ring = match open {
            Ok(Some(row)) => self.follow(row, watched, now).await,
            Ok(None) => self.declare(watched, now).await,
            // Nobody can agree on an incident: each node says for itself what it sees.
            Err(_) => {
                self.set_aside(watched, now).await;
                watched.view.verdicts.first().map(said)
            }
        };
        let answered = ring.is_some() && self.answered;
        let seen = ring.map(|text| Call { answered, ..Call::seen(text) });
        let mut calls: Vec<Call> = seen.into_iter().collect();
        calls.extend(self.app.assistance.calls());
        self.distrust(watched);
        self.before = watched.view.verdicts.iter().map(|it| it.hop.clone()).collect();
        if let Some(alarm) = &mut self.alarm {
            // What is new at this moment is not what was answered before.
            let heard = alarm.heard(&calls);
            if calls.is_empty() && self.app.assistance.rings_elsewhere() {
                alarm.hand_over();
            } else {
                alarm.tick(&calls, now, &self.app.tasks);
            }
            self.app.assistance.note(alarm.take_reached(), &heard);
        }
    }

    /// Closes the open incident where it does not read and no living node but this one follows it.
    /// A newer version may read what this one does not.
    async fn set_aside(&self, watched: &Watched, now: Timestamp) {
        let Ok(Some((id, node))) = within(self.store.unreadable_incident()).await else { return };
        if node != self.app.node && watched.speaks(node) {
            return;
        }
        match within(self.store.set_aside_incident(id, node, now)).await {
            Ok(true) => (),
            Ok(false) => return,
            Err(why) => return tracing::error!(incident = %id, why, "it could not be set aside"),
        }
        if !incidents::end_page(&self.app, id).await {
            tracing::error!(incident = %id, "the operators' page about it is left to be resolved");
        }
    }

    /// Has the providers that are broken used last, until they are not.
    fn distrust(&self, watched: &Watched) {
        let broken = watched.view.verdicts.iter().filter_map(|verdict| match &verdict.hop {
            Hop::Provider { channel, provider } => Some((*channel, provider.clone())),
            _ => None,
        });
        self.app.channels.distrust(&broken.collect());
    }

    /// Declares what the verdicts say; gives what the alarm says of it.
    async fn declare(&mut self, watched: &Watched, now: Timestamp) -> Option<String> {
        let verdicts = &watched.view.verdicts;
        let worst = verdicts.first()?;
        let id = bugle_domain::IncidentId::new(now, crate::entropy::bytes());
        let others = self.another_serves(&worst.hop);
        let incident = incident::declare(id, verdicts, others, now)?;
        let hash = match &mut self.alarm {
            Some(alarm) => {
                alarm.renew();
                alarm.answer_hash()
            }
            None => crate::entropy::bytes(),
        };
        let declared = within(self.store.declare_incident(self.app.node, &incident, &hash)).await;
        match declared {
            Ok(true) => (),
            // Another node was first, and rings.
            Ok(false) => return None,
            // It can't be kept: this node says for itself what it sees.
            Err(_) => return Some(said(worst)),
        }
        tracing::error!(title = incident.title, evidence = incident.evidence, "major incident");
        metrics::counter!("bugle_incidents_total").increment(1);
        let lines = [seen(format!("Declared: {}.", worst.evidence), now)];
        drop(within(self.store.save_incident(&incident, &lines)).await);
        self.page.raise(&self.app, &incident);
        Some(said(worst))
    }

    fn another_serves(&self, hop: &Hop) -> bool {
        let Hop::Provider { channel, provider } = hop else { return true };
        let providers = self.app.channels.providers();
        providers.iter().any(|it| it.channel == *channel && it.name != *provider && !it.passed_over)
    }

    /// Brings the open incident up to date, if that is this node's; gives what the alarm says.
    async fn follow(
        &mut self,
        row: IncidentRow,
        watched: &Watched,
        now: Timestamp,
    ) -> Option<String> {
        let IncidentRow { mut incident, node } = row;
        if node != self.app.node {
            if watched.speaks(node) {
                return None;
            }
            let taken = self.store.take_incident(incident.id, node, self.app.node);
            match within(taken).await {
                Ok(true) => (),
                Ok(false) => return None,
                Err(_) => return watched.view.verdicts.first().map(said),
            }
        }
        self.answered = incident.answered.is_some();
        let before = incident.clone();
        let mut lines = self.news(watched, &incident, now);
        self.page_operators(&mut incident, now);
        let followed = incident::follow(&mut incident, self.standing(watched, now), now);
        lines.extend(followed.into_iter().map(|text| IncidentLine::new("recovery", text, now)));
        if self.may_end(&incident, now).await {
            lines.push(IncidentLine::new("recovery", incident.recover(now), now));
        }
        if before != incident || !lines.is_empty() {
            drop(within(self.store.save_incident(&incident, &lines)).await);
        }
        let open = incident.open();
        if !open {
            let (app, id) = (Arc::clone(&self.app), incident.id);
            self.app.tasks.once(async move { incidents::page::end_pages_of(&app, id).await });
        }
        open.then(|| watched.view.verdicts.first().map_or_else(|| incident.title.clone(), said))
    }

    /// Pages the operators by the pipeline until it has taken that, whoever declared it.
    fn page_operators(&self, incident: &mut Incident, now: Timestamp) {
        if !incident.wants_page() {
            return;
        }
        if self.page.is_taken(incident) {
            incident.paged_at = Some(now);
        } else {
            self.page.raise(&self.app, incident);
        }
    }

    fn standing(&self, watched: &Watched, now: Timestamp) -> Standing {
        let books = watched.reports.first().and_then(|report| report.books.as_ref());
        let late_ms = self.thresholds().owed_ms;
        Standing {
            green: watched.view.verdicts.is_empty(),
            drained: books.is_some_and(|books| drained(books, late_ms, now)),
        }
    }

    /// Whether an incident is over, and the operators' page about it is ended. That comes first:
    /// whoever dies in between leaves an incident that the next one ends, and no page that nobody
    /// would end.
    async fn may_end(&self, incident: &Incident, now: Timestamp) -> bool {
        let recover_ms = i64::try_from(self.settings.recover_after.as_millis()).unwrap_or(i64::MAX);
        if !incident.is_over(recover_ms, now) || self.page.is_under_way() {
            return false;
        }
        let ended = incidents::end_page(&self.app, incident.id).await;
        self.app.falter(Work::Recovery, [incident.id.to_string().as_str()]);
        ended
    }

    /// What broke or was mended in the last second.
    fn news(&self, watched: &Watched, incident: &Incident, now: Timestamp) -> Vec<IncidentLine> {
        let verdicts = &watched.view.verdicts;
        let new =
            verdicts.iter().filter(|it| !self.before.contains(&it.hop) && it.hop != incident.hop);
        let mut lines: Vec<_> =
            new.map(|it| seen(format!("{}: {}.", it.hop.name(), it.evidence), now)).collect();
        let gone = self.before.iter().filter(|hop| verdicts.iter().all(|it| it.hop != **hop));
        lines.extend(
            gone.map(|hop| seen(format!("Canaries come through {} again.", hop.name()), now)),
        );
        lines
    }
}

/// A line of what the watch sees.
fn seen(text: String, now: Timestamp) -> IncidentLine {
    IncidentLine::new("watch", text, now).linked("/pipeline")
}

fn said(verdict: &Verdict) -> String {
    let title = incident::title(&verdict.hop);
    let since = jiff::tz::TimeZone::UTC.to_datetime(verdict.since).strftime("%H:%M:%S").to_string();
    format!("{title}. Since {since} UTC: {}.", verdict.evidence)
}

/// Whether nothing waits that should not.
fn drained(books: &Books, late_ms: i64, now: Timestamp) -> bool {
    let fresh = |oldest: Option<Timestamp>| {
        oldest.is_none_or(|at| now.duration_since(at) < SignedDuration::from_millis(late_ms))
    };
    let lanes = books.owed.iter().filter(|owed| Lane::ALL.contains(&owed.lane));
    fresh(books.pending.oldest) && lanes.into_iter().all(|owed| fresh(owed.waiting.oldest))
}
