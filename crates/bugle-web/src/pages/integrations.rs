//! Ways in for events: list, making one, connecting a sender, trying it, what came in.

pub(super) mod change;
pub(super) mod show;

use askama::Template;
use bugle_domain::integration::Dialect;

use super::parts::{Choice, FieldError, Tab};
use super::snippets::Snippet;
use super::times::When;

#[derive(Template)]
#[template(path = "integrations.html")]
pub(super) struct IntegrationsPage {
    /// All of them.
    pub(super) rows: Vec<Row>,
    /// Whether the reader may make one.
    pub(super) can_edit: bool,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// One integration in the list.
pub(super) struct Row {
    /// Its page.
    pub(super) href: String,
    /// Its name.
    pub(super) name: String,
    /// What its senders speak.
    pub(super) dialect: &'static str,
    /// Where its events belong.
    pub(super) service: String,
    /// First characters of its key.
    pub(super) hint: String,
    /// Whether it refuses events.
    pub(super) disabled: bool,
}

#[derive(Template)]
#[template(path = "integration_form.html")]
pub(super) struct IntegrationForm {
    /// `New integration`.
    pub(super) heading: String,
    /// Where it posts to.
    pub(super) action: String,
    /// What the button says.
    pub(super) button: &'static str,
    /// What was typed.
    pub(super) name: String,
    /// What senders speak.
    pub(super) dialects: Vec<Choice>,
    /// Where events belong.
    pub(super) services: Vec<Choice>,
    /// Whether a key may be given.
    pub(super) ask_key: bool,
    /// Whether it refuses events; `None`: not asked.
    pub(super) disabled: Option<bool>,
    /// Events a minute; empty: not asked.
    pub(super) quota: String,
    /// Where deleting posts to.
    pub(super) delete: Option<String>,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
}

#[derive(Template)]
#[template(path = "integration.html")]
pub(super) struct IntegrationPage {
    /// Where to say that nobody was paged.
    pub(super) ask: String,
    /// Its page.
    pub(super) href: String,
    /// Its name.
    pub(super) name: String,
    /// What its senders speak.
    pub(super) dialect: &'static str,
    /// Where its events belong.
    pub(super) service: String,
    /// Whether it refuses events.
    pub(super) disabled: bool,
    /// First characters of its key.
    pub(super) hint: String,
    /// The key, right after it was made.
    pub(super) key: Option<String>,
    /// Senders.
    pub(super) tabs: Vec<Tab>,
    /// What to copy.
    pub(super) snippet: Snippet,
    /// The form of the test event.
    pub(super) test: TestForm,
    /// Who would be paged.
    pub(super) would: Option<Would>,
    /// The last requests, rendered.
    pub(super) requests: RequestsPart,
    /// Whether the reader may change it.
    pub(super) can_edit: bool,
    /// Whether the reader may send a test.
    pub(super) can_send: bool,
    /// Whether phones are simulated.
    pub(super) demo: bool,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// The form of the test event.
pub(super) struct TestForm {
    /// What is wrong, in a line.
    pub(super) summary: String,
    /// How bad.
    pub(super) severities: Vec<Choice>,
    /// Ring for real.
    pub(super) ring: bool,
}

/// Who would be paged now.
pub(super) struct Would {
    /// The policy and why that one.
    pub(super) policy: String,
    /// Sentences, one a level.
    pub(super) levels: Vec<String>,
}

#[derive(Template)]
#[template(path = "requests.html")]
pub(super) struct RequestsPart {
    /// Newest first.
    pub(super) requests: Vec<Request>,
    /// The page's zone.
    pub(super) zone: String,
}

/// One request.
pub(super) struct Request {
    /// Names its line in the page.
    pub(super) id: String,
    /// When.
    pub(super) at: When,
    /// The status it was answered with.
    pub(super) status: u16,
    /// Whether it was taken.
    pub(super) ok: bool,
    /// What came of it.
    pub(super) outcome: String,
    /// What its sender spoke.
    pub(super) dialect: &'static str,
    /// `412 bytes`.
    pub(super) size: String,
    /// The body, as text.
    pub(super) body: String,
    /// The causal record.
    pub(super) why: Option<String>,
}

/// What people call a dialect.
pub(super) fn dialect_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Native => "Bugle, curl",
        Dialect::PagerdutyV2 => "PagerDuty Events v2",
        Dialect::PagerdutyV1 => "PagerDuty Events v1",
        Dialect::AlertmanagerWebhook => "Alertmanager webhook",
        Dialect::AlertmanagerApi => "Prometheus, Alertmanager API",
        Dialect::Email => "Mail",
    }
}
