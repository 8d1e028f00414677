//! Steady traffic of several tenants: senders that try again until they are heard, and people who
//! answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bugle_app::tasks::Tasks;
use serde_json::{Value, json};

use super::api::Api;
use super::board::Board;
use super::chance::Chance;
use super::company;

/// A sender that was not heard tries again after this time; an answer too.
const AGAIN: Duration = Duration::from_millis(200);
/// People look at what they were told this often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long people think before they take something.
const THINKING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

/// The traffic of all tenants.
pub(super) struct Traffic {
    tasks: Tasks,
    over: Arc<AtomicBool>,
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
        let (tasks, over, board) = (Tasks::new(), Arc::default(), board.clone());
        let traffic = Self { tasks, over, apis, board, people };
        let tenants: Vec<usize> = traffic.apis.keys().copied().collect();
        for tenant in tenants {
            traffic.add_sender(tenant, per_second, chance);
        }
        let (apis, board) = (traffic.apis.clone(), traffic.board.clone());
        let people = People { apis, board, chance: Chance::new(chance.number()) };
        let stop = traffic.tasks.stop_token();
        traffic.tasks.once(async move {
            tokio::select! {
                () = stop.cancelled() => (),
                () = people.run() => (),
            }
        });
        traffic
    }

    /// Adds a sender of one of these tenants.
    pub(super) fn add_sender(&self, tenant: usize, per_second: f64, chance: &mut Chance) {
        let Some(api) = self.apis.get(&tenant).cloned() else { return };
        let (people, board, over) = (self.people, self.board.clone(), Arc::clone(&self.over));
        let sender = Sender { tenant, people, api, board, over };
        let every = Duration::from_secs_f64(1.0 / per_second.max(0.01));
        self.tasks.once(sender.run(every, Chance::new(chance.number())));
    }

    /// No new event is begun from now on. People go on answering.
    pub(super) fn end_sending(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Ends all of it.
    pub(super) async fn end(self) {
        self.end_sending();
        self.tasks.stop().await;
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

/// Sends an event until it is accepted, or `over` says that nobody waits for it.
pub(super) async fn send(api: &Api, body: &Value, board: &Board, over: &AtomicBool) -> bool {
    loop {
        if api.post("/api/v1/events", body).await.is_ok() {
            return true;
        }
        board.refused();
        if over.load(Ordering::Relaxed) {
            return false;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

struct Sender {
    tenant: usize,
    people: usize,
    api: Api,
    board: Board,
    over: Arc<AtomicBool>,
}

impl Sender {
    async fn run(self, every: Duration, mut chance: Chance) {
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.over.load(Ordering::Relaxed) {
            tick.tick().await;
            tokio::time::sleep(chance.time(Duration::ZERO, every / 4)).await;
            let person = chance.place(self.people) + 1;
            let api = self.api.with_key(company::key(self.tenant, person));
            let event_number = self.board.begin(self.tenant);
            let body = event(&Board::name(event_number), "trigger");
            if send(&api, &body, &self.board, &self.over).await {
                self.board.accepted(event_number);
            }
        }
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
