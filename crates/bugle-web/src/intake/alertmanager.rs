//! What Alertmanager's webhook and its API have in common: labels, annotations and their meaning.

use std::collections::BTreeMap;

use bugle_domain::Severity;
use bugle_domain::event::{Action, EventBody, Link};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{fingerprint, text};

/// Annotations that hold a runbook's address.
const RUNBOOKS: [&str; 3] = ["runbook_url", "runbook", "runbookUrl"];
/// Annotations that hold a dashboard's address.
const DASHBOARDS: [&str; 3] = ["dashboard_url", "dashboard", "__dashboardUrl__"];

/// Labels or annotations. Values that are not texts are read as such; absent ones are empty.
#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct Labels(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Entry(#[serde(deserialize_with = "text::loose")] Option<String>);
        let read: Option<BTreeMap<String, Entry>> = Option::deserialize(from)?;
        let pairs = read.unwrap_or_default().into_iter();
        Ok(Self(pairs.map(|(name, Entry(value))| (name, value.unwrap_or_default())).collect()))
    }
}

impl Labels {
    /// The value of `name`, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The first of `names` that has a value.
    pub(super) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn to_json(&self) -> Value {
        let pairs = self.0.iter();
        Value::Object(pairs.map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect())
    }
}

/// One alert, as both ways in describe it.
#[derive(Deserialize, Debug)]
pub(super) struct Alert {
    #[serde(default, deserialize_with = "text::loose")]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) labels: Labels,
    #[serde(default)]
    pub(super) annotations: Labels,
    #[serde(default, rename = "startsAt", deserialize_with = "text::loose")]
    pub(super) starts_at: Option<String>,
    #[serde(default, rename = "endsAt", deserialize_with = "text::loose")]
    pub(super) ends_at: Option<String>,
    #[serde(default, rename = "generatorURL", deserialize_with = "text::loose")]
    pub(super) generator_url: Option<String>,
    #[serde(default, deserialize_with = "text::loose")]
    pub(super) fingerprint: Option<String>,
}

/// How bad the label `severity` (or `priority`) says it is.
///
/// There is no standard. An alert that nobody graded is high: it may be urgent, and what is not
/// meant to wake anybody can say so.
pub(super) fn severity(labels: &Labels) -> Severity {
    let word = labels.first(&["severity", "priority", "level"]).unwrap_or_default();
    text::severity(word.trim()).unwrap_or(Severity::High)
}

impl Alert {
    /// The event that this alert is.
    pub(super) fn event(self, action: Action, external_url: &str) -> EventBody {
        let key = text::given(self.fingerprint.clone());
        EventBody {
            action,
            summary: text::summary(self.summary()),
            severity: severity(&self.labels),
            source: text::short(self.source().to_owned()),
            dedup_key: text::dedup_key(key.unwrap_or_else(|| fingerprint::of(&self.labels.0))),
            occurred_at: self.starts_at.as_deref().and_then(text::time),
            ends_at: None,
            links: self.links(external_url),
            details: self.details(),
        }
    }

    fn summary(&self) -> String {
        let said = self.annotations.first(&["summary", "title", "message", "description"]);
        let name = self.labels.get("alertname").unwrap_or("Alert without a name");
        match (said, self.labels.get("instance")) {
            (Some(said), _) => said.to_owned(),
            (None, Some(instance)) => format!("{name} on {instance}"),
            (None, None) => name.to_owned(),
        }
    }

    fn source(&self) -> &str {
        let names = ["instance", "node", "host", "pod", "service", "job", "cluster"];
        self.labels.first(&names).unwrap_or("Alertmanager")
    }

    fn links(&self, external_url: &str) -> Vec<Link> {
        let mut links = Vec::new();
        let mut add = |href: Option<&str>, text: &str| {
            // Runbooks are sometimes named by a path; only what leads somewhere is a link.
            if let Some(href) = href.filter(|href| href.contains("://")) {
                text::link(href, text, &mut links);
            }
        };
        add(self.annotations.first(&RUNBOOKS), "Runbook");
        add(self.annotations.first(&DASHBOARDS), "Dashboard");
        add(self.generator_url.as_deref(), "Expression");
        add(Some(external_url), "Alertmanager");
        links
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        details.insert("labels".to_owned(), self.labels.to_json());
        if !self.annotations.0.is_empty() {
            details.insert("annotations".to_owned(), self.annotations.to_json());
        }
        details
    }
}
