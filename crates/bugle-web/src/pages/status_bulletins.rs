//! Bulletins, of the installation and of tenants' pages alike: in a list, on a page of its own, and
//! the forms for new ones.

use askama::Template;
use axum::response::Response;
use bugle_app::App;
use bugle_app::status::{DraftedBulletin, Post, StatusError};
use bugle_domain::BulletinId;
use bugle_engine::status::State as Health;
use bugle_engine::status::board::Touched;
use bugle_engine::status::bulletin::{Bulletin, Kind, Phase};
use http::StatusCode;

use super::error::{PageError, fields, is_theirs};
use super::forms::{Sent, of};
use super::parts::{Choice, FieldError, Link, Pair};
use super::shell::{Section, page};
use super::times::{Times, When};
use super::visitor::{Visitor, forget_said};

/// A bulletin of the list.
pub(super) struct Told {
    /// Its page.
    pub(super) href: String,
    /// In a line.
    pub(super) title: String,
    /// How far it has come.
    pub(super) phase: &'static str,
    /// Whether it goes on.
    pub(super) open: bool,
    /// What was said last.
    pub(super) text: String,
    /// When that was.
    pub(super) at: When,
}

/// Whose bulletins they are: the installation's, or those of a tenant's page.
#[derive(Clone)]
pub(super) struct Place {
    /// The page that lists them.
    pub(super) back: Link,
    /// What bulletins are below.
    pub(super) bulletins: String,
    /// What the forms for new ones are below.
    pub(super) forms: String,
    /// What a trouble that is told of does.
    pub(super) trouble: &'static str,
    /// What to know where only people say more.
    pub(super) only_people: &'static str,
}

impl Place {
    /// Those of the installation.
    pub(super) fn installation() -> Self {
        Self {
            back: Link::new("/status-page", "Status page"),
            bulletins: "/status-page".to_owned(),
            forms: "/status-page".to_owned(),
            trouble: "What the watch sees is told by itself. This is for what it does not see.",
            only_people: "The watch does not see this: only you can say more. If an update is \
                          late, the operators are told.",
        }
    }
}

/// What a new bulletin is made from, as typed.
#[derive(Template)]
#[template(path = "status_new.html")]
pub(super) struct NewPage {
    heading: &'static str,
    intro: &'static str,
    action: String,
    back: Link,
    button: &'static str,
    errors: Vec<FieldError>,
    /// The incident that it tells of; empty: none.
    incident: String,
    title: String,
    text: String,
    /// How bad it is; empty where that is not asked.
    states: Vec<Choice>,
    /// `from` and `until`, where they are asked.
    times: Option<(String, String)>,
    components: Vec<Choice>,
    /// How the public will read it, where that was asked for.
    preview: Option<String>,
}

#[derive(Template)]
#[template(path = "status_bulletin.html")]
pub(super) struct BulletinPage {
    said: Option<String>,
    errors: Vec<FieldError>,
    /// Its own path, and that of the list.
    at: String,
    back: Link,
    title: String,
    phase: &'static str,
    open: bool,
    facts: Vec<Pair>,
    updates: Vec<Update>,
    /// What to know where a person told of it, so that only people can say more.
    only_people: Option<&'static str>,
    /// Whether the reader may say something.
    may_post: bool,
    hand: Option<String>,
    version: i64,
    phases: Vec<Choice>,
    text: String,
    /// How the public will read it, where that was asked for.
    pub(super) preview: Option<String>,
}

/// What a form was answered with: what is wrong with what was typed, or how the public will read
/// it, or nothing yet.
#[derive(Clone, Default)]
pub(super) struct Answer {
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
    /// How the public will read it.
    pub(super) preview: Option<String>,
}

impl Answer {
    /// What a preview was answered with, where the person can mend what is wrong.
    pub(super) fn of(drawn: Result<String, StatusError>, first: &str) -> Result<Self, PageError> {
        match drawn {
            Ok(drawn) => Ok(Self { preview: Some(drawn), ..Self::default() }),
            Err(error) => Self::wrong(error, first),
        }
    }

    /// What is wrong, where the person can mend it.
    pub(super) fn wrong(error: StatusError, first: &str) -> Result<Self, PageError> {
        Ok(Self { errors: theirs(error, first)?, ..Self::default() })
    }
}

/// Whether a form asks how the public will read it, and posts nothing.
pub(super) fn previews(sent: &Sent) -> bool {
    of(sent, "act") == "preview"
}

/// Something that was said.
struct Update {
    at: When,
    phase: &'static str,
    text: String,
    by: String,
}

/// A bulletin of a list.
pub(super) fn told<C>(place: &Place, it: &DraftedBulletin<C>, times: &Times) -> Told {
    let it = &it.bulletin;
    Told {
        href: format!("{}/{}", place.bulletins, it.id),
        phase: it.phase().words(),
        open: it.open(),
        text: it.updates.last().map(|update| update.text.clone()).unwrap_or_default(),
        at: times.short(it.updated_at()),
        title: it.title.clone(),
    }
}

/// What a new bulletin touches, as it was chosen.
pub(super) fn touched(sent: &Sent) -> impl Iterator<Item = &str> {
    let named = sent.iter().filter(|(key, _)| key == "components");
    named.map(|(_, value)| value.as_str())
}

/// What is wrong, where the person can mend it.
pub(super) fn theirs(error: StatusError, first: &str) -> Result<Vec<FieldError>, PageError> {
    if is_theirs(&error) { Ok(fields(&error, first)) } else { Err(error.into()) }
}

impl NewPage {
    /// What it is for, in a few words.
    pub(super) fn heading(&self) -> &'static str {
        self.heading
    }

    /// Whether it can be used as it was typed.
    pub(super) fn status(&self) -> StatusCode {
        if self.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }
}

/// The form for a trouble of that place. Pure.
pub(super) fn trouble(
    place: Place,
    components: Vec<Choice>,
    sent: &Sent,
    Answer { errors, preview }: Answer,
) -> NewPage {
    let state = of(sent, "state");
    let bad = Health::ALL.into_iter().filter(|state| *state > Health::Maintenance);
    NewPage {
        heading: "Tell of a trouble",
        intro: place.trouble,
        action: format!("{}/troubles/new", place.forms),
        back: place.back,
        button: "Tell the public",
        errors,
        incident: of(sent, "incident"),
        title: of(sent, "title"),
        text: of(sent, "text"),
        states: bad.map(|it| Choice::new(it.as_str(), it.words(), &state)).collect(),
        times: None,
        components,
        preview,
    }
}

/// The form for scheduled maintenance of that place. Pure.
pub(super) fn maintenance(
    place: Place,
    components: Vec<Choice>,
    sent: &Sent,
    Answer { errors, preview }: Answer,
) -> NewPage {
    NewPage {
        heading: "Plan maintenance",
        intro: "It is announced at once, and begins and ends on the page by itself.",
        action: format!("{}/maintenance/new", place.forms),
        back: place.back,
        button: "Announce it",
        errors,
        incident: String::new(),
        title: of(sent, "title"),
        text: of(sent, "text"),
        states: Vec::new(),
        times: Some((of(sent, "from"), of(sent, "until"))),
        components,
        preview,
    }
}

pub(super) fn parse(id: &str) -> Result<BulletinId, PageError> {
    id.parse().map_err(|_| PageError::not_found("There is no such bulletin."))
}

/// The page of a bulletin as an answer.
pub(super) async fn answer(
    app: &App,
    visitor: &Visitor,
    (section, back): (Section, Link),
    (mut body, Answer { errors, preview }): (BulletinPage, Answer),
) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    (body.errors, body.preview) = (errors, preview);
    body.said.clone_from(&visitor.browser.said);
    let shell = visitor.shell(app, &body.title, section).await?;
    let mut response = page(status, &shell.back(&back.href, &back.text), &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

impl BulletinPage {
    /// The same for a reader who may say something, or may not.
    pub(super) fn posted_by(self, may_post: bool) -> Self {
        Self { may_post, ..self }
    }
}

/// The same of that place. Pure.
pub(super) fn build_in(
    place: &Place,
    drafted: DraftedBulletin<Touched>,
    typed: Option<Post>,
    times: &Times,
) -> BulletinPage {
    let DraftedBulletin { bulletin: it, version, draft, by_hand } = drafted;
    let phases: &[Phase] = match it.kind {
        Kind::Trouble { .. } => &Phase::OF_TROUBLE,
        Kind::Maintenance { .. } => &Phase::OF_MAINTENANCE,
    };
    let (phase, text) = match typed {
        Some(typed) => (typed.phase.unwrap_or(draft.phase), typed.text),
        None => (draft.phase, draft.text),
    };
    let update = |it: &bugle_engine::status::bulletin::Update| Update {
        at: times.exact(it.at),
        phase: it.phase.words(),
        text: it.text.clone(),
        by: it.by.clone().unwrap_or_else(|| "Bugle".to_owned()),
    };
    BulletinPage {
        said: None,
        errors: Vec::new(),
        at: format!("{}/{}", place.bulletins, it.id),
        back: place.back.clone(),
        phase: it.phase().words(),
        open: it.open(),
        facts: facts(&it, times),
        updates: it.updates.iter().rev().map(update).collect(),
        only_people: by_hand.then_some(place.only_people),
        may_post: true,
        hand: it.hand.clone(),
        version,
        phases: phases
            .iter()
            .map(|it| Choice::new(it.as_str(), it.words(), phase.as_str()))
            .collect(),
        text,
        preview: None,
        title: it.title,
    }
}

fn facts(it: &Bulletin<Touched>, times: &Times) -> Vec<Pair> {
    let pair = |key: &str, value: String| Pair { key: key.to_owned(), value };
    let names: Vec<&str> = it.components.iter().map(|it| it.name.as_str()).collect();
    let mut facts =
        vec![pair("Touches", names.join(", ")), pair("At its worst", it.state.words().to_owned())];
    match it.kind {
        Kind::Trouble { .. } => facts.push(pair("Began", times.exact(it.began_at).text)),
        Kind::Maintenance { from, until } => {
            facts.push(pair(
                "Planned",
                format!("{} to {}", times.date_hm(from), times.date_hm(until)),
            ));
        }
    }
    if let Some(by) = it.next_by {
        facts.push(pair("Next update promised by", times.exact(by).text));
    }
    facts
}
