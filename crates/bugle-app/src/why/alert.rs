//! What was decided about an alert, and what people did.

use bugle_domain::alert::{Alert, TimelineEntry};
use bugle_domain::object::Directory;
use bugle_engine::narrate;
use jiff::Timestamp;
use serde_json::json;

use super::{Stage, WhyStep};
use crate::events::integration_name;

/// The alert's own log as steps.
pub(super) fn steps(
    directory: &Directory,
    alert: &Alert,
    timeline: &[(Timestamp, TimelineEntry)],
) -> Vec<WhyStep> {
    let mut steps = Vec::with_capacity(timeline.len() + 1);
    for (at, entry) in timeline {
        if let TimelineEntry::Opened { .. } = entry {
            steps.push(route(directory, alert, *at));
        }
        steps.push(WhyStep {
            at: *at,
            stage: stage(entry),
            text: narrate::line(entry, directory),
            data: serde_json::to_value(entry).unwrap_or_default(),
        });
    }
    steps
}

/// From the integration to the service.
fn route(directory: &Directory, alert: &Alert, at: Timestamp) -> WhyStep {
    let integration = integration_name(directory, alert.integration);
    let service = alert.service.and_then(|id| directory.services.get(&id));
    let text = match service {
        Some(service) => {
            format!("Integration \"{integration}\" belongs to service \"{}\".", service.name)
        }
        None => format!("Integration \"{integration}\" belongs to no service."),
    };
    let data = json!({ "integration": alert.integration, "service": alert.service });
    WhyStep { at, stage: Stage::Alerting, text, data }
}

fn stage(entry: &TimelineEntry) -> Stage {
    match entry {
        TimelineEntry::Opened { .. }
        | TimelineEntry::LevelTold { .. }
        | TimelineEntry::LevelSkipped { .. }
        | TimelineEntry::ClockStands { .. }
        | TimelineEntry::ClockRuns { .. }
        | TimelineEntry::FallbackBegun { .. }
        | TimelineEntry::Exhausted
        | TimelineEntry::Worsened { .. }
        | TimelineEntry::WaitsAgain { .. } => Stage::Alerting,
        TimelineEntry::Hopped { .. } => Stage::Dispatch,
        TimelineEntry::Acknowledged { .. }
        | TimelineEntry::PassedOn { .. }
        | TimelineEntry::Resolved { .. }
        | TimelineEntry::Note { .. } => Stage::Responses,
    }
}

/// What kind of line a timeline entry is, as a stable word.
pub(crate) fn kind(entry: &TimelineEntry) -> &'static str {
    match entry {
        TimelineEntry::Opened { .. } => "opened",
        TimelineEntry::LevelTold { .. } => "level_told",
        TimelineEntry::LevelSkipped { .. } => "level_skipped",
        TimelineEntry::ClockStands { .. } => "clock_stands",
        TimelineEntry::ClockRuns { .. } => "clock_runs",
        TimelineEntry::FallbackBegun { .. } => "fallback_begun",
        TimelineEntry::Exhausted => "exhausted",
        TimelineEntry::Worsened { .. } => "worsened",
        TimelineEntry::Acknowledged { .. } => "acknowledged",
        TimelineEntry::PassedOn { .. } => "passed_on",
        TimelineEntry::Resolved { .. } => "resolved",
        TimelineEntry::WaitsAgain { .. } => "waits_again",
        TimelineEntry::Hopped { .. } => "hopped",
        TimelineEntry::Note { .. } => "note",
    }
}
