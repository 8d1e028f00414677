//! The frame of every page: head, bar, side list, and the answer's headers.

use std::fmt::Display;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use super::assets::Paths;
use super::parts::Link;

/// Which frame a page has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// Bar and side list.
    App,
    /// One form in the middle.
    Lone,
    /// One alert, from a link in a message.
    AlertLink,
    /// Something to read, for everybody.
    Document,
}

impl Layout {
    fn class(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Lone => "lone",
            Self::AlertLink => "lone alertlink",
            Self::Document => "docs",
        }
    }

    fn is_app(self) -> bool {
        self == Self::App
    }
}

/// A part of the product, as the side list names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Section {
    /// Alerts.
    Alerts,
    /// Schedules.
    Schedules,
    /// Escalation policies.
    Policies,
    /// Services.
    Services,
    /// Status pages of the tenant.
    StatusPages,
    /// Integrations.
    Integrations,
    /// Users and teams.
    People,
    /// The books.
    Ledger,
    /// Who says that nobody was paged, of the reader's tenant.
    Assistance,
    /// The same of all tenants.
    AssistanceDesk,
    /// What the watch sees.
    Pipeline,
    /// Major incidents.
    Incidents,
    /// What the public is told.
    Status,
    /// Changes of the stages.
    Changes,
    /// Simulated phones.
    Handset,
    /// The reader's own.
    Me,
    /// What is written about Bugle.
    Documents,
}

/// The reader, at the foot of the side list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reader {
    /// Their name.
    pub(super) name: String,
    /// `On call until Fri 18:00`.
    pub(super) on_call: Option<String>,
}

/// The frame of one page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shell {
    /// The document's title.
    pub(super) title: String,
    /// Which frame.
    pub(super) layout: Layout,
    /// Which part is current.
    pub(super) section: Section,
    /// The way back, on a narrow screen.
    pub(super) back: Option<Link>,
    /// Who reads.
    pub(super) user: Option<Reader>,
    /// Whether the reader stands above tenants.
    pub(super) operator: bool,
    /// Alerts that are open.
    pub(super) open_alerts: i64,
    /// Shows the ribbon and the phones.
    pub(super) demo: bool,
    /// `day` or `night`, where the reader chose.
    pub(super) theme: Option<&'static str>,
    /// What the page subscribes to.
    pub(super) live: Option<String>,
    /// Whose pages share a live stream; empty: nobody's.
    pub(super) who: String,
    /// Milliseconds since 1970, for countdowns.
    pub(super) now_ms: i64,
    /// `02:46:58`.
    pub(super) now_text: String,
    /// Whether single keys do things.
    pub(super) keys: bool,
}

/// A group of the side list.
struct Group {
    title: &'static str,
    items: Vec<Item>,
}

/// A line of the side list.
struct Item {
    href: &'static str,
    text: &'static str,
    count: i64,
    current: bool,
}

impl Shell {
    fn nav(&self) -> Vec<Group> {
        let item = |section, href, text| {
            let count = if section == Section::Alerts { self.open_alerts } else { 0 };
            Item { href, text, count, current: self.section == section }
        };
        let mut main = vec![
            item(Section::Alerts, "/alerts", "Alerts"),
            item(Section::Incidents, "/incidents", "Incidents"),
            item(Section::Schedules, "/schedules", "Schedules"),
            item(Section::Policies, "/policies", "Escalation"),
            item(Section::Services, "/services", "Services"),
            item(Section::Integrations, "/integrations", "Integrations"),
            item(Section::StatusPages, "/status-pages", "Status pages"),
        ];
        if self.demo {
            main.push(item(Section::Handset, "/handset", "Handset"));
        }
        let team = vec![
            item(Section::People, "/people", "People"),
            item(Section::Ledger, "/ledger", "Ledger"),
            item(Section::Assistance, "/assistance", "Assistance"),
            item(Section::Me, "/me", "My profile"),
            item(Section::Documents, "/docs", "Documents"),
        ];
        let mut groups =
            vec![Group { title: "", items: main }, Group { title: "Team", items: team }];
        if self.operator {
            let items = vec![
                item(Section::Pipeline, "/pipeline", "Pipeline"),
                item(Section::AssistanceDesk, "/assistance-desk", "Assistance desk"),
                item(Section::Status, "/status-page", "Status page"),
                item(Section::Changes, "/changes", "Changes"),
            ];
            groups.push(Group { title: "Operator", items });
        }
        groups
    }
}

#[derive(Template)]
#[template(path = "shell.html")]
struct Document<'a, B: Display> {
    shell: &'a Shell,
    css: &'a str,
    js: &'a str,
    icon: &'a str,
    body: &'a B,
}

/// The whole document.
pub(super) fn document(shell: &Shell, body: &impl Display) -> String {
    let paths = Paths::current();
    let document = Document { shell, css: &paths.css, js: &paths.js, icon: &paths.icon, body };
    document.render().unwrap_or_default()
}

/// The document as an answer.
pub(super) fn page(status: StatusCode, shell: &Shell, body: &impl Display) -> Response {
    (status, Html(document(shell, body))).into_response()
}
