//! A node with its tenant, its load and its sink, and the check that all of them agree.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::board::Board;
use super::load::{Fired, Load, Template};
use super::node::{Node, Sums};
use super::sink::Sink;
use super::tenant;
use crate::fixtures::postgres::Postgres;

/// Events that one node may be given in all, as far as there is room to note them.
const BOARD: usize = 1_500_000;

/// A node that runs, and what is needed to load it.
pub(crate) struct Stand {
    pub(crate) node: Node,
    pub(crate) board: Arc<Board>,
    templates: Arc<[Template]>,
    /// Events answered with 2xx so far: each owes one message to the sink.
    accepted: AtomicUsize,
}

impl Stand {
    /// Makes a node on SQLite, or in a new database of `server`, and a tenant to load.
    pub(crate) async fn new(program: &Path, server: Option<Arc<Postgres>>) -> Result<Self> {
        let board = Arc::new(Board::new(BOARD));
        let sink = Sink::start(Arc::clone(&board))?;
        let mut node = Node::set_up(program, server).await?;
        node.start().await?;
        let templates = tenant::make(&node.api, &sink)
            .await
            .with_context(|| format!("could not set the node up; its log:\n{}", node.log_text()))?;
        Ok(Self { node, board, templates, accepted: AtomicUsize::new(0) })
    }

    /// A load of so many new events, as fast as the answers come.
    pub(crate) fn load(&self, connections: usize, count: usize) -> Result<Load> {
        Ok(Load {
            target: self.node.api.address,
            templates: Arc::clone(&self.templates),
            board: Arc::clone(&self.board),
            connections,
            events: self.board.reserve(count).context("the board is full")?,
            per_second: None,
            time: None,
            survives: false,
            stop: Arc::default(),
        })
    }

    /// Sends a load, of which all must be accepted.
    pub(crate) async fn finish(&self, load: Load) -> Result<Fired> {
        let fired = load.fire().await.and_then(Fired::check).with_context(|| {
            format!("the load failed; the node's log ends with:\n{}", self.node.log_text())
        })?;
        self.accepted.fetch_add(fired.accepted, Relaxed);
        Ok(fired)
    }

    /// Sends so many events, of which all must be accepted, and returns their numbers.
    pub(crate) async fn fire(&self, connections: usize, count: usize) -> Result<Range<usize>> {
        let load = self.load(connections, count)?;
        let events = load.events.clone();
        self.finish(load).await?;
        Ok(events)
    }

    /// Sends one event after the other until one is accepted.
    pub(crate) async fn fire_until_accepted(&self, limit: Duration) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < limit {
            let mut load = self.load(1, 1)?;
            load.survives = true;
            if load.fire().await?.accepted == 1 {
                self.accepted.fetch_add(1, Relaxed);
                return Ok(());
            }
        }
        bail!("no event was accepted within {limit:?}; the log:\n{}", self.node.log_text())
    }

    /// Waits until every accepted event has reached the sink and the books are settled; fails
    /// unless the books balance and agree with the sink.
    pub(crate) async fn settle(&self) -> Result<Sums> {
        let accepted = self.accepted.load(Relaxed);
        let sums = self.node.settle(&self.board, accepted).await?;
        let (arrived, owed) = (self.board.arrived(), usize::try_from(sums.owed).unwrap_or(0));
        if arrived != accepted || owed != accepted {
            bail!("{accepted} events accepted, {owed} notifications owed, {arrived} at the sink");
        }
        Ok(sums)
    }
}
