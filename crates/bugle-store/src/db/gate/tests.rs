//! Who goes next at the gate, and that no turn is lost.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn intake_goes_first_but_gives_way_after_some_turns() {
    let gate = Arc::new(Gate::new(()));
    let Poll::Ready(Some(mut held)) = poll(pin!(gate.turn(Class::First))) else {
        panic!("it is open")
    };
    let mut others = pin!(gate.turn(Class::Then));
    assert!(poll(others.as_mut()).is_pending());
    for _ in 1..MAX_FIRST {
        let mut intake = pin!(gate.turn(Class::First));
        assert!(poll(intake.as_mut()).is_pending());
        drop(held);
        assert!(poll(others.as_mut()).is_pending());
        let Poll::Ready(Some(turn)) = poll(intake.as_mut()) else { panic!("intake goes first") };
        held = turn;
    }
    let mut intake = pin!(gate.turn(Class::First));
    assert!(poll(intake.as_mut()).is_pending());
    drop(held);
    let Poll::Ready(Some(held)) = poll(others.as_mut()) else { panic!("intake has had its turns") };
    assert!(poll(intake.as_mut()).is_pending());
    drop(held);
    assert!(poll(intake.as_mut()).is_ready());
}

#[test]
fn a_caller_that_went_away_does_not_keep_its_turn() {
    let gate = Arc::new(Gate::new(()));
    let Poll::Ready(Some(held)) = poll(pin!(gate.turn(Class::Then))) else {
        panic!("gate is open")
    };
    let mut gone = Box::pin(gate.turn(Class::Then));
    assert!(poll(gone.as_mut()).is_pending());
    drop(gone);
    drop(held);
    assert!(poll(pin!(gate.turn(Class::Then))).is_ready());

    let Poll::Ready(Some(held)) = poll(pin!(gate.turn(Class::Then))) else {
        panic!("gate is open")
    };
    let mut given = Box::pin(gate.turn(Class::Then));
    assert!(poll(given.as_mut()).is_pending());
    drop(held);
    drop(given);
    assert!(poll(pin!(gate.turn(Class::Then))).is_ready());
}

#[test]
fn after_the_end_nobody_gets_a_turn_and_who_waited_is_told() {
    let gate = Arc::new(Gate::new(7));
    let Poll::Ready(Some(held)) = poll(pin!(gate.turn(Class::Then))) else { panic!("it is open") };
    let mut closing = pin!(gate.close());
    assert!(poll(closing.as_mut()).is_pending());
    let mut waiting = pin!(gate.turn(Class::Then));
    assert!(poll(waiting.as_mut()).is_pending());
    drop(held);
    assert!(matches!(poll(closing.as_mut()), Poll::Ready(Some(7))));
    assert!(matches!(poll(waiting.as_mut()), Poll::Ready(None)));
    assert!(matches!(poll(pin!(gate.turn(Class::First))), Poll::Ready(None)));
}
