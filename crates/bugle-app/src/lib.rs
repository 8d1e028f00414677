//! Use cases and workers of Bugle: intake, alerting, dispatch, responses, and everything that pages
//! and API ask for.
//!
//! The shell around the pure engine: it reads the clock, keeps tasks, and saves what was decided.

mod alerting;
pub mod alerts;
pub mod app;
pub mod apply;
pub mod assistance;
pub mod audit;
pub mod backlog;
pub mod callbacks;
pub mod caller;
pub mod change;
pub mod cleanup;
pub mod clock;
mod compose;
mod directory_cache;
mod dispatch;
pub mod doctor;
pub mod entropy;
pub mod error;
pub mod events;
pub mod handset;
pub mod identity;
pub mod incidents;
pub mod intake;
mod keeper;
pub mod keyed_requests;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod mail_events;
pub mod methods;
pub mod notifications;
pub mod objects;
pub mod oncall;
mod operators;
pub mod paging;
pub mod permission;
mod placement;
mod provider_use;
mod pulse;
pub mod readiness;
pub mod reading;
mod record;
pub mod rehearsal;
pub mod requests;
pub mod responses;
mod retention;
#[cfg(test)]
mod sample;
mod secret_address;
pub mod senders;
mod stages;
pub mod status;
pub mod tasks;
pub mod tenants;
mod wake;
pub mod watch;
pub mod why;
#[cfg(test)]
mod world;

pub use app::App;
pub use caller::Caller;
pub use clock::Clock;
pub use error::{Chain, ErrorKind, Problem, UseCaseError};

// What the binary needs to wire the application together.
pub use bugle_channels as channels;
pub use bugle_store as store;
