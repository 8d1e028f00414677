//! iCalendar (RFC 5545): scheduled maintenance, for calendars that are subscribed to it.

use bugle_engine::status::board::{Board, Touched};
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest line in bytes, without its end.
const LINE: usize = 75;

/// `maintenance.ics`.
pub(super) fn calendar(board: &Board) -> String {
    let mut text = String::new();
    let mut line = |content: String| fold(&mut text, &content);
    line("BEGIN:VCALENDAR".to_owned());
    line("VERSION:2.0".to_owned());
    line("PRODID:-//Bugle//status page//EN".to_owned());
    line("METHOD:PUBLISH".to_owned());
    line(format!("X-WR-CALNAME:{}", quoted(&format!("{} scheduled maintenance", board.name))));
    for it in board.maintenances() {
        event(board, it, &mut line);
    }
    line("END:VCALENDAR".to_owned());
    text
}

fn event(board: &Board, it: &Bulletin<Touched>, line: &mut impl FnMut(String)) {
    let Kind::Maintenance { from, until } = it.kind else { return };
    let names: Vec<&str> = it.components.iter().map(|it| it.name.as_str()).collect();
    let said = it.updates.last().map_or("", |update| update.text.as_str());
    let done = it.phase() == Phase::Completed;
    line("BEGIN:VEVENT".to_owned());
    line(format!("UID:{}@bugle", it.id));
    line(format!("DTSTAMP:{}", time(it.updated_at())));
    line(format!("LAST-MODIFIED:{}", time(it.updated_at())));
    line(format!("SEQUENCE:{}", it.updates.len().saturating_sub(1)));
    line(format!("DTSTART:{}", time(from)));
    line(format!("DTEND:{}", time(until)));
    line(format!("SUMMARY:{}", quoted(&it.title)));
    line(format!("DESCRIPTION:{}", quoted(&format!("{said}\nTouches: {}.", names.join(", ")))));
    line(format!("URL:{}/history.html#{}", board.url, it.id));
    line(format!("STATUS:{}", if done { "CONFIRMED" } else { "TENTATIVE" }));
    line("TRANSP:TRANSPARENT".to_owned());
    line("END:VEVENT".to_owned());
}

/// Section 3.3.11.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

/// Section 3.3.5, form 2.
fn time(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Section 3.1: a long line goes on in the next, which begins with a space.
fn fold(text: &mut String, content: &str) {
    let mut length = 0;
    for c in content.chars() {
        if length + c.len_utf8() > LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(c);
        length += c.len_utf8();
    }
    text.push_str("\r\n");
}
