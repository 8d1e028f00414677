//! The books: every accepted event and every owed notification, and where each stands.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::ledger::LedgerView;
use bugle_app::permission::Permission;
use bugle_domain::ledger::{OwedAge, Sums};
use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;

use super::alert::build::channel;
use super::error::PageError;
use super::parts::Tab;
use super::shell::{Section, page};
use super::times::{count, length};
use super::visitor::Visitor;

/// What waits longer than this is late, in milliseconds.
const LATE_MS: i64 = 10_000;

#[derive(Template)]
#[template(path = "ledger.html")]
pub(super) struct LedgerPage {
    /// Whose books.
    pub(super) heading: String,
    /// The reader's own, or everybody's.
    pub(super) tabs: Vec<Tab>,
    /// Whether both sums come out.
    pub(super) balanced: bool,
    /// Events, and notifications.
    pub(super) books: Vec<Book>,
    /// What waits.
    pub(super) ages: Vec<Age>,
    /// By tenant.
    pub(super) tenants: Vec<TenantRow>,
}

/// One book.
pub(super) struct Book {
    /// `Events`.
    pub(super) title: &'static str,
    /// Its lines.
    pub(super) lines: Vec<Line>,
    /// What the difference is of.
    pub(super) difference_text: &'static str,
    /// 0 unless something was lost or made up.
    pub(super) difference: String,
}

/// One line of a book.
pub(super) struct Line {
    /// What is counted.
    pub(super) text: &'static str,
    /// How many.
    pub(super) count: String,
}

/// Something that waits.
pub(super) struct Age {
    /// What.
    pub(super) text: String,
    /// How many.
    pub(super) count: String,
    /// For how long.
    pub(super) oldest: String,
    /// Whether that is too long.
    pub(super) late: bool,
}

/// The sums of one tenant.
pub(super) struct TenantRow {
    /// Its name.
    pub(super) name: String,
    /// Events accepted.
    pub(super) accepted: String,
    /// Events pending.
    pub(super) pending: String,
    /// Notifications owed.
    pub(super) owed: String,
    /// Notifications waiting.
    pub(super) waiting: String,
    /// Notifications ended.
    pub(super) ended: String,
    /// Whether both sums come out.
    pub(super) balanced: bool,
}

/// Whose books are wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    all: Option<String>,
}

/// `GET /ledger`, and `?all=1` for operators.
pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let everybody = wanted.all.is_some();
    let body = load(&app, &visitor, everybody).await?;
    let shell = visitor.shell(&app, "Ledger", Section::Ledger).await?;
    let topic = if everybody { "ledger all" } else { "ledger own" };
    Ok(page(StatusCode::OK, &shell.live(topic.to_owned()), &body))
}

/// Reads the books.
pub(super) async fn load(
    app: &App,
    visitor: &Visitor,
    everybody: bool,
) -> Result<LedgerPage, PageError> {
    let view = if everybody {
        app.ledger_of_all(&visitor.caller).await?
    } else {
        app.ledger(&visitor.caller).await?
    };
    let heading = if everybody { "All tenants".to_owned() } else { visitor.me.tenant.clone() };
    let mut tabs = Vec::new();
    if visitor.caller.may(Permission::ReadAllTenants) {
        let tab = |href: &str, text: &str, current| Tab {
            href: href.to_owned(),
            text: text.to_owned(),
            current,
        };
        tabs.push(tab("/ledger", &visitor.me.tenant, !everybody));
        tabs.push(tab("/ledger?all=1", "All tenants", everybody));
    }
    Ok(build(&view, heading, tabs, everybody))
}

/// What the page says. Pure.
pub(super) fn build(
    view: &LedgerView,
    heading: String,
    tabs: Vec<Tab>,
    everybody: bool,
) -> LedgerPage {
    let ledger = &view.ledger;
    let mut ages: Vec<Age> = Vec::new();
    if let Some(oldest_ms) = ledger.oldest_pending_ms {
        ages.push(Age {
            text: "Events without an outcome".to_owned(),
            count: count(ledger.total.pending),
            oldest: age(oldest_ms),
            late: oldest_ms > LATE_MS,
        });
    }
    ages.extend(ledger.owed.iter().map(owed));
    let tenants = ledger.tenants.iter().filter(|_| everybody).map(|(id, sums)| {
        let name = view.names.get(id).cloned().unwrap_or_else(|| id.to_string());
        tenant(name, sums)
    });
    LedgerPage {
        heading,
        tabs,
        balanced: ledger.total.balanced(),
        books: books(&ledger.total),
        ages,
        tenants: tenants.collect(),
    }
}

fn owed(it: &OwedAge) -> Age {
    Age {
        text: format!("{} lane, {}", it.lane.as_str(), channel(it.channel)),
        count: count(it.count),
        oldest: age(it.oldest_ms),
        late: it.oldest_ms > LATE_MS,
    }
}

fn age(ms: i64) -> String {
    if ms < 1_000 { format!("{ms} ms") } else { length(SignedDuration::from_millis(ms)) }
}

fn books(sums: &Sums) -> Vec<Book> {
    let line = |text, number| Line { text, count: count(number) };
    let events = vec![
        line("Accepted", sums.accepted),
        line("Pending", sums.pending),
        line("Opened an alert", sums.alerted),
        line("Folded into one", sums.folded),
        line("Changed nothing, with a reason", sums.suppressed),
    ];
    let notifications = vec![
        line("Owed", sums.owed),
        line("Waiting", sums.waiting),
        line("Being sent", sums.sending),
        line("With a provider, receipt awaited", sums.handed_off),
        line("Answered", sums.ended.answered),
        line("Delivered", sums.ended.delivered),
        line("Failed", sums.ended.failed),
        line("Cancelled", sums.ended.cancelled),
        line("Expired", sums.ended.expired),
    ];
    vec![
        Book {
            title: "Events",
            lines: events,
            difference_text: "Accepted less the rest",
            difference: count(sums.event_difference()),
        },
        Book {
            title: "Notifications",
            lines: notifications,
            difference_text: "Owed less the rest",
            difference: count(sums.notification_difference()),
        },
    ]
}

fn tenant(name: String, sums: &Sums) -> TenantRow {
    TenantRow {
        name,
        accepted: count(sums.accepted),
        pending: count(sums.pending),
        owed: count(sums.owed),
        waiting: count(sums.waiting),
        ended: count(sums.ended.total()),
        balanced: sums.balanced(),
    }
}
