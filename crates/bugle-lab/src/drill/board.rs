//! What was sent, and what became of it as seen from outside: by the providers, and by whoever
//! answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::company;
use crate::witness::{Arrival, What};

/// What dedup keys and summaries begin with; the event's number follows.
const NAME: &str = "drill-";
/// What a message says that may have arrived before.
const REPEAT: &str = "possible repeat";
/// Where the operators' alarms go.
pub(super) const OPERATORS: &str = "/operators";

/// An event, as a drill knows it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Whose.
    pub tenant: usize,
    /// When it was to be posted: a sender that comes too late with it counts, too.
    pub begun: Instant,
    /// When it was answered with 2xx.
    pub accepted: Option<Instant>,
    /// When a person's program was told.
    pub told: Option<Instant>,
    /// When somebody first wanted to take it.
    pub wanted: Option<Instant>,
    /// When it was taken or over by the node's own word.
    pub over: Option<Instant>,
    /// The number of its alert.
    pub number: Option<i64>,
}

impl Sent {
    fn new(tenant: usize, begun: Instant) -> Self {
        let (accepted, told, wanted, over) = (None, None, None, None);
        Self { tenant, begun, accepted, told, wanted, over, number: None }
    }

    /// Somebody was told, or it was over before that; and who wanted to take it could.
    pub(super) fn is_dealt_with(&self) -> bool {
        let taken = self.wanted.is_none() || self.over.is_some();
        self.accepted.is_none() || (taken && (self.told.is_some() || self.over.is_some()))
    }

    /// How long it took to tell somebody.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(self.told?.saturating_duration_since(self.begun))
    }
}

/// Copies of one message.
#[derive(Clone, Copy, Default, Debug)]
struct Copies {
    all: u64,
    marked: u64,
}

/// How often the same reached somebody more than once.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Doubles {
    /// In all.
    pub all: u64,
    /// Of those, such as say that they may be a repeat.
    pub marked: u64,
}

/// How a sender was told that nothing was taken and that the fault is its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Refusal {
    /// Where it knocked.
    pub path: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// When to come again, in seconds, where it was told.
    pub retry_after_s: Option<u64>,
}

/// A board. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    events: Vec<Sent>,
    /// Events somebody was told of and nobody has taken yet.
    unanswered: Vec<usize>,
    /// By what a message is recognised by, where it goes.
    messages: BTreeMap<(String, String), Copies>,
    /// By telephone number.
    texts: BTreeMap<String, u64>,
    /// What providers call the texts and calls that reached a phone.
    arrived: BTreeSet<String>,
    /// Events of which something arrived that was over by then.
    late: BTreeSet<usize>,
    escalations: u64,
    /// When a program was told of something, each time.
    pages: Vec<Instant>,
    /// When somebody's answer was taken.
    answers: Vec<Instant>,
    alarms: Vec<Instant>,
    refused: u64,
    turned_away: BTreeMap<Refusal, u64>,
    readers: u64,
    /// What programs were told of beside the drill's events: by dedup key, whose program, when.
    beside: Vec<(String, (usize, usize), Instant)>,
}

/// A webhook's body, as far as it matters here.
#[derive(Deserialize)]
struct Hook {
    notification: String,
    possible_repeat: bool,
    alert: HookAlert,
}

#[derive(Deserialize)]
struct HookAlert {
    number: i64,
    dedup_key: String,
}

impl Board {
    /// Notes an event that is to be posted at a time, and gives its number.
    pub(super) fn begin(&self, tenant: usize, at: Instant) -> usize {
        let mut kept = self.kept();
        kept.events.push(Sent::new(tenant, at));
        kept.events.len() - 1
    }

    /// What an event is called: its dedup key.
    pub(super) fn name(event: usize) -> String {
        format!("{NAME}{event}")
    }

    /// Notes that an event was answered with 2xx.
    pub(super) fn accepted(&self, event: usize) {
        if let Some(sent) = self.kept().events.get_mut(event) {
            sent.accepted = Some(Instant::now());
        }
    }

    /// Notes that a post was not taken, by no fault of its sender's, or not answered at all.
    pub(super) fn refused(&self) {
        self.kept().refused += 1;
    }

    /// Notes that a post was not taken by its sender's fault.
    pub(super) fn turned_away(&self, refusal: Refusal) {
        *self.kept().turned_away.entry(refusal).or_default() += 1;
    }

    /// Notes that somebody wants to take an event's alert.
    pub(super) fn wanted(&self, event: usize) {
        if let Some(sent) = self.kept().events.get_mut(event) {
            sent.wanted.get_or_insert_with(Instant::now);
        }
    }

    /// Notes that the node took somebody's answer about an event.
    pub(super) fn answered(&self, event: usize) {
        self.over(event);
        self.kept().answers.push(Instant::now());
    }

    /// Notes that an event is taken or over by the node's own word.
    pub(super) fn over(&self, event: usize) {
        if let Some(sent) = self.kept().events.get_mut(event) {
            sent.over = Some(Instant::now());
        }
    }

    /// Events that somebody was told of since this was asked last.
    pub(super) fn take_unanswered(&self) -> Vec<usize> {
        std::mem::take(&mut self.kept().unanswered)
    }

    /// Messages that came to subscribers of the status page.
    pub(super) fn readers(&self) -> u64 {
        self.kept().readers
    }

    /// Notes what reaches somebody.
    pub(super) fn see(&self, arrival: &Arrival<'_>) {
        let now = Instant::now();
        let mut kept = self.kept();
        match arrival.what {
            What::Hook if arrival.to == OPERATORS => kept.alarms.push(now),
            What::Hook => kept.hook(arrival, now),
            What::Text | What::Call | What::Mail => kept.message(arrival, now),
        }
    }

    /// All events.
    pub(super) fn events(&self) -> Vec<Sent> {
        self.kept().events.clone()
    }

    /// Whether something holds for all events.
    pub(super) fn all(&self, holds: impl FnMut(&Sent) -> bool) -> bool {
        self.kept().events.iter().all(holds)
    }

    /// One event.
    pub(super) fn event(&self, event: usize) -> Option<Sent> {
        self.kept().events.get(event).cloned()
    }

    /// When programs were told of something.
    pub(super) fn pages(&self) -> Vec<Instant> {
        self.kept().pages.clone()
    }

    /// When answers were taken.
    pub(super) fn answers(&self) -> Vec<Instant> {
        self.kept().answers.clone()
    }

    /// When somebody's program was first told of something else than the drill's events, whose
    /// dedup key begins so.
    pub(super) fn told_beside(&self, key: &str, whom: (usize, usize)) -> Option<Instant> {
        let kept = self.kept();
        let mut all = kept.beside.iter();
        all.find(|(about, to, _)| about.starts_with(key) && *to == whom).map(|(.., at)| *at)
    }

    /// When operators were told apart from the pipeline.
    pub(super) fn alarms(&self) -> Vec<Instant> {
        self.kept().alarms.clone()
    }

    /// Accepted events that nobody was told of, and that were not over before.
    pub(super) fn lost(&self) -> u64 {
        let kept = self.kept();
        let lost =
            |sent: &&Sent| sent.accepted.is_some() && sent.told.is_none() && sent.over.is_none();
        count(kept.events.iter().filter(lost))
    }

    /// Messages that reached somebody more than once.
    pub(super) fn doubles(&self) -> Doubles {
        let kept = self.kept();
        kept.messages.values().fold(Doubles::default(), |sum, copies| Doubles {
            all: sum.all + copies.all.saturating_sub(1),
            marked: sum.marked + copies.marked.min(copies.all.saturating_sub(1)),
        })
    }

    /// What reached somebody more than once, as it can be named.
    pub(super) fn doubled(&self) -> Vec<String> {
        let kept = self.kept();
        let doubled = kept.messages.iter().filter(|(_, copies)| copies.all > 1);
        doubled.map(|((_, name), _)| name.clone()).collect()
    }

    /// Texts and calls that reached a phone.
    pub(super) fn texts(&self) -> u64 {
        self.texts_to(|_| true)
    }

    /// The same of some phones.
    pub(super) fn texts_to(&self, phones: impl Fn(&str) -> bool) -> u64 {
        let kept = self.kept();
        kept.texts.iter().filter(|(phone, _)| phones(phone)).map(|(_, count)| count).sum()
    }

    /// Whether a text or call reached a phone, by what its provider calls it.
    pub(super) fn has_arrived(&self, name: &str) -> bool {
        self.kept().arrived.contains(name)
    }

    /// Events of which something arrived that was taken or over by then. It may have been under
    /// way already: the books know.
    pub(super) fn late(&self) -> BTreeSet<usize> {
        self.kept().late.clone()
    }

    /// Messages to leads: they are told when nobody answered in time.
    pub(super) fn escalations(&self) -> u64 {
        self.kept().escalations
    }

    /// Posts that were not taken, or not answered at all, by no fault of their senders'.
    pub(super) fn refusals(&self) -> u64 {
        self.kept().refused
    }

    /// The others that were not taken: how they were told, and how often.
    pub(super) fn all_turned_away(&self) -> BTreeMap<Refusal, u64> {
        self.kept().turned_away.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn hook(&mut self, arrival: &Arrival<'_>, now: Instant) {
        let Some((tenant, person)) = company::whose(arrival.to) else { return };
        let Ok(hook) = serde_json::from_slice::<Hook>(arrival.body) else { return };
        let Some(event) = number(&hook.alert.dedup_key) else {
            self.beside.push((hook.alert.dedup_key, (tenant, person), now));
            return;
        };
        self.copy((arrival.to, &hook.notification), hook.possible_repeat);
        self.pages.push(now);
        if person == 0 {
            self.escalations += 1;
        }
        self.judge(event, now);
        let Some(sent) = self.events.get_mut(event) else { return };
        sent.number = Some(hook.alert.number);
        if sent.told.is_none() {
            sent.told = Some(now);
            self.unanswered.push(event);
        }
    }

    fn message(&mut self, arrival: &Arrival<'_>, now: Instant) {
        if matches!(arrival.what, What::Text | What::Call) {
            *self.texts.entry(arrival.to.to_owned()).or_default() += 1;
            self.arrived.insert(arrival.name.to_owned());
        }
        self.readers += u64::from(company::is_reader(arrival.to));
        let said = String::from_utf8_lossy(arrival.body);
        let reference = said.rsplit_once('#').map_or(arrival.name, |(_, after)| after.trim());
        let marked = said.to_lowercase().contains(REPEAT);
        self.copy((arrival.to, reference), marked);
        if let Some(event) = said.split_once(NAME).and_then(|(_, after)| leading_number(after)) {
            self.judge(event, now);
        }
    }

    fn copy(&mut self, (to, what): (&str, &str), marked: bool) {
        let copies = self.messages.entry((to.to_owned(), what.to_owned())).or_default();
        copies.all += 1;
        copies.marked += u64::from(marked);
    }

    /// Whether it was over when it arrived.
    fn judge(&mut self, event: usize, now: Instant) {
        if self.events.get(event).and_then(|sent| sent.over).is_some_and(|over| now > over) {
            self.late.insert(event);
        }
    }
}

fn number(name: &str) -> Option<usize> {
    name.strip_prefix(NAME)?.parse().ok()
}

fn leading_number(text: &str) -> Option<usize> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn count<T>(things: impl Iterator<Item = T>) -> u64 {
    u64::try_from(things.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hook(board: &Board, event: usize, notification: &str, repeat: bool) {
        let body = json!({
            "notification": notification, "possible_repeat": repeat,
            "alert": { "number": 1, "dedup_key": Board::name(event) },
        });
        let (to, body) = (company::path(0, 1), body.to_string());
        let arrival = Arrival { what: What::Hook, to: &to, name: "", body: body.as_bytes() };
        board.see(&arrival);
    }

    fn text(board: &Board, body: &str) {
        let to = company::phone(0, 1);
        board.see(&Arrival { what: What::Text, to: &to, name: "SM1", body: body.as_bytes() });
    }

    #[test]
    fn what_never_arrives_is_lost_and_what_comes_twice_is_doubled() {
        let board = Board::default();
        for _ in 0..3 {
            let event = board.begin(0, Instant::now());
            board.accepted(event);
        }
        hook(&board, 0, "ntf_a", false);
        hook(&board, 1, "ntf_b", false);
        hook(&board, 1, "ntf_b", true);
        text(&board, "CRIT service-1: drill-0 is down. 4=ack bgl/a/x #K7Q2");
        text(&board, "CRIT service-1: drill-0 is down. 4=ack bgl/a/x #K7Q2");
        assert_eq!(board.lost(), 1);
        assert!(board.has_arrived("SM1") && !board.has_arrived("SM2"));
        assert_eq!(board.doubles(), Doubles { all: 2, marked: 1 });
        assert_eq!((board.texts(), board.late().len(), board.escalations()), (2, 0, 0));
        assert_eq!(board.take_unanswered(), [0, 1]);
    }

    #[test]
    fn what_was_over_before_it_arrives_is_late() {
        let board = Board::default();
        let event = board.begin(0, Instant::now());
        board.accepted(event);
        board.over(event);
        text(&board, "CRIT service-1: drill-0 is down. bgl/a/x #K7Q2");
        assert_eq!(board.late(), [event].into());
    }
}
