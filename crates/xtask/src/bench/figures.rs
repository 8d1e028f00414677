//! The figures, what they should be, and how they are shown.

use std::fmt::Write as _;

use serde::Serialize;

/// One measured figure.
#[derive(Clone, Serialize, Debug)]
pub(super) struct Figure {
    pub(super) name: String,
    /// `sqlite`, `postgres`, or `none` for what has nothing to do with one.
    pub(super) database: &'static str,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What it should at least, or at most, be.
    pub(super) target: Option<f64>,
    /// What the machine itself can do, measured in the same run.
    pub(super) yardstick: Option<f64>,
    /// Which yardstick that is.
    pub(super) yardstick_name: Option<String>,
    /// Value by yardstick.
    pub(super) ratio: Option<f64>,
    /// `null` where there is no target.
    pub(super) passed: Option<bool>,
}

/// All figures of a run.
#[derive(Default, Serialize, Debug)]
pub(super) struct Report {
    pub(super) figures: Vec<Figure>,
    /// Every target was met.
    pub(super) passed: bool,
}

impl Figure {
    /// A figure without a target.
    pub(super) fn new(
        name: impl Into<String>,
        database: &'static str,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            name: name.into(),
            database,
            value,
            unit,
            target: None,
            yardstick: None,
            yardstick_name: None,
            ratio: None,
            passed: None,
        }
    }

    /// It should be at least this.
    pub(super) fn at_least(self, target: f64) -> Self {
        let passed = self.value >= target;
        Self { target: Some(target), passed: Some(passed), ..self }
    }

    /// It should be at most this.
    pub(super) fn at_most(self, target: f64) -> Self {
        let passed = self.value <= target;
        Self { target: Some(target), passed: Some(passed), ..self }
    }

    /// Puts what the machine itself can do beside it, if that was measured.
    pub(super) fn beside(self, yardstick: Option<&Figure>) -> Self {
        let Some(yardstick) = yardstick.filter(|yardstick| yardstick.value > 0.0) else {
            return self;
        };
        Self {
            yardstick: Some(yardstick.value),
            yardstick_name: Some(yardstick.name.clone()),
            ratio: Some(self.value / yardstick.value),
            ..self
        }
    }
}

impl Report {
    /// Adds a figure, and says it at once to whoever waits.
    pub(super) fn add(&mut self, figure: Figure) {
        eprintln!("    {}", line(&figure));
        self.figures.push(figure);
    }

    /// The figure of this name, of this database or of none.
    pub(super) fn find(&self, name: &str, database: &str) -> Option<&Figure> {
        self.figures
            .iter()
            .find(|figure| figure.name == name && [database, "none"].contains(&figure.database))
    }

    /// Sums it up.
    pub(super) fn finish(&mut self) {
        self.passed = self.figures.iter().all(|figure| figure.passed != Some(false));
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for figure in &self.figures {
            let _ = writeln!(text, "{}", line(figure));
        }
        let missed = self.figures.iter().filter(|figure| figure.passed == Some(false)).count();
        let _ = match missed {
            0 => writeln!(text, "every target was met"),
            1 => writeln!(text, "one target was missed"),
            more => writeln!(text, "{more} targets were missed"),
        };
        text
    }
}

fn line(figure: &Figure) -> String {
    let verdict = match figure.passed {
        Some(true) => "ok",
        Some(false) => "MISSED",
        None => "",
    };
    let target = figure.target.map(|target| format!("target {}", number(target)));
    let yardstick = figure.yardstick_name.as_deref().zip(figure.ratio).map(|(name, ratio)| {
        format!("{} × {name} ({})", number(ratio), number(figure.yardstick.unwrap_or(0.0)))
    });
    let line = format!(
        "{:<9} {:<36} {:>10} {:<9} {:<14} {verdict:<7} {}",
        figure.database,
        figure.name,
        number(figure.value),
        figure.unit,
        target.unwrap_or_default(),
        yardstick.unwrap_or_default()
    );
    line.trim_end().to_owned()
}

/// With three figures that count, or none after the point where there are more before it.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_met_from_the_right_side() {
        let figure = || Figure::new("a", "sqlite", 5.0, "ms");
        assert_eq!(figure().at_least(5.0).passed, Some(true));
        assert_eq!(figure().at_most(4.9).passed, Some(false));
        assert_eq!(figure().passed, None);
        let yardstick = Figure::new("b", "none", 10.0, "ms");
        assert_eq!(figure().beside(Some(&yardstick)).ratio, Some(0.5));
    }

    #[test]
    fn one_missed_target_fails_the_report() {
        let mut report = Report::default();
        report.figures.push(Figure::new("a", "sqlite", 5.0, "ms").at_least(1.0));
        report.finish();
        assert!(report.passed);
        report.figures.push(Figure::new("b", "sqlite", 12_345.6, "1/s").at_least(20_000.0));
        report.finish();
        assert!(!report.passed);
        assert!(report.table().contains("12346"), "{}", report.table());
        assert!(report.table().ends_with("one target was missed\n"));
    }
}
