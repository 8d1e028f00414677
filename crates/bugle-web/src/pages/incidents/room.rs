//! The room of one incident: its timeline, who leads and who is here, what is said outside, and
//! what is to be done. All times are in UTC, which people in several places share.

use std::collections::BTreeSet;

use askama::Template;
use bugle_app::incidents::{Candidate, IncidentView};
use bugle_domain::UserId;
use bugle_domain::contact::Channel;
use bugle_engine::incident::command::{COMMANDS, Usage};
use bugle_engine::incident::report;
use bugle_engine::incident::room::{Origin, Role, Room, Timings};
use bugle_engine::incident::{IncidentLine, IncidentSeverity, LineGroup};
use bugle_engine::status::bulletin::{Bulletin, Phase};
use jiff::Timestamp;
use serde::Deserialize;

use super::severity;
use crate::pages::parts::{Choice, FieldError, Link, Pair, Tab};
use crate::pages::times::{Times, When, length};

/// Minutes that the next update can be promised in.
const PROMISES: [(&str, &str); 4] =
    [("15", "15 min"), ("30", "30 min"), ("60", "1 h"), ("240", "4 h")];
/// People sleep from this hour on, and until that.
const ASLEEP_FROM: i8 = 22;
const ASLEEP_UNTIL: i8 = 7;

/// The fields of all forms of a room but the one box.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Sent {
    pub(super) act: String,
    pub(super) text: String,
    pub(super) phase: String,
    pub(super) reason: String,
    pub(super) role: String,
    pub(super) to: String,
    pub(super) task: String,
    pub(super) minutes: String,
    pub(super) severity: String,
    pub(super) number: String,
    pub(super) mitigated_at: String,
}

/// What was typed into a form of the room, which is shown again.
#[derive(Clone, Default)]
pub(in crate::pages) struct Typed {
    /// In the one box.
    pub(in crate::pages) say: String,
    /// In another form.
    pub(in crate::pages) sent: Sent,
}

impl Typed {
    /// The form that does `act`, if it is the one that was sent; else an empty one.
    fn form(&self, act: &str) -> Sent {
        if self.sent.act == act { self.sent.clone() } else { Sent::default() }
    }

    /// The form for an update, posted or shown first.
    fn update(&self) -> Sent {
        match self.sent.act.as_str() {
            "update" | "preview" => self.sent.clone(),
            _ => Sent::default(),
        }
    }
}

/// How a room is shown, beside what is in it.
#[derive(Clone, Default)]
pub(in crate::pages) struct Shown {
    /// Only this part of the timeline.
    pub(in crate::pages) group: Option<LineGroup>,
    /// What is wrong with what was typed.
    pub(in crate::pages) errors: Vec<FieldError>,
    /// What was typed.
    pub(in crate::pages) typed: Typed,
    /// Tenants that are hit, by name.
    pub(in crate::pages) hit: Vec<String>,
    /// Who is on call.
    pub(in crate::pages) on_call: BTreeSet<UserId>,
    /// How the public will read an update, where that was asked for.
    pub(in crate::pages) preview: Option<String>,
}

#[derive(Template)]
#[template(path = "incident.html")]
pub(in crate::pages) struct RoomPage {
    pub(super) said: Option<String>,
    errors: Vec<FieldError>,
    href: String,
    pub(super) title: String,
    severity: &'static str,
    critical: bool,
    open: bool,
    closed: Option<String>,
    /// Who declared it, since when, and who leads.
    meta: String,
    /// Where its alarm is answered, while nobody has.
    answer: Option<String>,
    answered: Option<String>,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    may_act: bool,
    /// What was typed into the one box.
    say: String,
    /// What a slash there does.
    commands: [Usage; COMMANDS.len()],
    /// Whether the public can be told of it.
    public: bool,
    facts: Vec<Pair>,
    alerts: Vec<Link>,
    roles: Vec<RoleRow>,
    here: Vec<String>,
    am_here: bool,
    /// Whom to page, and why.
    page: Form,
    outside: Outside,
    tasks: Vec<TaskRow>,
    /// Something to be done, and by whom.
    task: Form,
    /// The alert to be added, as typed.
    number: String,
    /// Why it is over, as typed.
    close: Sent,
    timings: Vec<Pair>,
    severities: Vec<Choice>,
    /// Whether people say how far it has come, and close it.
    by_people: bool,
    mitigated: bool,
    drained: bool,
    zone: String,
}

/// A line of the timeline.
struct Line {
    id: String,
    at: When,
    href: String,
    source: String,
    text: String,
}

/// A role, and who has it.
struct RoleRow {
    role: &'static str,
    name: String,
    holder: Option<String>,
    /// Their time of day.
    local: String,
    /// To whom it can be given, and why.
    give: Form,
}

/// A form that names somebody.
struct Form {
    /// What was typed.
    text: String,
    people: Vec<Choice>,
    /// Whether it was sent, so that it is shown unfolded.
    sent: bool,
}

/// What is said to those outside.
struct Outside {
    /// Whose page tells of it: the public's, or nobody's.
    title: &'static str,
    /// What was said last.
    last: Option<(String, When)>,
    /// The next update, and whether it is late.
    next: Option<(When, bool)>,
    /// Where more is said.
    link: Option<Link>,
    /// What is said where nothing can be.
    note: Option<&'static str>,
    /// Whether something can be said here.
    can_say: bool,
    promises: Vec<Choice>,
    /// How far it has come, where the public is told.
    phases: Vec<Choice>,
    /// What was typed.
    text: String,
    /// How the public will read that.
    preview: Option<String>,
}

/// A task.
struct TaskRow {
    number: u32,
    text: String,
    assignee: Option<String>,
    done: Option<String>,
}

/// What the page says to `reader`. Pure.
pub(in crate::pages) fn build(
    view: IncidentView,
    shown: Shown,
    reader: Option<UserId>,
    times: &Times,
) -> RoomPage {
    let utc = Times::new("UTC", times.now());
    let IncidentView { room: it, watch, lines, bulletin, candidates, may_act } = view;
    let href = format!("/incidents/{}", it.id);
    let answered = watch.as_ref().and_then(|watch| watch.answered.clone());
    let by_people = it.origin != Origin::Watch;
    let typed = &shown.typed;
    let folk = Folk { candidates: &candidates, on_call: &shown.on_call, now: utc.now() };
    let asked = watch.is_some() && answered.is_none() && it.open() && may_act;
    RoomPage {
        said: None,
        severity: severity(it.severity),
        critical: it.severity == IncidentSeverity::Critical,
        open: it.open(),
        closed: it.closed.as_ref().map(|closed| closed.reason.clone()),
        meta: meta(&it, &utc),
        answer: asked.then(|| format!("{href}/answer")),
        answered: answered.map(|(at, by)| format!("{by}, {}", utc.hms(at))),
        tabs: tabs(&href, shown.group),
        lines: timeline(&href, lines, shown.group, &utc),
        facts: facts(&it, watch.map(|watch| watch.evidence), &shown.hit),
        alerts: alerts(&it),
        roles: roles(&it, &folk, typed),
        here: it.here.iter().map(|person| person.name.clone()).collect(),
        am_here: it.here.iter().any(|person| Some(person.user) == reader),
        page: folk.form(&typed.form("page"), |sent| &sent.reason),
        outside: outside(&it, bulletin.as_ref(), (typed, shown.preview), &utc),
        tasks: tasks(&it, &utc),
        task: folk.form(&typed.form("task"), |sent| &sent.text),
        number: typed.form("alert").number,
        close: typed.form("close"),
        timings: timings(&it.timings()),
        severities: IncidentSeverity::ALL
            .map(|one| Choice::new(one.as_str(), severity(one), it.severity.as_str()))
            .into(),
        by_people,
        mitigated: it.mitigated_at.is_some(),
        drained: it.drained_at.is_some(),
        zone: utc.zone_name().to_owned(),
        errors: shown.errors,
        public: it.tenant.is_none(),
        commands: COMMANDS,
        say: shown.typed.say,
        title: it.title,
        may_act,
        href,
    }
}

/// `Since 14:52:03, for 23 min. Declared by the watch. Lena leads.`
fn meta(room: &Room, utc: &Times) -> String {
    let lasted = length(room.until(utc.now()).duration_since(room.began_at));
    let since = utc.exact(room.began_at).text;
    let declared = match &room.origin {
        Origin::Watch => "the watch".to_owned(),
        Origin::Person { name } => name.clone(),
        Origin::Alert { name, number } => format!("{name} from alert #{number}"),
    };
    let leads = match room.roles.get(&Role::Commander) {
        Some(person) => format!("{} leads", person.name),
        None => "Nobody leads".to_owned(),
    };
    format!("Since {since} UTC, for {lasted}. Declared by {declared}. {leads}.")
}

fn tabs(href: &str, shown: Option<LineGroup>) -> Vec<Tab> {
    let tab = |group: LineGroup| Tab {
        href: format!("{href}?show={}", group.as_str()),
        text: match group {
            LineGroup::Decisions => "Decisions",
            LineGroup::Pages => "Pages",
            LineGroup::Alerts => "Alerts",
            LineGroup::Notes => "Notes",
        }
        .to_owned(),
        current: shown == Some(group),
    };
    let all = Tab { href: href.to_owned(), text: "All".to_owned(), current: shown.is_none() };
    std::iter::once(all).chain(LineGroup::ALL.map(tab)).collect()
}

/// The lines, newest first. One that has no page of its own is where its link leads.
fn timeline(
    href: &str,
    lines: Vec<IncidentLine>,
    shown: Option<LineGroup>,
    utc: &Times,
) -> Vec<Line> {
    let wanted = |line: &IncidentLine| shown.is_none_or(|group| line.group() == group);
    let line = |(index, line): (usize, IncidentLine)| {
        let link = line.link.unwrap_or_else(|| href.to_owned());
        let own = link.strip_prefix(href).and_then(|rest| rest.strip_prefix('#'));
        Line {
            id: own.map_or_else(|| format!("x{index}"), str::to_owned),
            at: utc.exact(line.at),
            source: line.source,
            text: line.text,
            href: link,
        }
    };
    lines.into_iter().enumerate().filter(|(_, it)| wanted(it)).map(line).rev().collect()
}

fn facts(room: &Room, evidence: Option<String>, hit: &[String]) -> Vec<Pair> {
    let mut facts = Vec::new();
    let mut say = |key: &str, value: String| {
        if !value.is_empty() {
            facts.push(Pair { key: key.to_owned(), value });
        }
    };
    say("Affected", room.affected.clone());
    say("Seen", evidence.unwrap_or_default());
    say("Tenants hit", hit.join(", "));
    facts
}

fn alerts(room: &Room) -> Vec<Link> {
    let link = |number: i64, summary: &str| {
        Link::new(format!("/alerts/{number}"), format!("#{number} {summary}"))
    };
    room.alerts.iter().map(|it| link(it.number, &it.summary)).collect()
}

fn roles(room: &Room, folk: &Folk<'_>, typed: &Typed) -> Vec<RoleRow> {
    let row = |role: Role| {
        let holder = room.roles.get(&role);
        let zone = holder.and_then(|person| {
            let mut all = folk.candidates.iter();
            all.find(|it| it.person.user == person.user).map(|it| &it.time_zone)
        });
        let sent = Some(typed.form("role")).filter(|sent| sent.role == role.as_str());
        RoleRow {
            role: role.as_str(),
            name: crate::pages::error::sentence(role.words()).trim_end_matches('.').to_owned(),
            holder: holder.map(|person| person.name.clone()),
            local: zone.map(|zone| local(zone, folk.now)).unwrap_or_default(),
            give: folk.form(&sent.unwrap_or_default(), |sent| &sent.reason),
        }
    };
    Role::ALL.map(row).into()
}

/// Who can be chosen.
struct Folk<'a> {
    candidates: &'a [Candidate],
    on_call: &'a BTreeSet<UserId>,
    now: Timestamp,
}

impl Folk<'_> {
    /// A form that names somebody, with what was typed.
    fn form(&self, sent: &Sent, text: fn(&Sent) -> &String) -> Form {
        let was_sent = !sent.act.is_empty();
        Form { text: text(sent).clone(), people: self.choices(&sent.to), sent: was_sent }
    }

    /// Everybody, with what to know before somebody is woken: their time of day, whether they are
    /// on call, and how they can be reached.
    fn choices(&self, chosen: &str) -> Vec<Choice> {
        let choice = |it: &Candidate| {
            let shift = if self.on_call.contains(&it.person.user) { ", on call" } else { "" };
            let (name, reach) = (&it.person.name, reach(&it.reach));
            let text = format!("{name}: {}{shift}; {reach}", local(&it.time_zone, self.now));
            Choice::new(it.person.user.to_string(), text, chosen)
        };
        self.candidates.iter().map(choice).collect()
    }
}

/// `by call and text`.
fn reach(proven: &BTreeSet<Channel>) -> String {
    let word = |way: &Channel| match way {
        Channel::Email => "mail",
        Channel::Sms => "text",
        Channel::Voice => "call",
        Channel::Webhook => "webhook",
    };
    let loudest = [Channel::Voice, Channel::Sms, Channel::Email, Channel::Webhook];
    let ways: Vec<&str> = loudest.iter().filter(|way| proven.contains(way)).map(word).collect();
    match &ways[..] {
        [] => "cannot be reached".to_owned(),
        [one] => format!("by {one}"),
        [most @ .., last] => format!("by {} and {last}", most.join(", ")),
    }
}

/// `03:12 in Kolkata, asleep hours`.
fn local(zone: &str, now: Timestamp) -> String {
    let there = Times::new(zone, now);
    let place = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
    let asleep = match there.at(now).hour() {
        ASLEEP_FROM.. | ..ASLEEP_UNTIL => ", asleep hours",
        ASLEEP_UNTIL..ASLEEP_FROM => "",
    };
    format!("{} in {place}{asleep}", there.hm(now))
}

fn outside(
    room: &Room,
    bulletin: Option<&Bulletin>,
    (typed, preview): (&Typed, Option<String>),
    utc: &Times,
) -> Outside {
    let (update, promise) = (typed.update(), typed.form("next").minutes);
    let promise = if promise.is_empty() { "30" } else { promise.as_str() };
    let next = room.next_update_by.filter(|_| room.open());
    let mut outside = Outside {
        title: if room.tenant.is_some() { "Updates" } else { "Told to the public" },
        last: None,
        next: next.map(|at| (utc.exact(at), at < utc.now())),
        link: None,
        note: None,
        can_say: room.open(),
        promises: PROMISES.map(|(value, text)| Choice::new(value, text, promise)).into(),
        phases: Vec::new(),
        text: update.text,
        preview,
    };
    match (room.tenant, bulletin) {
        (Some(_), _) => (),
        (None, Some(told)) => {
            let last = told.updates.last();
            outside.last = last.map(|it| (it.text.clone(), utc.exact(it.at)));
            let phase = Phase::parse(&update.phase).unwrap_or_else(|| told.phase());
            let choice = |it: Phase| Choice::new(it.as_str(), it.words(), phase.as_str());
            outside.phases = Phase::OF_TROUBLE.map(choice).into();
            let page = format!("/status-page/{}", told.id);
            outside.link = Some(Link::new(page, "See and change it"));
        }
        (None, None) if room.origin == Origin::Watch => {
            outside.can_say = false;
            outside.note =
                Some("Nothing yet. Where there is a status page, it tells of this by itself.");
        }
        (None, None) => {
            outside.can_say = false;
            outside.note = Some("Nothing yet.");
            let page = format!("/status-page/troubles/new?incident={}", room.id);
            outside.link = room.open().then(|| Link::new(page, "Tell the public"));
        }
    }
    outside
}

fn tasks(room: &Room, utc: &Times) -> Vec<TaskRow> {
    let row = |it: &bugle_engine::incident::room::Task| TaskRow {
        number: it.number,
        text: it.text.clone(),
        assignee: it.assignee.clone(),
        done: it.done.as_ref().map(|(at, by)| format!("{by}, {}", utc.exact(*at).text)),
    };
    room.tasks.iter().map(row).collect()
}

fn timings(timings: &Timings) -> Vec<Pair> {
    let pair = |key: &str, seconds: Option<i64>| Pair {
        key: key.to_owned(),
        value: seconds.map_or("not yet".to_owned(), report::length),
    };
    vec![
        pair("Noticed after", timings.detect_s),
        pair("Declared after", timings.declare_s),
        pair("First said outside after", timings.first_post_s),
        pair("Mitigated after", timings.mitigate_s),
        pair("Drained after", timings.drain_s),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_somebody_is_woken_it_is_said_what_time_it_is_there() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let noon = at("2026-11-25T02:42:00Z");
        assert_eq!(local("Asia/Tokyo", noon), "11:42 in Tokyo");
        assert_eq!(local("Europe/Berlin", noon), "03:42 in Berlin, asleep hours");
        assert_eq!(local("America/New_York", noon), "21:42 in New York");
        let later = at("2026-11-25T03:00:00Z");
        assert_eq!(local("America/New_York", later), "22:00 in New York, asleep hours");
    }

    #[test]
    fn before_somebody_is_woken_it_is_said_how_they_can_be_reached() {
        let by = |ways: &[Channel]| reach(&ways.iter().copied().collect());
        assert_eq!(by(&[]), "cannot be reached");
        assert_eq!(by(&[Channel::Sms]), "by text");
        assert_eq!(by(&[Channel::Sms, Channel::Email, Channel::Voice]), "by call, text and mail");
    }
}
