//! Looks at a node from outside, by its API, and notes when it says what.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bugle_app::tasks::Tasks;
use serde_json::Value;

use super::api::Api;
use super::error::DrillError;
use super::timeline::Timeline;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(150);

/// What was seen, and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The watch named something that is broken.
    pub detected: Option<Instant>,
    /// A major incident was declared.
    pub declared: Option<Instant>,
    /// It said that no hop is broken any more.
    pub mitigated: Option<Instant>,
    /// A change, or what put a stage back, last wrote into the incident's timeline.
    pub changed: Option<Instant>,
    /// What is named just now.
    pub broken: BTreeSet<String>,
    lines: usize,
    incident: Option<String>,
}

/// Looks on until it is dropped with its tasks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Lookout(Arc<Mutex<Seen>>);

impl Lookout {
    /// Begins to look.
    pub(super) fn begin(api: Api, timeline: Timeline, tasks: &Tasks) -> Self {
        let lookout = Self(Arc::default());
        let (seen, stop) = (lookout.clone(), tasks.stop_token());
        tasks.once(async move {
            let looking = async {
                loop {
                    // A node that does not answer is not to be seen.
                    let _ = seen.look(&api, &timeline).await;
                    tokio::time::sleep(EVERY).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => (),
                () = looking => (),
            }
        });
        lookout
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.kept().clone()
    }

    fn kept(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self, api: &Api, timeline: &Timeline) -> Result<(), DrillError> {
        let watch = api.get("/api/v1/watch").await?;
        self.verdicts(&watch, timeline);
        let incidents = api.get("/api/v1/incidents").await?;
        let Some(newest) = incidents["data"].get(0) else { return Ok(()) };
        self.incident(newest, timeline);
        let id = newest["id"].as_str().unwrap_or_default();
        let whole = api.get(&format!("/api/v1/incidents/{id}")).await?;
        self.lines(&whole, timeline);
        Ok(())
    }

    fn verdicts(&self, watch: &Value, timeline: &Timeline) {
        let verdicts = watch["verdicts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named: BTreeSet<String> = verdicts.iter().map(|it| it["hop"].to_string()).collect();
        let mut new = Vec::new();
        {
            let mut seen = self.kept();
            for verdict in
                verdicts.iter().filter(|it| !seen.broken.contains(&it["hop"].to_string()))
            {
                let evidence = verdict["evidence"].as_str().unwrap_or_default();
                new.push(format!("the watch names {}: {evidence}", hop(&verdict["hop"])));
            }
            // What was said before there was anything to see does not count.
            if !new.is_empty() && timeline.injected().is_some() {
                seen.detected.get_or_insert_with(Instant::now);
            }
            seen.broken = named;
        }
        for text in new {
            timeline.note(text);
        }
    }

    fn incident(&self, incident: &Value, timeline: &Timeline) {
        let id = incident["id"].as_str().map(str::to_owned);
        let mut seen = self.kept();
        if seen.incident != id {
            if timeline.injected().is_some() {
                seen.declared.get_or_insert_with(Instant::now);
            }
            (seen.incident, seen.lines) = (id, 0);
            drop(seen);
            let title = incident["title"].as_str().unwrap_or_default();
            return timeline.note(format!("major incident declared: {title}"));
        }
        if incident["mitigated_at"].is_null() {
            seen.mitigated = None;
        } else {
            seen.mitigated.get_or_insert_with(Instant::now);
        }
    }

    /// What was added to the incident's own timeline. What alerts say stands between that.
    fn lines(&self, whole: &Value, timeline: &Timeline) {
        let lines = whole["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_alert =
            |line: &&Value| matches!(line["source"].as_str(), Some("alert" | "page" | "answer"));
        let lines: Vec<&Value> = lines.iter().filter(|line| !of_alert(line)).collect();
        let known = std::mem::replace(&mut self.kept().lines, lines.len());
        for line in lines.iter().skip(known.max(1)) {
            let (source, text) = (&line["source"], &line["text"]);
            let (source, text) = (source.as_str().unwrap_or_default(), text.as_str());
            if source == "change" {
                self.kept().changed = Some(Instant::now());
            }
            timeline.note(format!("incident, {source}: {}", text.unwrap_or_default()));
        }
    }
}

/// What people call a hop.
fn hop(value: &Value) -> String {
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match value["hop"].as_str() {
        Some("stage") => word("stage"),
        Some("provider") => format!("{} by {}", word("channel"), word("provider")),
        Some(other) => format!("the {other}"),
        None => value.to_string(),
    }
}
