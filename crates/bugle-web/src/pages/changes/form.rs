//! A change is planned, looked at, and begun.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use bugle_app::App;
use bugle_app::UseCaseError as _;
use bugle_app::change::{ChangeError, ChangePlan, ChangeRequest, WATCH_FOR, Wanted};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::diff::{DiffLine, lines};
use crate::pages::error::{PageError, fields, is_theirs, sentence};
use crate::pages::parts::{Choice, FieldError};
use crate::pages::shell::{Section, page};
use crate::pages::times::{plural, size};
use crate::pages::visitor::{Visitor, see};

/// Most names of tenants and services that are written out.
const NAMED: usize = 5;
/// How long a change can be chosen to be watched, in seconds.
const WATCHED: [(i64, &str); 5] = [
    (60, "1 minute"),
    (300, "5 minutes"),
    (1_800, "30 minutes"),
    (7_200, "2 hours"),
    (86_400, "1 day"),
];

#[derive(Template)]
#[template(path = "change_form.html")]
pub(in crate::pages) struct ChangeForm {
    /// `Back to revision 3`, or a new one.
    heading: String,
    errors: Vec<FieldError>,
    /// The document, where one is edited.
    document: Option<String>,
    /// The revision, where one is gone to.
    revision: Option<i64>,
    /// The revisions that there are.
    revisions: Vec<Choice>,
    /// What it would do, once that was asked.
    plan: Option<Plan>,
    reason: String,
    watch: Vec<Choice>,
}

/// What a change would do.
pub(in crate::pages) struct Plan {
    from: i64,
    diff: Vec<DiffLine>,
    /// What speaks against it.
    refusals: Vec<String>,
    /// Whether it was undone by itself just now.
    undone: bool,
    /// Who passes through the stages that change.
    touched: Vec<String>,
}

impl Plan {
    /// In the page's words.
    pub(in crate::pages) fn of(plan: &ChangePlan, now: Timestamp) -> Self {
        Self {
            from: plan.from,
            diff: lines(&plan.differences),
            refusals: plan.refusals().iter().map(|text| sentence(text)).collect(),
            undone: plan.was_just_undone(now),
            touched: touched(plan),
        }
    }
}

/// Who passes through the stages that change, in sentences.
fn touched(plan: &ChangePlan) -> Vec<String> {
    let stages: Vec<&str> = plan.stages.iter().map(|stage| stage.as_str()).collect();
    if stages.is_empty() {
        return Vec::new();
    }
    let of = &plan.touched;
    let named = |names: &std::collections::BTreeSet<String>, one: &str, many: &str| {
        let some: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
        let more = if names.len() > NAMED { ", …" } else { "" };
        let counted = plural(size(names.len()), one, many);
        if some.is_empty() { counted } else { format!("{counted}: {}{more}", some.join(", ")) }
    };
    vec![
        format!("Stages: {}", stages.join(", ")),
        named(&of.tenants, "tenant", "tenants"),
        named(&of.services, "service", "services"),
        format!(
            "{} now waiting",
            plural(of.waiting, "event or notification", "events and notifications")
        ),
    ]
}

/// Which form is wanted.
#[derive(Deserialize)]
pub(in crate::pages) struct Asked {
    /// Go to this revision.
    revision: Option<i64>,
    /// Edit a copy of this one.
    edit: Option<i64>,
}

/// What was typed.
#[derive(Clone, Default, Deserialize)]
pub(in crate::pages) struct Typed {
    #[serde(default, rename = "do")]
    does: String,
    document: Option<String>,
    revision: Option<i64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    force: Option<String>,
    #[serde(default)]
    again: Option<String>,
    watch_s: Option<i64>,
}

impl Typed {
    fn wanted(&self) -> Wanted {
        match (self.revision, &self.document) {
            (Some(number), _) => Wanted::Revision(number),
            (None, document) => Wanted::Document(document.clone().unwrap_or_default()),
        }
    }

    fn request(&self) -> ChangeRequest {
        ChangeRequest {
            wanted: self.wanted(),
            reason: self.reason.clone(),
            forced: self.force.is_some(),
            again: self.again.is_some(),
            watch_for: self.watch_s.map_or(WATCH_FOR, SignedDuration::from_secs),
        }
    }
}

/// `GET /changes/new`, for operators.
pub(in crate::pages) async fn new_form(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let mut typed = Typed { revision: asked.revision, ..Typed::default() };
    let mut plan = None;
    if asked.revision.is_some() {
        plan = Some(app.plan_change(&visitor.caller, &typed.wanted()).await?);
    } else {
        let (_, known_good) = app.stage_revisions(&visitor.caller).await?;
        let number = asked.edit.or(known_good).unwrap_or_default();
        typed.document = Some(app.stage_revision(&visitor.caller, number).await?.document);
    }
    answer(&app, &visitor, &typed, plan.as_ref(), Vec::new()).await
}

/// `POST /changes/new`: says what it would do, or begins it.
pub(in crate::pages) async fn begin(
    State(app): State<App>,
    visitor: Visitor,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let plan = match app.plan_change(&visitor.caller, &typed.wanted()).await {
        Ok(plan) => plan,
        Err(ChangeError::Mistakes(mistakes)) => {
            let wrong = |it: &_| FieldError::new("document", sentence(&format!("{it}")));
            let errors = mistakes.0.iter().map(wrong).collect();
            return answer(&app, &visitor, &typed, None, errors).await;
        }
        Err(error) => return Err(error.into()),
    };
    if typed.does != "apply" {
        return answer(&app, &visitor, &typed, Some(&plan), Vec::new()).await;
    }
    match app.begin_change(&visitor.caller, typed.request()).await {
        Ok(change) => {
            let to = format!("/changes/{}", change.number);
            Ok(see(&visitor.browser, &to, "It has begun. This page follows it."))
        }
        Err(error) if is_theirs(&error) => {
            let field = if error.code() == "reason_missing" { "reason" } else { "plan" };
            answer(&app, &visitor, &typed, Some(&plan), fields(&error, field)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn answer(
    app: &App,
    visitor: &Visitor,
    typed: &Typed,
    plan: Option<&ChangePlan>,
    errors: Vec<FieldError>,
) -> Result<Response, PageError> {
    let (revisions, known_good) = app.stage_revisions(&visitor.caller).await?;
    let others = revisions.iter().filter(|it| Some(it.number) != known_good);
    let choice = |number: i64, reason: &str| {
        Choice::new(number.to_string(), format!("{number}: {reason}"), "")
    };
    let choices = others.map(|it| choice(it.number, &it.reason)).collect();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let plan = plan.map(|plan| Plan::of(plan, visitor.times.now()));
    let body = build(typed, plan, choices, errors);
    let title = if body.errors.is_empty() {
        body.heading.clone()
    } else {
        format!("Error: {}", body.heading)
    };
    let shell = visitor.shell(app, &title, Section::Changes).await?;
    Ok(page(status, &shell.back("/changes", "Changes"), &body))
}

/// What the form says. Pure.
fn build(
    typed: &Typed,
    plan: Option<Plan>,
    revisions: Vec<Choice>,
    errors: Vec<FieldError>,
) -> ChangeForm {
    let heading = typed
        .revision
        .map_or_else(|| "New change".to_owned(), |number| format!("Go to revision {number}"));
    let chosen = typed.watch_s.unwrap_or(WATCH_FOR.as_secs()).to_string();
    let watch = WATCHED.map(|(seconds, text)| Choice::new(seconds.to_string(), text, &chosen));
    ChangeForm {
        heading,
        errors,
        document: typed.revision.is_none().then(|| typed.document.clone().unwrap_or_default()),
        revision: typed.revision,
        revisions,
        plan,
        reason: typed.reason.clone(),
        watch: watch.into(),
    }
}

/// For pages that are rendered from fixtures: the form with a plan.
#[cfg(test)]
pub(in crate::pages) fn example(document: &str, plan: &ChangePlan, now: Timestamp) -> ChangeForm {
    let typed = Typed { document: Some(document.to_owned()), ..Typed::default() };
    build(
        &typed,
        Some(Plan::of(plan, now)),
        vec![Choice::new("1", "1: first start", "")],
        Vec::new(),
    )
}
