//! The watch: each hop is broken in turn, and must be named within ten seconds.

use std::time::{Duration, Instant};

use bugle::demo::probe;
use bugle::node::Behaviour;
use bugle_app::channels::{Limits, Roots, Settings, WebhookSettings};
use bugle_app::watch::Operators;
use bugle_domain::contact::{Address, Channel};
use bugle_domain::stage::Stage;
use bugle_domain::{AllTenants, TenantId};
use bugle_engine::watch::Hop;
use bugle_lab::{Knobs, Lab, Service};
use serde_json::Value;

use crate::world::{World, new_schema};

/// What a break may take to be declared.
const DECLARED_WITHIN: Duration = Duration::from_secs(10);

/// Canaries on every simulated provider, and a short memory.
pub(crate) fn quick(_: &Lab, behaviour: &mut Behaviour) {
    probe(&mut behaviour.watch);
    behaviour.stages.watch.green_after = Duration::from_secs(3);
    behaviour.watch.recover_after = Duration::from_secs(2);
}

impl World {
    /// Waits until every path came through and nothing is broken.
    pub(crate) async fn until_green(&self) {
        self.until("all is well", || async {
            let view = self.app().watch_view().await.unwrap();
            let through = view.canaries.iter().filter(|it| it.through.is_some()).count();
            view.verdicts.is_empty() && through >= 8
        })
        .await;
    }

    /// Waits until `hop` and nothing else is said to be broken; gives how long that took.
    async fn until_broken(&self, hop: &Hop) -> Duration {
        let began = Instant::now();
        self.until(&format!("{hop:?} is declared"), || async {
            !self.app().watch_view().await.unwrap().verdicts.is_empty()
        })
        .await;
        let took = began.elapsed();
        let view = self.app().watch_view().await.unwrap();
        let hops: Vec<&Hop> = view.verdicts.iter().map(|verdict| &verdict.hop).collect();
        assert_eq!(hops, [hop], "{view:#?}");
        assert!(took <= DECLARED_WITHIN, "{hop:?} took {took:?}");
        took
    }

    async fn incidents(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for row in self.store.incidents(AllTenants::granted(), 9).await.unwrap() {
            rows.push(serde_json::to_value(row.incident).unwrap());
        }
        rows
    }
}

fn stage(stage: Stage) -> Hop {
    Hop::Stage { stage }
}

/// Holds each stage in turn.
async fn each_stage_that_stands_still_is_named(world: World) {
    world.until_green().await;
    for held in [Stage::Alerting, Stage::Dispatch, Stage::Intake] {
        world.app().hold(held, true);
        world.until_broken(&stage(held)).await;
        world.app().hold(held, false);
        world.until_green().await;
    }
    world
        .until("the incidents are over", || async {
            world.incidents().await.iter().all(|it| !it["recovered_at"].is_null())
        })
        .await;
    let incidents = world.incidents().await;
    let titles: Vec<&str> = incidents.iter().map(|it| it["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"Alerting: events are not decided"), "{titles:?}");
    for incident in &incidents {
        assert!(!incident["mitigated_at"].is_null() && !incident["drained_at"].is_null());
    }
    // Of all that, no tenant has anything but the operators' own: they were paged, and it is over.
    let tenants = world.store.tenants(AllTenants::granted()).await.unwrap();
    assert!(tenants.iter().all(|tenant| tenant.id < TenantId::reserved_from()));
    world.settle().await;
    let paged = world.alert(1).await;
    assert!(paged["dedup_key"].as_str().unwrap().starts_with("bugle/incident/"), "{paged}");
    assert_eq!(paged["status"], "resolved");
    let ledger = world.get("/api/v1/ledger").await;
    let twice_each = 2 * u64::try_from(incidents.len()).unwrap();
    assert!(ledger["total"]["accepted"].as_u64().unwrap() <= twice_each, "{ledger}");
    world.end().await;
}

mod each_stage_that_stands_still_is_named {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        super::each_stage_that_stands_still_is_named(World::watched(None, quick).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        let url = Some(new_schema().await);
        super::each_stage_that_stands_still_is_named(World::watched(url, quick).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_takes_and_loses_is_named() {
    let world = World::watched(None, quick).await;
    world.until_green().await;
    world.lab.set(Service::Texts, Knobs { lose: true, ..Knobs::default() });
    let provider = "simulated".to_owned();
    world.until_broken(&Hop::Provider { channel: Channel::Sms, provider }).await;
    let incidents = world.incidents().await;
    assert_eq!(incidents[0]["severity"], "major", "another provider serves");
    world.lab.set(Service::Texts, Knobs::default());
    world.until_green().await;
    world.end().await;
}

/// Alarms go to a program of the operators' by a driver of their own.
fn alarmed(lab: &Lab, behaviour: &mut Behaviour) {
    quick(lab, behaviour);
    let limits =
        Limits { connect: Duration::from_secs(1), request: Duration::from_secs(2), rate: None };
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let webhook = WebhookSettings { allow, limits };
    behaviour.watch.operators = Some(Operators {
        channels: Settings {
            email: Vec::new(),
            sms: Vec::new(),
            voice: Vec::new(),
            webhook,
            roots: Roots::default(),
        },
        to: vec![Address::Webhook(lab.hook_url("/operators"))],
        repeat: Duration::from_secs(1),
    });
}

fn alarms(world: &World) -> Vec<Value> {
    let hooks = world.lab.hooks().at("/operators").into_iter();
    hooks.map(|hook| serde_json::from_slice(&hook.body).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_told_apart_from_the_pipeline_until_one_answers() {
    let world = World::watched(None, alarmed).await;
    world.until_green().await;
    world.app().hold(Stage::Dispatch, true);
    world.until("it is repeated", || async { alarms(&world).len() >= 3 }).await;
    let first = alarms(&world).remove(0);
    let text = first["text"].as_str().unwrap();
    assert!(
        text.starts_with("Bugle is in trouble. Dispatch: notifications are not sent."),
        "{text}"
    );
    let link = first["answer_url"].as_str().unwrap();
    let http = reqwest::Client::new();
    let page = http.get(link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("I have it") && page.contains("notifications are not sent"), "{page}");
    assert_eq!(http.post(link).send().await.unwrap().status(), 200);
    let told = alarms(&world).len();
    world
        .until("the answer is on the record", || async {
            world.incidents().await[0]["answered"].is_array()
        })
        .await;
    let began = Instant::now();
    world.until("a while passes", || async { began.elapsed() > Duration::from_secs(4) }).await;
    assert!(alarms(&world).len() <= told + 1, "it is quiet after the answer");
    world.app().hold(Stage::Dispatch, false);
    world
        .until("it is over", || async {
            alarms(&world).iter().any(|it| it["text"] == "Bugle is well again.")
        })
        .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_must_fail_is_reported_and_is_no_incident() {
    let often = |lab: &Lab, behaviour: &mut Behaviour| {
        quick(lab, behaviour);
        behaviour.watch.control_every = Duration::from_secs(8);
    };
    let world = World::watched(None, often).await;
    let operator = world.operator().await;
    world
        .until("it is reported", || async {
            let watched = world.app().watched(&operator).unwrap();
            watched.is_some_and(|watched| watched.reports[0].control_reported.is_some())
        })
        .await;
    world.until_green().await;
    assert_eq!(world.incidents().await, Vec::<Value>::new());
    world.end().await;
}
