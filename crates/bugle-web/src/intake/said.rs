//! What a request said, before anybody knows whether its key is good.

use bugle_domain::event::EventBody;

use crate::problem::FieldError;

/// Why a body is not an event of its dialect.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum DialectError {
    /// It is not JSON, or not an object where one must be.
    #[error("the body is not JSON of the form expected: {0}")]
    Unreadable(String),
    /// It lacks something, or has a value that is not known.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
}

/// Events of one body, in order.
pub(crate) type Events = Result<Vec<EventBody>, DialectError>;

/// What a request said: the key in its body, where the dialect has it there, and the events.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Said {
    /// The key in the body.
    pub(crate) key: Option<String>,
    /// The events, or all that is wrong with them.
    pub(crate) events: Events,
}

impl From<serde_json::Error> for DialectError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl DialectError {
    /// Every single thing that is wrong, in words.
    pub(crate) fn messages(&self) -> Vec<String> {
        match self {
            Self::Unreadable(message) => vec![message.clone()],
            Self::Invalid(errors) => errors.iter().map(|error| error.message.clone()).collect(),
        }
    }
}

fn join(errors: &[FieldError]) -> String {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    messages.join("; ")
}

/// Collects what is wrong with a body, so that all of it is said at once.
#[derive(Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes one fault.
    pub(crate) fn add(&mut self, pointer: &str, code: &str, message: String) {
        self.0.push(FieldError { pointer: pointer.to_owned(), code: code.to_owned(), message });
    }

    /// The text, or a fault where there is none.
    pub(crate) fn need(
        &mut self,
        pointer: &str,
        text: Option<String>,
        message: impl FnOnce() -> String,
    ) -> String {
        super::text::given(text).unwrap_or_else(|| {
            self.add(pointer, "missing", message());
            String::new()
        })
    }

    /// `value`, unless something was wrong.
    pub(crate) fn or<T>(self, value: T) -> Result<T, DialectError> {
        if self.0.is_empty() { Ok(value) } else { Err(DialectError::Invalid(self.0)) }
    }
}
