//! What the watch is run with; already checked.

use std::net::SocketAddr;
use std::time::Duration;

use bugle_channels::{Probe, Roots, Settings as ChannelSettings};
use bugle_domain::contact::Address;
use bugle_domain::revision::{Canary, Revision, Watch};
use bugle_engine::watch::thresholds::Thresholds;
use secrecy::SecretString;
use url::Url;

use crate::tasks::Tasks;

/// Where canaries of one provider go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeAddress {
    /// Which provider.
    pub provider: String,
    /// An address of the operator's own.
    pub address: Address,
}

/// Who is told apart from the pipeline, and by what.
#[derive(Clone, Debug)]
pub struct Operators {
    /// Providers of its own.
    pub channels: ChannelSettings,
    /// Who is told: mailboxes, phones, programs.
    pub to: Vec<Address>,
    /// How often it is repeated until a person answers.
    pub repeat: Duration,
}

/// A sign of life for a dead man's switch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    /// What is asked for.
    pub url: Url,
    /// How often.
    pub every: Duration,
}

impl Heartbeat {
    /// Sends one among `tasks`, and does not wait for the answer: a switch that hangs stalls
    /// nothing.
    pub fn beat(&self, probe: &Probe, tasks: &Tasks) {
        let (url, probe) = (self.url.clone(), probe.clone());
        tasks.once(async move {
            if let Err(why) = probe.get(&url, None).await {
                tracing::warn!(why, "the sign of life was not taken");
            }
        });
    }
}

/// What the watch is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Certificate authorities that are believed beside the public ones.
    pub roots: Roots,
    /// Where this node listens, as it reaches itself.
    pub own_url: Url,
    /// Where this node takes mail, as it reaches itself.
    pub mail_in: Option<SocketAddr>,
    /// Probe addresses. Webhooks need none: they come back here.
    pub probes: Vec<ProbeAddress>,
    /// From when on something is wrong, as far as the stages' revision does not say it.
    pub thresholds: Thresholds,
    /// An incident is over when all was well and nothing waited for so long.
    pub recover_after: Duration,
    /// How often a probe is sent that must fail.
    pub control_every: Duration,
    /// Opens what the watch says to sentinels; `None`: it is not shown to them.
    pub key: Option<SecretString>,
    /// Who is told apart from the pipeline.
    pub operators: Option<Operators>,
    /// A sign of life.
    pub heartbeat: Option<Heartbeat>,
}

/// What a revision says of how closely is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Strictness {
    pub(super) canary: Canary,
    watch: Watch,
}

impl Strictness {
    pub(super) fn of(revision: &Revision) -> Self {
        Self { canary: revision.canary, watch: revision.watch }
    }

    /// The thresholds; what no revision says is as in `rest`.
    pub(super) fn thresholds(&self, rest: Thresholds) -> Thresholds {
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Thresholds {
            late_ms: ms(self.canary.late),
            declare_after_ms: ms(self.watch.red_after),
            clear_after_ms: ms(self.watch.green_after),
            pending_ms: ms(self.watch.pending_age),
            owed_ms: ms(self.watch.owed_age),
            ..rest
        }
    }
}
