//! Timelines that a person on call can read, and what must hold whatever happens.

mod promises;
mod timelines;
