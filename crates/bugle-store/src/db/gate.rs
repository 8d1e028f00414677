//! Turns at SQLite's one writer: intake goes first, but only so often while others wait.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Turns that intake may have in a row while others wait. Its batches are smaller than theirs, and
/// its senders wait for the answer.
const MAX_FIRST: u32 = 4;

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
    /// Turns that intake has had in a row.
    first_in_a_row: u32,
    first: VecDeque<oneshot::Sender<Turn<T>>>,
    then: VecDeque<oneshot::Sender<Turn<T>>>,
}

impl<T> State<T> {
    fn count(&mut self, first: bool) {
        self.first_in_a_row = if first { self.first_in_a_row.saturating_add(1) } else { 0 };
    }
}

/// The right to write, and what to write with. Dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Turn<T> {
    /// There until it is passed on.
    item: Option<T>,
    gate: Arc<Gate<T>>,
}

impl<T> Gate<T> {
    /// An open gate.
    pub(crate) fn new(item: T) -> Self {
        Self(Mutex::new(State {
            idle: Some(item),
            closed: false,
            first_in_a_row: 0,
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
                state.count(class == Class::First);
                return Some(Turn { item: Some(item), gate: Arc::clone(self) });
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

    fn next(state: &mut State<T>) -> Option<oneshot::Sender<Turn<T>>> {
        let others_wait = !state.then.is_empty();
        let spent = state.first_in_a_row >= MAX_FIRST && others_wait;
        let first = !(state.first.is_empty() || spent);
        state.count(first);
        if first { state.first.pop_front() } else { state.then.pop_front() }
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
        loop {
            let sender = {
                let mut state = self.gate.lock();
                let Some(sender) = Gate::next(&mut state) else {
                    state.idle = Some(item);
                    return;
                };
                sender
            };
            match sender.send(Turn { item: Some(item), gate: Arc::clone(&self.gate) }) {
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
