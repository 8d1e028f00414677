//! Reading a document: what was said, key by key, and what it means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::{
    Alerting, Canary, Contract, Dispatch, Intake, Responses, Retention, Revision, Watch, ranges,
};
use crate::contact::Channel;
use crate::units::{ShownDuration, ShownSize, parse_duration, parse_size};

/// One mistake in a document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mistake {
    /// The key, with dots; empty where the document itself can't be read.
    pub key: String,
    /// Its line, 1-based; 0 where it has none.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.key.as_str()) {
            (0, "") => f.write_str(&self.problem),
            (0, key) => write!(f, "{key} {}", self.problem),
            (line, "") => write!(f, "line {line}: {}", self.problem),
            (line, key) => write!(f, "line {line}: {key} {}", self.problem),
        }
    }
}

/// Every mistake in a document. At least one.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&text.join("; "))
    }
}

/// A value as the document gives it.
#[derive(Clone, PartialEq, Debug)]
enum Said {
    Text(String),
    Integer(i64),
    List(Vec<Said>),
}

/// A mistake was noted; all of them are told at the end.
struct Noted;

type Read<T> = Result<T, Noted>;

/// What is said and not read yet, and the mistakes so far.
struct Reader {
    said: BTreeMap<String, (Said, usize)>,
    mistakes: Vec<Mistake>,
}

/// Reads a whole document.
pub(super) fn revision(text: &str) -> Result<Revision, Mistakes> {
    if text.len() > ranges::DOCUMENT_BYTES {
        let (is, limit) = (text.len(), ranges::DOCUMENT_BYTES);
        let problem = format!("the document has {is} bytes, and {limit} are the limit");
        return Err(Mistakes(vec![Mistake { key: String::new(), line: 0, problem }]));
    }
    let mut reader = Reader::new(text)?;
    let read = sections(&mut reader);
    for (key, (_, line)) in std::mem::take(&mut reader.said) {
        reader.note(&key, line, "is not a setting of the stages");
    }
    match read {
        Ok(revision) if reader.mistakes.is_empty() => Ok(revision),
        _ => {
            reader.mistakes.sort_by_key(|mistake| mistake.line);
            Err(Mistakes(reader.mistakes))
        }
    }
}

fn sections(reader: &mut Reader) -> Read<Revision> {
    let intake = intake(reader);
    let alerting = alerting(reader);
    let dispatch = dispatch(reader);
    let responses = reader.versions("responses.accepts");
    let channels = channels(reader);
    let retention = retention(reader);
    let canary = canary(reader);
    let watch = watch(reader);
    Ok(Revision {
        intake: intake?,
        alerting: alerting?,
        dispatch: dispatch?,
        responses: Responses { accepts: responses? },
        channels: channels?,
        retention: retention?,
        canary: canary?,
        watch: watch?,
    })
}

fn intake(reader: &mut Reader) -> Read<Intake> {
    let writes = reader.version("intake.writes");
    let max_body_bytes = reader.size("intake.max_body", &ranges::MAX_BODY);
    Ok(Intake { writes: writes?, max_body_bytes: max_body_bytes? })
}

fn alerting(reader: &mut Reader) -> Read<Alerting> {
    let accepts = reader.versions("alerting.accepts");
    let writes = reader.version("alerting.writes");
    let lanes = reader.names("alerting.lanes");
    Ok(Alerting { accepts: accepts?, writes: writes?, lanes: lanes?.into_iter().collect() })
}

fn dispatch(reader: &mut Reader) -> Read<Dispatch> {
    use Channel::{Email, Sms, Voice};
    let people = [Email, Sms, Voice];
    let per_hour = |reader: &mut Reader, key: &str| reader.count(key, &ranges::PER_HOUR);
    let wait = |reader: &mut Reader, key: &str| reader.span(key, &ranges::RECEIPT_WAIT);
    let accepts = reader.versions("dispatch.accepts");
    let writes = reader.version("dispatch.writes");
    let lanes = reader.names("dispatch.lanes");
    let parallel = reader.count("dispatch.parallel", &ranges::PARALLEL);
    let bundle_window = reader.span("dispatch.bundle_window", &ranges::BUNDLE_WINDOW);
    let max_tries = reader.count("dispatch.max_tries", &ranges::MAX_TRIES);
    let redial_after = reader.span("dispatch.redial_after", &ranges::REDIAL_AFTER);
    let quiet = reader.each("dispatch.per_hour", &people, per_hour);
    let urgent = reader.each("dispatch.urgent_per_hour", &people, per_hour);
    let receipt_wait = reader.each("dispatch.receipt_wait", &Channel::ALL, wait);
    Ok(Dispatch {
        accepts: accepts?,
        writes: writes?,
        lanes: lanes?.into_iter().collect(),
        parallel: parallel?,
        bundle_window: bundle_window?,
        max_tries: max_tries?,
        redial_after: redial_after?,
        per_hour: quiet?,
        urgent_per_hour: urgent?,
        receipt_wait: receipt_wait?,
    })
}

fn channels(reader: &mut Reader) -> Read<BTreeMap<Channel, Vec<String>>> {
    let names = |reader: &mut Reader, key: &str| reader.names(&format!("{key}.providers"));
    reader.each("channels", &Channel::ALL, names)
}

fn retention(reader: &mut Reader) -> Read<Retention> {
    let raw_bytes = reader.span("retention.raw_bytes", &ranges::RAW_BYTES);
    let history = reader.span("retention.history", &ranges::HISTORY);
    let log = reader.span("retention.log", &ranges::LOG);
    Ok(Retention { raw_bytes: raw_bytes?, history: history?, log: log? })
}

fn canary(reader: &mut Reader) -> Read<Canary> {
    let every = reader.span("canary.every", &ranges::CANARY_EVERY);
    let late = reader.span("canary.late", &ranges::CANARY_LATE);
    Ok(Canary { every: every?, late: late? })
}

fn watch(reader: &mut Reader) -> Read<Watch> {
    let pending_age = reader.span("watch.pending_age", &ranges::AGE);
    let owed_age = reader.span("watch.owed_age", &ranges::AGE);
    let red_after = reader.span("watch.red_after", &ranges::RED_AFTER);
    let green_after = reader.span("watch.green_after", &ranges::GREEN_AFTER);
    Ok(Watch {
        pending_age: pending_age?,
        owed_age: owed_age?,
        red_after: red_after?,
        green_after: green_after?,
    })
}

impl Reader {
    /// Takes the text apart, unless it is no TOML.
    fn new(text: &str) -> Result<Self, Mistakes> {
        let mut reader = Self { said: BTreeMap::new(), mistakes: Vec::new() };
        let (table, wrong) = DeTable::parse_recoverable(text);
        for error in wrong {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            reader.note("", line, error.message());
        }
        if !reader.mistakes.is_empty() {
            return Err(Mistakes(reader.mistakes));
        }
        reader.flatten("", table.get_ref(), text);
        Ok(reader)
    }

    fn flatten(&mut self, path: &str, table: &DeTable<'_>, text: &str) {
        for (name, value) in table {
            let dot = if path.is_empty() { "" } else { "." };
            let key = format!("{path}{dot}{}", name.get_ref());
            let line = line_of(text, name.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => self.flatten(&key, inner, text),
                value => match said(value) {
                    Some(value) => drop(self.said.insert(key, (value, line))),
                    None => self.note(&key, line, "must be a text, a whole number or a list"),
                },
            }
        }
    }

    fn note(&mut self, key: &str, line: usize, problem: &str) {
        self.mistakes.push(Mistake { key: key.to_owned(), line, problem: problem.to_owned() });
    }

    fn take<T>(&mut self, key: &str, read: impl FnOnce(&Said) -> Result<T, String>) -> Read<T> {
        let Some((said, line)) = self.said.remove(key) else {
            // Where it could not be flattened its mistake stands already.
            if !self.mistakes.iter().any(|mistake| mistake.key == key) {
                self.note(key, 0, "is missing");
            }
            return Err(Noted);
        };
        read(&said).map_err(|problem| {
            self.note(key, line, &problem);
            Noted
        })
    }

    fn each<T>(
        &mut self,
        section: &str,
        channels: &[Channel],
        mut read: impl FnMut(&mut Self, &str) -> Read<T>,
    ) -> Read<BTreeMap<Channel, T>> {
        let all: Vec<(Channel, Read<T>)> = channels
            .iter()
            .map(|channel| (*channel, read(self, &format!("{section}.{}", channel.as_str()))))
            .collect();
        all.into_iter().map(|(channel, value)| Ok((channel, value?))).collect()
    }

    fn count(&mut self, key: &str, range: &RangeInclusive<u32>) -> Read<u32> {
        self.take(key, |said| count(said, range))
    }

    fn version(&mut self, key: &str) -> Read<Contract> {
        self.take(key, contract)
    }

    fn versions(&mut self, key: &str) -> Read<BTreeSet<Contract>> {
        self.take(key, |said| items(said)?.iter().map(contract).collect())
    }

    fn span(&mut self, key: &str, range: &RangeInclusive<Duration>) -> Read<Duration> {
        self.take(key, |said| {
            let read = if let Said::Text(text) = said { parse_duration(text.trim()) } else { None };
            let read = read.ok_or("must be a duration in quotes, such as \"30s\" or \"5m\"")?;
            let (from, to) = (ShownDuration(*range.start()), ShownDuration(*range.end()));
            let wrong = || format!("must be from {from} to {to}");
            range.contains(&read).then_some(read).ok_or_else(wrong)
        })
    }

    fn size(&mut self, key: &str, range: &RangeInclusive<u64>) -> Read<u64> {
        self.take(key, |said| {
            let read = if let Said::Text(text) = said { parse_size(text.trim()) } else { None };
            let read = read.ok_or("must be a size in quotes, such as \"512 KiB\"")?;
            let (from, to) = (ShownSize(*range.start()), ShownSize(*range.end()));
            let wrong = || format!("must be from {from} to {to}");
            range.contains(&read).then_some(read).ok_or_else(wrong)
        })
    }

    fn names(&mut self, key: &str) -> Read<Vec<String>> {
        self.take(key, |said| {
            let mut names = Vec::new();
            for item in items(said)? {
                let read = name(item)?;
                if names.contains(&read) {
                    return Err(format!("names {read:?} twice"));
                }
                names.push(read);
            }
            Ok(names)
        })
    }
}

fn said(value: &DeValue<'_>) -> Option<Said> {
    match value {
        DeValue::String(text) => Some(Said::Text(text.to_string())),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Said::Integer)
        }
        DeValue::Array(items) => {
            items.iter().map(|item| said(item.get_ref())).collect::<Option<_>>().map(Said::List)
        }
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn items(said: &Said) -> Result<&[Said], String> {
    match said {
        Said::List(items) if items.len() <= ranges::LIST => Ok(items),
        Said::List(_) => Err(format!("must have at most {} entries", ranges::LIST)),
        Said::Text(_) | Said::Integer(_) => Err("must be a list in [ ]".to_owned()),
    }
}

fn name(said: &Said) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match said {
        Said::Text(text)
            if !text.is_empty() && text.len() <= ranges::NAME && text.chars().all(plain) =>
        {
            Ok(text.clone())
        }
        _ => Err("must be of names in quotes, of small letters, digits and _".to_owned()),
    }
}

fn count(said: &Said, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let read = match said {
        Said::Integer(number) => u32::try_from(*number).ok(),
        Said::Text(_) | Said::List(_) => None,
    };
    read.filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
}

fn contract(said: &Said) -> Result<Contract, String> {
    let wrong = |_| "must be a smaller number".to_owned();
    count(said, &ranges::CONTRACT).and_then(|number| Contract::try_from(number).map_err(wrong))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
