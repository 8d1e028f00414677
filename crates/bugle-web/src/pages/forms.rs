//! Plain lists and forms, for what is seldom changed by hand.

use askama::Template;
use axum::response::Response;
use bugle_app::App;
use http::StatusCode;

use super::error::{PageError, sentence};
use super::parts::{Choice, FieldError, Link};
use super::shell::{Section, page};
use super::visitor::{Visitor, forget_said};

/// Fields as they were sent: a name may come more than once.
pub(super) type Sent = Vec<(String, String)>;

/// The field of that name, as typed.
pub(super) fn of(sent: &Sent, name: &str) -> String {
    let found = sent.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "services.html")]
pub(super) struct ListPage {
    /// What is listed.
    pub(super) title: &'static str,
    /// In a sentence.
    pub(super) intro: &'static str,
    /// Where one is made.
    pub(super) new: Option<Link>,
    /// Rows, in groups.
    pub(super) groups: Vec<Group>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// Rows under a title.
pub(super) struct Group {
    /// The title; empty: none.
    pub(super) title: &'static str,
    /// What is said where there are none.
    pub(super) empty: &'static str,
    /// The rows.
    pub(super) rows: Vec<Row>,
}

/// One thing.
pub(super) struct Row {
    /// Its page.
    pub(super) href: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// What there is to say.
    pub(super) text: String,
    /// A word at the end.
    pub(super) badge: String,
}

#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct FormPage {
    /// Where to go back to.
    pub(super) back: Link,
    /// `New service`.
    pub(super) heading: String,
    /// In a sentence.
    pub(super) intro: String,
    /// What it amounts to, in sentences.
    pub(super) sentences: Vec<String>,
    /// Where it posts to; `None`: the reader may only look.
    pub(super) action: Option<String>,
    /// Fields, in groups.
    pub(super) groups: Vec<Fields>,
    /// What the button says.
    pub(super) button: &'static str,
    /// Where deleting posts to.
    pub(super) delete: Option<String>,
    /// What is wrong.
    pub(super) errors: Vec<FieldError>,
    /// What the last request caused.
    pub(super) said: Option<String>,
}

/// Fields that belong together.
pub(super) struct Fields {
    /// What they are; empty: not said.
    pub(super) legend: String,
    /// The fields.
    pub(super) fields: Vec<Field>,
}

/// One field.
#[derive(Default)]
pub(super) struct Field {
    /// Names it in the page.
    pub(super) id: String,
    /// Names it in what is sent.
    pub(super) name: &'static str,
    /// What it asks for.
    pub(super) label: String,
    /// What else is to be known; empty: nothing.
    pub(super) hint: &'static str,
    /// `text`, `email`, `url`.
    pub(super) kind: &'static str,
    /// As typed.
    pub(super) value: String,
    /// What can be chosen; empty: it is typed.
    pub(super) choices: Vec<Choice>,
    /// Whether several can be chosen.
    pub(super) many: bool,
    /// What is wrong with it.
    pub(super) error: Option<String>,
}

impl Field {
    /// A field that is typed.
    pub(super) fn text(name: &'static str, label: &str, value: impl Into<String>) -> Self {
        Self {
            id: name.to_owned(),
            name,
            label: label.to_owned(),
            kind: "text",
            value: value.into(),
            ..Self::default()
        }
    }

    /// A field that is chosen.
    pub(super) fn select(name: &'static str, label: &str, choices: Vec<Choice>) -> Self {
        Self { choices, ..Self::text(name, label, "") }
    }

    /// A field of which several can be chosen.
    pub(super) fn checks(name: &'static str, label: &str, choices: Vec<Choice>) -> Self {
        Self { many: true, ..Self::select(name, label, choices) }
    }

    /// The same under another name in the page.
    pub(super) fn id(mut self, id: String) -> Self {
        self.id = id;
        self
    }

    /// The same with something else to be known.
    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    fn wrong(&self) -> bool {
        self.error.is_some()
    }
}

impl FormPage {
    /// Puts each error beside its field. Above the form it says which field it means; one that
    /// means none leads to the first.
    fn spread(&mut self) {
        let mut fields: Vec<&mut Field> =
            self.groups.iter_mut().flat_map(|group| &mut group.fields).collect();
        for error in &mut self.errors {
            if let Some(field) = fields.iter_mut().find(|field| field.id == error.field) {
                field.error.get_or_insert_with(|| error.text.clone());
                error.text = format!("{}: {}", field.label, lower(&error.text));
            } else if let Some(first) = fields.first() {
                error.text = format!("{}: {}", words(&error.field), lower(&error.text));
                error.field.clone_from(&first.id);
            }
        }
    }
}

/// A sentence that goes on after a colon.
pub(super) fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// `Levels 0 targets` of `levels-0-targets`.
fn words(field: &str) -> String {
    sentence(&field.replace('-', " ")).trim_end_matches('.').to_owned()
}

/// The list as an answer.
pub(super) async fn list(
    app: &App,
    visitor: &Visitor,
    section: Section,
    body: ListPage,
) -> Result<Response, PageError> {
    let shell = visitor.shell(app, body.title, section).await?;
    let mut response = page(StatusCode::OK, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}

/// The form as an answer.
pub(super) async fn form(
    app: &App,
    visitor: &Visitor,
    section: Section,
    mut body: FormPage,
) -> Result<Response, PageError> {
    body.spread();
    let wrong = !body.errors.is_empty();
    let title = if wrong { format!("Error: {}", body.heading) } else { body.heading.clone() };
    let shell = visitor.shell(app, &title, section).await?;
    let shell = shell.back(&body.back.href, &body.back.text);
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = page(status, &shell, &body);
    forget_said(&visitor.browser, &mut response);
    Ok(response)
}
