//! What every drill must show.

use std::collections::BTreeSet;

use serde::Serialize;

use super::public::WAYS_OUT;
use super::scorecard::Measured;

/// Detected and declared at most so long after the injection, with no human, in seconds.
pub(super) const DECLARED_S: f64 = 10.0;
/// The public is told at most so long after the injection, in seconds.
pub(super) const TOLD_S: f64 = 15.0;
/// Updates for the public are at most so far apart, in seconds: a drill's node promises one a
/// minute, looks each second, and is looked at several times in one.
pub(super) const SILENCE_S: f64 = 62.0;
/// Mitigated at most so long after it, where a drill allows that to happen by itself.
pub(super) const MITIGATED_S: f64 = 60.0;
/// Drained in at most this share of the stall.
pub(super) const DRAINED_SHARE: f64 = 0.2;
/// What a drain may take after however short a stall, in seconds: a lost wake-up costs one, and
/// then there is what is noise at the percentile below. Texts wait for each other, but a drain is
/// over when programs were told, which wait for nothing.
pub(super) const DRAINED_FLOOR_S: f64 = 1.0 + P99_FLOOR_MS / 1_000.0;
/// Other tenants' urgent pages may be so much later, as a share.
pub(super) const P99_SHARE: f64 = 0.1;
/// What is noise at that percentile, in milliseconds: a drill has hundreds of pages and not
/// thousands, so that the percentile may be its worst one, and shares its processors with the
/// senders, the phones and whoever measures. A program that was built without optimisation is
/// several times slower.
pub(super) const P99_FLOOR_MS: f64 = if cfg!(debug_assertions) { 3_000.0 } else { 250.0 };

/// One thing that must hold.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What was found, and what may be.
    pub text: String,
}

impl Check {
    /// Something found, that holds or does not.
    pub(super) fn new(name: &'static str, ok: bool, text: impl Into<String>) -> Self {
        Self { name, ok, text: text.into() }
    }
}

/// What applies to a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Expected {
    /// It breaks something, which must be seen.
    pub declared: bool,
    /// It must end by itself.
    pub mitigated: bool,
    /// Work was kept waiting, and must be caught up with.
    pub drained: bool,
    /// There are others, who must not notice.
    pub others: bool,
    /// Components of which the public must be told that they are in trouble, and no others; none:
    /// it must be told of nothing.
    pub named: &'static [&'static str],
}

impl Expected {
    /// Nothing breaks.
    pub(super) const NOTHING: Self =
        Self { declared: false, mitigated: false, drained: false, others: true, named: &[] };
    /// Something that everybody needs breaks, is seen, and ends by itself.
    pub(super) const ALL: Self =
        Self { declared: true, mitigated: true, drained: true, others: false, named: WAYS_OUT };
}

/// Holds what was measured against the gate.
pub(super) fn checks(measured: &Measured, expected: Expected) -> Vec<Check> {
    let mut checks = Vec::new();
    if expected.declared {
        checks.push(within("detected", measured.detected_s, DECLARED_S));
        checks.push(within("declared", measured.declared_s, DECLARED_S));
    } else if let Some(declared) = measured.declared_s {
        checks.push(Check::new("not declared", false, format!("declared after {declared:.1} s")));
    }
    checks.extend(public(measured, expected));
    if expected.mitigated {
        checks.push(within("mitigated", measured.mitigated_s, MITIGATED_S));
    }
    if expected.drained {
        let limit = (measured.stall_s.unwrap_or(0.0) * DRAINED_SHARE).max(DRAINED_FLOOR_S);
        checks.push(within("drained", measured.drained_s, limit));
    }
    checks.extend(reported(measured, expected));
    checks.push(none("lost", measured.lost));
    checks.push(none("duplicated", measured.duplicated));
    checks.push(none("stale", measured.stale));
    checks.push(none("escalations by our delay", measured.escalations));
    if expected.others {
        checks.push(p99(measured));
    }
    checks
}

/// Something that must have come within so many seconds.
pub(super) fn within(name: &'static str, value: Option<f64>, limit: f64) -> Check {
    match value {
        Some(value) => {
            Check::new(name, value <= limit, format!("{value:.1} s, at most {limit:.1}"))
        }
        None => Check::new(name, false, format!("never, at most {limit:.1} s")),
    }
}

/// What the public was told.
fn public(measured: &Measured, expected: Expected) -> Vec<Check> {
    let Measured { named, untrue, silence_s, .. } = measured;
    let listed = |names: &BTreeSet<String>| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let right = named.iter().eq(expected.named);
    let mut checks = vec![
        Check::new("the public page names", right, listed(named)),
        Check::new("untrue in the end", untrue.is_empty(), listed(untrue)),
    ];
    if !expected.named.is_empty() {
        checks.insert(0, within("the public told", measured.first_post_s, TOLD_S));
        checks.push(within("the public told again", *silence_s, SILENCE_S));
    } else if let Some(told) = measured.first_post_s {
        checks.push(Check::new("the public not told", false, format!("told after {told:.1} s")));
    }
    checks
}

/// Whether incidents were reported, with the numbers of the books.
fn reported(measured: &Measured, expected: Expected) -> Option<Check> {
    const NAME: &str = "incident reports agree with the ledger";
    let (drafts, wrong) = (measured.incident_reports.len(), &measured.misreported);
    if let Some(wrong) = wrong.first() {
        return Some(Check::new(NAME, false, wrong.clone()));
    }
    let text = if drafts == 0 { "there is none".to_owned() } else { drafts.to_string() };
    (expected.declared || drafts > 0).then(|| Check::new(NAME, drafts > 0, text))
}

fn none(name: &'static str, count: u64) -> Check {
    Check::new(name, count == 0, count.to_string())
}

fn p99(measured: &Measured) -> Check {
    const NAME: &str = "other tenants' urgent p99";
    let both = measured.others_p99_before_ms.zip(measured.others_p99_during_ms);
    let Some((before, during)) = both else {
        return Check::new(NAME, false, "nobody was told before it, or while it lasted");
    };
    let limit = (before * (1.0 + P99_SHARE)).max(before + P99_FLOOR_MS);
    let text = format!("{during:.0} ms, before it {before:.0} ms, at most {limit:.0}");
    Check::new(NAME, during <= limit, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let some = Some;
        Measured {
            detected_s: some(4.0),
            declared_s: some(4.0),
            first_post_s: some(6.0),
            silence_s: some(9.0),
            named: WAYS_OUT.iter().map(|name| (*name).to_owned()).collect(),
            incident_reports: vec!["# Incident report".to_owned()],
            mitigated_s: some(9.0),
            drained_s: some(1.0),
            stall_s: some(9.0),
            others_p99_before_ms: some(9.0),
            others_p99_during_ms: some(9.0),
            ..Measured::default()
        }
    }

    fn fails(measured: &Measured) -> Vec<&'static str> {
        let checks = checks(measured, Expected { others: true, ..Expected::ALL });
        checks.into_iter().filter(|check| !check.ok).map(|check| check.name).collect()
    }

    #[test]
    fn each_measure_has_its_line() {
        assert_eq!(fails(&measured()), Vec::<&str>::new());
        assert_eq!(fails(&Measured { detected_s: None, ..measured() }), ["detected"]);
        assert_eq!(fails(&Measured { declared_s: Some(10.1), ..measured() }), ["declared"]);
        assert_eq!(fails(&Measured { mitigated_s: Some(61.0), ..measured() }), ["mitigated"]);
        assert_eq!(fails(&Measured { lost: 1, ..measured() }), ["lost"]);
        assert_eq!(fails(&Measured { duplicated: 1, ..measured() }), ["duplicated"]);
        assert_eq!(fails(&Measured { stale: 1, ..measured() }), ["stale"]);
        let told = |first_post_s| Measured { first_post_s, ..measured() };
        assert_eq!(fails(&told(Some(15.1))), ["the public told"]);
        assert_eq!(fails(&told(None)), ["the public told"]);
        let silent = Measured { silence_s: Some(63.0), ..measured() };
        assert_eq!(fails(&silent), ["the public told again"]);
        let mut more = measured();
        more.named.insert("API".to_owned());
        assert_eq!(fails(&more), ["the public page names"]);
        let fewer = Measured { named: BTreeSet::new(), ..measured() };
        assert_eq!(fails(&fewer), ["the public page names"]);
        let untrue = BTreeSet::from(["API".to_owned()]);
        assert_eq!(fails(&Measured { untrue, ..measured() }), ["untrue in the end"]);
        let misreported = BTreeSet::from(["one more".to_owned()]);
        let report = ["incident reports agree with the ledger"];
        assert_eq!(fails(&Measured { misreported, ..measured() }), report);
        assert_eq!(fails(&Measured { incident_reports: Vec::new(), ..measured() }), report);
        let late = Measured { escalations: 1, ..measured() };
        assert_eq!(fails(&late), ["escalations by our delay"]);
    }

    #[test]
    fn a_drain_is_held_against_the_stall_and_a_floor() {
        let short = |drained_s| Measured { drained_s, stall_s: Some(0.5), ..measured() };
        assert_eq!(fails(&short(Some(DRAINED_FLOOR_S))), Vec::<&str>::new());
        assert_eq!(fails(&short(Some(DRAINED_FLOOR_S + 0.1))), ["drained"]);
        assert_eq!(fails(&short(None)), ["drained"]);
        let long = Measured { stall_s: Some(1_200.0), drained_s: Some(239.0), ..measured() };
        assert_eq!(fails(&long), Vec::<&str>::new());
        assert_eq!(fails(&Measured { drained_s: Some(241.0), ..long }), ["drained"]);
    }

    #[test]
    fn other_tenants_may_be_a_tenth_later() {
        let others = |before, during| Measured {
            others_p99_before_ms: Some(before),
            others_p99_during_ms: Some(during),
            ..measured()
        };
        let noise = 10.0 + P99_FLOOR_MS;
        assert_eq!(fails(&others(10.0, noise)), Vec::<&str>::new());
        assert_eq!(fails(&others(10.0, noise + 1.0)), ["other tenants' urgent p99"]);
        assert_eq!(fails(&others(40_000.0, 43_999.0)), Vec::<&str>::new());
        assert_eq!(fails(&others(40_000.0, 44_001.0)), ["other tenants' urgent p99"]);
        let unknown = Measured { others_p99_during_ms: None, ..measured() };
        assert_eq!(fails(&unknown), ["other tenants' urgent p99"], "what is missing does not pass");
    }
}
