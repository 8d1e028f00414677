//! Turns what is known of an alert into what its page says. Pure.

use bugle_app::Caller;
use bugle_app::alerts::{
    AlertView, Glyph, NextStep, SimilarAlert, TimelineLine, TokenView, ToldLine,
};
use bugle_domain::alert::{Actor, Alert, AlertStatus, Escalation};
use bugle_domain::contact::Channel;
use jiff::Timestamp;
use serde_json::Value;

use super::{AckPage, Action, AlertPage, Also, Done, Line, Next, Seen, Told, sign};
use crate::pages::graph;
use crate::pages::parts::{Link, Pair, Raw, Sev};
use crate::pages::times::{Times, countdown, iso, length, plural, size};

/// Longest value of a detail, in characters.
const DETAIL_CHARS: usize = 2_000;

/// What the page needs besides the view.
pub(super) struct Facts {
    /// When events came, newest first.
    pub(super) came: Vec<Timestamp>,
    /// Bytes of the first event.
    pub(super) raw: Option<Raw>,
    /// Whether the reader may answer.
    pub(super) can_act: bool,
    /// A number that answers can be texted to.
    pub(super) reply_number: Option<String>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// The page of a signed-in reader.
pub(super) fn page(view: AlertView, facts: Facts, caller: &Caller, times: &Times) -> AlertPage {
    let alert = &view.alert;
    let main = button(alert.status).filter(|_| facts.can_act);
    let done = done(alert, caller.user, facts.said.as_deref(), times);
    let said = facts.said.filter(|_| done.is_none());
    let acknowledge = main == Some(Action::Acknowledge);
    AlertPage {
        href: format!("/alerts/{}", alert.number),
        number: alert.number,
        severity: Sev(alert.severity),
        state_line: state_line(&view, times),
        title: alert.summary.clone(),
        place: place(&view),
        started_word: "Started",
        started: times.short(alert.opened_at),
        events: alert.event_count,
        events_text: plural(alert.event_count, "event", "events"),
        spoken: view.headline.clone(),
        graph: graph::draw(times, &facts.came, alert.event_count),
        told: told(&view, times),
        nobody: "The timeline says why.".to_owned(),
        next: view.next.as_ref().map(|step| next(step, &view, times)),
        told_note: told_note(&view),
        seen: view.similar.as_ref().map(|similar| seen(similar, times)),
        also: view.also_open.iter().map(|row| also(&row.alert)).collect(),
        changes: changes(&view, times),
        links: links(&view),
        details: details(alert),
        raw: facts.raw,
        timeline: view.timeline.iter().map(|line| log_line(line, times)).collect(),
        why: format!("/alerts/{}/why", alert.number),
        zone: times.zone_name().to_owned(),
        can_act: main.is_some(),
        effect: effect(&view, main),
        by_text: facts.reply_number.and_then(|to| by_text(&view, &to)).filter(|_| acknowledge),
        pass_on: pass_on(&view).filter(|_| acknowledge),
        told_at: told_at(alert),
        resolve_too: acknowledge,
        main,
        done,
        said,
    }
}

/// The page of somebody who followed a link in a message.
pub(super) fn ack_page(
    token: &TokenView,
    href: String,
    said: Option<&str>,
    times: &Times,
) -> AckPage {
    let (view, alert) = (&token.view, &token.view.alert);
    let main = button(alert.status);
    AckPage {
        href,
        number: alert.number,
        severity: Sev(alert.severity),
        state_line: state_line(view, times),
        title: alert.summary.clone(),
        place: place(view),
        started_word: "Started",
        started: times.short(alert.opened_at),
        events: alert.event_count,
        events_text: plural(alert.event_count, "event", "events"),
        told: told(view, times),
        next: view.next.as_ref().map(|step| next(step, view, times)),
        links: links(view),
        details: details(alert),
        zone: times.zone_name().to_owned(),
        effect: effect(view, main),
        main,
        done: done(alert, Some(token.user), said, times),
        owner: token.name.clone(),
    }
}

/// A link that writes the text which acknowledges this alert: a reply counts from a phone that was
/// texted about it.
fn by_text(view: &AlertView, number: &str) -> Option<String> {
    let texted =
        |line: &ToldLine| line.you && line.channel == Channel::Sms && line.glyph != Glyph::Waiting;
    // `?&` is read by phones that expect `?` before the text, and by those that expect `&`.
    let link = || format!("sms:{number}?&body=4%20{}", view.alert.number);
    view.told.iter().any(texted).then(link)
}

fn button(status: AlertStatus) -> Option<Action> {
    match status {
        AlertStatus::Open => Some(Action::Acknowledge),
        AlertStatus::Acknowledged => Some(Action::Resolve),
        AlertStatus::Resolved => None,
    }
}

fn effect(view: &AlertView, main: Option<Action>) -> String {
    match main {
        Some(Action::Acknowledge) => view.preview.clone(),
        Some(Action::Resolve) => "Closes it. The next event opens a new alert.".to_owned(),
        None => String::new(),
    }
}

fn state_line(view: &AlertView, times: &Times) -> String {
    let alert = &view.alert;
    let since = |at: Timestamp| times.short(at).text;
    match (alert.status, &alert.escalation) {
        (AlertStatus::Open, Escalation::Exhausted) => "nobody has answered".to_owned(),
        (AlertStatus::Open, _) => {
            let you = view.told.iter().any(|line| line.you);
            let whom = if you { "paging you" } else { "paging" };
            if view.told.is_empty() {
                return format!("open since {}", since(alert.opened_at));
            }
            format!("{whom} since {}", since(alert.opened_at))
        }
        (AlertStatus::Acknowledged, _) => "acknowledged".to_owned(),
        (AlertStatus::Resolved, _) => match alert.resolved_at {
            Some(at) => format!("resolved {}", since(at)),
            None => "resolved".to_owned(),
        },
    }
}

fn place(view: &AlertView) -> Vec<String> {
    let service = view.service.as_ref().map(|service| service.name.clone());
    let parts = [
        Some(service.unwrap_or_else(|| "No service".to_owned())),
        Some(view.alert.source.clone()),
        Some(view.integration.clone()),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect()
}

fn told(view: &AlertView, times: &Times) -> Vec<Told> {
    view.told
        .iter()
        .map(|line| {
            let who = if line.you { "You" } else { line.name.as_str() };
            let repeat = if line.possible_repeat { ", possibly sent twice" } else { "" };
            Told {
                at: times.time(line.at),
                sign: sign(line.glyph),
                who: format!("{who}, {}", channel(line.channel)),
                what: format!("{}{repeat}", line.words),
            }
        })
        .collect()
}

/// How people call a channel.
pub(in crate::pages) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Sms => "SMS",
        Channel::Voice => "call",
        Channel::Webhook => "webhook",
    }
}

/// What comes next. The wait began when the last level was told.
fn next(step: &NextStep, view: &AlertView, times: &Times) -> Next {
    let told = view.timeline.iter().rev().find(|line| line.kind == "level_told");
    let from = told.map_or(view.alert.opened_at, |line| line.at);
    let (whole, left) = (step.at.duration_since(from), step.at.duration_since(times.now()));
    let over = (whole - left).as_millis().max(0) * 100;
    let percent = over.checked_div(whole.as_millis()).unwrap_or(100).clamp(0, 100);
    let (names, verb) = match step.names.as_slice() {
        [] => ("The next level".to_owned(), "is told"),
        [one] => (one.clone(), "is paged"),
        [many @ .., last] => (format!("{} and {last}", many.join(", ")), "are paged"),
    };
    Next {
        at: times.time(step.at),
        names,
        verb,
        left: countdown(left),
        from_iso: iso(from),
        percent: u8::try_from(percent).unwrap_or(100),
    }
}

fn told_note(view: &AlertView) -> Option<String> {
    let policy = view.policy.as_ref().map(|(_, name)| name.as_str())?;
    Some(format!("Follows {policy}."))
}

fn seen(similar: &SimilarAlert, times: &Times) -> Seen {
    let over = match similar.resolved_at {
        Some(over) => format!(", over in {}", length(over.duration_since(similar.opened_at))),
        None => ", not over yet".to_owned(),
    };
    let mut text = match (&similar.acknowledged_by, &similar.note) {
        (_, Some(note)) => format!("{over}: {note}"),
        (Some(who), None) => format!("{over}, taken by {who}"),
        (None, None) => over,
    };
    if !text.ends_with('.') {
        text.push('.');
    }
    let href = format!("/alerts/{}", similar.number);
    Seen { ago: times.ago(similar.opened_at), text, href, number: similar.number }
}

fn also(alert: &Alert) -> Also {
    let title = bugle_domain::text::truncate(&alert.summary, 60);
    Also { severity: Sev(alert.severity), title, href: format!("/alerts/{}", alert.number) }
}

fn changes(view: &AlertView, times: &Times) -> Vec<Line> {
    view.changes
        .iter()
        .map(|change| {
            let source = if change.source.is_empty() {
                String::new()
            } else {
                format!(" ({})", change.source)
            };
            Line { at: times.short(change.at), text: format!("{}{source}", change.summary) }
        })
        .collect()
}

fn links(view: &AlertView) -> Vec<Link> {
    let runbook = view.service.as_ref().and_then(|service| service.runbook_url.as_ref());
    let runbook = runbook.map(|url| Link::new(url.as_str(), "Runbook"));
    let theirs = view.alert.links.iter().filter(|link| is_web(&link.href)).map(|link| {
        let text = if link.text.trim().is_empty() { "Link" } else { link.text.trim() };
        Link::new(link.href.clone(), bugle_domain::text::truncate(text, 40))
    });
    runbook.into_iter().chain(theirs).collect()
}

/// Only addresses of the web become links; `javascript:` and the like never do.
fn is_web(href: &str) -> bool {
    url::Url::parse(href).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn details(alert: &Alert) -> Vec<Pair> {
    let pair = |(key, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Pair { key: key.clone(), value: bugle_domain::text::truncate(&text, DETAIL_CHARS) }
    };
    alert.details.iter().map(pair).collect()
}

fn log_line(line: &TimelineLine, times: &Times) -> Line {
    Line { at: times.exact(line.at), text: line.text.clone() }
}

/// When the level was told that waits, for the form that passes it on.
fn told_at(alert: &Alert) -> String {
    match alert.escalation {
        Escalation::Waiting { told_at, .. } => told_at.to_string(),
        Escalation::Exhausted | Escalation::Acknowledged | Escalation::Resolved => String::new(),
    }
}

fn pass_on(view: &AlertView) -> Option<String> {
    match view.pass_on_to.as_slice() {
        [] => None,
        [one] => Some(format!("Pass to {one}")),
        many => Some(format!("Pass to {}", plural(size(many.len()), "person", "people"))),
    }
}

/// `Acknowledged 02:47:11 by you.` and what that caused, while it is fresh.
fn done(
    alert: &Alert,
    reader: Option<bugle_domain::UserId>,
    said: Option<&str>,
    times: &Times,
) -> Option<Done> {
    let (by, at) = alert.acknowledged.as_ref()?;
    let who = match by {
        Actor::User { id, .. } if reader == Some(*id) => "you".to_owned(),
        Actor::User { name, .. } => name.clone(),
        Actor::Key { name } => format!("the key {name}"),
        Actor::Sender { .. } => "its sender".to_owned(),
        Actor::System => "Bugle".to_owned(),
    };
    let taken = format!("Acknowledged {} by {who}.", times.exact(*at).text);
    let what = match alert.resolved_at {
        Some(over) => format!("{taken} Resolved {}.", times.exact(over).text),
        None => taken,
    };
    Some(Done { what, effect: said.unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests;
