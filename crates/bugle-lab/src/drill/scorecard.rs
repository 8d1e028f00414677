//! What a drill measured, held against what it must show and what is on record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::gate::Check;
use super::record;
use super::timeline::Entry;

/// What was measured. Times are seconds after the injection unless they say otherwise; `None`:
/// there was none, or it does not apply.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Measured {
    /// Until the watch first named what is broken.
    pub detected_s: Option<f64>,
    /// Until a major incident was declared, by nobody.
    pub declared_s: Option<f64>,
    /// Until operators had an alarm by the way of their own.
    pub told_s: Option<f64>,
    /// Until the public could read of it.
    pub first_post_s: Option<f64>,
    /// The longest time between two updates for the public while it went on, in seconds.
    pub silence_s: Option<f64>,
    /// Components of which the public was told that they are in trouble.
    pub named: BTreeSet<String>,
    /// What the public page said in the end that was not so.
    pub untrue: BTreeSet<String>,
    /// The reports that were drafted of incidents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incident_reports: Vec<String>,
    /// Where their numbers are not those of the books.
    pub misreported: BTreeSet<String>,
    /// Until work went on.
    pub mitigated_s: Option<f64>,
    /// From then until everything that had been kept waiting was dealt with.
    pub drained_s: Option<f64>,
    /// How long nothing went on although there was work.
    pub stall_s: Option<f64>,
    /// Accepted events that nobody was told of, and what the books miss.
    pub lost: u64,
    /// Messages that reached somebody again and did not say so, and texts or calls that the books
    /// do not know.
    pub duplicated: u64,
    /// Messages about what was over.
    pub stale: u64,
    /// Next levels that were told although people answer at once.
    pub escalations: u64,
    /// 99th percentile of other tenants' urgent pages before the injection, milliseconds.
    pub others_p99_before_ms: Option<f64>,
    /// The same while it lasts.
    pub others_p99_during_ms: Option<f64>,
    /// What else is worth knowing, by name.
    pub more: BTreeMap<&'static str, f64>,
}

/// One run of a drill.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Of which variant; empty where there is only one.
    pub variant: String,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
    /// What it must show.
    pub checks: Vec<Check>,
    /// What happened.
    pub timeline: Vec<Entry>,
    /// Whether it shows all of that.
    pub passed: bool,
}

impl Run {
    /// A run, with its verdict.
    pub(super) fn new(
        variant: &str,
        measured: Measured,
        checks: Vec<Check>,
        timeline: Vec<Entry>,
    ) -> Self {
        let passed = checks.iter().all(|check| check.ok);
        Self { variant: variant.to_owned(), measured, checks, timeline, passed }
    }
}

/// A drill that was held.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    /// Which drill.
    pub drill: &'static str,
    /// By which seed.
    pub seed: u64,
    /// The worst of all runs.
    #[serde(flatten)]
    pub worst: Measured,
    /// Whether all runs show what they must.
    pub passed: bool,
    /// The runs.
    pub runs: Vec<Run>,
}

impl Scorecard {
    /// Of these runs.
    pub fn new(drill: &'static str, seed: u64, runs: Vec<Run>) -> Self {
        let worst = runs.iter().fold(Measured::default(), |worst, run| worse(worst, &run.measured));
        let passed = !runs.is_empty() && runs.iter().all(|run| run.passed);
        Self { drill, seed, worst, passed, runs }
    }

    /// For a terminal: every run with its checks, beside the record.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for run in &self.runs {
            let _ = writeln!(text, "\n{} {}", self.drill, run.variant);
            for row in rows(&run.measured) {
                let _ = writeln!(text, "  {:<28} {:>12}   {}", row.what, row.here, row.record);
            }
            for Check { ok, name, text: said } in &run.checks {
                let word = if *ok { "ok    " } else { "FAILED" };
                let _ = writeln!(text, "  {word} {name}: {said}");
            }
        }
        let word = if self.passed { "passed" } else { "FAILED" };
        let _ = writeln!(text, "\n{} with seed {}: {word}", self.drill, self.seed);
        text
    }

    /// A report.
    pub fn markdown(&self) -> String {
        let word = if self.passed { "passed" } else { "failed" };
        let mut text = format!(
            "# Drill {}, seed {}\n\nIt {word}. Times are seconds after the injection.\n",
            self.drill, self.seed
        );
        for run in &self.runs {
            let _ = writeln!(text, "\n## {}\n", run.variant);
            let _ = writeln!(text, "| | here | {} |\n|---|--:|--:|", record::NAME);
            for row in rows(&run.measured) {
                let _ = writeln!(text, "| {} | {} | {} |", row.what, row.here, row.record);
            }
            let _ = writeln!(text, "\n| gate | | |\n|---|---|---|");
            for Check { ok, name, text: said } in &run.checks {
                let word = if *ok { "held" } else { "**not held**" };
                let _ = writeln!(text, "| {name} | {word} | {said} |");
            }
            let _ = writeln!(text, "\n| time (UTC) | after | |\n|---|--:|---|");
            for Entry { at, since_s, text: said } in &run.timeline {
                let after = since_s.map_or(String::new(), |since| format!("{since:.1} s"));
                let _ = writeln!(text, "| {at:.0} | {after} | {} |", said.replace('|', "/"));
            }
        }
        text
    }
}

/// The worse of two, measure by measure.
fn worse(worst: Measured, run: &Measured) -> Measured {
    let later = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    Measured {
        detected_s: later(worst.detected_s, run.detected_s),
        declared_s: later(worst.declared_s, run.declared_s),
        told_s: later(worst.told_s, run.told_s),
        first_post_s: later(worst.first_post_s, run.first_post_s),
        silence_s: later(worst.silence_s, run.silence_s),
        named: &worst.named | &run.named,
        untrue: &worst.untrue | &run.untrue,
        // Each run has its own.
        incident_reports: Vec::new(),
        misreported: &worst.misreported | &run.misreported,
        mitigated_s: later(worst.mitigated_s, run.mitigated_s),
        drained_s: later(worst.drained_s, run.drained_s),
        stall_s: later(worst.stall_s, run.stall_s),
        lost: worst.lost + run.lost,
        duplicated: worst.duplicated + run.duplicated,
        stale: worst.stale + run.stale,
        escalations: worst.escalations + run.escalations,
        others_p99_before_ms: later(worst.others_p99_before_ms, run.others_p99_before_ms),
        others_p99_during_ms: later(worst.others_p99_during_ms, run.others_p99_during_ms),
        more: BTreeMap::new(),
    }
}

struct Row {
    what: String,
    here: String,
    record: &'static str,
}

fn rows(measured: &Measured) -> Vec<Row> {
    let seconds =
        |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1} s"));
    let row = |what: &str, here, record| Row { what: what.to_owned(), here, record };
    let share = measured.drained_s.zip(measured.stall_s).filter(|(_, stall)| *stall > 0.0);
    let share = share.map(|(drained, stall)| format!("{:.2}", drained / stall));
    let mut rows = vec![
        row("detected", seconds(measured.detected_s), record::CONFIRMED),
        row("declared", seconds(measured.declared_s), record::PROCESS),
        row("operators told", seconds(measured.told_s), ""),
        row("the public told", seconds(measured.first_post_s), record::TOLD),
        row("the public's longest wait", seconds(measured.silence_s), ""),
        row("components named", measured.named.len().to_string(), ""),
        row("untrue in the end", measured.untrue.len().to_string(), ""),
        row("mitigated", seconds(measured.mitigated_s), record::UNDONE),
        row("stalled for", seconds(measured.stall_s), record::STALL),
        row("drained in", seconds(measured.drained_s), record::CLEARED),
        row("drained, of the stall", share.unwrap_or("-".to_owned()), record::SHARE),
        row("lost", measured.lost.to_string(), ""),
        row("duplicated", measured.duplicated.to_string(), ""),
        row("stale", measured.stale.to_string(), ""),
        row("escalations by our delay", measured.escalations.to_string(), ""),
    ];
    let p99 = [
        ("others' p99 before", measured.others_p99_before_ms),
        ("others' p99 during", measured.others_p99_during_ms),
    ];
    for (what, value) in p99 {
        if let Some(ms) = value {
            rows.push(row(what, format!("{ms:.0} ms"), ""));
        }
    }
    for (what, value) in &measured.more {
        rows.push(row(what, format!("{value:.1}"), ""));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(declared_s: Option<f64>, ok: bool) -> Run {
        let measured = Measured { declared_s, lost: 1, ..Measured::default() };
        let check = Check { name: "declared", ok, text: "in time".to_owned() };
        Run::new("(a)", measured, vec![check], Vec::new())
    }

    #[test]
    fn a_scorecard_shows_the_worst_and_passes_only_if_all_runs_do() {
        let both = Scorecard::new("march-14", 7, vec![run(Some(2.0), true), run(Some(3.0), false)]);
        assert_eq!((both.worst.declared_s, both.worst.lost, both.passed), (Some(3.0), 2, false));
        assert!(Scorecard::new("march-14", 7, vec![run(None, true)]).passed);
        assert!(!Scorecard::new("march-14", 7, Vec::new()).passed);
        let json = serde_json::to_value(&both).unwrap();
        assert_eq!(json["declared_s"], 3.0);
        assert_eq!(json["runs"][0]["declared_s"], 2.0);
        assert!(both.text().contains("FAILED declared: in time"), "{}", both.text());
        assert!(both.markdown().contains("| declared | **not held** | in time |"));
        for public in ["the public told", "longest wait", "components named", "untrue in the end"] {
            assert!(both.text().contains(public), "{public}");
        }
    }
}
