//! The channels against the lab: every provider, every knob, over real sockets on loopback.

mod email;
#[cfg(test)]
mod helpers;
mod lookup;
mod phones;
#[cfg(test)]
mod selection;
mod sms;
mod voice;
mod webhook;
