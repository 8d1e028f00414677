//! Shows what is the reader's own.

use axum::extract::State;
use axum::response::Response;
use bugle_app::App;
use bugle_app::identity::{ApiKeyView, SessionView};
use bugle_app::methods::RulesView;
use bugle_app::permission::Permission;
use bugle_domain::MethodId;
use bugle_domain::contact::{Channel, ContactMethod};
use bugle_domain::role::Role;
use bugle_domain::user::{NotificationRule, User};
use http::StatusCode;

use super::{Edit, Key, MePage, Rules, Session, Step, Way};
use crate::pages::alert::build::channel;
use crate::pages::error::PageError;
use crate::pages::parts::{Choice, FieldError};
use crate::pages::shell::{Section, page};
use crate::pages::times::{Times, length};
use crate::pages::visitor::{Visitor, forget_said};

/// Empty places after the rules that are set.
const PLACES: usize = 2;
/// Zones that the form offers; every IANA name can be typed.
pub(in crate::pages) const ZONES: [&str; 24] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Warsaw",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Anchorage",
];

/// What was typed, what is wrong with it, and what is shown once.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) channel: String,
    pub(super) address: String,
    pub(super) way_name: String,
    pub(super) new_key: Option<String>,
    pub(super) errors: Vec<FieldError>,
}

/// `GET /me`.
pub(in crate::pages) async fn show(
    State(app): State<App>,
    visitor: Visitor,
) -> Result<Response, PageError> {
    let mut response = respond(&app, &visitor, Typed::default()).await?;
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// The page.
pub(super) async fn respond(
    app: &App,
    visitor: &Visitor,
    typed: Typed,
) -> Result<Response, PageError> {
    let wrong = !typed.errors.is_empty();
    let body = load(app, visitor, typed).await?;
    let title = if wrong { "Error: My profile" } else { "My profile" };
    let shell = visitor.shell(app, title, Section::Me).await?;
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &shell, &body))
}

/// The reader as a person; an API key has no profile.
pub(super) fn person(visitor: &Visitor) -> Result<&User, PageError> {
    let person = visitor.me.user.as_ref();
    person.ok_or_else(|| PageError::not_found("Only a person has a profile."))
}

async fn load(app: &App, visitor: &Visitor, typed: Typed) -> Result<MePage, PageError> {
    let (caller, user) = (&visitor.caller, person(visitor)?);
    let methods = app.contact_methods(caller, user.id).await?;
    let rules = app.rules(caller, user.id).await?;
    let sessions = app.sessions(caller).await?;
    let keys = app.keys(caller).await?;
    let times = &visitor.times;
    let kinds = [
        (Channel::Sms, "Text message"),
        (Channel::Voice, "Phone call"),
        (Channel::Email, "Email"),
        (Channel::Webhook, "Webhook, for a program"),
    ];
    let kind = |(each, text): (Channel, &str)| Choice::new(each.as_str(), text, &typed.channel);
    let roles = Role::ALL.into_iter().filter(|role| *role <= caller.role);
    Ok(MePage {
        name: user.name.clone(),
        email: user.email.to_string(),
        role: visitor.me.role.as_str(),
        tenant: visitor.me.tenant.clone(),
        time_zone: visitor.me.time_zone.clone(),
        zones: ZONES.to_vec(),
        channels: kinds.map(kind).to_vec(),
        own_rules: !rules.rules.urgent.is_empty() || !rules.rules.normal.is_empty(),
        rules: both(&rules, &methods),
        methods: methods.iter().map(way).collect(),
        address: typed.address,
        way_name: typed.way_name,
        keys_on: visitor.browser.keys,
        sessions: sessions.into_iter().map(|it| session(it, times)).collect(),
        api_keys: keys.into_iter().map(|it| key(it, times)).collect(),
        new_key: typed.new_key,
        roles: roles.map(|role| Choice::new(role.as_str(), role.as_str(), "responder")).collect(),
        errors: typed.errors,
        said: visitor.browser.said.clone().filter(|_| caller.may(Permission::OwnSessions)),
    })
}

fn way(method: &ContactMethod) -> Way {
    Way {
        id: method.id.to_string(),
        name: method.name.clone(),
        channel: channel(method.address.channel()),
        address: method.address.as_str().to_owned(),
        proven: method.proven_at.is_some(),
    }
}

fn way_name(id: MethodId, methods: &[ContactMethod]) -> String {
    let found = methods.iter().find(|method| method.id == id);
    found.map_or_else(
        || "a removed way".to_owned(),
        |it| format!("{}, {} {}", it.name, channel(it.address.channel()), it.address.masked()),
    )
}

fn both(view: &RulesView, methods: &[ContactMethod]) -> Vec<Rules> {
    let steps = |steps: &[(u32, MethodId)]| {
        let step = |(delay_s, id): &(u32, MethodId)| Step {
            after: after(*delay_s),
            way: way_name(*id, methods),
        };
        steps.iter().map(step).collect()
    };
    vec![
        Rules {
            urgency: "urgent",
            title: "Critical and high",
            steps: steps(&view.urgent_steps),
            edit: edit(&view.rules.urgent, methods),
        },
        Rules {
            urgency: "normal",
            title: "Medium and low",
            steps: steps(&view.normal_steps),
            edit: edit(&view.rules.normal, methods),
        },
    ]
}

fn after(delay_s: u32) -> String {
    if delay_s == 0 {
        return "at once".to_owned();
    }
    length(jiff::SignedDuration::from_secs(delay_s.into()))
}

fn edit(rules: &[NotificationRule], methods: &[ContactMethod]) -> Vec<Edit> {
    let empty = (0..PLACES).map(|_| None);
    rules
        .iter()
        .map(Some)
        .chain(empty)
        .map(|rule| {
            let chosen = rule.map(|rule| rule.method.to_string()).unwrap_or_default();
            let mut ways = vec![Choice::new("", "None", &chosen)];
            ways.extend(
                methods
                    .iter()
                    .map(|it| Choice::new(it.id.to_string(), way_name(it.id, methods), &chosen)),
            );
            let delay = rule.map(|rule| rule.delay_s.to_string()).unwrap_or_default();
            Edit { ways, delay }
        })
        .collect()
}

fn session(it: SessionView, times: &Times) -> Session {
    let agent = if it.user_agent.is_empty() { "A program".to_owned() } else { it.user_agent };
    Session {
        id: it.id.to_string(),
        agent,
        since: times.short(it.created_at).text,
        used: times.ago(it.last_used_at),
        current: it.current,
    }
}

fn key(it: ApiKeyView, times: &Times) -> Key {
    let used = match it.last_used_at {
        Some(at) => format!("last used {}", times.ago(at)),
        None => "never used".to_owned(),
    };
    Key { id: it.id.to_string(), name: it.name, hint: it.hint, role: it.role.as_str(), used }
}
