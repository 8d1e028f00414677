//! How much of what goes out a backlog may take, so that new pages are on time while it drains.
//!
//! A drain begins with a tenth of what could be sent, and takes a tenth more every ten seconds, up
//! to seven tenths: of the messages under way, and of a provider's rate where it has one.

use std::collections::{BTreeMap, VecDeque};

use bugle_domain::TenantId;
use bugle_domain::contact::Channel;
use jiff::{SignedDuration, Timestamp};

/// The share of a drain at its beginning, and by how much it grows, in percent.
const STEP: i64 = 10;
/// After how long it grows.
const STEP_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// The largest share of a drain, in percent: the rest is for what is new.
const LARGEST_SHARE: i64 = 70;
/// A backlog that nothing was taken from for so long is over; the next one begins anew.
const OVER_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// The window in which the rate of a drain is measured, and its parts.
const RATE_WINDOW: SignedDuration = SignedDuration::from_secs(60);
const PARTS: usize = 60;
/// A token of a channel's allowance, in thousandths: rates may be less than one a second.
const TOKEN: i64 = 1_000;

/// What is put off is not due again at once.
const SHORTEST_PUT_OFF: SignedDuration = SignedDuration::from_millis(1);
/// What waits for a rate is looked at again after this time: what is before it may be over by then.
const LONGEST_SPREAD: SignedDuration = SignedDuration::from_secs(10);

/// What a pass has room for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Room {
    /// Most messages, late or not.
    pub messages: usize,
    /// Most messages about what is late.
    pub late: usize,
    /// Most late messages by channel; one that is not named has no limit of its own.
    pub channels: BTreeMap<Channel, usize>,
    /// How soon the providers of each channel take messages, late or not; those of a channel that
    /// is not named take as many as come.
    pub openings: BTreeMap<Channel, Opening>,
    /// Messages that may begin by each channel, so that one that hangs leaves the others theirs; a
    /// channel that is not named has no limit of its own.
    pub places: BTreeMap<Channel, Places>,
    /// The same of webhooks, by tenant; one that is not named may begin [`Room::program_places`].
    pub programs: BTreeMap<TenantId, Places>,
    /// Webhooks of one tenant that may be under way.
    pub program_places: usize,
}

/// Messages that may begin before others have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Places {
    /// How many.
    pub free: usize,
    /// When those are due again that there is no place for, since what is under way hangs. `None`:
    /// a place will be free in a moment, and they stay where they are.
    pub back_at: Option<Timestamp>,
}

/// How soon the providers of a channel take messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opening {
    /// Messages that they take now.
    pub free: usize,
    /// When they take the first one after these.
    pub next_at: Timestamp,
    /// How much later they take each one after that; zero where it is not known.
    pub every: SignedDuration,
}

impl Room {
    /// When a message by `channel` that comes now is taken, where that is not at once. Each that is
    /// told so has a time of its own.
    pub(super) fn opens_at(&mut self, channel: Channel, now: Timestamp) -> Option<Timestamp> {
        let opening = self.openings.get_mut(&channel).filter(|it| it.free == 0)?;
        let at = opening.next_at.max(after(now, SHORTEST_PUT_OFF));
        opening.next_at = at.max(after(at, opening.every).min(after(now, LONGEST_SPREAD)));
        Some(at)
    }

    /// Whether a backlog may have one more message by `channel`.
    pub(super) fn takes_late(&self, channel: Channel) -> bool {
        self.late > 0 && self.channels.get(&channel).is_none_or(|left| *left > 0)
    }

    /// Whether there is a place for a message of `tenant` by `channel`; otherwise when it is due
    /// again, if it is to make way for others.
    pub(super) fn has_place(
        &self,
        tenant: TenantId,
        channel: Channel,
    ) -> Result<(), Option<Timestamp>> {
        let program = self.programs.get(&tenant).filter(|_| channel == Channel::Webhook);
        let mut full = self.places.get(&channel).into_iter().chain(program);
        full.find(|places| places.free == 0).map_or(Ok(()), |places| Err(places.back_at))
    }

    /// Takes the place of one message of `tenant` by `channel`.
    pub(super) fn take(&mut self, tenant: TenantId, channel: Channel, late: bool) {
        if let Some(places) = self.places.get_mut(&channel) {
            places.free = places.free.saturating_sub(1);
        }
        if channel == Channel::Webhook {
            let all = Places { free: self.program_places, back_at: None };
            let places = self.programs.entry(tenant).or_insert(all);
            places.free = places.free.saturating_sub(1);
        }
        self.messages = self.messages.saturating_sub(1);
        if let Some(opening) = self.openings.get_mut(&channel) {
            opening.free = opening.free.saturating_sub(1);
        }
        if late {
            self.late = self.late.saturating_sub(1);
            if let Some(left) = self.channels.get_mut(&channel) {
                *left = left.saturating_sub(1);
            }
        }
    }
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// What is known of the drain that is under way on one node.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    began_at: Option<Timestamp>,
    last_at: Timestamp,
    /// When each channel's allowance was last added to, and what is left of it, in thousandths.
    allowances: BTreeMap<Channel, (Timestamp, i64)>,
    /// Notifications taken off the backlog, by when.
    taken: VecDeque<(Timestamp, u64)>,
}

impl Drain {
    /// The room that a pass has at `now`, where `free` of `parallel` messages may begin,
    /// `under_way` late ones are under way, and the channels in `rates` send so many messages in
    /// an hour.
    pub fn room(
        &mut self,
        (parallel, free): (usize, usize),
        under_way: usize,
        rates: &BTreeMap<Channel, i64>,
        now: Timestamp,
    ) -> Room {
        let share = self.share(now);
        let most = usize::try_from(share).unwrap_or_default().saturating_mul(parallel) / 100;
        let late = most.max(1).saturating_sub(under_way).min(free);
        let mut channels = BTreeMap::new();
        for (channel, hourly) in rates {
            channels.insert(*channel, self.allowance(*channel, *hourly * share / 100, now));
        }
        Room { messages: free, late, channels, ..Room::default() }
    }

    /// The share that the drain may take at `now`, in percent.
    pub fn share(&self, now: Timestamp) -> i64 {
        let since = self.began(now).map_or(0, |began| now.duration_since(began).as_secs());
        let steps = since.max(0) / STEP_EVERY.as_secs();
        (STEP + STEP * steps).min(LARGEST_SHARE)
    }

    /// Notes that a pass took `count` late notifications off the backlog, and what it sent by each
    /// channel.
    pub fn took(&mut self, count: u64, sent: &BTreeMap<Channel, usize>, now: Timestamp) {
        if count == 0 {
            return;
        }
        if self.began(now).is_none() {
            self.began_at = Some(now);
            self.taken.clear();
        }
        self.last_at = now;
        for (channel, count) in sent {
            if let Some((_, left)) = self.allowances.get_mut(channel) {
                *left -= i64::try_from(*count).unwrap_or(i64::MAX).saturating_mul(TOKEN);
            }
        }
        match self.taken.back_mut() {
            Some((at, sum)) if now.duration_since(*at) < SignedDuration::from_secs(1) => {
                *sum += count;
            }
            Some(_) | None => self.taken.push_back((now, count)),
        }
        if self.taken.len() > PARTS {
            self.taken.pop_front();
        }
    }

    /// Notifications taken off the backlog in the last minute, per second; 0 where none were.
    pub fn per_second(&self, now: Timestamp) -> f64 {
        let Some(began) = self.began(now) else { return 0.0 };
        let recent = |at: Timestamp| now.duration_since(at) <= RATE_WINDOW;
        let sum: u64 = self.taken.iter().filter(|it| recent(it.0)).map(|it| it.1).sum();
        let over = now.duration_since(began).min(RATE_WINDOW).as_secs_f64().max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
        let sum = sum as f64;
        sum / over
    }

    /// How long the drain of `left` notifications takes at that rate; `None` where none is under
    /// way.
    pub fn time_to_clear(&self, left: u64, now: Timestamp) -> Option<SignedDuration> {
        let rate = self.per_second(now);
        #[expect(clippy::cast_precision_loss, reason = "a time for people to read")]
        let seconds = left as f64 / rate;
        (rate > 0.0).then(|| SignedDuration::try_from_secs_f64(seconds).ok()).flatten()
    }

    /// When the drain that is under way began.
    pub fn began(&self, now: Timestamp) -> Option<Timestamp> {
        self.began_at.filter(|_| now.duration_since(self.last_at) < OVER_AFTER)
    }

    /// What a channel that sends `hourly` messages has left, with what time has added: at most what
    /// a second adds, and at least one message.
    fn allowance(&mut self, channel: Channel, hourly: i64, now: Timestamp) -> usize {
        let full = (hourly * TOKEN / 3_600).max(TOKEN);
        let (since, left) = self.allowances.entry(channel).or_insert((now, full));
        let millis = now.duration_since(*since).as_millis();
        let added = i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(hourly) / 3_600;
        if added > 0 {
            *since = now;
            *left = left.saturating_add(added).min(full);
        }
        usize::try_from(*left / TOKEN).unwrap_or_default()
    }
}
