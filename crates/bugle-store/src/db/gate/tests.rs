//! Who goes next at the gate, and that no turn is lost.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn intake_goes_first_but_not_twice_while_others_wait() {
    let gate = Arc::new(Gate::default());
    let Poll::Ready(held) = poll(pin!(gate.turn(Class::First))) else { panic!("gate is open") };
    let mut others = pin!(gate.turn(Class::Then));
    let mut intake = pin!(gate.turn(Class::First));
    assert!(poll(others.as_mut()).is_pending());
    assert!(poll(intake.as_mut()).is_pending());

    drop(held);
    let Poll::Ready(held) = poll(others.as_mut()) else { panic!("intake was last") };
    assert!(poll(intake.as_mut()).is_pending());
    let mut late = pin!(gate.turn(Class::Then));
    assert!(poll(late.as_mut()).is_pending());

    drop(held);
    let Poll::Ready(held) = poll(intake.as_mut()) else { panic!("intake goes first") };
    assert!(poll(late.as_mut()).is_pending());
    drop(held);
    assert!(poll(late.as_mut()).is_ready());
}

#[test]
fn a_caller_that_went_away_does_not_keep_its_turn() {
    let gate = Arc::new(Gate::default());
    let Poll::Ready(held) = poll(pin!(gate.turn(Class::Then))) else { panic!("gate is open") };
    let mut gone = Box::pin(gate.turn(Class::Then));
    assert!(poll(gone.as_mut()).is_pending());
    drop(gone);
    drop(held);
    assert!(poll(pin!(gate.turn(Class::Then))).is_ready());

    let Poll::Ready(held) = poll(pin!(gate.turn(Class::Then))) else { panic!("gate is open") };
    let mut given = Box::pin(gate.turn(Class::Then));
    assert!(poll(given.as_mut()).is_pending());
    drop(held);
    drop(given);
    assert!(poll(pin!(gate.turn(Class::Then))).is_ready());
}
