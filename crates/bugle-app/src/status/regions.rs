//! Reads what the installations of other regions tell of themselves.
//!
//! Each region is asked by itself, so that one that is slow holds up none of the others; the
//! publisher takes what was read last, and waits for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bugle_engine::status::board::Region;
use bugle_engine::status::report::{self, Report};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{OtherRegion, REPORT};
use crate::app::Inner;
use crate::entropy;

/// From one look at a region to the next, without what keeps nodes out of step.
const LOOK_EVERY: Duration = Duration::from_secs(9);
/// How much longer it may be.
const APART_MS: u64 = 2_000;

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

    fn note(&self, url: &Url, report: Report, at: Timestamp) {
        let mut heard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        heard.insert(url.clone(), (Arc::new(report), at));
    }
}

/// Reads all regions until `stop` is cancelled.
pub(super) async fn read(app: Arc<Inner>, regions: Vec<OtherRegion>, stop: CancellationToken) {
    let all = join_all(regions.iter().map(|region| follow(&app, region)));
    tokio::select! {
        () = stop.cancelled() => (),
        _ = all => (),
    }
}

async fn follow(app: &Inner, region: &OtherRegion) {
    let mut failing = false;
    loop {
        let read = look(app, &region.url).await;
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

async fn look(app: &Inner, url: &Url) -> Result<(), String> {
    let file = url.join(REPORT).map_err(|error| error.to_string())?;
    let body = app.channels.read(&file).await?;
    let report = Report::parse(&body).map_err(|error| error.to_string())?;
    app.status.heard.note(url, report, app.clock.now());
    Ok(())
}
