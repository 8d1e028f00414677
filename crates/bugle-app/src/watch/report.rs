//! What the watch of one node says, and what those of all nodes say together.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bugle_domain::NodeId;
use bugle_domain::contact::Channel;
use bugle_engine::watch::books::{Books, Flow};
use bugle_engine::watch::flight::{Goal, Path};
use bugle_engine::watch::runway::{Gauge, Level};
use bugle_engine::watch::{Canary, Verdict, View};
use bugle_store::ReportRow;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A report that was not replaced for so long is old.
const FRESH: Duration = Duration::from_secs(5);
/// Clocks may be so far apart. A report is on its way for two seconds at most.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(3);

/// A path that canaries take.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PathReport {
    /// Which way.
    #[serde(flatten)]
    pub path: Path,
    /// How far they are followed.
    pub goal: Goal,
    /// How long the provider took for the latest, milliseconds.
    pub provider_ms: Option<i64>,
}

/// How a provider does, in short.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ProviderReport {
    /// What it sends.
    pub channel: Channel,
    /// What the operator calls it.
    pub name: String,
    /// `closed`, `open` or `half_open`.
    pub breaker: String,
    /// Whether canaries go through it.
    pub probed: bool,
    /// Sends of the last five minutes.
    pub samples: usize,
    /// The share of them that it dealt with.
    pub success_rate: Option<f64>,
    /// Half of them took no longer, milliseconds.
    pub median_ms: Option<u64>,
    /// The last failure, in words.
    pub last_error: Option<String>,
}

/// What the watch of one node says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub node: NodeId,
    /// When.
    pub at: Timestamp,
    /// What is broken, worst first.
    pub verdicts: Vec<Verdict>,
    /// How each path does.
    pub canaries: Vec<Canary>,
    /// The paths.
    pub paths: Vec<PathReport>,
    /// The books; `None` where they could not be read.
    pub books: Option<Books>,
    /// What went in and out lately.
    pub flow: Flow,
    /// What runs out.
    pub gauges: Vec<Gauge>,
    /// The providers.
    pub providers: Vec<ProviderReport>,
    /// When the probe that must fail was last reported.
    pub control_reported: Option<Timestamp>,
}

impl Report {
    fn view(&self) -> View {
        let (verdicts, canaries) = (self.verdicts.clone(), self.canaries.clone());
        View { at: self.at, verdicts, canaries }
    }
}

/// What the watches of all nodes say.
#[derive(Clone, PartialEq, Debug)]
pub struct Watched {
    /// Together.
    pub view: View,
    /// Each node whose watch speaks, this one first.
    pub reports: Vec<Report>,
    /// Nodes whose watch is silent, and when it spoke last.
    pub silent: Vec<(NodeId, Timestamp)>,
}

impl Watched {
    /// Nothing is known yet.
    pub(crate) fn nothing(at: Timestamp) -> Self {
        let view = View { at, verdicts: Vec::new(), canaries: Vec::new() };
        Self { view, reports: Vec::new(), silent: Vec::new() }
    }

    /// Whether that node's watch speaks.
    pub fn speaks(&self, node: NodeId) -> bool {
        self.reports.iter().any(|report| report.node == node)
    }
}

/// What is known of another node's reports.
#[derive(Debug)]
struct Heard {
    number: i64,
    /// When the number was seen to rise.
    at: Instant,
    /// How far our clock was ahead of the other's then. Up to a look's age of it is the way of the
    /// report.
    ahead: Option<SignedDuration>,
}

/// Which reports of other nodes are fresh: those whose number rises, whatever the clocks say.
#[derive(Debug, Default)]
pub(crate) struct Others(BTreeMap<NodeId, Heard>);

impl Others {
    /// Puts `own` together with what the store has of the others.
    pub(crate) fn merge(&mut self, own: Report, rows: Vec<ReportRow>) -> Watched {
        let (me, at) = (own.node, own.at);
        let (mut reports, mut silent) = (vec![own], Vec::new());
        self.0.retain(|node, _| rows.iter().any(|row| row.node == *node));
        for row in rows.into_iter().filter(|row| row.node != me) {
            // What was there when we came may be as old as it likes.
            let long_ago = Instant::now().checked_sub(FRESH).unwrap_or_else(Instant::now);
            let heard = self.0.entry(row.node).or_insert_with(|| Heard {
                number: row.number,
                at: long_ago,
                ahead: None,
            });
            if heard.number != row.number {
                let ahead = Some(at.duration_since(row.at));
                *heard = Heard { number: row.number, at: Instant::now(), ahead };
            }
            match serde_json::from_str(&row.report) {
                Ok(report) if heard.at.elapsed() < FRESH => reports.push(report),
                _ => silent.push((row.node, row.at)),
            }
        }
        let view = View::merged(reports.iter().map(Report::view), at);
        Watched { view, reports, silent }
    }

    /// How far the clocks of the nodes that speak are apart; `None`: no other speaks.
    pub(crate) fn clocks(&self) -> Option<Gauge> {
        let speaking = self.0.iter().filter(|(_, heard)| heard.at.elapsed() < FRESH);
        let ahead = speaking.filter_map(|(node, heard)| Some((node, heard.ahead?)));
        let (node, ahead) = ahead.max_by_key(|(_, ahead)| ahead.abs())?;
        let apart = ahead.abs() > CLOCKS_APART;
        let (level, text) = match (apart, ahead.is_negative()) {
            (false, _) => (Level::Ok, "those of all nodes agree".to_owned()),
            (true, true) => (Level::Warn, format!("{node}'s is {} s ahead", -ahead.as_secs())),
            (true, false) => (Level::Warn, format!("{node}'s is {} s behind", ahead.as_secs())),
        };
        Some(Gauge { name: "clocks".to_owned(), level, text, runway_s: None })
    }
}

#[cfg(test)]
mod tests {
    use bugle_domain::stage::Stage;
    use bugle_engine::watch::Hop;

    use super::*;

    fn node(number: u8) -> NodeId {
        NodeId::new(Timestamp::UNIX_EPOCH, [number; 10])
    }

    fn report(number: u8, hop: Option<Hop>) -> Report {
        let verdict = |hop| Verdict {
            hop,
            since: Timestamp::UNIX_EPOCH,
            evidence: "seen".to_owned(),
            waiting: i64::from(number),
            tenants: Vec::new(),
            nodes: vec![node(number)],
            harmless: false,
        };
        Report {
            node: node(number),
            at: Timestamp::UNIX_EPOCH,
            verdicts: hop.map(verdict).into_iter().collect(),
            canaries: Vec::new(),
            paths: Vec::new(),
            books: None,
            flow: Flow::default(),
            gauges: Vec::new(),
            providers: Vec::new(),
            control_reported: None,
        }
    }

    fn row(number: u8, beat: i64, hop: Option<Hop>) -> ReportRow {
        let report = serde_json::to_string(&report(number, hop)).unwrap();
        ReportRow { node: node(number), number: beat, at: Timestamp::UNIX_EPOCH, report }
    }

    #[test]
    fn another_node_counts_while_its_number_rises() {
        let mut others = Others::default();
        let hop = Hop::Stage { stage: Stage::Dispatch };
        let first = others.merge(report(1, None), vec![row(2, 7, Some(hop.clone()))]);
        assert_eq!((first.reports.len(), first.silent.len()), (1, 1), "it may be long dead");
        let own = report(1, Some(hop.clone()));
        let second = others.merge(own, vec![row(1, 9, None), row(2, 8, Some(hop))]);
        assert!(second.speaks(node(2)) && second.silent.is_empty());
        let [verdict] = &second.view.verdicts[..] else { panic!("{second:?}") };
        assert_eq!((verdict.nodes.len(), verdict.waiting), (2, 2));
    }
    #[test]
    fn clocks_that_are_apart_are_said_to_be() {
        let mut others = Others::default();
        assert_eq!(others.clocks(), None);
        let seconds = |second| Timestamp::from_second(second).unwrap();
        let mut hear = |number, at: Timestamp| {
            let mut row = row(2, number, None);
            row.at = at;
            others.merge(Report { at: seconds(100), ..report(1, None) }, vec![row]);
            others.clocks().map(|gauge| (gauge.level, gauge.text))
        };
        assert_eq!(hear(1, seconds(99)), None, "its number has not risen yet");
        let (level, _) = hear(2, seconds(98)).unwrap();
        assert_eq!(level, Level::Ok, "it was on its way");
        let (level, text) = hear(3, seconds(90)).unwrap();
        assert!(level == Level::Warn && text.ends_with("'s is 10 s behind"), "{text}");
        let (_, text) = hear(4, seconds(105)).unwrap();
        assert!(text.ends_with("'s is 5 s ahead"), "{text}");
    }
}
