//! The channels against the lab: every provider, every knob, over real sockets on loopback.

#[cfg(test)]
mod email;
#[cfg(test)]
mod helpers;
#[cfg(test)]
mod lookup;
#[cfg(test)]
mod phones;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod sms;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod voice;
#[cfg(test)]
mod webhook;
