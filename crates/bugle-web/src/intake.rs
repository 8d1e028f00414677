//! Ways in for events: one parser for each dialect, and what happens to what they read.

mod alertmanager;
mod alertmanager_api;
mod alertmanager_webhook;
mod amtool;
pub(crate) mod answers;
mod credential;
mod door;
pub(crate) mod email;
mod fingerprint;
mod matcher;
mod native;
mod pagerduty_v1;
mod pagerduty_v2;
mod routes;
mod said;
mod text;

pub(crate) use door::Refusal;
pub(crate) use native::DEFAULT_SEVERITY;
pub(crate) use routes::{described, routes};

#[cfg(test)]
mod sample;
