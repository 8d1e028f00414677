//! Reads and answers alerts for the list.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use bugle_app::alerts::{AlertQuery, AlertRow};
use bugle_app::paging::Page;
use bugle_app::permission::Permission;
use bugle_app::{App, UseCaseError as _};
use bugle_domain::alert::{Actor, AlertStatus, Escalation, Via};
use bugle_domain::integration::Integration;
use bugle_domain::service::Service;
use bugle_engine::respond::{Effect, ResponseAction};
use http::StatusCode;
use serde::Deserialize;

use super::{AlertsPage, Due, Quiet, Row, Rows, Task};
use crate::pages::error::PageError;
use crate::pages::filter;
use crate::pages::parts::{Sev, Tab};
use crate::pages::shell::{Section, page};
use crate::pages::times::{countdown, iso, plural};
use crate::pages::visitor::{Visitor, forget_said, see};

/// Rows of one page.
const ROWS: u32 = 50;
/// Most alerts answered by one press of the bar.
const BULK: usize = 100;

/// What is wanted, as the URL says it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub(in crate::pages) struct Params {
    /// The filter.
    #[serde(default)]
    pub(in crate::pages) q: String,
    /// Where to go on.
    pub(in crate::pages) after: Option<String>,
}

impl Params {
    fn href(&self, after: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.q.is_empty() {
            query.append_pair("q", &self.q);
        }
        if let Some(after) = after {
            query.append_pair("after", after);
        }
        let query = query.finish();
        if query.is_empty() { "/alerts".to_owned() } else { format!("/alerts?{query}") }
    }
}

/// `GET /alerts`.
pub(in crate::pages) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(params): Query<Params>,
) -> Result<Response, PageError> {
    let body = load(&app, &visitor, &params).await?;
    let shell = visitor.shell(&app, "Alerts", Section::Alerts).await?;
    let title = match shell.open_alerts {
        0 => shell.title.clone(),
        open => format!("({open}) {}", shell.title),
    };
    let mut shell = shell.live(format!("list {}", params.href(params.after.as_deref())));
    shell.title = title;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// Reads everything that the list shows.
pub(in crate::pages) async fn load(
    app: &App,
    visitor: &Visitor,
    params: &Params,
) -> Result<AlertsPage, PageError> {
    let caller = &visitor.caller;
    let services = app.list::<Service>(caller, &Page::first(200)).await?.items;
    let now = visitor.times.now();
    let (query, errors) = filter::parse(&params.q, &services, caller.user, now);
    let wanted = Page { limit: ROWS, after: params.after.clone() };
    let listed = app.alerts(caller, &query, &wanted).await?;
    let shown = i64::try_from(listed.items.len()).unwrap_or(i64::MAX);
    let checklist = if params.q.is_empty() { checklist(app, visitor).await? } else { Vec::new() };
    let quiet = if listed.items.is_empty() {
        Some(quiet(app, visitor, params.q.is_empty(), &query).await?)
    } else {
        None
    };
    let next = listed.next.as_deref().map(|after| params.href(Some(after)));
    Ok(AlertsPage {
        q: params.q.clone(),
        errors,
        views: views(&params.q),
        here: params.href(params.after.as_deref()),
        sections: sections(visitor, listed.items),
        quiet,
        total: format!("{} shown", plural(shown, "alert", "alerts")),
        next,
        checklist_left: checklist.iter().filter(|task| !task.done).count(),
        checklist,
        any_rows: shown > 0,
        can_act: caller.may(Permission::Respond),
        zone: visitor.times.zone_name().to_owned(),
        said: visitor.browser.said.clone(),
    })
}

fn views(q: &str) -> Vec<Tab> {
    let view = |value: &str, text: &str| {
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let href =
            if value.is_empty() { "/alerts".to_owned() } else { format!("/alerts?q={encoded}") };
        Tab { href, text: text.to_owned(), current: q == value }
    };
    vec![
        view("", "Not over"),
        view("told:me", "Told me"),
        view("is:resolved", "Resolved"),
        view("is:any", "Everything"),
    ]
}

fn sections(visitor: &Visitor, rows: Vec<AlertRow>) -> Vec<Rows> {
    const TITLES: [&str; 4] = ["Paging now", "Mine, acknowledged", "Acknowledged", "Resolved"];
    let mut groups: [Vec<Row>; 4] = Default::default();
    for row in rows {
        let mine = matches!(
            &row.alert.acknowledged,
            Some((Actor::User { id, .. }, _)) if visitor.caller.is(*id)
        );
        let group = match row.alert.status {
            AlertStatus::Open => 0,
            AlertStatus::Acknowledged if mine => 1,
            AlertStatus::Acknowledged => 2,
            AlertStatus::Resolved => 3,
        };
        groups[group].push(one(visitor, row, mine));
    }
    TITLES
        .into_iter()
        .zip(groups)
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(title, rows)| Rows { title, count: rows.len(), items: rows })
        .collect()
}

fn one(visitor: &Visitor, row: AlertRow, mine: bool) -> Row {
    let times = &visitor.times;
    let alert = row.alert;
    let due = row.next.filter(|_| alert.status == AlertStatus::Open).map(|next| Due {
        iso: iso(next.at),
        left: countdown(next.at.duration_since(times.now())),
        to: if next.names.is_empty() { "the next level".to_owned() } else { next.names.join(", ") },
    });
    let who = row.acknowledged_by.as_deref().unwrap_or("somebody");
    let state = match (alert.status, &alert.escalation) {
        (AlertStatus::Open, Escalation::Exhausted) => "nobody has answered".to_owned(),
        (AlertStatus::Open, _) => "paging".to_owned(),
        (AlertStatus::Acknowledged, _) if mine => "acknowledged by you".to_owned(),
        (AlertStatus::Acknowledged, _) => format!("acknowledged by {who}"),
        (AlertStatus::Resolved, _) => match alert.resolved_at {
            Some(at) => format!("resolved {}", times.short(at).text),
            None => "resolved".to_owned(),
        },
    };
    Row {
        id: alert.id.to_string(),
        number: alert.number,
        href: format!("/alerts/{}", alert.number),
        severity: Sev(alert.severity),
        title: alert.summary,
        service: row.service.map_or_else(|| "no service".to_owned(), |service| service.name),
        state,
        due,
        events: alert.event_count,
        opened: times.short(alert.opened_at),
        pickable: alert.status != AlertStatus::Resolved,
        paging: alert.status == AlertStatus::Open,
    }
}

async fn quiet(
    app: &App,
    visitor: &Visitor,
    unfiltered: bool,
    query: &AlertQuery,
) -> Result<Quiet, PageError> {
    if !unfiltered {
        let text = "Nothing fits this filter. Take a word out, or look at everything.";
        return Ok(Quiet { title: "No alerts here".to_owned(), text: text.to_owned() });
    }
    let any = AlertQuery { statuses: AlertStatus::ALL.to_vec(), ..query.clone() };
    let last = app.alerts(&visitor.caller, &any, &Page::first(1)).await?.items;
    let text = match last.first() {
        Some(row) => format!("Last alert {}.", visitor.times.ago(row.alert.opened_at)),
        None => "There has been no alert yet.".to_owned(),
    };
    Ok(Quiet { title: "Everything is quiet".to_owned(), text })
}

/// What is left to set up; empty when all is done, and for those who can't do it.
async fn checklist(app: &App, visitor: &Visitor) -> Result<Vec<Task>, PageError> {
    let caller = &visitor.caller;
    let Some(user) = caller.user.filter(|_| caller.may(Permission::EditConfiguration)) else {
        return Ok(Vec::new());
    };
    let methods = app.contact_methods(caller, user).await?;
    let proven = methods.iter().filter(|method| method.proven_at.is_some()).count();
    let integrations = app.list::<Integration>(caller, &Page::first(1)).await?.items;
    let people = app.list::<bugle_domain::user::User>(caller, &Page::first(2)).await?.items;
    let answered = AlertQuery {
        statuses: vec![AlertStatus::Acknowledged, AlertStatus::Resolved],
        ..AlertQuery::default()
    };
    let rung = !app.alerts(caller, &answered, &Page::first(1)).await?.items.is_empty();
    let task = |text, href, note, done| Task { text, href, note, done };
    let tasks = vec![
        task("Prove a way to reach you", "/me#add", "1 min", proven > 0),
        task("Make an integration", "/integrations/new", "1 min", !integrations.is_empty()),
        task("Make something ring, and answer it", "/integrations", "10 s", rung),
        task("Add a second way to reach you", "/me#add", "1 min", proven > 1),
        task("Invite a colleague", "/people/new", "1 min", people.len() > 1),
    ];
    Ok(if tasks.iter().all(|task| task.done) { Vec::new() } else { tasks })
}

/// The bar below the list, with a pair for every ticked alert.
type Bulk = Form<Vec<(String, String)>>;

/// `POST /alerts/bulk`.
pub(in crate::pages) async fn bulk(
    State(app): State<App>,
    visitor: Visitor,
    Form(fields): Bulk,
) -> Result<Response, PageError> {
    let all = |name: &'static str| {
        fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let action = match all("action").next() {
        Some("resolve") => ResponseAction::Resolve,
        _ => ResponseAction::Acknowledge,
    };
    let (mut done, mut before) = (0, 0);
    for id in all("alert").take(BULK).filter_map(|text| text.parse().ok()) {
        match app.answer(&visitor.caller, id, (action, None), Via::Web).await {
            Ok(answered) => match answered.effect {
                Effect::Acknowledged { .. } | Effect::Resolved { .. } => done += 1,
                _ => before += 1,
            },
            // One that is gone does not keep the others from being answered.
            Err(error) if error.kind() == bugle_app::ErrorKind::NotFound => before += 1,
            Err(error) => return Err(error.into()),
        }
    }
    let word = if action == ResponseAction::Resolve { "Resolved" } else { "Acknowledged" };
    let said = match (all("alert").next(), before) {
        (None, _) => "No alert was ticked.".to_owned(),
        (Some(_), 0) => format!("{word} {}.", plural(done, "alert", "alerts")),
        (Some(_), _) => {
            let done = plural(done, "alert", "alerts");
            format!("{word} {done}. {before} had been answered before.")
        }
    };
    let back = all("back").next().filter(|path| path.starts_with("/alerts")).unwrap_or("/alerts");
    Ok(see(&visitor.browser, back, &said).into_response())
}
