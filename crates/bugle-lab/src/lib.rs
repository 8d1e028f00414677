//! The lab: simulated providers on loopback, which misbehave when told to.
//!
//! Twilio, mail servers and webhook receivers for the demo, the tests, the benchmark and the
//! drills. Nothing here is reached from outside the machine, and nothing in Bugle knows that a
//! provider is simulated.

pub mod drill;
mod handset;
mod hooks;
mod knobs;
mod lab;
mod receivers;
mod server;
mod smtp;
mod state;
mod twilio;
mod witness;

pub use knobs::{Answer, Knobs, Service};
pub use lab::{Account, Lab};
pub use receivers::{Hooks, Mailbox, NotSeen, Phone};
pub use state::{Call, Hook, Mail, PROBE_MAILBOX, PROBE_NUMBER, Text};
pub use witness::{Arrival, What, Witness};
