//! Whether messages are still true, and what goes together.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::notification::{End, Lane};
use bugle_domain::{MethodId, TenantId};
use jiff::{SignedDuration, Timestamp};

use super::{Candidate, Fate, LATE_AFTER, Limits, Pace, PaceUpdate, Room, Verdict, fate};
use crate::message::wanted_at;

/// How long a ceiling counts for.
const CEILING_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How long digests are gathered at least: what one person is owed becomes one message.
const GATHER: SignedDuration = SignedDuration::from_secs(30);
/// They go out on the full minute, so that all of a person's are due at the same moment.
const GATHERED_ON: i64 = 60;

/// Decides about each candidate, in their order, and gives the paces to save with the claim.
///
/// The messages are numbered from 0 in the order of their first candidate. Where there is not
/// enough `room`, the candidates that come first have it.
pub fn judge(
    candidates: &[Candidate],
    limits: &Limits,
    room: &Room,
    now: Timestamp,
) -> (Vec<Verdict>, Vec<PaceUpdate>) {
    let mut bench = Bench { limits, now, room: room.clone(), messages: 0 };
    // Replaced below, each once.
    let mut verdicts = vec![Verdict::Leave; candidates.len()];
    let mut paces = Vec::new();
    let mut groups: Vec<Vec<Ready<'_>>> = Vec::new();
    let mut by_method: BTreeMap<(TenantId, MethodId), usize> = BTreeMap::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let owed = candidate.owed(now);
        let fate = fate(owed);
        if let Some(end) = ended(fate) {
            verdicts[index] = end;
            continue;
        }
        let place = groups.len();
        let place = if is_paced(candidate) {
            let method = (candidate.tenant, candidate.notification.method);
            *by_method.entry(method).or_insert(place)
        } else {
            place
        };
        if place == groups.len() {
            groups.push(Vec::new());
        }
        let digest = fate == Fate::Digested;
        groups[place].push(Ready { index, candidate, late: owed.late > LATE_AFTER, digest });
    }
    for group in &groups {
        let Some(first) = group.first().map(|ready| ready.candidate) else { continue };
        let mut pacing = Pacing::new(group, now);
        if is_paced(first) {
            bench.method(group, &mut pacing, &mut verdicts);
        } else {
            bench.each(group, &mut pacing, &mut verdicts);
            continue;
        }
        if pacing.sent {
            let (tenant, method) = (first.tenant, first.notification.method);
            paces.push(PaceUpdate { tenant, method, pace: pacing.pace });
        }
    }
    number_in_order(&mut verdicts, bench.messages);
    (verdicts, paces)
}

/// Numbers the messages by their first candidate, so that what is served first goes out first.
fn number_in_order(verdicts: &mut [Verdict], messages: usize) {
    let mut numbers: Vec<Option<usize>> = vec![None; messages];
    let mut next = 0;
    for verdict in verdicts {
        if let Verdict::Send { message } | Verdict::Digest { message } = verdict {
            *message = *numbers[*message].get_or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
    }
}

/// Whether it is bundled, and held back by a ceiling: a program and a canary need neither.
fn is_paced(candidate: &Candidate) -> bool {
    candidate.notification.channel.reaches_a_person() && !candidate.tenant.is_reserved()
}

/// The end of a candidate that need not be sent any more.
fn ended(fate: Fate) -> Option<Verdict> {
    let (end, reason) = match fate {
        Fate::Acknowledged => (End::Cancelled, "acknowledged"),
        Fate::Resolved => (End::Cancelled, "resolved"),
        Fate::Expired => (End::Expired, "deadline"),
        Fate::Sent | Fate::Digested => return None,
    };
    Some(Verdict::End { end, reason })
}

/// A candidate that is still true.
#[derive(Clone, Copy)]
struct Ready<'a> {
    /// Its place among the candidates.
    index: usize,
    candidate: &'a Candidate,
    late: bool,
    /// It goes out as a line of a digest.
    digest: bool,
}

struct Bench<'a> {
    limits: &'a Limits,
    now: Timestamp,
    /// What is left of it.
    room: Room,
    messages: usize,
}

impl Bench<'_> {
    /// The number of a message that there is room for; otherwise when its channel takes it, if that
    /// is known.
    fn message(&mut self, of: &Ready<'_>, late: bool) -> Result<usize, Option<Timestamp>> {
        let channel = of.channel();
        if self.room.messages == 0 || (late && !self.room.takes_late(channel)) {
            return Err(None);
        }
        let tenant = of.candidate.tenant;
        // A canary goes by a provider of its own, and shows what becomes of what does.
        if !tenant.is_reserved() {
            self.room.has_place(tenant, channel)?;
            if let Some(at) = self.room.opens_at(channel, self.now) {
                return Err(Some(at));
            }
        }
        self.room.take(tenant, channel, late);
        self.messages += 1;
        Ok(self.messages - 1)
    }

    /// What becomes of one that there was no room for, but at `opens_at` if that is known. What is
    /// late waits with the backlog, in the backlog's order.
    fn no_room(&self, it: &Ready<'_>, opens_at: Option<Timestamp>) -> Verdict {
        let notification = &it.candidate.notification;
        let due_at = if !it.late {
            opens_at
        } else if self.now.duration_since(notification.due_at) >= LATE_AFTER || it.candidate.held {
            // It waits there already.
            None
        } else {
            Some(wanted_at(notification))
        };
        due_at.map_or(Verdict::Leave, |due_at| Verdict::PutOff { due_at })
    }

    /// Gives each of them a message of its own, if there is room.
    fn each(&mut self, group: &[Ready<'_>], pacing: &mut Pacing, verdicts: &mut [Verdict]) {
        for ready in group {
            verdicts[ready.index] = match self.message(ready, ready.late) {
                Ok(message) => {
                    pacing.note(self.now);
                    Verdict::Send { message }
                }
                Err(opens_at) => self.no_room(ready, opens_at),
            };
        }
    }

    /// Decides about all that is due for one contact method of a person.
    fn method(&mut self, group: &[Ready<'_>], pacing: &mut Pacing, verdicts: &mut [Verdict]) {
        // It may have been counted already; to be asked about, it can't be in a bundle.
        let of = |wanted: fn(&Ready<'_>) -> bool| {
            group.iter().copied().filter(wanted).collect::<Vec<Ready<'_>>>()
        };
        self.each(&of(|it| it.candidate.unsure), pacing, verdicts);
        let pages = of(|it| !it.candidate.unsure && !it.digest);
        self.pages(&pages, pacing, verdicts);
        let digest = of(|it| !it.candidate.unsure && it.digest);
        self.digest(&digest, pages.is_empty(), pacing, verdicts);
    }

    fn pages(&mut self, ready: &[Ready<'_>], pacing: &mut Pacing, verdicts: &mut [Verdict]) {
        let hold = |verdicts: &mut [Verdict], until| {
            for it in ready {
                verdicts[it.index] = Verdict::Hold { until };
            }
        };
        if let Some(until) = self.ceiling(ready, pacing) {
            return hold(verdicts, until);
        }
        let quiet_until = self.quiet_until(pacing);
        let going = going(ready, quiet_until.is_some());
        let Some(worst) = going.iter().min_by_key(|it| rank(it)) else {
            return hold(verdicts, quiet_until.unwrap_or(self.now));
        };
        let late = going.iter().all(|it| it.late);
        let message = match self.message(worst, late) {
            Ok(message) => message,
            Err(opens_at) => {
                for it in ready {
                    verdicts[it.index] = self.no_room(it, opens_at);
                }
                return;
            }
        };
        pacing.note(self.now);
        hold(verdicts, plus(self.now, self.limits.bundle_window));
        for it in &going {
            verdicts[it.index] = Verdict::Send { message };
        }
    }

    /// Gathers what is owed but no longer urgent, and sends what was gathered as one message.
    fn digest(
        &mut self,
        stale: &[Ready<'_>],
        alone: bool,
        pacing: &mut Pacing,
        verdicts: &mut [Verdict],
    ) {
        let gathered: Vec<Ready<'_>> =
            stale.iter().copied().filter(|it| it.candidate.held).collect();
        for it in stale.iter().filter(|it| !it.candidate.held) {
            verdicts[it.index] = Verdict::Hold { until: self.gathering_ends() };
        }
        let Some(first) = gathered.first() else { return };
        let busy = (!alone).then(|| plus(self.now, self.limits.bundle_window));
        let verdict = match busy.or_else(|| self.held_until(&gathered, pacing)) {
            Some(until) => Verdict::Hold { until },
            None => match self.message(first, true) {
                Ok(message) => {
                    pacing.note(self.now);
                    Verdict::Digest { message }
                }
                Err(_) => Verdict::Leave,
            },
        };
        for it in &gathered {
            verdicts[it.index] = verdict.clone();
        }
    }

    fn gathering_ends(&self) -> Timestamp {
        let earliest = plus(self.now, GATHER).as_second();
        let until = (earliest.div_euclid(GATHERED_ON) + 1).saturating_mul(GATHERED_ON);
        Timestamp::from_second(until).unwrap_or(Timestamp::MAX)
    }

    /// Until when a ceiling, or a message that just went out, keeps these back.
    fn held_until(&self, ready: &[Ready<'_>], pacing: &Pacing) -> Option<Timestamp> {
        self.ceiling(ready, pacing).or_else(|| self.quiet_until(pacing))
    }

    /// Until when what follows the message that just went out is gathered.
    fn quiet_until(&self, pacing: &Pacing) -> Option<Timestamp> {
        let quiet_at = pacing.before.map(|pace| plus(pace.last_sent_at, self.limits.bundle_window));
        quiet_at.filter(|&until| self.now < until)
    }

    /// When the ceiling that is reached ends. Urgent ones take quiet ones with them: one message
    /// is one message.
    fn ceiling(&self, ready: &[Ready<'_>], pacing: &Pacing) -> Option<Timestamp> {
        let channel = ready.first()?.channel();
        let urgent = ready.iter().any(|it| it.candidate.notification.lane == Lane::Urgent);
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
    fn new(group: &[Ready<'_>], now: Timestamp) -> Self {
        let before = group.iter().find_map(|ready| ready.candidate.pace);
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

impl Ready<'_> {
    fn channel(&self) -> Channel {
        self.candidate.notification.channel
    }
}

/// What is new first, then the worst; of equals the one that is due longest.
fn rank(ready: &Ready<'_>) -> impl Ord + use<> {
    let notification = &ready.candidate.notification;
    let severity = ready.candidate.alert.severity;
    (ready.late, notification.lane, severity, notification.wanted_at, notification.id)
}

/// Which of those that are due for one method go out now, as one message.
///
/// Shortly after a message nothing new goes. What was tried and did not leave is not new: another
/// provider may take it at once, and the try that failed is no reason to wait.
fn going<'a>(ready: &[Ready<'a>], shortly_after: bool) -> Vec<Ready<'a>> {
    let tried = |it: &Ready<'_>| it.candidate.notification.tries > 0;
    if shortly_after {
        return ready.iter().copied().filter(tried).collect();
    }
    if ready.iter().any(|it| it.candidate.held) || ready.iter().all(|it| it.late) {
        return ready.to_vec();
    }
    ready.iter().min_by_key(|it| rank(it)).copied().into_iter().collect()
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
