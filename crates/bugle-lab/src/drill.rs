//! Drills: rehearsed failures, held by the product itself on a node that is thrown away.
//!
//! A drill runs the very program as a child, with providers of the lab's, and measures from
//! outside: by what reaches phones and programs, and by the public API. How to add one is in
//! `docs/drills.md`.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub mod company;
pub mod orders;

mod api;
mod board;
mod books;
mod chance;
mod dead_pipe;
mod error;
mod files;
mod gate;
mod kill;
mod load;
mod lookout;
mod lying_provider;
mod march_14;
mod measure;
mod node;
mod poison;
mod public;
mod readers;
mod record;
mod reports;
mod scene;
mod scorecard;
mod status_alone;
mod storm;
mod timeline;
mod traffic;
mod two_calls;
mod unused;

pub use error::DrillError;
pub use scorecard::{Measured, Run, Scorecard};
pub use timeline::{Entry, Teller};

/// All drills. Not a constant, which would be compiled with whoever reads it.
pub static ALL: &[Drill] = &[
    march_14::DRILL,
    kill::DRILL,
    dead_pipe::DRILL,
    storm::DRILL,
    lying_provider::DRILL,
    poison::DRILL,
    unused::DRILL,
    status_alone::DRILL,
    two_calls::DRILL,
    readers::DRILL,
];

/// How long a drill waits for something to end by itself: the gate, and time to see it.
const PATIENCE: Duration = Duration::from_secs(75);

/// A drill.
pub struct Drill {
    /// What it is called.
    pub name: &'static str,
    /// What it injects, in a line.
    pub injects: &'static str,
    /// The runs of it, unless others are asked for.
    pub variants: &'static [&'static str],
    /// Runs of it that are to be asked for.
    pub more_variants: &'static [&'static str],
    run: for<'a> fn(&'a Held, &'a str) -> BoxFuture<'a, Result<Run, DrillError>>,
}

/// How a drill is held.
pub struct Held {
    seed: u64,
    node: node::Settings,
    scale: Option<u32>,
    patience: Duration,
    tell: Teller,
}

impl Held {
    /// Held by `program`, which is Bugle itself; `tell` is told of everything that happens.
    pub fn by(program: PathBuf, seed: u64, tell: Teller) -> Self {
        let node = node::Settings { program, without: Vec::new(), database: None };
        Self { seed, node, scale: None, patience: PATIENCE, tell }
    }

    /// Without mechanisms of these names, so that it can be seen that they are missed.
    #[must_use]
    pub fn without(mut self, mechanisms: Vec<String>) -> Self {
        self.node.without = mechanisms;
        self
    }

    /// On this database instead of a file.
    #[must_use]
    pub fn on(mut self, database: Option<String>) -> Self {
        self.node.database = database;
        self
    }

    /// As large as this, where the drill has a size.
    #[must_use]
    pub fn at_scale(mut self, scale: Option<u32>) -> Self {
        self.scale = scale;
        self
    }

    /// Given up after this time, where something does not end by itself.
    #[must_use]
    pub fn given_up_after(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience.unwrap_or(self.patience);
        self
    }
}

/// Holds a drill: these variants of it, or those that it has by itself.
///
/// # Errors
///
/// There is no such drill or variant, or it could not be held.
pub async fn hold(name: &str, variants: &[String], held: &Held) -> Result<Scorecard, DrillError> {
    let unknown = || DrillError::Unknown(format!("drill {name}"));
    let drill = ALL.iter().find(|drill| drill.name == name).ok_or_else(unknown)?;
    let asked = variants.iter().map(String::as_str);
    let chosen: Vec<&str> =
        if variants.is_empty() { drill.variants.to_vec() } else { asked.collect() };
    let mut runs = Vec::new();
    for variant in chosen {
        runs.push((drill.run)(held, variant).await?);
    }
    Ok(Scorecard::new(drill.name, held.seed, runs))
}
