//! Mail: subject, plain text and HTML of the same content.

use bugle_domain::AlertId;
use bugle_domain::text::{one_line, truncate};

use super::{Page, text};
use crate::dispatch::AlertBrief;

/// Longest title in a subject line, in characters.
const LONGEST_TITLE: usize = 120;
/// Most alerts listed in one mail.
const MOST_LISTED: usize = 50;
/// The page around the content. `{title}`, `{body}`, `{link}` and `{foot}` are filled in.
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
        return Email {
            subject: String::new(),
            text: String::new(),
            html: String::new(),
            thread: None,
        };
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
    let foot = format!(
        "The link opens a page with one button; opening it changes nothing. {}",
        page.reference_note()
    );
    let text =
        format!("{subject}\n\n{}\n\n{what}: {}\n\n-- \n{foot}\n", lines.join("\n"), page.link);
    let body: String = lines.iter().map(|line| paragraph(line)).collect();
    let html = TEMPLATE
        .replace("{title}", &escape(&subject))
        .replace("{what}", what)
        .replace("{link}", &escape(page.link))
        .replace("{foot}", &escape(&foot))
        .replace("{body}", &body);
    Email { subject, text, html, thread: one.then_some(worst.id) }
}

/// `[CRIT] Payments: checkout-api 5xx 14.2% (#4812)`.
fn headline(page: &Page<'_>, alert: &AlertBrief) -> String {
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

fn facts(page: &Page<'_>, alert: &AlertBrief, all: bool) -> Vec<String> {
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
    facts
}

fn paragraph(line: &str) -> String {
    format!("<p style=\"margin:0 0 8px\">{}</p>\n", escape(line))
}

/// Text made safe within HTML and its attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
