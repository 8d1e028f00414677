//! The store's conformance suite: every check runs on every database there is.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "they are checks")]

mod support;

mod access;
mod assistance;
mod changing;
mod cleaning;
mod configuration;
mod dispatching;
mod hot_path;
mod keyed_requests;
mod reading;
mod rooms;
mod status;
mod status_pages;
mod subscribing;
mod texting;
mod watch;
