//! The section `[watch]`: how Bugle watches itself, and who is told apart from the pipeline.

use std::time::Duration;

use bugle_app::channels::{Limits, Roots, Settings as ChannelSettings, WebhookSettings};
use bugle_app::watch::{Heartbeat, Operators, ProbeAddress};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::revision::{self, ranges};
use bugle_engine::watch::thresholds::Thresholds;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use secrecy::SecretString;
use url::Url;

use super::providers::Providers;
use super::reader::{Noted, Reader};
use super::value;
use super::{DAY, HOUR, MINUTE, SECOND};

/// How Bugle watches itself.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whether it looks at all.
    pub on: bool,
    /// How often canaries are sent, and when they are late. The stages' revision has it from here.
    pub canary: revision::Canary,
    /// What is too old, and how long it is looked at before it is said. Likewise.
    pub ages: revision::Watch,
    /// Certificate authorities that it believes beside the public ones.
    pub roots: Roots,
    /// From when on something else is wrong.
    pub thresholds: Thresholds,
    /// An incident is over when all was well for so long.
    pub recover_after: Duration,
    /// How often a probe is sent that must fail.
    pub control_every: Duration,
    /// Opens what the watch says to sentinels.
    pub key: Option<SecretString>,
    /// Where canaries of each provider go.
    pub probes: Vec<ProbeAddress>,
    /// Who is told apart from the pipeline.
    pub operators: Option<Operators>,
    /// A sign of life for a dead man's switch.
    pub heartbeat: Option<Heartbeat>,
    /// An integration key of the target's, by which a sentinel sends events of its own.
    pub outside_key: Option<SecretString>,
}

/// Reads it.
pub(super) fn watch(
    reader: &mut Reader,
    providers: &Providers,
    roots: Roots,
) -> Result<Watch, Noted> {
    let every = super::duration(reader, "watch.every", Duration::ZERO..=10 * SECOND);
    let late = super::duration(reader, "watch.late_after", ranges::CANARY_LATE);
    let ages = ages(reader);
    let thresholds = thresholds(reader);
    let recover_after = super::duration(reader, "watch.recover_after", SECOND..=HOUR);
    let control_every = super::duration(reader, "watch.control_every", MINUTE..=DAY);
    let key = reader.take_secret("watch.key");
    let outside_key = reader.take_secret("watch.outside_key");
    let probes = probes(reader, providers);
    let operators = operators(reader, providers, &roots);
    let heartbeat = heartbeat(reader);
    Ok(Watch {
        on: !every.as_ref().is_ok_and(Duration::is_zero),
        canary: revision::Canary { every: every?.max(SECOND), late: late? },
        ages: ages?,
        roots,
        thresholds: thresholds?,
        recover_after: recover_after?,
        control_every: control_every?,
        key: key?,
        probes: probes?,
        operators: operators?,
        heartbeat: heartbeat?,
        outside_key: outside_key?,
    })
}

fn ages(reader: &mut Reader) -> Result<revision::Watch, Noted> {
    let mut span = |key: &str, range| super::duration(reader, &format!("watch.{key}"), range);
    let (waiting, red) =
        (span("waiting_after", ranges::AGE), span("declare_after", ranges::RED_AFTER));
    let green_after = span("clear_after", ranges::GREEN_AFTER)?;
    let (age, red_after) = (waiting?, red?);
    Ok(revision::Watch { pending_age: age, owed_age: age, red_after, green_after })
}

fn thresholds(reader: &mut Reader) -> Result<Thresholds, Noted> {
    let mut ms = |key: &str, range| {
        let span = super::duration(reader, &format!("watch.{key}"), range)?;
        Ok(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    };
    let provider_late_ms = ms("provider_late_after", SECOND..=5 * MINUTE);
    let receipt_late_ms = ms("receipt_late_after", SECOND..=HOUR);
    Ok(Thresholds {
        provider_late_ms: provider_late_ms?,
        receipt_late_ms: receipt_late_ms?,
        ..Thresholds::STANDARD
    })
}

fn probes(reader: &mut Reader, providers: &Providers) -> Result<Vec<ProbeAddress>, Noted> {
    let mut probes = Vec::new();
    let mut wrong = None;
    for provider in reader.names_under("watch.probes") {
        for channel in [Channel::Email, Channel::Sms, Channel::Voice] {
            let key = format!("watch.probes.{provider}.{}", channel.as_str());
            let read = reader.take_optional(&key, |value| address(channel, value));
            match read {
                Ok(Some(_)) if !providers.has(&provider) => {
                    let origin = reader.origin_of(&key);
                    let problem = format!("there is no [providers.{provider}]");
                    wrong = Some(reader.note(&key, origin, &problem));
                }
                Ok(Some(address)) => {
                    probes.push(ProbeAddress { provider: provider.clone(), address });
                }
                Ok(None) => (),
                Err(noted) => wrong = Some(noted),
            }
        }
    }
    wrong.map_or(Ok(probes), Err)
}

fn address(channel: Channel, value: &value::Value) -> Result<Address, value::Problem> {
    Address::parse(channel, &value::some_text(value)?).map_err(|error| error.to_string())
}

fn operators(
    reader: &mut Reader,
    providers: &Providers,
    roots: &Roots,
) -> Result<Option<Operators>, Noted> {
    let key = |field: &str| format!("watch.operators.{field}");
    let smtp = providers.smtp(reader, &key("smtp"));
    let twilio = providers.texts(reader, &key("twilio"));
    let mut to = Vec::new();
    for channel in [Channel::Email, Channel::Sms, Channel::Webhook] {
        let list = reader.take(&key(channel.as_str()), |value| {
            let items = value::list(value)?;
            let read = |item: &String| Address::parse(channel, item).map_err(|it| it.to_string());
            items.iter().map(read).collect::<Result<Vec<_>, _>>()
        })?;
        to.extend(list);
    }
    let repeat = super::duration(reader, &key("repeat"), 10 * SECOND..=DAY);
    let (email, sms, repeat) = (chosen(smtp?), chosen(twilio?), repeat?);
    for (field, channel, none) in
        [("email", Channel::Email, email.is_empty()), ("sms", Channel::Sms, sms.is_empty())]
    {
        if none && to.iter().any(|address| address.channel() == channel) {
            let origin = reader.origin_of(&key(field));
            let problem = "nobody is named who sends it: set smtp for mail, twilio for texts";
            return Err(reader.note(&key(field), origin, problem));
        }
    }
    if to.is_empty() {
        return Ok(None);
    }
    // Where an operator's own program is, is the operator's business.
    let anywhere = vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())];
    let limits = Limits { connect: 5 * SECOND, request: 10 * SECOND, rate: None };
    let webhook = WebhookSettings { allow: anywhere, limits };
    let (voice, roots) = (Vec::new(), roots.clone());
    let channels = ChannelSettings { email, sms, voice, webhook, roots };
    Ok(Some(Operators { channels, to, repeat }))
}

/// Only those that the operator named for this, and no other account.
fn chosen<T>((mut all, names): (Vec<T>, Vec<String>)) -> Vec<T> {
    all.truncate(names.len());
    all
}

fn heartbeat(reader: &mut Reader) -> Result<Option<Heartbeat>, Noted> {
    let url = reader.take_optional("watch.heartbeat.url", |value| {
        let text = value::some_text(value)?;
        let url: Option<Url> = text.parse().ok();
        url.filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| format!("must be a URL such as \"https://hc.example/id\", not {text:?}"))
    });
    let every = super::duration(reader, "watch.heartbeat.every", SECOND..=HOUR);
    let (url, every) = (url?, every?);
    Ok(url.map(|url| Heartbeat { url, every }))
}
