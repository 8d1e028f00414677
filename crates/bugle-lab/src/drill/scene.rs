//! What every drill has: a node, its providers, several tenants with steady traffic, and somebody
//! who looks on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use bugle_app::Clock;
use bugle_app::tasks::Tasks;
use serde_json::Value;

use super::Held;
use super::api::{Api, Sums};
use super::board::{Board, Sent};
use super::books::{self, Books};
use super::chance::Chance;
use super::company::{self, Plan};
use super::error::DrillError;
use super::lookout::Lookout;
use super::measure::to_f64;
use super::node::Node;
use super::public::Reader;
use super::reports;
use super::scorecard::Measured;
use super::timeline::Timeline;
use super::traffic::Traffic;
use crate::lab::Lab;
use crate::witness::Witness;

/// How long a node may take to be seen well.
const GREEN_LIMIT: Duration = Duration::from_mins(1);
/// How long books may take to settle when nothing is wrong any more.
const SETTLE_LIMIT: Duration = Duration::from_mins(1);
/// How long the public page may take to say how it is.
const PAGE_LIMIT: Duration = Duration::from_secs(5);
/// How long incidents may take to be over when nothing is wrong any more.
const REPORT_LIMIT: Duration = Duration::from_secs(10);
/// How often something is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Alerts on one page of a list.
const PAGE: usize = 200;

/// What tenants have that only some drills are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extra {
    /// Accounts of the first tenant's that have expired.
    pub expired: u32,
    /// Events a minute that a way in takes.
    pub quota: u32,
    /// Subscribers of the status page, by mail.
    pub readers: u32,
}

impl Extra {
    /// Nothing, and no quota in the way.
    pub(super) const NONE: Self = Self { expired: 0, quota: company::NO_QUOTA, readers: 0 };
}

/// A node and everything around it.
pub(super) struct Scene {
    /// Simulated providers.
    pub lab: Lab,
    /// The node.
    pub node: Node,
    /// Which tenants there are.
    pub plan: Plan,
    /// What was sent and what arrived.
    pub board: Board,
    /// What happened.
    pub timeline: Timeline,
    /// Who looks on.
    pub lookout: Lookout,
    /// Who reads what the public is told.
    pub reader: Reader,
    /// What is by chance.
    pub chance: Chance,
    tasks: Tasks,
    watched: bool,
}

impl Scene {
    /// Starts it all, and waits until the node's canaries come through.
    ///
    /// # Errors
    ///
    /// Something that is needed can't be had, or the node never is well.
    pub(super) async fn open(
        held: &Held,
        company: (usize, usize, u32),
    ) -> Result<Self, DrillError> {
        Self::open_with(held, company, Extra::NONE).await
    }

    /// The same where tenants have something extra.
    ///
    /// # Errors
    ///
    /// See [`Self::open`].
    pub(super) async fn open_with(
        held: &Held,
        (tenants, people, level_delay_s): (usize, usize, u32),
        Extra { expired, quota, readers }: Extra,
    ) -> Result<Self, DrillError> {
        let (tasks, timeline) = (Tasks::new(), Timeline::new(held.tell.clone()));
        let lab = Lab::start(Clock::system()).await?;
        let board = Board::default();
        let seen = board.clone();
        lab.set_witness(Witness::new(move |arrival| seen.see(arrival)));
        let hooks = lab.hook_url("/");
        let plan = Plan { tenants, people, level_delay_s, expired, quota, readers, hooks };
        let mut node = Node::prepare(held.node.clone(), plan.clone(), &lab, &tasks)?;
        node.start().await?;
        let lookout = Lookout::begin(node.api(0), timeline.clone(), &tasks);
        let reader = Reader::begin(node.page(), timeline.clone(), &tasks);
        let chance = Chance::new(held.seed);
        let watched = !held.node.without.iter().any(|it| it == "watch");
        let scene =
            Self { lab, node, plan, board, timeline, lookout, reader, chance, tasks, watched };
        scene.until_green().await?;
        let (tenants, people) = (scene.plan.tenants, scene.plan.people);
        scene.timeline.note(format!(
            "a node runs, with {tenants} tenants of {people} people; its canaries come through"
        ));
        Ok(scene)
    }

    /// What ends with the drill.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Ends it all. The node is killed: what it had to show was shown.
    ///
    /// # Errors
    ///
    /// The node can't be killed.
    pub(super) async fn close(mut self) -> Result<(), DrillError> {
        self.tasks.stop_token().cancel();
        self.node.kill().await?;
        self.tasks.stop().await;
        self.lab.stop().await;
        Ok(())
    }

    /// Begins the traffic of all tenants, so many events a second of each.
    pub(super) fn traffic(&mut self, per_second: f64) -> Traffic {
        self.traffic_of(0..self.plan.tenants, per_second)
    }

    /// Begins the traffic of some tenants.
    pub(super) fn traffic_of(&mut self, tenants: Range<usize>, per_second: f64) -> Traffic {
        let apis: BTreeMap<usize, Api> =
            tenants.map(|tenant| (tenant, self.node.api(tenant))).collect();
        Traffic::begin(self.plan.people, (apis, &self.board), per_second, &mut self.chance)
    }

    /// Somebody by chance: their tenant and place.
    pub(super) fn somebody(&mut self) -> (usize, usize) {
        let tenant = self.chance.place(self.plan.tenants);
        (tenant, self.chance.place(self.plan.people) + 1)
    }

    /// Lets time pass.
    pub(super) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Waits until something holds; gives whether it came to hold in time.
    pub(super) async fn within(&self, limit: Duration, holds: impl Fn() -> bool) -> bool {
        let began = Instant::now();
        while !holds() {
            if began.elapsed() > limit {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    /// Waits until what was injected is declared and has ended by itself; gives whether it did.
    pub(super) async fn until_well(&self, limit: Duration) -> bool {
        let well = || {
            let seen = self.lookout.seen();
            seen.declared.is_some() && seen.mitigated.is_some() && seen.broken.is_empty()
        };
        let is_well = self.within(limit, well).await;
        if !is_well {
            let waited = limit.as_secs();
            self.timeline.note(format!("given up: it is not well after {waited} s"));
        }
        is_well
    }

    async fn until_green(&self) -> Result<(), DrillError> {
        if !self.watched {
            return Ok(());
        }
        let (api, began) = (self.node.api(0), Instant::now());
        while began.elapsed() < GREEN_LIMIT {
            let watch = api.get("/api/v1/watch").await?;
            if is_green(&watch) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(self.node.never("a canary on every path", GREEN_LIMIT))
    }

    /// Waits until nothing is pending, due or under way; gives the books as they are then, or as
    /// they are when it has taken too long.
    ///
    /// # Errors
    ///
    /// The node does not answer.
    pub(super) async fn settled(&self, limit: Duration) -> Result<Sums, DrillError> {
        let (api, began) = (self.node.api(0), Instant::now());
        loop {
            let sums = api.sums().await?;
            if sums.is_settled() || began.elapsed() > limit {
                return Ok(sums);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends the traffic, lets the books settle, and measures what became of it all; with what the
    /// books say of each message.
    ///
    /// # Errors
    ///
    /// The node does not answer.
    pub(super) async fn measure(
        &self,
        traffic: Traffic,
        settle: Duration,
    ) -> Result<(Measured, Books), DrillError> {
        let mut measured = self.measure_outside(traffic, settle).await?;
        let books = self.books().await?;
        let texts = usize::try_from(self.board.texts()).unwrap_or(usize::MAX);
        let unknown = texts.saturating_sub(books.texts.len() + books.unsure_texts);
        measured.duplicated += u64::try_from(unknown).unwrap_or(u64::MAX);
        Ok((measured, books))
    }

    /// How long books may take to settle: not at all where something is still broken.
    pub(super) fn patience(&self) -> Duration {
        if self.lookout.seen().broken.is_empty() { SETTLE_LIMIT } else { LOOK_EVERY }
    }

    /// The same without a look at each message in the books.
    ///
    /// # Errors
    ///
    /// The node does not answer.
    pub(super) async fn measure_outside(
        &self,
        traffic: Traffic,
        settle: Duration,
    ) -> Result<Measured, DrillError> {
        traffic.end_sending().await;
        self.within(settle, || self.board.all(Sent::is_dealt_with)).await;
        let sums = self.settled(settle).await?;
        traffic.end().await;
        self.within(PAGE_LIMIT, || self.untrue().is_empty()).await;
        let reports = reports::read(&self.node.api(0), settle.min(REPORT_LIMIT)).await?;
        let (doubles, seen, told) = (self.board.doubles(), self.lookout.seen(), self.reader.told());
        let since = |at: Option<Instant>| at.and_then(|at| self.timeline.since_s(at));
        let injected = self.timeline.injected();
        let alarm = self.board.alarms().into_iter().find(|at| Some(*at) >= injected);
        let more = [
            ("events accepted", sums.accepted),
            ("notifications owed", sums.owed),
            ("posts refused", self.board.refusals()),
            ("posts turned away", self.board.all_turned_away().values().sum()),
            ("texts and calls", self.board.texts()),
        ];
        Ok(Measured {
            detected_s: since(seen.detected),
            declared_s: since(seen.declared),
            told_s: since(alarm),
            first_post_s: since(told.first_post),
            silence_s: told.longest_silence.map(|it| it.as_secs_f64()),
            untrue: self.untrue().into_iter().collect(),
            named: told.named,
            incident_reports: reports.drafts,
            misreported: reports.wrong,
            lost: self.board.lost() + sums.missing(),
            duplicated: doubles.all - doubles.marked,
            stale: self.stale().await?,
            escalations: self.board.escalations(),
            more: more.into_iter().map(|(name, count)| (name, to_f64(count))).collect(),
            ..Measured::default()
        })
    }

    /// What the public page says just now that is not so; nobody writes it without a watch.
    fn untrue(&self) -> Vec<String> {
        let broken = !self.lookout.seen().broken.is_empty();
        if self.watched { self.reader.told().untrue(broken) } else { Vec::new() }
    }

    /// What the books say of the alert with a dedup key.
    ///
    /// # Errors
    ///
    /// The node does not answer.
    pub(super) async fn alert(
        &self,
        tenant: usize,
        key: &str,
    ) -> Result<Option<Value>, DrillError> {
        let api = self.node.api(tenant);
        let mut pages = Pages::of(&api, &format!("q={key}"));
        while let Some(page) = pages.next().await? {
            // The search finds whatever contains the key.
            if let Some(alert) = page.iter().find(|alert| alert["dedup_key"] == key) {
                return api.get(&format!("/api/v1/alerts/{}", alert["number"])).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Events of which a message was claimed after the node had taken that they are over.
    async fn stale(&self) -> Result<u64, DrillError> {
        let mut stale = 0;
        for event in self.board.late() {
            let Some(sent) = self.board.event(event) else { continue };
            let found = match sent.number {
                Some(number) => {
                    let api = self.node.api(sent.tenant);
                    Some(api.get(&format!("/api/v1/alerts/{number}")).await?)
                }
                None => self.alert(sent.tenant, &Board::name(event)).await?,
            };
            let Some(whole) = found else { continue };
            if books::was_claimed_when_over(&whole) {
                stale += 1;
                self.timeline.note(format!("stale: {}", Board::name(event)));
            }
        }
        Ok(stale)
    }

    /// What the books say of each message.
    async fn books(&self) -> Result<Books, DrillError> {
        let mut books = Books::default();
        for tenant in 0..self.plan.tenants {
            let api = self.node.api(tenant);
            let mut pages = Pages::of(&api, "");
            while let Some(page) = pages.next().await? {
                for alert in page {
                    let number = &alert["number"];
                    let whole = api.get(&format!("/api/v1/alerts/{number}")).await?;
                    books.note(&whole);
                }
            }
        }
        Ok(books)
    }
}

/// A list of alerts, page by page.
struct Pages<'a> {
    api: &'a Api,
    first: String,
    /// Of the next page; `None`: there is none.
    path: Option<String>,
}

impl<'a> Pages<'a> {
    /// Of the alerts that a filter leaves.
    fn of(api: &'a Api, filter: &str) -> Self {
        let first = format!("/api/v1/alerts?limit={PAGE}&{filter}");
        Self { api, path: Some(first.clone()), first }
    }

    async fn next(&mut self) -> Result<Option<Vec<Value>>, DrillError> {
        let Some(path) = self.path.take() else { return Ok(None) };
        let mut list = self.api.get(&path).await?;
        self.path = list["next"].as_str().map(|next| format!("{}&after={next}", self.first));
        match list["data"].take() {
            Value::Array(page) => Ok(Some(page)),
            _ => Ok(None),
        }
    }
}

/// Whether every path came through and nothing is broken.
fn is_green(watch: &Value) -> bool {
    let canaries = watch["canaries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let verdicts = watch["verdicts"].as_array().map(Vec::as_slice).unwrap_or_default();
    !canaries.is_empty()
        && canaries.iter().all(|canary| !canary["through"].is_null())
        && verdicts.is_empty()
}
