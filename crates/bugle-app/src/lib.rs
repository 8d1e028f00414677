//! Use cases and workers of Bugle: intake, alerting, dispatch, responses, and everything that pages
//! and API ask for.
//!
//! The shell around the pure engine: it reads the clock, keeps tasks, and saves what was decided.

pub mod clock;
pub mod entropy;
pub mod handset;
pub mod tasks;
