//! Mail: subject, plain text and HTML of the same content.

use bugle_domain::AlertId;
use bugle_domain::event::Link;
use bugle_domain::text::{one_line, truncate};
use serde::Deserialize;

use super::{Page, text};
use crate::dispatch::AlertBrief;
use crate::message::html::escaped;

/// Longest title in a subject line, in characters.
const LONGEST_TITLE: usize = 120;
/// Most alerts listed in one mail.
const MOST_LISTED: usize = 50;
/// Most details shown of one alert, and the longest value of one, in characters.
const MOST_DETAILS: usize = 30;
const LONGEST_DETAIL: usize = 300;
/// The page around the content, with places in braces.
const TEMPLATE: &str = include_str!("email.html");

/// A mail without its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email {
    /// One line. The same for every mail about an alert, so that they stand together.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part: no tables, no images, no scripts.
    pub html: String,
    /// The alert whose thread it belongs to; `None`: it is about several.
    pub thread: Option<AlertId>,
}

/// The mail about `page`.
pub fn email(page: &Page<'_>) -> Email {
    let alerts = page.worst_first();
    let Some(worst) = alerts.first() else {
        return Email::empty();
    };
    let one = alerts.len() == 1;
    let subject = if one {
        headline(page, worst)
    } else {
        format!("{} alerts, worst {}", alerts.len(), headline(page, worst))
    };
    let mut lines = notes(page, worst);
    for alert in alerts.iter().take(MOST_LISTED) {
        if !one {
            lines.push(headline(page, alert));
        }
        lines.extend(facts(page, alert, one));
    }
    if alerts.len() > MOST_LISTED {
        lines.push(format!("… and {} more", alerts.len() - MOST_LISTED));
    }
    let what = if one { "Acknowledge" } else { "Acknowledge all" };
    mail(page, subject, &lines, what, one.then_some(worst.id))
}

impl Email {
    /// A mail about nothing.
    pub(super) fn empty() -> Self {
        let empty = String::new;
        Self { subject: empty(), text: empty(), html: empty(), thread: None }
    }
}

/// The mail with this subject and these lines, and a button that does `what`.
pub(super) fn mail(
    page: &Page<'_>,
    subject: String,
    lines: &[String],
    what: &str,
    thread: Option<AlertId>,
) -> Email {
    let foot = format!(
        "The link opens a page with one button; opening it changes nothing. {}\n\
         Somebody was not paged? {}",
        page.reference_note(),
        page.ask
    );
    let text =
        format!("{subject}\n\n{}\n\n{what}: {}\n\n-- \n{foot}\n", lines.join("\n"), page.link);
    let body: String = lines.iter().map(|line| paragraph(line)).collect();
    let html = fill(&[
        ("title", &escaped(&subject)),
        ("what", what),
        ("link", &escaped(page.link)),
        ("foot", &escaped(&foot).replace('\n', "<br>")),
        ("body", &body),
    ]);
    Email { subject, text, html, thread }
}

/// The template with its places filled in. What is filled in is not looked through again.
fn fill(places: &[(&str, &str)]) -> String {
    let mut html = String::with_capacity(TEMPLATE.len() + 1_024);
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once('{') {
        html.push_str(before);
        let found = after.split_once('}').and_then(|(name, after)| {
            let place = places.iter().find(|place| place.0 == name)?;
            Some((place.1, after))
        });
        // A brace that names no place stays.
        let (text, next) = found.unwrap_or(("{", after));
        html.push_str(text);
        rest = next;
    }
    html.push_str(rest);
    html
}

/// `[CRIT] Payments: checkout-api 5xx 14.2% (#4812)`.
pub(super) fn headline(page: &Page<'_>, alert: &AlertBrief) -> String {
    let service = page.service(alert).map_or(String::new(), |name| format!("{name}: "));
    let title = truncate(&one_line(&alert.summary), LONGEST_TITLE);
    format!("[{}] {service}{title} (#{})", alert.severity.short(), alert.number)
}

/// What must be known before the rest.
fn notes(page: &Page<'_>, worst: &AlertBrief) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(late) = page.late_note(worst) {
        notes.push(format!("This page is late: {late}."));
    }
    if page.possible_repeat {
        notes.push(format!("This may be a repeat of a page you have: #{}.", page.reference));
    }
    notes
}

pub(super) fn facts(page: &Page<'_>, alert: &AlertBrief, all: bool) -> Vec<String> {
    let raised = text::clock(alert.opened_at, page.now, &page.zone());
    let from = match one_line(&alert.source).as_str() {
        "" => String::new(),
        source => format!(" by {source}"),
    };
    let mut facts = vec![format!("Raised {raised}{from}.")];
    if all && alert.event_count > 1 {
        facts.push(format!("{} events so far.", alert.event_count));
    }
    if all && alert.summary.chars().count() > LONGEST_TITLE {
        facts.push(one_line(&alert.summary));
    }
    if all {
        facts.extend(extras(page, alert));
    }
    facts
}

/// Links and details of the alert, one a line: `region: eu`.
fn extras(page: &Page<'_>, alert: &AlertBrief) -> Vec<String> {
    let service = alert.service.and_then(|id| page.directory.services.get(&id));
    let runbook = service.and_then(|service| service.runbook_url.as_ref());
    let mut lines: Vec<String> = runbook.map(|url| format!("Runbook: {url}")).into_iter().collect();
    let extra: Extra = serde_json::from_str(&alert.extra).unwrap_or_default();
    for link in extra.links {
        let is_web = link.href.starts_with("https://") || link.href.starts_with("http://");
        match one_line(&link.text).as_str() {
            _ if !is_web => (),
            "" => lines.push(one_line(&link.href)),
            text => lines.push(format!("{text}: {}", one_line(&link.href))),
        }
    }
    for (name, value) in extra.details.iter().take(MOST_DETAILS) {
        let value = match value {
            serde_json::Value::String(text) => one_line(text),
            other => other.to_string(),
        };
        lines.push(format!("{}: {}", one_line(name), truncate(&value, LONGEST_DETAIL)));
    }
    lines
}

/// An alert's links and details, as they are kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Extra {
    links: Vec<Link>,
    details: serde_json::Map<String, serde_json::Value>,
}

fn paragraph(line: &str) -> String {
    format!("<p style=\"margin:0 0 8px\">{}</p>\n", escaped(line))
}
