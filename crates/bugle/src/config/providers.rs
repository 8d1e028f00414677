//! The sections `[channels]` and `[providers.NAME]`: which providers there are, in which order.

use std::collections::BTreeMap;

use bugle_app::channels::{
    LONGEST_REQUEST, Limits, Login, Rate, Roots, Settings, SmtpSecurity, SmtpSettings,
    TwilioSettings, WebhookSettings,
};
use bugle_domain::contact::Channel;
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::reader::{Noted, Reader};
use super::value::{self, Problem, Value};
use super::{MINUTE, SECOND};

/// Who serves each channel, the preferred one first.
pub type ServedBy = BTreeMap<Channel, Vec<String>>;

/// The name of the one provider of webhooks: ourselves.
const OWN: &str = "webhook";
/// Longest name of a provider.
const MAX_NAME: usize = 32;

/// Largest file of certificate authorities, in bytes: more than all public ones together.
const MAX_ROOTS_BYTES: u64 = 1_024 * 1_024;

/// One provider, of whatever kind.
enum Provider {
    Smtp(SmtpSettings),
    Twilio {
        settings: TwilioSettings,
        sms_from: Option<String>,
    },
    /// It has a mistake, which was noted.
    Wrong,
}

/// All providers that are described, used or not.
pub(super) struct Providers(Vec<(String, Provider)>);

impl Providers {
    /// Reads `[providers.NAME]`.
    pub(super) fn read(reader: &mut Reader) -> Self {
        let names = reader.names_under("providers");
        let read = names.into_iter().map(|name| {
            let provider = provider(reader, &name).unwrap_or(Provider::Wrong);
            (name, provider)
        });
        Self(read.collect())
    }

    /// Whether there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// All mail servers, those that the list at `key` names first; and these names.
    pub(super) fn smtp(
        &self,
        reader: &mut Reader,
        key: &str,
    ) -> Result<(Vec<SmtpSettings>, Vec<String>), Noted> {
        chosen(reader, key, "smtp", &self.0, |provider| match provider {
            Provider::Smtp(settings) => Some(settings.clone()),
            Provider::Twilio { .. } | Provider::Wrong => None,
        })
    }

    /// All accounts as they send texts, those that the list at `key` names first; and these names.
    pub(super) fn texts(
        &self,
        reader: &mut Reader,
        key: &str,
    ) -> Result<(Vec<TwilioSettings>, Vec<String>), Noted> {
        chosen(reader, key, "twilio", &self.0, |provider| match provider {
            Provider::Twilio { settings, sms_from } => Some(TwilioSettings {
                from: sms_from.clone().unwrap_or_else(|| settings.from.clone()),
                ..settings.clone()
            }),
            Provider::Smtp(_) | Provider::Wrong => None,
        })
    }

    fn calls(
        &self,
        reader: &mut Reader,
        key: &str,
    ) -> Result<(Vec<TwilioSettings>, Vec<String>), Noted> {
        chosen(reader, key, "twilio", &self.0, |provider| match provider {
            Provider::Twilio { settings, .. } => Some(settings.clone()),
            Provider::Smtp(_) | Provider::Wrong => None,
        })
    }
}

/// Reads `[channels]`.
pub(super) fn channels(
    reader: &mut Reader,
    providers: &Providers,
) -> Result<(Settings, ServedBy), Noted> {
    let email = providers.smtp(reader, "channels.email");
    let sms = providers.texts(reader, "channels.sms");
    let voice = providers.calls(reader, "channels.voice");
    let webhook = webhook(reader);
    let roots = roots(reader);
    let ((email, by_mail), (sms, by_text), (voice, by_call)) = (email?, sms?, voice?);
    let served_by = ServedBy::from([
        (Channel::Email, by_mail),
        (Channel::Sms, by_text),
        (Channel::Voice, by_call),
        (Channel::Webhook, vec![OWN.to_owned()]),
    ]);
    let settings = Settings { email, sms, voice, webhook: webhook?, roots: roots? };
    Ok((settings, served_by))
}

/// All providers of `kind`, those that the list at `key` names first; and these names.
fn chosen<T>(
    reader: &mut Reader,
    key: &str,
    kind: &str,
    providers: &[(String, Provider)],
    pick: impl Fn(&Provider) -> Option<T>,
) -> Result<(Vec<T>, Vec<String>), Noted> {
    let names = reader.take(key, value::list)?;
    let mut picked = Vec::new();
    for name in &names {
        let origin = reader.origin_of(key);
        match providers.iter().find(|(other, _)| other == name) {
            Some((_, Provider::Wrong)) => (),
            Some((_, provider)) => match pick(provider) {
                Some(settings) => picked.push(settings),
                None => {
                    reader.note(key, origin, &format!("{name:?} is not of kind {kind}"));
                }
            },
            None => {
                reader.note(key, origin, &format!("there is no [providers.{name}]"));
            }
        }
    }
    if picked.len() != names.len() {
        return Err(Noted);
    }
    let others = providers.iter().filter(|(name, _)| !names.contains(name));
    picked.extend(others.filter_map(|(_, provider)| pick(provider)));
    Ok((picked, names))
}

fn provider(reader: &mut Reader, name: &str) -> Result<Provider, Noted> {
    let key = |field: &str| format!("providers.{name}.{field}");
    let kinds = [("smtp", true), ("twilio", false)];
    let kind = reader.take(&key("kind"), |value| value::choice(value, &kinds));
    let smtp = kind.inspect_err(|Noted| reader.pass_over(&format!("providers.{name}")))?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.chars().all(plain) || name.len() > MAX_NAME {
        let origin = reader.origin_of(&key("kind"));
        reader.note(&key("kind"), origin, "the name must be of small letters, digits and _");
    }
    let limits = limits(reader, &format!("providers.{name}"));
    if smtp {
        smtp_settings(reader, name, limits).map(Provider::Smtp)
    } else {
        twilio_settings(reader, name, limits)
    }
}

fn smtp_settings(
    reader: &mut Reader,
    name: &str,
    limits: Result<Limits, Noted>,
) -> Result<SmtpSettings, Noted> {
    let key = |field: &str| format!("providers.{name}.{field}");
    let kinds = [
        ("starttls", SmtpSecurity::StartTls),
        ("tls", SmtpSecurity::Tls),
        ("none", SmtpSecurity::None),
    ];
    let host = reader.take(&key("host"), value::some_text);
    let security = reader
        .take_optional(&key("security"), |value| value::choice(value, &kinds))
        .map(|security| security.unwrap_or(SmtpSecurity::StartTls));
    let port = reader.take_optional(&key("port"), port);
    let user = reader.take_optional(&key("user"), value::some_text);
    let password = reader.take_secret(&key("password"));
    let from = reader.take(&key("from"), value::some_text);
    let login = match (user?, password?) {
        (Some(user), Some(password)) => Some(Login { user, password }),
        (None, None) => None,
        _ => {
            let origin = reader.origin_of(&key("user"));
            let problem = "needs a password, and a password needs a user";
            return Err(reader.note(&key("user"), origin, problem));
        }
    };
    let security = security?;
    let usual_port = match security {
        SmtpSecurity::StartTls => 587,
        SmtpSecurity::Tls => 465,
        SmtpSecurity::None => 25,
    };
    Ok(SmtpSettings {
        name: name.to_owned(),
        host: host?,
        port: port?.unwrap_or(usual_port),
        security,
        login,
        from: from?,
        limits: limits?,
    })
}

fn twilio_settings(
    reader: &mut Reader,
    name: &str,
    limits: Result<Limits, Noted>,
) -> Result<Provider, Noted> {
    let key = |field: &str| format!("providers.{name}.{field}");
    let account_sid = reader.take(&key("account_sid"), |value| {
        let text = value::some_text(value)?;
        let fits = text.starts_with("AC") && text.len() == 34;
        if fits { Ok(text) } else { Err("must be AC and 32 more characters".to_owned()) }
    });
    let auth_token = needed_secret(reader, &key("auth_token"));
    let from = reader.take(&key("from"), value::some_text);
    let sms_from = reader.take_optional(&key("sms_from"), value::some_text);
    let api_url = reader.take_optional(&key("api_url"), value::base_url);
    let settings = TwilioSettings {
        name: name.to_owned(),
        api_base: match api_url? {
            Some(url) => url,
            None => Url::parse("https://api.twilio.com").map_err(|_| Noted)?,
        },
        account_sid: account_sid?,
        auth_token: auth_token?,
        callback_keys: Vec::new(),
        from: from?,
        limits: limits?,
    };
    Ok(Provider::Twilio { settings, sms_from: sms_from? })
}

fn needed_secret(reader: &mut Reader, key: &str) -> Result<SecretString, Noted> {
    reader.take_secret(key)?.ok_or_else(|| {
        let origin = reader.origin_of(key);
        reader.note(key, origin, &format!("is missing; {key}_file may name a file instead"))
    })
}

fn webhook(reader: &mut Reader) -> Result<WebhookSettings, Noted> {
    let allow = reader.take("channels.webhook.allow", |value| {
        let items = value::list(value)?;
        let range = |item: &String| {
            item.parse::<IpNet>()
                .map_err(|_| format!("must be ranges such as \"10.0.0.0/8\", and has {item:?}"))
        };
        items.iter().map(range).collect::<Result<Vec<IpNet>, Problem>>()
    });
    let limits = limits(reader, "channels.webhook");
    Ok(WebhookSettings { allow: allow?, limits: limits? })
}

fn roots(reader: &mut Reader) -> Result<Roots, Noted> {
    let roots = reader.take_file("outbound.roots_file", MAX_ROOTS_BYTES, |pem| {
        Roots::parse(pem).map_err(|error| error.to_string())
    })?;
    Ok(roots.unwrap_or_default())
}

fn limits(reader: &mut Reader, section: &str) -> Result<Limits, Noted> {
    let key = |field: &str| format!("{section}.{field}");
    let connect = reader.take_optional(&key("connect_timeout"), |value| {
        value::duration(value, SECOND..=30 * SECOND)
    });
    let request = reader.take_optional(&key("request_timeout"), |value| {
        value::duration(value, SECOND..=LONGEST_REQUEST)
    });
    let rate = reader.take_optional(&key("rate"), rate);
    Ok(Limits {
        connect: connect?.unwrap_or(5 * SECOND),
        request: request?.unwrap_or(10 * SECOND),
        rate: rate?,
    })
}

fn rate(value: &Value) -> Result<Rate, Problem> {
    let text = value::some_text(value)?;
    let wrong = || format!("must be a number and a time such as \"20/s\", not {text:?}");
    let (messages, unit) = text.split_once('/').ok_or_else(wrong)?;
    let per = match unit.trim() {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => super::HOUR,
        _ => return Err(wrong()),
    };
    match messages.trim().parse() {
        Ok(messages @ 1..) => Ok(Rate { messages, per }),
        _ => Err(wrong()),
    }
}

fn port(value: &Value) -> Result<u16, Problem> {
    let port = value::integer(value, 1..=65_535)?;
    u16::try_from(port).map_err(|_| "must be from 1 to 65535".to_owned())
}
