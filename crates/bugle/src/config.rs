//! Configuration: one TOML file over the compiled-in defaults, and the environment over both.
//!
//! In two steps: what was said ([`raw`]), then what it means ([`Config`]), where every field is
//! already checked. All mistakes are found in one go. `config/default.toml` is the manual.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bugle_app::channels::Roots;
use bugle_domain::contact::Channel;
use bugle_domain::revision::{self, Retention, Revision, ranges};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use url::Url;

mod mail_in;
mod providers;
mod raw;
mod reader;
mod status;
mod value;
mod watch;

pub use mail_in::MailIn;
pub use providers::ServedBy;
pub use raw::Origin;
use raw::{Entries, Entry};
use reader::{Noted, Reader};
pub use status::Status;
use value::Value;
pub use watch::Watch;

/// The defaults and the manual.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What the program runs with. Holds meanings, not text: every field is already checked.
#[derive(Debug)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// How events are taken in.
    pub intake: Intake,
    /// How messages are sent.
    pub dispatch: revision::Dispatch,
    /// How long things are kept.
    pub retention: Retention,
    /// What is logged.
    pub log: Log,
    /// The channels and their providers, and whom they believe.
    pub channels: bugle_app::channels::Settings,
    /// Who of them serves each channel, the preferred one first.
    pub served_by: ServedBy,
    /// How the operators are told of what is wrong with the installation.
    pub operators: Operators,
    /// How it watches itself, and who is told.
    pub watch: Watch,
    /// What the public is told.
    pub status: Status,
    /// Where mail is taken in; `None`: nowhere.
    pub mail_in: Option<MailIn>,
}

impl Config {
    /// What the stages run with, as far as the configuration says it; the rest is standard.
    pub fn stages(&self) -> Revision {
        let standard = Revision::standard(self.served_by.clone());
        Revision {
            intake: revision::Intake {
                max_body_bytes: self.intake.max_body_bytes,
                ..standard.intake
            },
            dispatch: self.dispatch.clone(),
            retention: self.retention,
            canary: self.watch.canary,
            watch: self.watch.ages,
            ..standard
        }
    }
}

/// The HTTP server.
#[derive(Debug)]
pub struct Server {
    /// Address that it listens on. Port 0: any.
    pub listen: SocketAddr,
    /// What links in messages begin with. `None`: the listen address.
    pub public_url: Option<Url>,
    /// How long a stop may take, 1 s – 5 min.
    pub stop_within: Duration,
    /// Signs webhooks and links, the same on every node. `None`: the data directory keeps one.
    pub key: Option<SecretBox<[u8; 32]>>,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`, which may hold a password. `None`: SQLite in the data
    /// directory.
    pub url: Option<SecretString>,
    /// Connections kept open, 3–200.
    pub connections: u32,
}

/// How events are taken in.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    /// Largest request body, 16 KiB – 16 MiB.
    pub max_body_bytes: u64,
}

/// What is logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// A level, or directives such as `info,bugle_store=debug`.
    pub level: String,
    /// In which form.
    pub format: LogFormat,
}

/// How the operators are told of what is wrong with the installation.
#[derive(Clone, Debug)]
pub struct Operators {
    /// Key of the integration that takes it. `None`: the fallback policy of the operators' tenants.
    pub integration_key: Option<SecretString>,
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The key, with dots; empty where the file itself can't be read.
    pub key: String,
    /// Where it was said.
    pub origin: Origin,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.key.as_str()) {
            (Origin::Default, key) => write!(f, "{key}: {}", self.problem),
            (origin, "") => write!(f, "{origin}: {}", self.problem),
            (origin, key) => write!(f, "{origin}: {key}: {}", self.problem),
        }
    }
}

/// Every mistake in one configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct ConfigErrors {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The mistakes, in the order of the file. At least one.
    pub errors: Vec<ConfigError>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        write!(f, "{count} mistake{} in ", if count == 1 { "" } else { "s" })?;
        match &self.file {
            Some(path) => write!(f, "{}", path.display())?,
            None => f.write_str("the configuration")?,
        }
        self.errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

/// What a configuration is read from.
#[derive(Default)]
pub struct Sources<'a> {
    /// Name and text of the file, if one was named.
    pub file: Option<(&'a Path, &'a str)>,
    /// Variables of the environment.
    pub variables: BTreeMap<String, String>,
    /// Flags of the command line, as key, flag and value; they count most.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// Reads a whole configuration.
///
/// # Errors
///
/// Every problem there is, not just the first, so that an operator can fix it in one pass.
pub fn parse(sources: &Sources<'_>) -> Result<Config, ConfigErrors> {
    let mut entries = Entries::new();
    let mut errors = raw::add_toml(&mut entries, DEFAULTS, true);
    if let Some((_, text)) = sources.file {
        errors.extend(raw::add_toml(&mut entries, text, false));
    }
    raw::add_environment(&mut entries, &sources.variables);
    for (key, flag, value) in &sources.flags {
        let value = Value::Text(value.clone());
        entries.insert((*key).to_owned(), Entry { value, origin: Origin::Flag(flag) });
    }
    let base = sources.file.and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
    let mut reader = Reader::new(entries, errors, base.to_owned());
    let config = read(&mut reader);
    let errors = reader.finish();
    match config {
        Ok(config) if errors.is_empty() => Ok(config),
        _ => {
            let file = sources.file.map(|(path, _)| path.to_owned());
            Err(ConfigErrors { file, errors })
        }
    }
}

fn read(reader: &mut Reader) -> Result<Config, Noted> {
    let server = server(reader);
    let database = database(reader);
    let intake = intake(reader);
    let dispatch = dispatch(reader);
    let retention = retention(reader);
    let log = log(reader);
    let providers = providers::Providers::read(reader);
    let channels = providers::channels(reader, &providers);
    // Where the channels have a mistake nothing starts, whatever is believed.
    let roots = channels.as_ref().map_or_else(|_| Roots::default(), |(it, _)| it.roots.clone());
    let watch = watch::watch(reader, &providers, roots);
    let status = status::status(reader);
    let operators = operators(reader);
    let mail_in = mail_in::mail_in(reader);
    let (channels, served_by) = channels?;
    Ok(Config {
        server: server?,
        database: database?,
        intake: intake?,
        dispatch: dispatch?,
        retention: retention?,
        log: log?,
        channels,
        served_by,
        operators: operators?,
        watch: watch?,
        status: status?,
        mail_in: mail_in?,
    })
}

fn server(reader: &mut Reader) -> Result<Server, Noted> {
    let listen = reader.take("server.listen", |value| value::listen(value, 7_070));
    let public_url = reader.take_optional("server.public_url", value::base_url);
    let stop_within = duration(reader, "server.stop_within", SECOND..=5 * MINUTE);
    let key = reader.take_secret("server.key").and_then(|key| {
        let key = key.map(|key| parse_key(&key).ok_or("must be 64 hexadecimal digits"));
        key.transpose().map_err(|problem| {
            let origin = reader.origin_of("server.key");
            reader.note("server.key", origin, problem)
        })
    });
    Ok(Server { listen: listen?, public_url: public_url?, stop_within: stop_within?, key: key? })
}

/// Reads 32 bytes written as hexadecimal digits.
pub(crate) fn parse_key(text: &SecretString) -> Option<SecretBox<[u8; 32]>> {
    let text = text.expose_secret().trim();
    let mut key = Box::new([0; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(SecretBox::new(key))
}

fn database(reader: &mut Reader) -> Result<Database, Noted> {
    let url = reader.take_secret("database.url");
    let connections = count(reader, "database.connections", 3..=200);
    let url = url?;
    let known = |url: &SecretString| {
        let text = url.expose_secret();
        ["sqlite:", "postgres://", "postgresql://"].iter().any(|start| text.starts_with(start))
    };
    if url.as_ref().is_some_and(|url| !known(url)) {
        let origin = reader.origin_of("database.url");
        let problem = "must begin with sqlite: or postgres://";
        return Err(reader.note("database.url", origin, problem));
    }
    Ok(Database { url, connections: connections? })
}

fn intake(reader: &mut Reader) -> Result<Intake, Noted> {
    let sizes = ranges::MAX_BODY;
    let max_body_bytes = reader.take("intake.max_body", |value| value::size(value, sizes))?;
    Ok(Intake { max_body_bytes })
}

fn dispatch(reader: &mut Reader) -> Result<revision::Dispatch, Noted> {
    use Channel::{Email, Sms, Voice, Webhook};
    let of_revision = Revision::standard(ServedBy::new()).dispatch;
    let parallel = count(reader, "dispatch.parallel", ranges::PARALLEL);
    let bundle_window = duration(reader, "dispatch.bundle_window", ranges::BUNDLE_WINDOW);
    let max_tries = count(reader, "dispatch.max_tries", ranges::MAX_TRIES);
    let redial_after = duration(reader, "dispatch.redial_after", ranges::REDIAL_AFTER);
    let ceiling = |reader: &mut Reader, key: &str| count(reader, key, ranges::PER_HOUR);
    let people = [Email, Sms, Voice];
    let per_hour = each(reader, "dispatch.per_hour", &people, ceiling);
    let urgent_per_hour = each(reader, "dispatch.urgent_per_hour", &people, ceiling);
    let wait = |reader: &mut Reader, key: &str| duration(reader, key, ranges::RECEIPT_WAIT);
    let channels = [Email, Sms, Voice, Webhook];
    let receipt_wait = each(reader, "dispatch.receipt_wait", &channels, wait);
    Ok(revision::Dispatch {
        parallel: parallel?,
        per_hour: per_hour?,
        urgent_per_hour: urgent_per_hour?,
        bundle_window: bundle_window?,
        max_tries: max_tries?,
        receipt_wait: receipt_wait?,
        redial_after: redial_after?,
        ..of_revision
    })
}

/// A key for each of some channels.
fn each<T>(
    reader: &mut Reader,
    section: &str,
    channels: &[Channel],
    read: impl Fn(&mut Reader, &str) -> Result<T, Noted>,
) -> Result<BTreeMap<Channel, T>, Noted> {
    let read: Vec<(Channel, Result<T, Noted>)> = channels
        .iter()
        .map(|channel| (*channel, read(reader, &format!("{section}.{}", channel.as_str()))))
        .collect();
    read.into_iter().map(|(channel, value)| Ok((channel, value?))).collect()
}

fn retention(reader: &mut Reader) -> Result<Retention, Noted> {
    let raw_bytes = duration(reader, "retention.raw_bytes", ranges::RAW_BYTES);
    let history = duration(reader, "retention.history", ranges::HISTORY);
    let log = duration(reader, "retention.log", ranges::LOG);
    Ok(Retention { raw_bytes: raw_bytes?, history: history?, log: log? })
}

fn log(reader: &mut Reader) -> Result<Log, Noted> {
    let level = reader.take("log.level", |value| {
        let text = value::some_text(value)?;
        match text.parse::<tracing_subscriber::EnvFilter>() {
            Ok(_) => Ok(text),
            Err(_) => Err(format!("must be error, warn, info, debug or trace, not {text:?}")),
        }
    });
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = reader.take("log.format", |value| value::choice(value, &formats));
    Ok(Log { level: level?, format: format? })
}

fn operators(reader: &mut Reader) -> Result<Operators, Noted> {
    Ok(Operators { integration_key: reader.take_secret("operators.integration_key")? })
}

fn duration(
    reader: &mut Reader,
    key: &str,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Noted> {
    reader.take(key, |value| value::duration(value, range))
}

fn count(reader: &mut Reader, key: &str, range: RangeInclusive<u32>) -> Result<u32, Noted> {
    reader.take(key, |value| value::count(value, range))
}

#[cfg(test)]
mod tests;
