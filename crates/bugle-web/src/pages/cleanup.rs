//! Clean-ups, for operators: what one would do, one with what it took away, and putting it back.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::cleanup::{CleanUp, CleanUpPlan, Named, RemovedThing, What};
use http::StatusCode;
use serde::Deserialize;

use super::changes::who;
use super::error::{PageError, fields, is_theirs, sentence};
use super::parts::{FieldError, Pair, Tab};
use super::shell::{Section, page};
use super::times::{Times, When, plural, size};
use super::visitor::{Visitor, forget_said, see};

#[derive(Template)]
#[template(path = "clean_up_form.html")]
pub(super) struct CleanUpForm {
    errors: Vec<FieldError>,
    tabs: Vec<Tab>,
    what: &'static str,
    words: &'static str,
    /// `3 would go`.
    going: String,
    goes: Vec<Row>,
    /// `2 are in use`.
    left: String,
    stays: Vec<Row>,
    reason: String,
}

/// A candidate.
struct Row {
    name: String,
    tenant: String,
    text: String,
}

#[derive(Template)]
#[template(path = "clean_up.html")]
pub(super) struct CleanUpPage {
    said: Option<String>,
    errors: Vec<FieldError>,
    heading: String,
    state: &'static str,
    facts: Vec<Pair>,
    /// Where it is put back, while it can be.
    restore: Option<String>,
    kept: Vec<Kept>,
}

/// Something that is kept.
struct Kept {
    name: String,
    kind: String,
    stuck: bool,
}

/// A clean-up of the list on the page of changes.
pub(super) struct CleanUpRow {
    /// Its number.
    pub(super) number: i64,
    /// `users`.
    pub(super) what: &'static str,
    /// Where it stands.
    pub(super) state: &'static str,
    /// Who: why.
    pub(super) text: String,
    /// When it began.
    pub(super) at: When,
}

/// The list. Pure.
pub(super) fn rows(found: Vec<CleanUp>, times: &Times) -> Vec<CleanUpRow> {
    let row = |it: CleanUp| CleanUpRow {
        number: it.number,
        what: it.what.as_str(),
        state: it.state.as_str(),
        text: format!("{}: {}", who(&it.author), it.reason),
        at: times.short(it.began_at),
    };
    found.into_iter().map(row).collect()
}

/// What is asked for, or wanted.
#[derive(Default, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    what: String,
    #[serde(default)]
    reason: String,
}

impl Typed {
    fn what(&self) -> What {
        What::parse(&self.what).unwrap_or(What::Keys)
    }
}

/// `GET /clean-ups/new?what=users`: says what it would do.
pub(super) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
    Query(typed): Query<Typed>,
) -> Result<Response, PageError> {
    form(&app, &visitor, &typed, Vec::new()).await
}

/// `POST /clean-ups/new`: begins it.
pub(super) async fn begin(
    State(app): State<App>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    match app.begin_clean_up(&visitor.caller, typed.what(), &typed.reason).await {
        Ok(begun) => {
            let to = format!("/clean-ups/{}", begun.number);
            Ok(see(&visitor.browser, &to, "It has begun, in small steps."))
        }
        Err(error) if is_theirs(&error) => {
            form(&app, &visitor, &typed, fields(&error, "reason")).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn form(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let plan = app.plan_clean_up(&visitor.caller, typed.what()).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let body = build_form(plan, typed.reason.clone(), errors);
    let shell = visitor.shell(app, "Clean up", Section::Changes).await?;
    Ok(page(status, &shell.back("/changes", "Changes"), &body))
}

/// What the form says. Pure.
pub(super) fn build_form(
    plan: CleanUpPlan,
    reason: String,
    errors: Vec<FieldError>,
) -> CleanUpForm {
    let tab = |what: What| Tab {
        href: format!("/clean-ups/new?what={}", what.as_str()),
        text: capital(what.as_str()),
        current: what == plan.what,
    };
    CleanUpForm {
        errors,
        tabs: What::ALL.into_iter().map(tab).collect(),
        what: plan.what.as_str(),
        words: plan.what.words(),
        going: plural(size(plan.going), "would go", "would go"),
        left: plural(size(plan.left), "is in use", "are in use"),
        goes: plan.goes.into_iter().map(row).collect(),
        stays: plan.stays.into_iter().map(row).collect(),
        reason,
    }
}

fn row(Named { tenant, candidate }: Named) -> Row {
    let text = match (candidate.against.is_empty(), candidate.with.len()) {
        (false, _) => sentence(&candidate.against.join("; ")),
        (true, 0) => String::new(),
        (true, with) => {
            format!("with {}", plural(size(with), "thing of its own", "things of its own"))
        }
    };
    Row { name: candidate.name, tenant, text }
}

fn capital(word: &str) -> String {
    sentence(word).trim_end_matches('.').to_owned()
}

/// `GET /clean-ups/{number}`, for operators.
pub(super) async fn one(
    State(app): State<App>,
    visitor: Visitor,
    Path(number): Path<i64>,
) -> Result<Response, PageError> {
    show(&app, &visitor, number, Vec::new()).await
}

/// `POST /clean-ups/{number}/restore`, for operators.
pub(super) async fn restore(
    State(app): State<App>,
    visitor: Visitor,
    Path(number): Path<i64>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    match app.restore_clean_up(&visitor.caller, number, &typed.reason).await {
        Ok(_) => {
            Ok(see(&visitor.browser, &format!("/clean-ups/{number}"), "It is being put back."))
        }
        Err(error) if is_theirs(&error) => {
            show(&app, &visitor, number, fields(&error, "reason")).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    app: &App,
    visitor: &Visitor,
    number: i64,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut body = load(app, visitor, number).await?;
    (body.errors, body.said) = (errors, visitor.browser.said.clone());
    let shell = visitor.shell(app, &body.heading, Section::Changes).await?;
    let shell = shell.back("/changes", "Changes");
    // What is wrong with what was typed stays until it is typed again.
    let live = body.errors.is_empty();
    let shell = if live { shell.live(format!("clean-up {number}")) } else { shell };
    let mut response = page(status, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// Reads one.
pub(super) async fn load(
    app: &App,
    visitor: &Visitor,
    number: i64,
) -> Result<CleanUpPage, PageError> {
    let (found, kept) = app.clean_up(&visitor.caller, number).await?;
    Ok(build(&found, kept, &visitor.times))
}

/// What the page of one says. Pure.
pub(super) fn build(it: &CleanUp, kept: Vec<RemovedThing>, times: &Times) -> CleanUpPage {
    let pair = |key: &str, value: String| Pair { key: key.to_owned(), value };
    let mut facts = vec![
        pair("What", it.what.words().to_owned()),
        pair("Who", who(&it.author)),
        pair("Why", it.reason.clone()),
        pair("Began", times.exact(it.began_at).text),
        pair("Taken away", it.removed.to_string()),
        pair("Left, in use", it.left.to_string()),
    ];
    let changes = [("Taken away by", it.changes.removal), ("Put back by", it.changes.restoral)];
    for (key, number) in changes {
        facts.extend(number.map(|number| pair(key, format!("change {number}"))));
    }
    if let Some(until) = it.kept_until() {
        facts.push(pair("Can be put back", format!("until {}", times.date_hm(until))));
    }
    if let Some((by, why)) = &it.restored_by {
        facts.push(pair("Put back", format!("{}, by {}: {why}", it.restored, who(by))));
    }
    let thing = |it: RemovedThing| Kept { name: it.name, kind: it.kind, stuck: it.stuck };
    CleanUpPage {
        said: None,
        errors: Vec::new(),
        heading: format!("Clean-up {}", it.number),
        state: it.state.as_str(),
        facts,
        restore: (it.state.can_be_restored() && it.removed > 0)
            .then(|| format!("/clean-ups/{}/restore", it.number)),
        // What went along with something has no name of its own.
        kept: kept.into_iter().filter(|it| !it.name.is_empty()).map(thing).collect(),
    }
}
