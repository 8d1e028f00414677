//! The store's conformance suite: every check runs on every database there is.

mod support;

mod dispatching;
mod hot_path;
