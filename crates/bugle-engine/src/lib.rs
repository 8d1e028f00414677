//! Bugle's decisions: pure functions of configuration, state and time.
//!
//! Architecture invariant: no I/O, no clock, no randomness, no async. Time is an argument, new ids
//! come from a [`Mint`], and work for the outside is returned as data.

pub mod alerting;
pub mod dispatch;
mod mint;
pub mod respond;

pub use mint::Mint;
