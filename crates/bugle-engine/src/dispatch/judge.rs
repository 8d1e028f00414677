//! Whether messages are still true, and what goes together.

use std::collections::BTreeMap;

use bugle_domain::alert::AlertStatus;
use bugle_domain::notification::{End, Lane};
use bugle_domain::{MethodId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::{Candidate, Limits, Pace, PaceUpdate, Verdict};

/// How long a ceiling counts for.
const CEILING_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Decides about each candidate, in their order, and gives the paces to save with the claim.
///
/// The messages are numbered from 0 in the order of their first candidate.
pub fn judge(
    candidates: &[Candidate],
    limits: &Limits,
    now: Timestamp,
) -> (Vec<Verdict>, Vec<PaceUpdate>) {
    let mut bench = Bench { limits, now, messages: 0, paces: Vec::new() };
    let mut verdicts = Vec::with_capacity(candidates.len());
    let mut by_method: BTreeMap<(TenantId, MethodId), Vec<usize>> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let notification = &candidate.notification;
        let verdict = match no_longer_true(candidate, now) {
            Some(end) => end,
            // A canary reaches nobody: it is neither bundled nor held back.
            None if notification.channel.reaches_a_person() && !candidate.tenant.is_reserved() => {
                let key = (candidate.tenant, notification.method);
                by_method.entry(key).or_default().push(index);
                // Replaced below.
                Verdict::Hold { until: now }
            }
            None => bench.message(),
        };
        verdicts.push(verdict);
    }
    for ((tenant, method), group) in by_method {
        let group: Vec<(usize, &Candidate)> =
            group.into_iter().map(|index| (index, &candidates[index])).collect();
        let mut pace = Pacing::new(&group, now);
        for (index, verdict) in bench.method(&group, &mut pace) {
            verdicts[index] = verdict;
        }
        if pace.sent {
            bench.paces.push(PaceUpdate { tenant, method, pace: pace.pace });
        }
    }
    number_in_order(&mut verdicts, bench.messages);
    (verdicts, bench.paces)
}

/// Numbers the messages by their first candidate, so that what is served first goes out first.
fn number_in_order(verdicts: &mut [Verdict], messages: usize) {
    let mut numbers: Vec<Option<usize>> = vec![None; messages];
    let mut next = 0;
    for verdict in verdicts {
        if let Verdict::Send { message } = verdict {
            *message = *numbers[*message].get_or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
    }
}

/// The end of a candidate that need not be sent any more.
fn no_longer_true(candidate: &Candidate, now: Timestamp) -> Option<Verdict> {
    match candidate.alert.status {
        AlertStatus::Acknowledged => {
            Some(Verdict::End { end: End::Cancelled, reason: "acknowledged" })
        }
        AlertStatus::Resolved => Some(Verdict::End { end: End::Cancelled, reason: "resolved" }),
        AlertStatus::Open if candidate.notification.deadline < now => {
            Some(Verdict::End { end: End::Expired, reason: "deadline" })
        }
        AlertStatus::Open => None,
    }
}

struct Bench<'a> {
    limits: &'a Limits,
    now: Timestamp,
    messages: usize,
    paces: Vec<PaceUpdate>,
}

impl Bench<'_> {
    fn message(&mut self) -> Verdict {
        let message = self.messages;
        self.messages += 1;
        Verdict::Send { message }
    }

    /// Decides about all that is due for one contact method of a person.
    fn method(
        &mut self,
        group: &[(usize, &Candidate)],
        pacing: &mut Pacing,
    ) -> Vec<(usize, Verdict)> {
        let mut verdicts = Vec::with_capacity(group.len());
        let mut ready: Vec<(usize, &Candidate)> = Vec::with_capacity(group.len());
        for &(index, candidate) in group {
            if candidate.unsure {
                // It may have been counted already; to be asked about, it can't be in a bundle.
                verdicts.push((index, self.message()));
                pacing.note(self.now);
            } else {
                ready.push((index, candidate));
            }
        }
        let urgent = ready.iter().any(|(_, it)| it.notification.lane == Lane::Urgent);
        if let Some(until) = self.ceiling(&ready, pacing, urgent) {
            verdicts.extend(ready.iter().map(|&(index, _)| (index, Verdict::Hold { until })));
            return verdicts;
        }
        let quiet_at = pacing.before.map(|pace| plus(pace.last_sent_at, self.limits.bundle_window));
        if let Some(until) = quiet_at.filter(|&until| self.now < until) {
            verdicts.extend(ready.iter().map(|&(index, _)| (index, Verdict::Hold { until })));
            return verdicts;
        }
        let together = ready.iter().any(|(_, it)| it.held);
        let worst = ready.iter().min_by_key(|(_, it)| rank(it)).map(|&(index, _)| index);
        let Some(worst) = worst else {
            return verdicts;
        };
        let message = self.message();
        pacing.note(self.now);
        let until = plus(self.now, self.limits.bundle_window);
        for &(index, _) in &ready {
            let goes = together || index == worst;
            let verdict = if goes { message.clone() } else { Verdict::Hold { until } };
            verdicts.push((index, verdict));
        }
        verdicts
    }

    /// When the ceiling that is reached ends. Urgent ones take quiet ones with them: one message
    /// is one message.
    fn ceiling(
        &self,
        ready: &[(usize, &Candidate)],
        pacing: &Pacing,
        urgent: bool,
    ) -> Option<Timestamp> {
        let channel = ready.first()?.1.notification.channel;
        let ceilings = if urgent { &self.limits.urgent_per_hour } else { &self.limits.per_hour };
        let ceiling = *ceilings.get(&channel)?;
        let reached = pacing.pace.window_count >= ceiling;
        reached.then(|| plus(pacing.pace.window_from, CEILING_WINDOW))
    }
}

/// The pace of one method while a batch is judged.
struct Pacing {
    /// As it was.
    before: Option<Pace>,
    /// As it becomes.
    pace: Pace,
    sent: bool,
}

impl Pacing {
    fn new(group: &[(usize, &Candidate)], now: Timestamp) -> Self {
        let before = group.iter().find_map(|(_, candidate)| candidate.pace);
        let fresh = Pace { last_sent_at: now, window_from: now, window_count: 0 };
        let current = before.filter(|pace| now < plus(pace.window_from, CEILING_WINDOW));
        Self { before, pace: current.unwrap_or(fresh), sent: false }
    }

    fn note(&mut self, now: Timestamp) {
        self.pace.last_sent_at = now;
        self.pace.window_count = self.pace.window_count.saturating_add(1);
        self.sent = true;
    }
}

/// Worst first; of equals the one that is due longest.
fn rank(candidate: &Candidate) -> impl Ord + use<> {
    let notification = &candidate.notification;
    (notification.lane, candidate.alert.severity, notification.wanted_at, notification.id)
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
