//! Text messages: one segment of 160 GSM characters where it fits.

use bugle_domain::text::one_line;

use super::Page;
use crate::dispatch::AlertBrief;

/// Characters of one segment in the GSM alphabet.
pub(super) const SEGMENT: usize = 160;
/// Shortest title worth sending. Where the rest leaves less, the message takes a second segment:
/// link and keys are never cut.
pub(super) const SHORTEST_TITLE: usize = 24;
/// Longest name of a service before its alert's title.
const LONGEST_SERVICE: usize = 24;

/// The text of a message to a phone.
pub fn sms(page: &Page<'_>) -> String {
    let alerts = page.worst_first();
    let Some(worst) = alerts.first() else {
        return String::new();
    };
    let one = alerts.len() == 1;
    let lead = if one { String::new() } else { format!("{} alerts, worst ", alerts.len()) };
    let keys = match (page.replies, one) {
        (true, true) => " 4=ack 5=pass on.",
        (true, false) => " 4=ack all.",
        (false, _) => "",
    };
    let late = page.late_note(worst).map(|note| format!(" {}.", capital(&note)));
    let link = page.link.strip_prefix("https://").unwrap_or(page.link);
    let tail =
        format!("{}{keys} {link} {}", late.unwrap_or_default(), capital(&page.reference_note()));
    let room = SEGMENT.saturating_sub(septets(&lead) + septets(&tail) + 1).max(SHORTEST_TITLE);
    let title = cut(&title(page, worst), room);
    let stop = if title.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{lead}{title}{stop}{tail}")
}

/// `CRIT Payments: checkout-api 5xx 14.2% (limit 2%)`.
pub(super) fn title(page: &Page<'_>, alert: &AlertBrief) -> String {
    let severity = alert.severity.short();
    let summary = one_line(&alert.summary);
    match page.service(alert) {
        Some(service) => format!("{severity} {}: {summary}", cut(service, LONGEST_SERVICE)),
        None => format!("{severity} {summary}"),
    }
}

/// Cuts to `room` septets; a cut text ends in `..`, which the GSM alphabet has.
pub(super) fn cut(text: &str, room: usize) -> String {
    if septets(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(2);
    let fits = |c: &char| {
        let fits = width(*c) <= left;
        left = left.saturating_sub(width(*c));
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}..", kept.trim_end())
}

/// Length in the GSM alphabet. Characters outside it count as one: they are replaced later.
pub(super) fn septets(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    // GSM 03.38: these take an escape first.
    if matches!(c, '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€') { 2 } else { 1 }
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or(String::new(), |first| format!("{}{}", first.to_ascii_uppercase(), chars.as_str()))
}
