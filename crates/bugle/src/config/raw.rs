//! What was said before anything is checked: the defaults, the file and the environment in layers.
//!
//! Keys are paths with dots (`channels.webhook.allow`). Where several layers name a key the later
//! one counts, and every entry remembers where it came from, so that a mistake can be pointed at.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::value::Value;

/// What the name of every variable that sets a key begins with.
const ENV_PREFIX: &str = "BUGLE__";

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The manual that is compiled in.
    Default,
    /// A line of the configuration file, 1-based.
    Line(usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One key's value and origin.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    /// The value.
    pub(super) value: Value,
    /// Where it came from.
    pub(super) origin: Origin,
}

/// All entries, by key.
pub(super) type Entries = BTreeMap<String, Entry>;

/// Reads a TOML text into `entries`, over what is there. Returns what is wrong with its form.
pub(super) fn add_toml(entries: &mut Entries, text: &str, default: bool) -> Vec<ConfigError> {
    let (table, mistakes) = DeTable::parse_recoverable(text);
    let mut errors: Vec<ConfigError> = mistakes
        .iter()
        .map(|mistake| ConfigError {
            key: String::new(),
            origin: Origin::Line(mistake.span().map_or(1, |span| line_of(text, span.start))),
            problem: mistake.message().to_owned(),
        })
        .collect();
    if errors.is_empty() {
        let layer = Layer { text, default };
        layer.flatten("", table.get_ref(), entries, &mut errors);
    }
    errors
}

/// One TOML text being read.
struct Layer<'a> {
    text: &'a str,
    default: bool,
}

impl Layer<'_> {
    fn flatten(
        &self,
        path: &str,
        table: &DeTable<'_>,
        entries: &mut Entries,
        errors: &mut Vec<ConfigError>,
    ) {
        for (name, value) in table {
            let key = join(path, name.get_ref());
            let origin = if self.default {
                Origin::Default
            } else {
                Origin::Line(line_of(self.text, name.span().start))
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.flatten(&key, inner, entries, errors);
                continue;
            }
            match plain(value.get_ref()) {
                Ok(value) => drop(entries.insert(key, Entry { value, origin })),
                Err(problem) => errors.push(ConfigError { key, origin, problem }),
            }
        }
    }
}

fn plain(value: &DeValue<'_>) -> Result<Value, String> {
    match value {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| "is too large a number".to_owned()),
        DeValue::Boolean(flag) => Ok(Value::Bool(*flag)),
        DeValue::Array(items) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .map(Value::List)
            .ok_or_else(|| "must be a list of texts in quotes".to_owned()),
        DeValue::Float(_) => Err("must not have a decimal point".to_owned()),
        DeValue::Datetime(_) => Err("must be in quotes".to_owned()),
        DeValue::Table(_) => Err("must not be a table".to_owned()),
    }
}

/// Adds what `BUGLE__SECTION__KEY` variables say, over what is there.
pub(super) fn add_environment<'a>(
    entries: &mut Entries,
    variables: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    for (name, value) in variables {
        let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
        let key = path.to_lowercase().replace("__", ".");
        let value = Value::Text(value.clone());
        entries.insert(key, Entry { value, origin: Origin::Variable(name.clone()) });
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
