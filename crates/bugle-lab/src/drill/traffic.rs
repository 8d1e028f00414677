//! Steady traffic of several tenants: senders that keep to their times, however long they are kept
//! waiting, and people who answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bugle_app::tasks::Tasks;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::board::{Board, Refusal};
use super::chance::Chance;
use super::company;
use super::error::DrillError;

/// A sender that was not heard tries again after this time; an answer too.
const AGAIN: Duration = Duration::from_millis(200);
/// Posts that a sender has under way at most. What it then comes too late with counts from the time
/// it was to be posted.
const UNDER_WAY: usize = 2_000;
/// Where events are posted natively, and as PagerDuty's senders do.
const NATIVE: &str = "/api/v1/events";
const PAGERDUTY: &str = "/v2/enqueue";
/// People look at what they were told this often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long people think before they take something.
const THINKING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

/// The traffic of all tenants.
pub(super) struct Traffic {
    senders: Tasks,
    answering: Tasks,
    apis: BTreeMap<usize, Api>,
    board: Board,
    people: usize,
}

impl Traffic {
    /// Begins: so many events a second of each tenant, each about something new to one of its
    /// people.
    pub(super) fn begin(
        people: usize,
        (apis, board): (BTreeMap<usize, Api>, &Board),
        per_second: f64,
        chance: &mut Chance,
    ) -> Self {
        let (senders, answering, board) = (Tasks::new(), Tasks::new(), board.clone());
        let traffic = Self { senders, answering, apis, board, people };
        let tenants: Vec<usize> = traffic.apis.keys().copied().collect();
        for tenant in tenants {
            traffic.add_sender(tenant, per_second, chance);
        }
        let (apis, board) = (traffic.apis.clone(), traffic.board.clone());
        let people = People { apis, board, chance: Chance::new(chance.number()) };
        let stop = traffic.answering.stop_token();
        traffic.answering.once(async move {
            tokio::select! {
                () = stop.cancelled() => (),
                () = people.run() => (),
            }
        });
        traffic
    }

    /// Adds a sender of one of these tenants.
    pub(super) fn add_sender(&self, tenant: usize, per_second: f64, chance: &mut Chance) {
        self.add((tenant, per_second), (Zeal::UntilTaken, &[NATIVE]), chance);
    }

    /// Adds a sender that lets go what it is turned away with, and speaks this and that.
    pub(super) fn add_storm(&self, tenant: usize, per_second: f64, chance: &mut Chance) {
        self.add((tenant, per_second), (Zeal::UnlessTurnedAway, &[NATIVE, PAGERDUTY]), chance);
    }

    fn add(
        &self,
        (tenant, per_second): (usize, f64),
        (zeal, paths): (Zeal, &'static [&'static str]),
        chance: &mut Chance,
    ) {
        let Some(api) = self.apis.get(&tenant).cloned() else { return };
        let (people, board, tasks) = (self.people, self.board.clone(), self.senders.clone());
        let sender = Sender { tenant, people, api, board, tasks, zeal, paths };
        let every = Duration::from_secs_f64(1.0 / per_second.max(0.01));
        self.senders.once(sender.run(every, Chance::new(chance.number())));
    }

    /// No event is posted from now on; returns when what was under way is accepted or is not.
    /// People go on answering.
    pub(super) async fn end_sending(&self) {
        self.senders.stop().await;
    }

    /// Ends all of it.
    pub(super) async fn end(self) {
        self.end_sending().await;
        self.answering.stop().await;
    }
}

/// A critical event that nobody knew of.
pub(super) fn event(name: &str, action: &str) -> Value {
    json!({
        "action": action,
        "summary": format!("{name} is down"),
        "severity": "critical",
        "source": "drill",
        "dedup_key": name,
    })
}

/// How much a sender wants to be heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Zeal {
    /// It tries again until it is heard.
    UntilTaken,
    /// It lets go what it is told not to send.
    UnlessTurnedAway,
}

/// An event as it is posted.
#[derive(Clone, Debug)]
pub(super) struct Post {
    api: Api,
    path: &'static str,
    body: Value,
}

impl Post {
    /// For one person, by their own way in.
    pub(super) fn native(api: &Api, (tenant, person): (usize, usize), body: Value) -> Self {
        Self { api: api.with_key(company::key(tenant, person)), path: NATIVE, body }
    }

    /// For a tenant's first person, as PagerDuty's senders do.
    fn pagerduty(api: &Api, tenant: usize, name: &str) -> Self {
        let body = json!({
            "routing_key": company::pagerduty_key(tenant),
            "event_action": "trigger",
            "dedup_key": name,
            "payload": {
                "summary": format!("{name} is down"), "severity": "critical", "source": "drill",
            },
        });
        Self { api: api.clone(), path: PAGERDUTY, body }
    }

    /// Sends it until it is accepted, or `over` says that nobody waits for it, or its sender lets
    /// it go; gives whether it was accepted.
    pub(super) async fn send(&self, board: &Board, over: &CancellationToken, zeal: Zeal) -> bool {
        loop {
            let again = match self.api.post(self.path, &self.body).await {
                Ok(_) => return true,
                Err(DrillError::Answer { status: status @ 400..=499, retry_after_s, .. }) => {
                    board.turned_away(Refusal { path: self.path, status, retry_after_s });
                    if zeal == Zeal::UnlessTurnedAway {
                        return false;
                    }
                    retry_after_s.map_or(AGAIN, Duration::from_secs)
                }
                Err(_) => {
                    board.refused();
                    AGAIN
                }
            };
            tokio::select! {
                () = over.cancelled() => return false,
                () = tokio::time::sleep(again) => (),
            }
        }
    }
}

struct Sender {
    tenant: usize,
    people: usize,
    api: Api,
    board: Board,
    tasks: Tasks,
    zeal: Zeal,
    paths: &'static [&'static str],
}

impl Sender {
    /// Posts at its times, whatever became of what it posted before.
    async fn run(self, every: Duration, mut chance: Chance) {
        let places = Arc::new(Semaphore::new(UNDER_WAY));
        let over = self.tasks.stop_token();
        let mut next = tokio::time::Instant::now();
        loop {
            let at = next + chance.time(Duration::ZERO, every / 4);
            next += every;
            let its_turn = async {
                tokio::time::sleep_until(at).await;
                Arc::clone(&places).acquire_owned().await
            };
            let place = tokio::select! {
                () = over.cancelled() => return,
                place = its_turn => place,
            };
            // Closed never.
            let Ok(place) = place else { return };
            let event = self.board.begin(self.tenant, at.into_std());
            let post = self.post(event, &mut chance);
            let (board, over, zeal) = (self.board.clone(), over.clone(), self.zeal);
            self.tasks.once(async move {
                if post.send(&board, &over, zeal).await {
                    board.accepted(event);
                }
                drop(place);
            });
        }
    }

    fn post(&self, number: usize, chance: &mut Chance) -> Post {
        let name = Board::name(number);
        let path = self.paths[chance.place(self.paths.len())];
        if path == PAGERDUTY {
            return Post::pagerduty(&self.api, self.tenant, &name);
        }
        let person = chance.place(self.people) + 1;
        Post::native(&self.api, (self.tenant, person), event(&name, "trigger"))
    }
}

struct People {
    apis: BTreeMap<usize, Api>,
    board: Board,
    chance: Chance,
}

impl People {
    /// Takes what somebody was told of, after a moment.
    async fn run(mut self) {
        let mut due: Vec<(Instant, usize)> = Vec::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = Instant::now();
            for event in self.board.take_unanswered() {
                due.push((now + self.chance.time(THINKING.0, THINKING.1), event));
            }
            let (ripe, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|(at, _)| *at <= now);
            due = rest;
            for (_, event) in ripe {
                if !self.take(event).await {
                    due.push((now + AGAIN, event));
                }
            }
        }
    }

    /// Says "I have it" of an event's alert.
    async fn take(&self, event: usize) -> bool {
        let Some(sent) = self.board.event(event) else { return true };
        let (Some(number), Some(api)) = (sent.number, self.apis.get(&sent.tenant)) else {
            return true;
        };
        self.board.wanted(event);
        let path = format!("/api/v1/alerts/{number}/acknowledge");
        let taken = api.post(&path, &Value::Null).await.is_ok();
        if taken {
            self.board.answered(event);
        }
        taken
    }
}
