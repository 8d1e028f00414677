//! Who goes next at the gate, and that no turn is lost.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn intake_goes_first_until_it_has_had_its_share() {
    let ms = Duration::from_millis;
    let mut had = Had::default();
    assert_eq!(had.next(), Class::First);
    had.add(Class::First, ms(10));
    assert_eq!(had.next(), Class::Then);
    had.add(Class::Then, ms(5));
    assert_eq!(had.next(), Class::First);
    had.add(Class::First, ms(u64::from(5 * SHARES - 10)));
    assert_eq!(had.next(), Class::First);
    had.add(Class::First, ms(1));
    assert_eq!(had.next(), Class::Then);
}

#[test]
fn what_was_long_ago_counts_for_less() {
    let mut had = Had::default();
    for _ in 0..1_000 {
        had.add(Class::Then, Duration::from_millis(50));
    }
    assert!(had.then <= MEMORY);
}

#[test]
fn of_those_who_wait_intake_is_let_in_first() {
    let gate = Arc::new(Gate::new(()));
    let Poll::Ready(Some(held)) = poll(pin!(gate.turn(Class::Then))) else { panic!("it is open") };
    let mut other = pin!(gate.turn(Class::Then));
    assert!(poll(other.as_mut()).is_pending());
    let mut intake = pin!(gate.turn(Class::First));
    assert!(poll(intake.as_mut()).is_pending());
    drop(held);
    assert!(poll(other.as_mut()).is_pending());
    let Poll::Ready(Some(held)) = poll(intake.as_mut()) else { panic!("intake goes first") };
    drop(held);
    assert!(poll(other.as_mut()).is_ready());
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
