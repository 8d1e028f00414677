//! The canonical form of a revision: its fingerprint, and the document that people edit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Contract, Fingerprint, Revision};
use crate::contact::Channel;
use crate::units::{ShownDuration, ShownSize};

/// One setting in the canonical form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The setting, with dots.
    pub key: String,
    /// Its value as TOML.
    pub value: String,
}

#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn put(&mut self, key: impl Into<String>, value: impl fmt::Display) {
        self.0.push(Line { key: key.into(), value: value.to_string() });
    }

    fn span(&mut self, key: impl Into<String>, value: Duration) {
        self.put(key, quoted(&ShownDuration(value).to_string()));
    }

    fn versions(&mut self, key: &str, versions: &BTreeSet<Contract>) {
        self.put(key, list(versions.iter().map(ToString::to_string)));
    }

    fn names<'a>(&mut self, key: impl Into<String>, names: impl IntoIterator<Item = &'a String>) {
        self.put(key, list(names.into_iter().map(|name| quoted(name))));
    }

    fn counts(&mut self, section: &str, counts: &BTreeMap<Channel, u32>) {
        for (channel, count) in counts {
            self.put(format!("{section}.{}", channel.as_str()), count);
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// All settings, in a fixed order.
pub(super) fn lines(of: &Revision) -> Vec<Line> {
    let mut lines = Lines::default();
    lines.put("intake.writes", of.intake.writes);
    lines.put("intake.max_body", quoted(&ShownSize(of.intake.max_body_bytes).to_string()));
    lines.versions("alerting.accepts", &of.alerting.accepts);
    lines.put("alerting.writes", of.alerting.writes);
    lines.names("alerting.lanes", &of.alerting.lanes);
    dispatch(of, &mut lines);
    lines.versions("responses.accepts", &of.responses.accepts);
    for (channel, providers) in &of.channels {
        lines.names(format!("channels.{}.providers", channel.as_str()), providers);
    }
    lines.span("retention.raw_bytes", of.retention.raw_bytes);
    lines.span("retention.history", of.retention.history);
    lines.span("retention.log", of.retention.log);
    lines.span("canary.every", of.canary.every);
    lines.span("canary.late", of.canary.late);
    lines.span("watch.pending_age", of.watch.pending_age);
    lines.span("watch.owed_age", of.watch.owed_age);
    lines.span("watch.red_after", of.watch.red_after);
    lines.span("watch.green_after", of.watch.green_after);
    lines.0
}

fn dispatch(of: &Revision, lines: &mut Lines) {
    let dispatch = &of.dispatch;
    lines.versions("dispatch.accepts", &dispatch.accepts);
    lines.put("dispatch.writes", dispatch.writes);
    lines.names("dispatch.lanes", &dispatch.lanes);
    lines.put("dispatch.parallel", dispatch.parallel);
    lines.span("dispatch.bundle_window", dispatch.bundle_window);
    lines.put("dispatch.max_tries", dispatch.max_tries);
    lines.span("dispatch.redial_after", dispatch.redial_after);
    lines.counts("dispatch.per_hour", &dispatch.per_hour);
    lines.counts("dispatch.urgent_per_hour", &dispatch.urgent_per_hour);
    for (channel, wait) in &dispatch.receipt_wait {
        lines.span(format!("dispatch.receipt_wait.{}", channel.as_str()), *wait);
    }
}

/// SHA-256 over the lines.
pub(super) fn fingerprint(of: &Revision) -> Fingerprint {
    let mut hash = Sha256::new();
    for line in lines(of) {
        hash.update(format!("{} = {}\n", line.key, line.value));
    }
    Fingerprint(hash.finalize().into())
}

/// The document, by sections.
pub(super) fn document(of: &Revision, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut section = String::new();
    for line in lines(of) {
        let (in_section, name) = line.key.rsplit_once('.').unwrap_or(("", &line.key));
        if in_section != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            writeln!(f, "{gap}[{in_section}]")?;
            in_section.clone_into(&mut section);
        }
        writeln!(f, "{name} = {}", line.value)?;
    }
    Ok(())
}
