//! The channels and the lab against programs of other people: a real mail server, Twilio's own
//! client, and an independent reader of webhook signatures.
//!
//! They run in the Python environment that `BUGLE_TEST_PYTHON` names; `cargo xtask test` makes it.

#[cfg(test)]
mod mail_server;
#[cfg(test)]
mod python;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod twilio_client;
