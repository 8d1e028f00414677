//! Reads what the installations of other regions tell of themselves.
//!
//! Each region is asked by itself, so that one that is slow holds up none of the others; the
//! publisher takes what was read last, and waits for nobody. It is kept beside the files of the
//! status page, so that a region that is silent when this node starts anew has said something.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bugle_engine::status::board::{Region, slug};
use bugle_engine::status::report::{self, Report};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::publisher::due;
use super::{File, OtherRegion, REPORT, Settings, files};
use crate::app::Inner;
use crate::entropy;

/// From one look at a region to the next, without what keeps nodes out of step.
const LOOK_EVERY: Duration = Duration::from_secs(9);
/// How much longer it may be.
const APART_MS: u64 = 2_000;

/// Where it is kept, below the folder of the status page.
const HEARD: &str = "heard";
/// Most that is read of what was kept, in bytes: more than what can be read of a region, as text in
/// text.
const MAX_KEPT: u64 = 256 * 1024;

/// What was read of a region last, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// From where: another installation may have its name by now.
    url: Url,
    read_at: Timestamp,
    report: String,
}

fn kept_at(region: &OtherRegion) -> String {
    format!("{HEARD}/{}.json", slug(&region.name))
}

/// Keeps what was read of a region.
fn keep(folder: &Path, region: &OtherRegion, report: &Report, read_at: Timestamp) {
    let kept = Kept { url: region.url.clone(), read_at, report: report.text() };
    // Only maps with keys of another kind than text can't be written.
    let text = serde_json::to_string(&kept).unwrap_or_default();
    if let Err(error) = files::put(folder, &File { path: kept_at(region).into(), text }) {
        tracing::warn!(region = region.name, %error, "what a region says can't be kept");
    }
}

/// What was kept of a region, held against the same rules as what it says itself. `None`: nothing,
/// or nothing that can be used.
fn recall(folder: &Path, region: &OtherRegion, now: Timestamp) -> Option<(Report, Timestamp)> {
    let file = fs::File::open(folder.join(kept_at(region))).ok()?;
    let mut text = String::new();
    file.take(MAX_KEPT).read_to_string(&mut text).ok()?;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    let report = Report::parse(kept.report.as_bytes()).ok()?;
    (kept.url == region.url && kept.read_at <= now).then_some((report, kept.read_at))
}

/// Works with files on a thread where that holds up nobody.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// What was read of each region last, by its address, and when.
#[derive(Debug, Default)]
pub(super) struct Heard(RwLock<BTreeMap<Url, (Arc<Report>, Timestamp)>>);

impl Heard {
    /// The regions as they are known at `now`.
    pub(super) fn regions(&self, all: &[OtherRegion], now: Timestamp) -> Vec<Region> {
        let heard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let region = |it: &OtherRegion| {
            let last = heard.get(&it.url).map(|(report, at)| (report.as_ref(), *at));
            report::region(&it.name, it.url.as_str(), last, now)
        };
        all.iter().map(region).collect()
    }

    fn note(&self, url: &Url, report: Arc<Report>, at: Timestamp) {
        let mut heard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        heard.insert(url.clone(), (report, at));
    }
}

/// Reads all regions until `stop` is cancelled.
pub(super) async fn read(app: Arc<Inner>, settings: Arc<Settings>, stop: CancellationToken) {
    let (kept, now) = (Arc::clone(&settings), app.clock.now());
    let known = move |it: &OtherRegion| Some((it.url.clone(), recall(&kept.folder, it, now)?));
    let regions = settings.regions.clone();
    let known = apart(move || regions.iter().filter_map(known).collect::<Vec<_>>()).await;
    for (url, (report, at)) in known.unwrap_or_default() {
        app.status.heard.note(&url, Arc::new(report), at);
    }
    let all = join_all(settings.regions.iter().map(|region| follow(&app, &settings, region)));
    tokio::select! {
        () = stop.cancelled() => (),
        _ = all => (),
    }
}

async fn follow(app: &Inner, settings: &Arc<Settings>, region: &OtherRegion) {
    let (mut failing, mut last_kept) = (false, None);
    loop {
        let read = look(app, &region.url).await;
        if let Ok((report, at)) = &read
            && due(last_kept, *at)
        {
            let (settings, region) = (Arc::clone(settings), region.clone());
            let (report, at) = (Arc::clone(report), *at);
            apart(move || keep(&settings.folder, &region, &report, at)).await;
            last_kept = Some(at);
        }
        if let Err(why) = &read
            && !failing
        {
            tracing::warn!(region = region.name, why, "another region can't be read");
        }
        if read.is_err() {
            metrics::counter!("bugle_status_region_failures_total").increment(1);
        }
        failing = read.is_err();
        let apart = u64::from(u16::from_be_bytes(entropy::bytes::<2>())) % APART_MS;
        tokio::time::sleep(LOOK_EVERY + Duration::from_millis(apart)).await;
    }
}

async fn look(app: &Inner, url: &Url) -> Result<(Arc<Report>, Timestamp), String> {
    let file = url.join(REPORT).map_err(|error| error.to_string())?;
    let body = app.channels.read(&file).await?;
    let report = Arc::new(Report::parse(&body).map_err(|error| error.to_string())?);
    let at = app.clock.now();
    app.status.heard.note(url, Arc::clone(&report), at);
    Ok((report, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"version":1,"region":"NA","at":"2026-03-14T15:00:00Z",
        "seen_at":"2026-03-14T15:00:00Z","bulletins":[],"components":[{"id":"intake",
        "name":"Event intake","state":"major_outage","since":null,"up":null,"first_day":null,
        "days":[]}]}"#;

    fn region(url: &str) -> OtherRegion {
        OtherRegion { name: "North America".to_owned(), url: url.parse().unwrap() }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn what_a_region_said_last_is_known_after_a_restart_and_is_no_word_of_now() {
        let folder = tempfile::tempdir().unwrap();
        let (na, read_at) = (region("https://na.example/"), at("2026-03-14T15:00:05Z"));
        let report = Report::parse(REPORT.as_bytes()).unwrap();
        assert!(recall(folder.path(), &na, read_at).is_none());
        keep(folder.path(), &na, &report, read_at);
        let now = at("2026-03-14T16:00:00Z");
        let (kept, when) = recall(folder.path(), &na, now).unwrap();
        assert_eq!((&kept, when), (&report, read_at));
        let heard = Heard::default();
        heard.note(&na.url, Arc::new(kept), when);
        let known = heard.regions(&[na], now).remove(0);
        assert_eq!(known.worst().as_str(), "major_outage", "as it was");
        assert_eq!(known.unseen.unwrap().since, Some(at("2026-03-14T15:00:00Z")));
    }

    #[test]
    fn what_was_kept_is_believed_no_more_than_what_a_region_says() {
        let folder = tempfile::tempdir().unwrap();
        let (na, read_at) = (region("https://na.example/"), at("2026-03-14T15:00:05Z"));
        let report = Report::parse(REPORT.as_bytes()).unwrap();
        keep(folder.path(), &na, &report, read_at);
        let early = at("2026-03-14T15:00:04Z");
        assert!(recall(folder.path(), &na, early).is_none(), "from the future");
        let other = region("https://elsewhere.example/");
        assert!(recall(folder.path(), &other, read_at).is_none(), "of another installation");
        let path = folder.path().join(kept_at(&na));
        let kept = fs::read_to_string(&path).unwrap();
        for text in [
            kept.replace("\\\"version\\\":1", "\\\"version\\\":2"),
            kept.replace("read_at", "when"),
            kept.chars().take(90).collect(),
            format!("{}{kept}", " ".repeat(256 * 1024)),
        ] {
            assert_ne!(text, kept);
            fs::write(&path, text).unwrap();
            assert!(recall(folder.path(), &na, read_at).is_none());
        }
        fs::write(&path, kept).unwrap();
        assert!(recall(folder.path(), &na, read_at).is_some());
    }
}
