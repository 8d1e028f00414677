//! The running application.

use std::sync::Arc;

use crate::clock::Clock;

/// All use cases and workers of one node.
#[derive(Clone, Debug)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
}

impl App {
    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
}
