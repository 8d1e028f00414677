//! Use cases and workers of Bugle: intake, alerting, dispatch, responses, and everything that pages
//! and API ask for.
//!
//! The shell around the pure engine: it reads the clock, keeps tasks, and saves what was decided.

pub mod alerts;
pub mod app;
pub mod apply;
pub mod audit;
pub mod caller;
pub mod clock;
pub mod doctor;
pub mod entropy;
pub mod error;
pub mod events;
pub mod handset;
pub mod identity;
pub mod ledger;
pub mod methods;
pub mod notifications;
pub mod objects;
pub mod oncall;
pub mod paging;
pub mod permission;
pub mod reading;
pub mod requests;
#[cfg(test)]
mod sample;
mod signatures;
pub mod tasks;
pub mod tenants;
pub mod why;

pub use app::App;
pub use caller::Caller;
pub use clock::Clock;
pub use error::{Chain, ErrorKind, Problem, UseCaseError};

// What the binary needs to wire the application together.
pub use bugle_channels as channels;
pub use bugle_store as store;
