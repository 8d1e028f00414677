//! The company's last thirty days: forty alerts, and five notes that paged nobody. All of it went
//! through the real pipeline on a clock that is pushed, with phones that were answered, missed and
//! refused.
//!
//! So what the demo shows of the past is what Bugle did, and not what somebody wrote down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bugle_app::handset::{CallState, Handset as _, Receiver, ReceiverKind};
use bugle_app::store::Store;
use bugle_app::{Clock, entropy};
use bugle_domain::event::{Action, EventBody, NewEvent};
use bugle_domain::integration::Integration;
use bugle_domain::{AllTenants, Severity};
use bugle_lab::{Answer, Knobs, Lab, Service};
use jiff::{SignedDuration, Timestamp};

use super::company::Company;
use super::providers::{connect, simulated};
use crate::config::{self, Sources};
use crate::data_dir::DataDir;
use crate::failure::{Failure, Reason};
use crate::node::{self, Behaviour, Node, Parts};

/// Troubles in the past; every ninth is only a note.
const ALERTS: usize = 45;
/// How far back the first is.
const SINCE: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long one step may take on the real clock.
const STEP_LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether a step is over, and how often it must seem so.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const LOOKS: u32 = 4;

/// What happened, again and again: integration (index), severity, key, source, summary.
const TROUBLES: [(usize, Severity, &str, &str, &str); 9] = [
    (
        0,
        Severity::Critical,
        "checkout-5xx",
        "eu-west-1",
        "checkout-api: 5xx errors at 9.8 %, limit is 2 %",
    ),
    (1, Severity::High, "card-p99", "gw-3", "card-gateway: p99 is 4.1 s, limit is 1 s"),
    (2, Severity::Medium, "parcel-lag", "kafka-2", "track-and-trace: events are 11 min behind"),
    (0, Severity::Critical, "db-down", "db1", "checkout-api: database db1 does not answer"),
    (3, Severity::High, "search-heap", "search-7", "search: heap of search-7 is at 94 %"),
    (1, Severity::Low, "cert", "gw-1", "card-gateway: certificate ends in 14 days"),
    (
        2,
        Severity::Critical,
        "scan-stop",
        "hub-ham",
        "track-and-trace: no scans from hub Hamburg for 5 min",
    ),
    (3, Severity::Medium, "disk", "search-2", "search: disk of search-2 is 86 % full"),
    (0, Severity::Info, "deploy-note", "ci", "checkout-api: canary of 2.13 is healthy"),
];

/// What whoever was paged did.
#[derive(Clone, Copy)]
enum Reaction {
    /// Answered the call and pressed 4 after so many seconds.
    Key(i64),
    /// Replied `4` to the text after so many seconds.
    Text(i64),
    /// Slept; the next level answered.
    Sleep,
    /// Nothing was needed: it was over soon.
    Nothing,
    /// The carrier refused the text; the call was answered.
    Refused,
    /// A machine took the call; the text was answered later.
    Voicemail,
}

const REACTIONS: [Reaction; 7] = [
    Reaction::Key(38),
    Reaction::Text(71),
    Reaction::Nothing,
    Reaction::Key(12),
    Reaction::Refused,
    Reaction::Voicemail,
    Reaction::Sleep,
];

/// A node in the past.
struct Past<'a> {
    node: Node,
    store: Store,
    lab: Lab,
    clock: Clock,
    company: &'a Company,
}

/// Plays the past into the database of `store`, which is closed at the end.
///
/// # Errors
///
/// The node could not start, or a step did not come to its end.
pub(super) async fn play(
    store: Store,
    company: &Company,
    data: &DataDir,
    now: Timestamp,
) -> Result<(), Failure> {
    let past = Past::start(store, company, data, now).await?;
    let played = past.play(now).await;
    past.node.stop().await;
    past.lab.stop().await;
    played
}

impl<'a> Past<'a> {
    async fn start(
        store: Store,
        company: &'a Company,
        data: &DataDir,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let clock = Clock::pushed(now.saturating_sub(SINCE).unwrap_or(now));
        let lab = Lab::start(clock.clone()).await?;
        let listener = node::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let public_url = node::default_public_url(listener.local_addr()?)?;
        connect(&lab, &public_url);
        let parts = Parts {
            node: data.node(clock.now())?,
            key: data.key()?,
            store: store.clone(),
            listener,
            public_url,
            clock: clock.clone(),
            handset: Some(Arc::new(lab.clone())),
            metrics: None,
            status: None,
            demo: true,
        };
        let defaults = config::parse(&Sources::default())
            .map_err(|error| Failure::because("the defaults", &error))?;
        let behaviour =
            Behaviour { channels: simulated(&lab), every_provider: true, ..defaults.into() };
        let node = Node::start(parts, behaviour).await?;
        Ok(Self { node, store, lab, clock, company })
    }

    async fn play(&self, now: Timestamp) -> Result<(), Failure> {
        let step =
            SignedDuration::from_secs(SINCE.as_secs() / (i64::try_from(ALERTS).unwrap_or(1) + 1));
        let begin = self.clock.now();
        for index in 0..ALERTS {
            let round = i32::try_from(index).unwrap_or(0);
            // Not as even as a clock: up to half a step later.
            let jitter =
                SignedDuration::from_secs(step.as_secs() * i64::from(round * 37 % 50) / 100);
            self.until(begin + step * (round + 1) + jitter - step).await?;
            self.alert(index).await?;
        }
        let deployed = now.saturating_sub(SignedDuration::from_mins(26)).unwrap_or(now);
        self.until(deployed).await?;
        let summary = "Deployed payments 2.14";
        self.send(0, body(Action::Change, Severity::Info, "deploy-2.14", "ci", summary)).await
    }

    /// One alert, from its first event to its end.
    async fn alert(&self, index: usize) -> Result<(), Failure> {
        let (integration, severity, key, source, summary) = TROUBLES[index % TROUBLES.len()];
        let reaction = REACTIONS[index % REACTIONS.len()];
        if matches!(reaction, Reaction::Refused) {
            self.lab.set(Service::Texts, Knobs::answering(Answer::Refuse(21_610)).once());
        }
        let trigger = body(Action::Trigger, severity, key, source, summary);
        for _ in 0..=index % 4 {
            self.send(integration, trigger.clone()).await?;
            self.push(1).await?;
        }
        if severity.urgency() == Some(bugle_domain::Urgency::Urgent) {
            self.react(reaction).await?;
        }
        self.lab.set(Service::Texts, Knobs::default());
        self.push(60 * (4 + i64::try_from(index * 7 % 31).unwrap_or(0))).await?;
        let over = body(Action::Resolve, severity, key, source, summary);
        self.send(integration, over).await?;
        self.push(5).await
    }

    async fn react(&self, reaction: Reaction) -> Result<(), Failure> {
        match reaction {
            Reaction::Nothing => self.hang_up().await,
            Reaction::Key(after_s) => {
                self.push(after_s.min(25)).await?;
                self.press_4().await
            }
            Reaction::Text(after_s) => {
                self.hang_up().await?;
                self.push(after_s).await?;
                self.reply_4().await
            }
            Reaction::Refused => self.press_4().await,
            Reaction::Voicemail => {
                if let Some((call, _)) = self.ringing() {
                    drop(self.lab.voicemail(&call).await);
                }
                self.push(50).await?;
                self.reply_4().await
            }
            Reaction::Sleep => {
                self.hang_up().await?;
                // The first level is given five minutes; its calls go unanswered.
                for _ in 0..6 {
                    self.push(55).await?;
                    if self.clock.now() < Timestamp::MAX && self.ringing().is_some() {
                        self.hang_up().await?;
                    }
                }
                self.push(20).await?;
                self.press_4().await
            }
        }
    }

    /// A call that rings, and the number it rings at.
    fn ringing(&self) -> Option<(String, String)> {
        self.lab.receivers().into_iter().find_map(|one: Receiver| match (one.kind, one.call) {
            (ReceiverKind::Phone { number }, Some(call)) if call.state == CallState::Ringing => {
                Some((call.id, number))
            }
            _ => None,
        })
    }

    /// Answers whatever rings. Where nothing rings any more, there was nothing to answer.
    async fn press_4(&self) -> Result<(), Failure> {
        if let Some((call, _)) = self.ringing() {
            // A provider that does not take the key is shown by the alert, which stays open.
            drop(self.lab.press(&call, '4').await);
            drop(self.lab.hang_up(&call).await);
        }
        self.settle().await
    }

    async fn hang_up(&self) -> Result<(), Failure> {
        while let Some((call, _)) = self.ringing() {
            if self.lab.hang_up(&call).await.is_err() {
                break;
            }
        }
        self.settle().await
    }

    /// Replies to the newest text, from the phone that has it.
    async fn reply_4(&self) -> Result<(), Failure> {
        let newest = self
            .lab
            .receivers()
            .into_iter()
            .filter_map(|one| match one.kind {
                ReceiverKind::Phone { number } => {
                    let last = one.messages.iter().filter(|text| !text.sent_by_owner);
                    Some((last.map(|text| text.at).max()?, number))
                }
                ReceiverKind::Mailbox { .. } | ReceiverKind::Webhook { .. } => None,
            })
            .max();
        if let Some((_, number)) = newest {
            drop(self.lab.reply(&number, "4").await);
        }
        self.settle().await
    }

    async fn send(&self, integration: usize, body: EventBody) -> Result<(), Failure> {
        let integration: &Integration = &self.company.integrations[integration];
        let now = self.clock.now();
        let id = entropy::event_id(now);
        let raw = serde_json::to_vec(&body).unwrap_or_default();
        let event = NewEvent {
            id,
            tenant: self.company.tenant.id,
            integration: integration.id,
            dialect: integration.dialect,
            received_at: now,
            idempotency_key: None,
            body,
            request: id,
            raw: Some(raw),
        };
        let accepted = self.node.app.intake().accept(vec![event], integration.quota_per_minute);
        accepted.await.map_err(|error| Failure::because("an event was not taken", &error))?;
        self.settle().await
    }

    async fn push(&self, seconds: i64) -> Result<(), Failure> {
        self.clock.push(SignedDuration::from_secs(seconds));
        self.settle().await
    }

    async fn until(&self, then: Timestamp) -> Result<(), Failure> {
        let wait = then.duration_since(self.clock.now());
        if wait.is_positive() {
            self.clock.push(wait);
        }
        self.settle().await
    }

    /// Waits until everything that is due was done.
    async fn settle(&self) -> Result<(), Failure> {
        let told = |error| Failure::because("the ledger can't be read", &error);
        let settling = async {
            let (mut quiet, mut last) = (0, None);
            while quiet < LOOKS {
                let now = self.clock.now();
                let ledger = self.store.ledger_of_all(AllTenants::granted(), now).await;
                let ledger = ledger.map_err(told)?;
                let sums = ledger.total;
                let idle = sums.pending == 0 && sums.sending == 0 && ledger.owed.is_empty();
                let same = last.as_ref() == Some(&sums);
                quiet = if idle && same { quiet + 1 } else { 0 };
                last = Some(sums);
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        };
        tokio::time::timeout(STEP_LIMIT, settling).await.unwrap_or_else(|_| {
            Err(Failure::new(Reason::Failed, "The sample company's past did not come to an end."))
        })
    }
}

fn body(action: Action, severity: Severity, key: &str, source: &str, summary: &str) -> EventBody {
    EventBody {
        action,
        summary: summary.to_owned(),
        severity,
        source: source.to_owned(),
        dedup_key: key.to_owned(),
        occurred_at: None,
        ends_at: None,
        links: Vec::new(),
        details: serde_json::Map::new(),
    }
}
