//! What a backlog would come to if it were released now, for operators to see before they do.

use std::collections::BTreeMap;

use bugle_domain::Severity;
use bugle_domain::notification::Lane;
use serde::{Deserialize, Serialize};

use super::{Fate, Owed, fate};

/// So many notifications that are owed and due, and are alike in what decides about them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BacklogRow {
    /// What decides about them.
    pub owed: Owed,
    /// How many.
    pub count: i64,
}

/// What would become of the backlog of one lane and severity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Fates {
    /// They are sent, and say that they are late where they are.
    pub sent: i64,
    /// They become lines of digests.
    pub digested: i64,
    /// They end, because somebody has the alert.
    pub acknowledged: i64,
    /// They end, because the alert is over.
    pub resolved: i64,
    /// They end, because they are too late.
    pub expired: i64,
}

impl Fates {
    /// All of them.
    pub fn total(&self) -> i64 {
        self.sent + self.digested + self.dropped()
    }

    /// Those that end without being sent.
    pub fn dropped(&self) -> i64 {
        self.acknowledged + self.resolved + self.expired
    }

    fn add(&mut self, fate: Fate, count: i64) {
        *match fate {
            Fate::Sent => &mut self.sent,
            Fate::Digested => &mut self.digested,
            Fate::Acknowledged => &mut self.acknowledged,
            Fate::Resolved => &mut self.resolved,
            Fate::Expired => &mut self.expired,
        } += count;
    }
}

/// One line of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BacklogLine {
    /// The queue they wait in.
    pub lane: Lane,
    /// How bad their alerts are.
    pub severity: Severity,
    /// What would become of them.
    #[serde(flatten)]
    pub fates: Fates,
}

/// What would become of a backlog.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BacklogPlan {
    /// Over all.
    pub total: Fates,
    /// By lane and severity, in the order they are served.
    pub lines: Vec<BacklogLine>,
}

/// Plans what would become of what is owed and due, by the same rules as when it is sent.
pub fn plan_backlog(rows: &[BacklogRow]) -> BacklogPlan {
    let mut total = Fates::default();
    let mut lines: BTreeMap<(Lane, Severity), Fates> = BTreeMap::new();
    for row in rows {
        let fate = fate(row.owed);
        total.add(fate, row.count);
        lines.entry((row.owed.lane, row.owed.severity)).or_default().add(fate, row.count);
    }
    let lines =
        lines.into_iter().map(|((lane, severity), fates)| BacklogLine { lane, severity, fates });
    BacklogPlan { total, lines: lines.collect() }
}
