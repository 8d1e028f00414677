//! Turns at SQLite's one writer: intake goes first, but only so often while others wait.

use std::collections::VecDeque;
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

/// Lets one writer in at a time.
#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    taken: bool,
    /// Turns that intake has had in a row.
    first_in_a_row: u32,
    first: VecDeque<oneshot::Sender<Turn>>,
    then: VecDeque<oneshot::Sender<Turn>>,
}

impl State {
    fn count(&mut self, first: bool) {
        self.first_in_a_row = if first { self.first_in_a_row.saturating_add(1) } else { 0 };
    }
}

/// The right to write. Dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Turn {
    gate: Arc<Gate>,
}

impl Gate {
    /// Waits for a turn. Bounded by the number of tasks that write, which is fixed.
    ///
    /// # Cancel safety
    ///
    /// A caller that goes away loses its place, and a turn already given to it is passed on.
    pub(crate) async fn turn(self: &Arc<Self>, class: Class) -> Turn {
        loop {
            let receiver = {
                let mut state = self.lock();
                if !state.taken {
                    state.taken = true;
                    state.count(class == Class::First);
                    return Turn { gate: Arc::clone(self) };
                }
                let (sender, receiver) = oneshot::channel();
                match class {
                    Class::First => state.first.push_back(sender),
                    Class::Then => state.then.push_back(sender),
                }
                receiver
            };
            // A sender is only dropped unused with the gate itself: then ask again.
            if let Ok(turn) = receiver.await {
                return turn;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(state: &mut State) -> Option<oneshot::Sender<Turn>> {
        let others_wait = !state.then.is_empty();
        let spent = state.first_in_a_row >= MAX_FIRST && others_wait;
        let first = !(state.first.is_empty() || spent);
        state.count(first);
        if first { state.first.pop_front() } else { state.then.pop_front() }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut unused = None;
        loop {
            let sender = {
                let mut state = self.gate.lock();
                let Some(sender) = Gate::next(&mut state) else {
                    state.taken = false;
                    break;
                };
                sender
            };
            let turn = unused.take().unwrap_or_else(|| Turn { gate: Arc::clone(&self.gate) });
            match sender.send(turn) {
                Ok(()) => return,
                // That caller has gone away; its turn goes to the next.
                Err(turn) => unused = Some(turn),
            }
        }
        // The gate is open already: forgetting it must not open it twice.
        std::mem::forget(unused);
    }
}

#[cfg(test)]
mod tests;
