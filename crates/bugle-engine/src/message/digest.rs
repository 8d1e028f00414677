//! Digests: one message for what a person is owed but that is no longer urgent.
//!
//! It counts what is still open by severity, names the worst few, and says in a line how many were
//! resolved meanwhile.

use std::collections::BTreeMap;

use bugle_domain::Severity;
use bugle_domain::text::truncate;

use super::Page;
use super::email::{Email, facts, headline, mail};
use super::sms::{SEGMENT, SHORTEST_TITLE, capital, cut, septets, title};
use crate::dispatch::AlertBrief;

/// Most alerts that a digest names.
const MOST_NAMED: usize = 5;
/// Longest list of counts, in characters.
const MOST_COUNTED: usize = 40;

/// The text of a digest to a phone. `resolved`: what the person was owed and is over meanwhile.
pub fn digest_text(page: &Page<'_>, resolved: u64) -> String {
    let alerts = page.worst_first();
    let Some(worst) = alerts.first() else { return String::new() };
    let lead = format!("{} late, still open ({}). Worst ", alerts.len(), counts(&alerts));
    let resolved = resolved_note(resolved).map(|note| format!(" {}.", capital(&note)));
    let late = page.late_note(worst).map(|note| format!(" {}.", capital(&note)));
    let keys = if page.replies { " 4=ack all." } else { "" };
    let link = page.link.strip_prefix("https://").unwrap_or(page.link);
    let reference = capital(&page.reference_note());
    let rest = format!("{}{keys} {link} {reference}", resolved.unwrap_or_default());
    let room = |tail: &str| SEGMENT.saturating_sub(septets(&lead) + septets(tail) + 1);
    // How late the worst is can be read behind the link, where there is no room for it.
    let with_late = format!("{}{rest}", late.unwrap_or_default());
    let tail = if room(&with_late) >= SHORTEST_TITLE { with_late } else { rest };
    let title = cut(&title(page, worst), room(&tail).max(SHORTEST_TITLE));
    let stop = if title.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{lead}{title}{stop}{tail}")
}

/// The mail of a digest.
pub fn digest_mail(page: &Page<'_>, resolved: u64) -> Email {
    let alerts = page.worst_first();
    let Some(worst) = alerts.first() else { return Email::empty() };
    let subject = format!("{} alerts are open, worst {}", alerts.len(), headline(page, worst));
    let mut lines = vec![
        "These should have reached you earlier. They come as one message, since they are late."
            .to_owned(),
        format!("Still open: {}.", counts(&alerts)),
    ];
    lines.extend(page.late_note(worst).map(|late| format!("The worst was {late}.")));
    lines.extend(resolved_note(resolved).map(|note| format!("{}.", capital(&note))));
    for alert in alerts.iter().take(MOST_NAMED) {
        lines.push(headline(page, alert));
        lines.extend(facts(page, alert, false));
    }
    if alerts.len() > MOST_NAMED {
        lines.push(format!("… and {} more.", alerts.len() - MOST_NAMED));
    }
    mail(page, subject, &lines, "Acknowledge all", None)
}

/// `2 MED, 39 LOW`.
fn counts(alerts: &[&AlertBrief]) -> String {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for alert in alerts {
        *counts.entry(alert.severity).or_default() += 1;
    }
    let counts = counts.iter().map(|(severity, count)| format!("{count} {}", severity.short()));
    truncate(&counts.collect::<Vec<_>>().join(", "), MOST_COUNTED)
}

/// `7 more were resolved meanwhile`.
fn resolved_note(resolved: u64) -> Option<String> {
    match resolved {
        0 => None,
        1 => Some("1 more was resolved meanwhile".to_owned()),
        more => Some(format!("{more} more were resolved meanwhile")),
    }
}
