//! `drill-node`: the node of a drill. It is the node of `serve`, with the tenants of the drill, a
//! clock that can be pushed, and orders on standard input that no user could give.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bugle_app::identity::NewApiKey;
use bugle_app::rehearsal::{Fault, Hook, Mechanism, Rehearsal, Step, Swallow, Work};
use bugle_app::store::{NewRevision, ObjectChange, RevisionSource, Store};
use bugle_app::{Caller, Clock, entropy};
use bugle_domain::alert::Actor;
use bugle_domain::contact::{Address, Channel};
use bugle_domain::revision::Revision;
use bugle_domain::role::Role;
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, RequestId, SubscriberId, TenantId, TenantScope};
use bugle_engine::status::Component;
use bugle_engine::status::subscribers::Subscriber;
use bugle_lab::drill::company::{self, Client, Plan};
use bugle_lab::drill::orders::{Order, Point, Word};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::cli::DrillNodeArgs;
use crate::cli::configuration_file;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::node::{self, Behaviour, Node, Parts};
use crate::output::Output;
use crate::serve;

/// Orders that may wait to be carried out.
const ORDERS: usize = 16;
/// What is taken out where the tenants are made.
const QUOTA: &str = "quota";
/// Who is written into the audit log.
const ACTOR: &str = "bugle drill";

/// Runs until it is killed, or until whoever gave the orders is gone.
///
/// # Errors
///
/// Something that is needed can't be had.
pub(crate) fn run(args: &DrillNodeArgs, environment: &Environment) -> Result<(), Failure> {
    let flags = [("database.url", "--database", args.data.database.as_deref())];
    let config = configuration_file::load(args.data.config.as_deref(), environment, &flags)?;
    serve::start_log(&config.log);
    serve::runtime()?.block_on(work(args, config, Output::new(true, environment)))
}

async fn work(args: &DrillNodeArgs, config: Config, output: Output) -> Result<(), Failure> {
    let mut plan: Plan = serde_json::from_str(&args.company)
        .map_err(|error| Failure::because("the company is not understood", &error))?;
    if args.without.iter().any(|name| name == QUOTA) {
        plan.quota = company::NO_QUOTA;
    }
    let data = DataDir::open(&args.data.data)?;
    let clock = Clock::shifted();
    let url = serve::database_url(&config, &data);
    let store = node::open_store(url.expose_secret(), config.database.connections).await?;
    let clients = fill(&store, &plan, clock.now()).await?;
    let listener = node::listen(config.server.listen).await?;
    let address = listener.local_addr()?;
    let parts = Parts {
        node: data.node(clock.now())?,
        key: data.key()?,
        store: store.clone(),
        listener,
        public_url: serve::public_url(&config, address)?,
        clock: clock.clone(),
        handset: None,
        metrics: None,
        status: Some(data.status()),
        demo: true,
    };
    let stand = Stand::new(output);
    let node = Node::start(parts, behaviour(config, &args.without, &stand)?).await?;
    say(output, &Word::Ready { keys: keys(&node, &clients).await? })?;
    obey(&node, (&store, &clock), &stand, output).await
}

/// What the configuration says, without what is taken out.
fn behaviour(config: Config, without: &[String], stand: &Arc<Stand>) -> Result<Behaviour, Failure> {
    let mut behaviour = Behaviour::from(config);
    let (at, fault) = (Arc::clone(stand), Arc::clone(stand));
    let at: Hook = Arc::new(move |step| at.reached(step));
    let fault: Fault = Arc::new(move |work, about| fault.falter(work, about));
    let loser = Arc::clone(stand);
    let swallow: Swallow = Arc::new(move |tenant| loser.swallows(tenant));
    behaviour.rehearsal = Rehearsal {
        at: Some(at),
        fault: Some(fault),
        swallow: Some(swallow),
        ..Rehearsal::default()
    };
    for name in without {
        let mechanism = match name.as_str() {
            "watch" => {
                behaviour.watch.on = false;
                continue;
            }
            "failover" => {
                behaviour.stages.channels.values_mut().for_each(|providers| providers.truncate(1));
                continue;
            }
            QUOTA => continue,
            "undo" => Mechanism::Undo,
            "judge" => Mechanism::Judge,
            "resume" => Mechanism::Resume,
            "set-aside" => Mechanism::SetAside,
            "in-use" => Mechanism::InUse,
            "assistance" => Mechanism::Assistance,
            _ => {
                let message = format!("There is no mechanism {name:?}.");
                return Err(Failure::new(Reason::Usage, message));
            }
        };
        behaviour.rehearsal.without.insert(mechanism);
    }
    Ok(behaviour)
}

/// Writes the tenants, and who reads the status page, into an empty database.
async fn fill(store: &Store, plan: &Plan, now: Timestamp) -> Result<Vec<Client>, Failure> {
    let clients = company::clients(plan, now);
    let told = |error| Failure::because("the tenants can't be saved", &error);
    if !store.tenants(AllTenants::granted()).await.map_err(told)?.is_empty() {
        return Ok(clients);
    }
    for (number, client) in clients.iter().enumerate() {
        store.create_tenant(AllTenants::granted(), &client.tenant).await.map_err(told)?;
        let scope = TenantScope::granted(client.tenant.id);
        let put = |object: &_| ObjectChange::Put { object: Clone::clone(object), expected: None };
        let mut changes: Vec<ObjectChange> = client.objects.iter().map(put).collect();
        changes.extend(client.keys.iter().map(|(integration, key)| ObjectChange::Key {
            integration: *integration,
            hash: Sha256::digest(key.as_bytes()).into(),
        }));
        store.save_objects(scope, &changes, now, ACTOR).await.map_err(told)?;
        if number == 0 {
            store.set_operator(scope, client.lead, true, now).await.map_err(told)?;
        }
    }
    for number in 0..plan.readers {
        let reader = reader(number, now)?;
        store.ask_to_subscribe(&reader).await.map_err(told)?;
        store.confirm_subscriber(reader.id, &reader.components, now).await.map_err(told)?;
    }
    Ok(clients)
}

/// Somebody who reads the status page.
fn reader(number: u32, now: Timestamp) -> Result<Subscriber, Failure> {
    let address = Address::parse(Channel::Email, &company::reader(number))
        .map_err(|error| Failure::because("a subscriber has no address", &error))?;
    let id = SubscriberId::new(now, entropy::bytes());
    let components = Component::parse(company::read_of(number)).into_iter().collect();
    Ok(Subscriber { id, address, components, asked_at: now, confirmed_at: None })
}

/// A key to the API for each tenant's lead.
async fn keys(node: &Node, clients: &[Client]) -> Result<Vec<String>, Failure> {
    let mut keys = Vec::new();
    for (number, client) in clients.iter().enumerate() {
        let now = node.app.now();
        let caller = Caller {
            scope: TenantScope::granted(client.tenant.id),
            actor: Actor::User { id: client.lead, name: ACTOR.to_owned() },
            user: Some(client.lead),
            role: Role::Admin,
            operator: number == 0,
            session: None,
            request: RequestId::new(now, entropy::bytes()),
        };
        let name = ACTOR.to_owned();
        let new = NewApiKey { name, role: Role::Admin, expires_at: None, personal: true };
        let made = node.app.create_key(&caller, new).await;
        let made = made.map_err(|error| Failure::because("no API key", &error))?;
        keys.push(made.secret.expose_secret().to_owned());
    }
    Ok(keys)
}

/// Carries out orders until there can be no more.
async fn obey(
    node: &Node,
    (store, clock): (&Store, &Clock),
    stand: &Stand,
    output: Output,
) -> Result<(), Failure> {
    let (heard, mut lines) = mpsc::channel(ORDERS);
    let listening = move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if heard.blocking_send(line).is_err() {
                return;
            }
        }
    };
    drop(tokio::task::spawn_blocking(listening));
    while let Some(line) = lines.recv().await {
        let word = match serde_json::from_str(&line) {
            Ok(order) => carry_out(order, node, (store, clock), stand).await,
            Err(error) => Err(error.to_string()),
        };
        say(output, &word.unwrap_or_else(|why| Word::Failed { why }))?;
    }
    Ok(())
}

async fn carry_out(
    order: Order,
    node: &Node,
    (store, clock): (&Store, &Clock),
    stand: &Stand,
) -> Result<Word, String> {
    let stage = |name: &str| Stage::parse(name).ok_or_else(|| format!("no stage {name:?}"));
    match order {
        Order::Keep { document } => {
            let revision = Revision::parse(&document).map_err(|error| error.to_string())?;
            let (author, reason) = ("nobody", "as it was once");
            let source = RevisionSource::Change;
            let new = NewRevision { revision: &revision, author, reason, source };
            let kept = store.keep_revision(new, clock.now()).await;
            return kept.map(|revision| Word::Kept { revision }).map_err(|it| it.to_string());
        }
        Order::Spoil { revision, document } => {
            let spoilt = store.spoil_revision(revision, &document).await;
            spoilt.map_err(|error| error.to_string())?;
        }
        Order::FailAt { work, dedup_key } => stand.fail_at(work.into(), dedup_key),
        Order::Put { stage: name, revision } => {
            let id = node.app.config().node;
            let put = store.aim_stage(id, stage(&name)?, revision).await;
            put.map_err(|error| error.to_string())?;
        }
        Order::Hold { stage: name, held } => node.app.hold(stage(&name)?, held).await,
        Order::Forward { seconds } => clock.push(SignedDuration::from_secs(seconds)),
        Order::Swallow { tenants } => stand.swallow(tenants.into_iter().map(company::tenant)),
        Order::StandAt { step } => stand.at(step),
    }
    Ok(Word::Done)
}

/// Standard output is what the drill listens to.
fn say(output: Output, word: &Word) -> Result<(), Failure> {
    let line = serde_json::to_string(word)
        .map_err(|error| Failure::because("nothing can be said", &error))?;
    Ok(output.line(&line)?)
}

/// Where the node is to stand still, at what it is to fail, and what it is to lose.
struct Stand {
    output: Output,
    at: AtomicU8,
    faults: Mutex<Vec<(Work, String)>>,
    swallowed: Mutex<BTreeSet<TenantId>>,
}

impl Stand {
    fn new(output: Output) -> Arc<Self> {
        let (faults, swallowed) = (Mutex::default(), Mutex::default());
        Arc::new(Self { output, at: AtomicU8::new(u8::MAX), faults, swallowed })
    }

    fn swallow(&self, tenants: impl IntoIterator<Item = TenantId>) {
        self.swallowed().extend(tenants);
    }

    fn swallows(&self, tenant: TenantId) -> bool {
        self.swallowed().contains(&tenant)
    }

    fn swallowed(&self) -> MutexGuard<'_, BTreeSet<TenantId>> {
        self.swallowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail_at(&self, work: Work, dedup_key: String) {
        self.faults().push((work, dedup_key));
    }

    /// Panics where that was ordered.
    fn falter(&self, work: Work, dedup_key: &str) {
        let ordered = self.faults().iter().any(|(at, key)| *at == work && key == dedup_key);
        assert!(!ordered, "a fault that a drill ordered, at {dedup_key}");
    }

    fn faults(&self) -> MutexGuard<'_, Vec<(Work, String)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, step: Point) {
        self.at.store(step as u8, Ordering::SeqCst);
    }

    /// Says that a step is reached and stays there, where that was ordered.
    fn reached(&self, step: Step) {
        let step = Point::from(step);
        let here = step as u8;
        if self.at.compare_exchange(here, u8::MAX, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            return;
        }
        // Whoever gave the order is gone if it can't be told.
        drop(say(self.output, &Word::Stands { step }));
        loop {
            std::thread::park();
        }
    }
}
