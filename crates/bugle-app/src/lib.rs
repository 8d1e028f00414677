//! The use cases and workers of Bugle.

pub mod handset;
