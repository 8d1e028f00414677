//! `status-alone`: everything is dead but the files of the status page.
//!
//! Notifications stop, the public is told, and then the node dies. A hundred times as many readers
//! as ever come to a plain file server that knows nothing of it; later the author comes back.

use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;
use tokio::task::JoinSet;

use super::error::DrillError;
use super::files;
use super::gate::{self, Check, Expected};
use super::measure;
use super::orders::Order;
use super::scene::Scene;
use super::scorecard::Run;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "status-alone",
    injects: "notifications stop, then all is dead but the files of the status page, which a \
              hundred read at once; later the node comes back",
    variants: &[""],
    more_variants: &[],
    run: |held, _| Box::pin(run(held)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (2, 3, 30);
/// Events a second of each tenant.
const PER_SECOND: f64 = 1.0;
/// How long all is well before the injection, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));
/// Readers at a time, where one is usual.
const READERS: usize = 100;
/// How long they read.
const READ_FOR: Duration = Duration::from_secs(3);
/// A reader gives up after this time.
const READ_LIMIT: Duration = Duration::from_secs(2);
/// After its start the node has written the page anew within this time, in seconds.
const WRITTEN_S: f64 = 10.0;
/// What stands before the time at which the page was written.
const AGE: &str = "data-at=\"";
/// How often the page on the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long it is looked on in the end.
const AFTER: Duration = Duration::from_secs(3);

async fn run(held: &Held) -> Result<Run, DrillError> {
    let mut scene = Scene::open(held, COMPANY).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    scene.pass(calm).await;
    scene.timeline.inject("dispatch stops");
    let stage = Stage::Dispatch.as_str().to_owned();
    scene.node.order(&Order::Hold { stage, held: true }).await?;
    scene.within(held.patience, || scene.reader.told().first_post.is_some()).await;
    scene.timeline.note("everything is dead but the files of the status page");
    scene.node.kill().await?;
    let left = written(&scene).await;
    let read = read(&scene, &left).await?;
    scene.timeline.note(format!("{} reads, {} of them in vain", read.all, read.in_vain));
    scene.node.start().await?;
    scene.timeline.note("the node is back");
    let written_s = written_anew(&scene, &left, held.patience).await;
    if scene.until_well(held.patience).await {
        scene.pass(AFTER).await;
    }
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    measured.more.insert("reads", measure::to_f64(read.all));
    if let Some(p99) = read.p99_ms {
        measured.more.insert("p99 of a read, ms", p99);
    }
    let expected = Expected { mitigated: false, drained: false, ..Expected::ALL };
    let mut checks = gate::checks(&measured, expected);
    checks.push(read.check());
    checks.push(gate::within("the page is written again", written_s, WRITTEN_S));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new("", measured, checks, timeline))
}

/// When the page on the disk says that it was written.
async fn written(scene: &Scene) -> String {
    let page = tokio::fs::read_to_string(scene.node.page().join("index.html")).await;
    let page = page.unwrap_or_default();
    let at = page.split_once(AGE).and_then(|(_, rest)| rest.split_once('"'));
    at.map_or_else(|| "never".to_owned(), |(at, _)| at.to_owned())
}

/// After how many seconds the page on the disk was another than `left`.
async fn written_anew(scene: &Scene, left: &str, limit: Duration) -> Option<f64> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if written(scene).await != left {
            return Some(began.elapsed().as_secs_f64());
        }
        scene.pass(LOOK_EVERY).await;
    }
    None
}

/// What readers found.
#[derive(Default)]
struct Read {
    all: u64,
    in_vain: u64,
    p99_ms: Option<f64>,
    took: Vec<Duration>,
}

impl Read {
    fn check(&self) -> Check {
        let text = format!("{} of {} in vain", self.in_vain, self.all);
        let served = self.all > 0 && self.in_vain == 0;
        Check::new("every reader is told, and how old it is", served, text)
    }
}

/// Many read the page; each must find what it says, and when that was written.
async fn read(scene: &Scene, written: &str) -> Result<Read, DrillError> {
    let address = files::serve(scene.node.page(), scene.tasks()).await?;
    let (until, http) = (Instant::now() + READ_FOR, scene.lab.client().clone());
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (http, url, written) = (http.clone(), format!("http://{address}/"), written.to_owned());
        readers.spawn(async move {
            let mut read = Read::default();
            while Instant::now() < until {
                let began = Instant::now();
                let page = tokio::time::timeout(READ_LIMIT, whole(&http, &url)).await;
                read.took.push(began.elapsed());
                read.all += 1;
                let told = page.is_ok_and(|page| page.is_some_and(|it| it.contains(&written)));
                read.in_vain += u64::from(!told);
            }
            read
        });
    }
    let mut all = Read::default();
    for one in readers.join_all().await {
        all.all += one.all;
        all.in_vain += one.in_vain;
        all.took.extend(one.took);
    }
    all.p99_ms = measure::p99_of(std::mem::take(&mut all.took));
    Ok(all)
}

async fn whole(http: &reqwest::Client, url: &str) -> Option<String> {
    let answer = http.get(url).send().await.ok()?.error_for_status().ok()?;
    answer.text().await.ok()
}
