//! What many pages have in common: severities, signs, links, form errors.

use bugle_domain::severity::Severity;

/// A severity as pages draw it: word, shape and colour together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sev(pub(super) Severity);

impl Sev {
    /// The class that colours, which is also the name of the shape.
    pub(super) fn class(self) -> &'static str {
        match self.0 {
            Severity::Critical => "crit",
            Severity::High => "high",
            Severity::Medium => "med",
            Severity::Low => "low",
            Severity::Info => "info",
        }
    }

    /// The shape.
    pub(super) fn icon(self) -> &'static str {
        self.class()
    }

    /// The word.
    pub(super) fn word(self) -> &'static str {
        match self.0 {
            Severity::Critical => "Critical",
            Severity::High => "High",
            Severity::Medium => "Medium",
            Severity::Low => "Low",
            Severity::Info => "Info",
        }
    }
}

/// A link with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Link {
    /// Where to.
    pub(super) href: String,
    /// What it says.
    pub(super) text: String,
}

impl Link {
    /// A link.
    pub(super) fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// One of several views, one of them shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tab {
    /// Where to.
    pub(super) href: String,
    /// What it says.
    pub(super) text: String,
    /// Whether it is shown.
    pub(super) current: bool,
}

/// One choice of a select field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice {
    /// What is sent.
    pub(super) value: String,
    /// What it says.
    pub(super) text: String,
    /// Whether it is chosen.
    pub(super) selected: bool,
}

impl Choice {
    /// A choice, chosen where its value is `chosen`.
    pub(super) fn new(value: impl Into<String>, text: impl Into<String>, chosen: &str) -> Self {
        let value = value.into();
        Self { selected: value == chosen, value, text: text.into() }
    }
}

/// Something wrong with one field of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FieldError {
    /// The id of the field.
    pub(super) field: String,
    /// What to do.
    pub(super) text: String,
}

impl FieldError {
    /// What to do about a field.
    pub(super) fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

/// A name and a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pair {
    /// The name.
    pub(super) key: String,
    /// The value.
    pub(super) value: String,
}

/// Bytes that came in, as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Raw {
    /// How many, and when.
    pub(super) caption: String,
    /// The text; what is not UTF-8 is replaced.
    pub(super) text: String,
}
