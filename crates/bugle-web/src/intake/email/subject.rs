//! What a subject says: whether something is wrong or over, what it is about, and how bad it is.
//!
//! Every monitor has a way of its own to say that something is over. Those that are known stand in
//! tables; whatever is in none of them is something wrong.

use bugle_domain::Severity;
use bugle_domain::event::Action;
use bugle_domain::text::one_line;

use super::super::text;

/// What answers and forwarded mails begin with.
const REPLIES: [&str; 8] = ["re", "fwd", "fw", "aw", "wg", "antw", "sv", "tr"];

/// What a subject begins with: `[WORD]`, `[WORD:2]`, `WORD:`, or `WORD` in capitals.
const MARKS: [(&str, Action); 20] = [
    ("firing", Action::Trigger),
    ("problem", Action::Trigger),
    ("alerting", Action::Trigger),
    ("alert", Action::Trigger),
    ("triggered", Action::Trigger),
    ("down", Action::Trigger),
    ("critical", Action::Trigger),
    ("crit", Action::Trigger),
    ("warning", Action::Trigger),
    ("warn", Action::Trigger),
    ("unknown", Action::Trigger),
    ("acknowledgement", Action::Acknowledge),
    ("acknowledged", Action::Acknowledge),
    ("resolved", Action::Resolve),
    ("recovery", Action::Resolve),
    ("recovered", Action::Resolve),
    ("cleared", Action::Resolve),
    ("closed", Action::Resolve),
    ("ok", Action::Resolve),
    ("up", Action::Resolve),
];

/// States that Nagios and its kin put at the end, behind "is".
const STATES: [&str; 8] =
    ["OK", "UP", "CRITICAL", "WARNING", "UNKNOWN", "DOWN", "UNREACHABLE", "PENDING"];

/// What Monit's subjects begin with, and what its events are called: when something is wrong, and
/// when it is over (Monit's `event.c`, 5.33).
const MONIT: &str = "monit alert -- ";
const MONIT_EVENTS: [(&str, &str); 29] = [
    ("Checksum failed", "Checksum succeeded"),
    ("Connection failed", "Connection succeeded"),
    ("Content failed", "Content succeeded"),
    ("Content match", "Content doesn't match"),
    ("Data access error", "Data access succeeded"),
    ("Does not exist", "Exists"),
    ("Download bytes exceeded", "Download bytes ok"),
    ("Download packets exceeded", "Download packets ok"),
    ("Execution failed", "Execution succeeded"),
    ("Filesystem flags failed", "Filesystem flags succeeded"),
    ("GID failed", "GID succeeded"),
    ("Heartbeat failed", "Heartbeat succeeded"),
    ("ICMP failed", "ICMP succeeded"),
    ("Invalid type", "Type succeeded"),
    ("Link down", "Link up"),
    ("Permission failed", "Permission succeeded"),
    ("PID failed", "PID succeeded"),
    ("PPID failed", "PPID succeeded"),
    ("Resource limit matched", "Resource limit succeeded"),
    ("Saturation exceeded", "Saturation ok"),
    ("Size failed", "Size succeeded"),
    ("Speed failed", "Speed ok"),
    ("Status failed", "Status succeeded"),
    ("Timeout", "Timeout recovery"),
    ("Timestamp failed", "Timestamp succeeded"),
    ("UID failed", "UID succeeded"),
    ("Upload bytes exceeded", "Upload bytes ok"),
    ("Upload packets exceeded", "Upload packets ok"),
    ("Uptime failed", "Uptime succeeded"),
];

/// What a subject says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Subject {
    /// In a line, without marks and key.
    pub(super) title: String,
    /// The key that stands in it: `[key: disk-db1]`.
    pub(super) key: Option<String>,
    /// What subjects about the same thing have in common.
    pub(super) folds_by: String,
    /// Whether something is wrong or over.
    pub(super) action: Action,
    /// How bad it is, where it says so.
    pub(super) severity: Option<Severity>,
}

/// Reads a subject.
pub(super) fn read(subject: &str) -> Subject {
    let (line, key) = without_key(&one_line(subject));
    let severity = severity(&line);
    let (action, title) = without_marks(&line);
    let (action, folds_by) = match monit(title) {
        Some((over, about)) => (if over { Action::Resolve } else { action }, about),
        None => (action, without_state(title).to_owned()),
    };
    Subject { title: title.to_owned(), key, folds_by, action, severity }
}

/// A line without the key in it, and the key.
fn without_key(line: &str) -> (String, Option<String>) {
    let found = line.char_indices().find_map(|(at, _)| {
        let inner = without_prefix(line.get(at..)?, "[key:")?;
        let (key, after) = inner.split_once(']')?;
        (!key.trim().is_empty()).then_some((at, key, after))
    });
    match found {
        Some((at, key, after)) => {
            let before = line.get(..at).unwrap_or_default();
            (one_line(&format!("{before} {after}")), Some(key.trim().to_owned()))
        }
        None => (line.to_owned(), None),
    }
}

/// What follows `prefix`, whose letters may be small or large.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let begin = text.get(..prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default())
}

/// What the first mark says that says something, and the line without any.
fn without_marks(line: &str) -> (Action, &str) {
    let frame = |c: char| c == '*' || c.is_whitespace();
    let (mut said, mut rest) = (None, line.trim_matches(frame));
    while let Some((action, after)) = mark(rest) {
        said = said.or(action);
        rest = after.trim_matches(frame);
    }
    (said.unwrap_or(Action::Trigger), rest)
}

/// The mark that a line begins with; that of an answer says nothing.
fn mark(line: &str) -> Option<(Option<Action>, &str)> {
    if let Some(inner) = line.strip_prefix('[') {
        let (inner, after) = inner.split_once(']')?;
        let (word, count) = inner.split_once(':').unwrap_or((inner, ""));
        let counts = count.trim().bytes().all(|byte| byte.is_ascii_digit());
        return counts.then(|| action(word.trim())).flatten().map(|it| (Some(it), after));
    }
    let end = line.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, after) = line.split_at_checked(end)?;
    if let Some(after) = after.strip_prefix(':') {
        if REPLIES.iter().any(|it| word.eq_ignore_ascii_case(it)) {
            return Some((None, after));
        }
        return action(word).map(|it| (Some(it), after));
    }
    // Zabbix: "Resolved in 1m 30s: High CPU utilization".
    if word.eq_ignore_ascii_case("resolved")
        && let Some(after) = without_prefix(after, " in ")
        && let Some((span, after)) = after.split_once(": ")
        && span.split(' ').all(|it| it.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Some((Some(Action::Resolve), after));
    }
    // Nagios: "** RECOVERY Service Alert: web/HTTP is OK **".
    let capitals = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let spoken = capitals && after.starts_with(' ');
    spoken.then(|| action(word)).flatten().map(|it| (Some(it), after))
}

fn action(word: &str) -> Option<Action> {
    let known = MARKS.iter().find(|(it, _)| word.eq_ignore_ascii_case(it));
    known.map(|(_, action)| *action)
}

/// Without the state that Nagios and its kin put at the end.
fn without_state(title: &str) -> &str {
    let bare = title.trim_end_matches(['!', '*', ' ']);
    let found = STATES.iter().find_map(|it| bare.strip_suffix(it)?.strip_suffix(" is "));
    found.unwrap_or(title)
}

/// Whether Monit says that something is over, and what it is about.
fn monit(title: &str) -> Option<(bool, String)> {
    let said = without_prefix(title, MONIT)?;
    let words = |event: &str| {
        let after = without_prefix(said, event)?;
        (after.is_empty() || after.starts_with(' ')).then(|| after.trim().to_owned())
    };
    MONIT_EVENTS.iter().find_map(|(wrong, over)| {
        let found = words(over).map(|service| (true, service));
        let (over, service) = found.or_else(|| words(wrong).map(|service| (false, service)))?;
        Some((over, format!("monit: {wrong}: {service}")))
    })
}

/// The worst that a subject says, in words that are meant so: in capitals, alone in brackets,
/// before a colon, or behind "severity". "Low disk space" says nothing of that; "critical" and its
/// like are meant so wherever they stand.
fn severity(line: &str) -> Option<Severity> {
    let all_capitals = !line.chars().any(char::is_lowercase);
    let (mut worst, mut before, mut at) = (None::<Severity>, "", 0);
    for word in line.split(|c: char| !c.is_alphanumeric()) {
        let end = at + word.len();
        let left = line.get(..at).and_then(|it| it.chars().next_back());
        let right = line.get(end..).and_then(|it| it.chars().next());
        let place = Place { word, before, left, right };
        if let Some(said) = place.severity(all_capitals) {
            worst = Some(worst.map_or(said, |known| known.min(said)));
        }
        if !word.is_empty() {
            before = word;
        }
        at = end + right.map_or(0, char::len_utf8);
    }
    worst
}

/// A word and what stands around it.
struct Place<'a> {
    word: &'a str,
    before: &'a str,
    left: Option<char>,
    right: Option<char>,
}

impl Place<'_> {
    fn severity(&self, all_capitals: bool) -> Option<Severity> {
        let capitals = self.word.len() > 1 && self.word.bytes().all(|it| it.is_ascii_uppercase());
        if capitals && self.is_free() && matches!(self.word, "DOWN" | "UNREACHABLE") {
            return Some(Severity::Critical);
        }
        let said = text::severity(self.word)?;
        let alarming = ["critical", "emergency", "disaster", "fatal"];
        let bracketed = self.left.is_some_and(|it| "[(<{".contains(it))
            && self.right.is_some_and(|it| "])>}".contains(it));
        let named = ["severity", "priority"].iter().any(|it| self.before.eq_ignore_ascii_case(it));
        let meant = bracketed
            || named
            || self.right == Some(':')
            || (capitals && !all_capitals && self.is_free())
            || alarming.iter().any(|it| self.word.eq_ignore_ascii_case(it));
        meant.then_some(said)
    }

    /// It is no part of a name such as `LOW-DISK`.
    fn is_free(&self) -> bool {
        let joins = |it: Option<char>| it.is_some_and(|it| "-_./".contains(it));
        !joins(self.left) && !joins(self.right)
    }
}
