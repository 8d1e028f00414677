//! Copy-paste ways to connect a sender to an integration.

use bugle_domain::integration::Dialect;

/// What stands for the key once it is no longer shown.
pub(super) const NO_KEY: &str = "YOUR_KEY";

/// A sender that there is a snippet for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sender {
    /// `curl`, or anything that can call a URL.
    Curl,
    /// Alertmanager's webhook.
    Webhook,
    /// Alertmanager's PagerDuty receiver.
    AlertmanagerPagerduty,
    /// Prometheus, speaking to us as to an Alertmanager.
    Prometheus,
    /// A PagerDuty Events v2 client.
    Pagerduty,
    /// Anything that can send mail.
    Mail,
}

/// What a snippet has in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    /// Address of this installation, without `/` at its end.
    pub(super) base: &'a str,
    /// The key.
    pub(super) key: &'a str,
    /// The integration's own mail address; `None`: no mail is taken in.
    pub(super) address: Option<&'a str>,
}

/// A snippet with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Snippet {
    /// Where it goes.
    pub(super) before: &'static str,
    /// What to copy.
    pub(super) code: String,
    /// What happens then.
    pub(super) after: Option<&'static str>,
}

impl Sender {
    /// All there are, in the order of the tabs.
    pub(super) const ALL: [Self; 6] = [
        Self::Curl,
        Self::Webhook,
        Self::AlertmanagerPagerduty,
        Self::Prometheus,
        Self::Pagerduty,
        Self::Mail,
    ];

    /// Name of its tab in the URL.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Webhook => "alertmanager",
            Self::AlertmanagerPagerduty => "alertmanager-pagerduty",
            Self::Prometheus => "prometheus",
            Self::Pagerduty => "pagerduty",
            Self::Mail => "mail",
        }
    }

    /// What its tab says.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Webhook => "Alertmanager",
            Self::AlertmanagerPagerduty => "Alertmanager, PagerDuty",
            Self::Prometheus => "Prometheus",
            Self::Pagerduty => "PagerDuty client",
            Self::Mail => "Mail",
        }
    }

    /// The tab of that name, or the one that suits the dialect.
    pub(super) fn chosen(slug: Option<&str>, dialect: Dialect) -> Self {
        let named = Self::ALL.into_iter().find(|sender| Some(sender.slug()) == slug);
        named.unwrap_or(match dialect {
            Dialect::Native => Self::Curl,
            Dialect::AlertmanagerWebhook => Self::Webhook,
            Dialect::AlertmanagerApi => Self::Prometheus,
            Dialect::PagerdutyV2 | Dialect::PagerdutyV1 => Self::Pagerduty,
            Dialect::Email => Self::Mail,
        })
    }

    /// The snippet, with what is given in it.
    pub(super) fn snippet(self, given: Given<'_>) -> Snippet {
        let Given { base, key, address } = given;
        match self {
            Self::Curl => Snippet {
                before: "Run this anywhere that can reach Bugle.",
                code: format!(
                    "curl {base}/api/v1/events \\\n  -H 'Authorization: Bearer {key}' \\\n  \
                     -H 'Content-Type: application/json' \\\n  \
                     -d '{{\"action\":\"trigger\",\"severity\":\"critical\",\
                     \"summary\":\"Checkout is down\",\"source\":\"shop-1\",\
                     \"dedup_key\":\"checkout\"}}'"
                ),
                after: Some("Send the same dedup_key with \"action\":\"resolve\" when it is over."),
            },
            Self::Webhook => Snippet {
                before: "In alertmanager.yml. Resolved alerts resolve here by themselves.",
                code: format!(
                    "receivers:\n  - name: bugle\n    webhook_configs:\n      \
                     - url: {base}/alertmanager/webhook\n        send_resolved: true\n        \
                     http_config:\n          authorization:\n            credentials: {key}"
                ),
                after: None,
            },
            Self::AlertmanagerPagerduty => Snippet {
                before: "In alertmanager.yml, if you have PagerDuty receivers already: \
                         only the URL is new.",
                code: format!(
                    "receivers:\n  - name: bugle\n    pagerduty_configs:\n      \
                     - url: {base}/v2/enqueue\n        routing_key: {key}\n        \
                     send_resolved: true"
                ),
                after: None,
            },
            Self::Prometheus => Snippet {
                before: "In prometheus.yml: Bugle stands where an Alertmanager would.",
                code: prometheus(base, key),
                after: Some("Alerts resolve when Prometheus no longer sends them."),
            },
            Self::Pagerduty => Snippet {
                before: "Python, with PyPI's pagerduty package. Other clients: \
                         change the host name only.",
                code: pagerduty(base, key),
                after: None,
            },
            Self::Mail => mail(address),
        }
    }
}

fn mail(address: Option<&str>) -> Snippet {
    let Some(address) = address else {
        return Snippet {
            before: "Bugle takes no mail in here. Whoever runs it can have it do so, in its \
                     configuration.",
            code: "[mail_in]\nlisten = \"0.0.0.0:2525\"\ndomain = \"in.example.com\"".to_owned(),
            after: None,
        };
    };
    Snippet {
        before: "Each mail to this address is an event. Treat it like a password: whoever knows it \
                 can send events. It stays when the key is changed.",
        code: address.to_owned(),
        after: Some(
            "Subjects such as \"[RESOLVED] …\" or \"RECOVERY …\" end the alert; \"[key: …]\" in \
             the subject says what folds together.",
        ),
    }
}

fn pagerduty(base: &str, key: &str) -> String {
    // The client takes https only, unless its private field is set.
    let field = if base.starts_with("https:") { "url" } else { "_url" };
    format!(
        "from pagerduty import EventsApiV2Client\n\nclient = EventsApiV2Client(\"{key}\")\n\
         client.{field} = \"{base}\"\nclient.trigger(\"Checkout is down\", \"shop-1\", \
         severity=\"critical\", dedup_key=\"checkout\")\nclient.resolve(\"checkout\")"
    )
}

fn prometheus(base: &str, key: &str) -> String {
    let (scheme, host) = base.split_once("://").unwrap_or(("http", base));
    let (host, path) = host.split_once('/').map_or((host, ""), |(host, path)| (host, path));
    let prefix =
        if path.is_empty() { String::new() } else { format!("      path_prefix: /{path}\n") };
    format!(
        "alerting:\n  alertmanagers:\n    - scheme: {scheme}\n{prefix}      \
         authorization:\n        credentials: {key}\n      \
         static_configs:\n        - targets: [\"{host}\"]"
    )
}

#[cfg(test)]
mod tests;
