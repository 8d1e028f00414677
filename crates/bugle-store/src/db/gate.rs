//! Turns at SQLite's one writer: intake goes first, but only for its share of the time while others
//! wait.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// How far back the time that each had counts, roughly.
const MEMORY: Duration = Duration::from_millis(200);

/// Intake's part of the writer's time, beside one for everybody else, while both want it.
const SHARES: u32 = 6;

/// Who asks for a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Intake: senders wait for the answer.
    First,
    /// Everybody else, in the order they came.
    Then,
}

/// Lets one writer in at a time, and hands it what it writes with.
#[derive(Debug)]
pub(crate) struct Gate<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    /// What is handed out; nothing while somebody has it, or after the end.
    idle: Option<T>,
    closed: bool,
    /// The time that each has had lately.
    had: Had,
    first: VecDeque<oneshot::Sender<Turn<T>>>,
    then: VecDeque<oneshot::Sender<Turn<T>>>,
}

/// Time at the writer, of both classes: counted until it is [`MEMORY`], then halved.
#[derive(Clone, Copy, Debug, Default)]
struct Had {
    first: Duration,
    then: Duration,
}

impl Had {
    fn add(&mut self, class: Class, time: Duration) {
        match class {
            Class::First => self.first += time,
            Class::Then => self.then += time,
        }
        if self.first + self.then > MEMORY {
            *self = Self { first: self.first / 2, then: self.then / 2 };
        }
    }

    /// Whose turn it is where both wait. Intake's senders wait for the answer, so it goes first
    /// until it has had [`SHARES`] times as much time as the others: a flood of events then leaves
    /// them their part of the writer.
    fn next(self) -> Class {
        if self.first <= self.then * SHARES { Class::First } else { Class::Then }
    }
}

/// The right to write, and what to write with. Dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Turn<T> {
    /// There until it is passed on.
    item: Option<T>,
    class: Class,
    since: Instant,
    gate: Arc<Gate<T>>,
}

impl<T> Gate<T> {
    /// An open gate.
    pub(crate) fn new(item: T) -> Self {
        Self(Mutex::new(State {
            idle: Some(item),
            closed: false,
            had: Had::default(),
            first: VecDeque::new(),
            then: VecDeque::new(),
        }))
    }

    /// Waits for a turn; `None` after the end. Bounded by the number of tasks that write, which is
    /// fixed.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away loses its place, and a turn already given to it is passed on.
    pub(crate) async fn turn(self: &Arc<Self>, class: Class) -> Option<Turn<T>> {
        let receiver = {
            let mut state = self.lock();
            if state.closed {
                return None;
            }
            if let Some(item) = state.idle.take() {
                return Some(Turn::new(item, class, self));
            }
            let (sender, receiver) = oneshot::channel();
            match class {
                Class::First => state.first.push_back(sender),
                Class::Then => state.then.push_back(sender),
            }
            receiver
        };
        // A sender is only dropped unused when the gate is closed.
        receiver.await.ok()
    }

    /// Waits for the turn in hand to end, and takes away what was handed out: nobody gets a turn
    /// again.
    pub(crate) async fn close(self: &Arc<Self>) -> Option<T> {
        let mut turn = self.turn(Class::First).await?;
        let item = turn.item.take();
        let mut state = self.lock();
        state.closed = true;
        state.first.clear();
        state.then.clear();
        item
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(state: &mut State<T>) -> Option<(Class, oneshot::Sender<Turn<T>>)> {
        let class = match (state.first.is_empty(), state.then.is_empty()) {
            (false, false) => state.had.next(),
            (false, true) => Class::First,
            (true, _) => Class::Then,
        };
        let queue = match class {
            Class::First => &mut state.first,
            Class::Then => &mut state.then,
        };
        queue.pop_front().map(|sender| (class, sender))
    }
}

impl<T> Turn<T> {
    fn new(item: T, class: Class, gate: &Arc<Gate<T>>) -> Self {
        Self { item: Some(item), class, since: Instant::now(), gate: Arc::clone(gate) }
    }
}

impl<T> Deref for Turn<T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "only dropping a turn, or closing, takes its item")]
    fn deref(&self) -> &T {
        self.item.as_ref().expect("a turn has its item until it ends")
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        let Some(mut item) = self.item.take() else { return };
        self.gate.lock().had.add(self.class, self.since.elapsed());
        loop {
            let (class, sender) = {
                let mut state = self.gate.lock();
                let Some(next) = Gate::next(&mut state) else {
                    state.idle = Some(item);
                    return;
                };
                next
            };
            match sender.send(Turn::new(item, class, &self.gate)) {
                Ok(()) => return,
                // That caller has gone away; its turn goes to the next.
                Err(mut turn) => match turn.item.take() {
                    Some(returned) => item = returned,
                    None => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
