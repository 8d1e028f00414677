//! Bugle's decisions: pure functions of configuration, state and time.
//!
//! Architecture invariant: no I/O, no clock, no randomness, no async. Time is an argument, new ids
//! come from a [`Mint`], and work for the outside is returned as data.

pub mod alerting;
pub mod assistance;
pub mod change;
pub mod check;
pub mod cleanup;
pub mod clock;
mod desk;
pub mod dispatch;
mod escalation;
pub mod heard;
pub mod incident;
pub mod message;
mod mint;
pub mod narrate;
pub mod reach;
pub mod respond;
pub mod rules;
pub mod schedule;
pub mod status;
pub mod watch;
pub mod zone;

#[cfg(test)]
mod testing;

pub use desk::{NORMAL_PAGE_LIVES, URGENT_PAGE_LIVES};
pub use mint::Mint;
