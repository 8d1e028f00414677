//! The messages that are under way on this node: who has how many places of them.
//!
//! No channel, and no tenant's webhooks, have more than three quarters of all places, and where
//! something hangs no more than half of them, or an eighth: the others have theirs at once. Where
//! nothing does, more would only make smaller batches.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_domain::TenantId;
use bugle_domain::contact::Channel;
use bugle_engine::dispatch::{Places, Room};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// One channel in which something hangs has at most one in so many places.
const CHANNEL_PART: usize = 2;
/// The webhooks of one tenant, of which something hangs, have at most one in so many places.
const PROGRAM_PART: usize = 8;
/// Of so many places, this many may be had where nothing hangs; and a batch of them is over when so
/// many of it are left.
const CALM_PART: (usize, usize) = (3, 4);
/// What has been under way for so long hangs, and what waits behind it makes way for others.
const HANGS_AFTER: Duration = Duration::from_millis(500);
/// After this time, what made way is looked at again.
const BACK_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// The messages under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<Messages>);

#[derive(Debug, Default)]
struct Messages {
    all: BTreeMap<u64, Message>,
    next: u64,
    /// There was no place for something when it was last looked; it is looked again when no more
    /// than so many are under way.
    wanted: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    channel: Channel,
    tenant: TenantId,
    late: bool,
    began: Instant,
}

/// Those of one channel, or of one tenant's programs.
#[derive(Default)]
struct Part {
    count: usize,
    oldest: Option<Instant>,
}

impl Part {
    fn add(&mut self, message: &Message) {
        self.count += 1;
        self.oldest = Some(self.oldest.map_or(message.began, |oldest| oldest.min(message.began)));
    }

    /// What is left of its places: fewer where something hangs.
    fn places(&self, (calm, hanging): (usize, usize), machine: Instant, now: Timestamp) -> Places {
        let hangs = self.oldest.is_some_and(|oldest| machine.duration_since(oldest) >= HANGS_AFTER);
        let free = if hangs { hanging } else { calm }.saturating_sub(self.count);
        let back_at = now.saturating_add(BACK_AFTER).unwrap_or(Timestamp::MAX);
        Places { free, back_at: hangs.then_some(back_at) }
    }
}

impl UnderWay {
    fn messages(&self) -> MutexGuard<'_, Messages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a message begins; the number is for [`Self::end`].
    pub(super) fn begin(
        &self,
        (tenant, channel): (TenantId, Channel),
        late: bool,
        began: Instant,
    ) -> u64 {
        let mut messages = self.messages();
        messages.next += 1;
        let number = messages.next;
        messages.all.insert(number, Message { channel, tenant, late, began });
        number
    }

    /// Notes that it has ended. Whether something waits for its place: another one like it, or, of
    /// the last that was late, more of the backlog.
    pub(super) fn end(&self, number: u64) -> bool {
        let mut messages = self.messages();
        let ended = messages.all.remove(&number);
        let late = ended.is_some_and(|it| it.late) && !messages.all.values().any(|it| it.late);
        let left = messages.all.len();
        messages.wanted.take_if(|enough| left <= *enough).is_some() || late
    }

    /// How many of them are about what is late.
    pub(super) fn late(&self) -> usize {
        self.messages().all.values().filter(|message| message.late).count()
    }

    /// Adds to `room` the places that channels and tenants have left of `parallel`; the time is by
    /// the machine's clock and by ours.
    pub(super) fn leave_places(
        &self,
        room: &mut Room,
        parallel: usize,
        (machine, now): (Instant, Timestamp),
    ) {
        let calm = calm_part(parallel).max(1);
        let channel_places = (calm, (parallel / CHANNEL_PART).max(1));
        let program_places = (calm, (parallel / PROGRAM_PART).max(1));
        let mut channels: BTreeMap<Channel, Part> = BTreeMap::new();
        let mut programs: BTreeMap<TenantId, Part> = BTreeMap::new();
        let mut messages = self.messages();
        for message in messages.all.values() {
            channels.entry(message.channel).or_default().add(message);
            if message.channel == Channel::Webhook {
                programs.entry(message.tenant).or_default().add(message);
            }
        }
        for channel in Channel::ALL {
            let of = channels.remove(&channel).unwrap_or_default();
            room.places.insert(channel, of.places(channel_places, machine, now));
        }
        for (tenant, of) in programs {
            room.programs.insert(tenant, of.places(program_places, machine, now));
        }
        room.program_places = calm;
        let mut all = room.places.values().chain(room.programs.values());
        let full = all.any(|places| places.free == 0);
        messages.wanted = full.then(|| calm_part(messages.all.len()));
    }
}

fn calm_part(of: usize) -> usize {
    of * CALM_PART.0 / CALM_PART.1
}

#[cfg(test)]
mod tests;
