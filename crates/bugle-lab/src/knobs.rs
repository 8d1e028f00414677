//! How a simulated provider misbehaves. Can be changed at any time; holds from the next request.

use std::time::Duration;

/// Which simulated service a knob is of. There are two of each that people's messages use, so that
/// one can fail while the other serves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Service {
    /// Texts of the first account.
    Texts,
    /// Calls of the first account.
    Calls,
    /// The first mail server.
    Mail,
    /// Texts of the second account.
    SpareTexts,
    /// Calls of the second account.
    SpareCalls,
    /// The second mail server.
    SpareMail,
    /// Receivers of webhooks.
    Hooks,
}

/// What a service answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Answer {
    /// It takes the message.
    #[default]
    Take,
    /// It says no. For texts and calls a Twilio error code (status 400), for mail the SMTP code of
    /// the recipient, for webhooks the HTTP status.
    Refuse(u32),
    /// Too many requests: 429, or 451 for mail.
    TooMany {
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u32>,
    },
    /// An error of its own: that HTTP status, or 451 after the text for mail.
    Error(u16),
    /// It reads the request and never answers.
    Hang,
    /// It takes the message and never answers.
    TakeAndHang,
    /// It takes the message and drops the connection without an answer.
    TakeAndDrop,
    /// It drops the connection and takes nothing.
    Drop,
    /// Our account is suspended.
    Suspended,
}

/// How a service misbehaves. `Knobs::default()` behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Knobs {
    /// What it answers.
    pub answer: Answer,
    /// It waits before it answers.
    pub delay: Duration,
    /// What it takes reaches nobody, and it says no more of it.
    pub lose: bool,
    /// What it takes reaches nobody, and it says that it did.
    pub false_delivered: bool,
    /// What it takes reaches nobody, and it says so later with this error code.
    pub fail_later: Option<u32>,
    /// Each callback comes twice.
    pub duplicate_callbacks: bool,
    /// Callbacks come in the wrong order.
    pub shuffled_callbacks: bool,
    /// For so many requests only; then the service behaves. `None` for all.
    pub for_next: Option<u32>,
    /// Only every so many requests; the service behaves for the others.
    pub one_of: Option<u32>,
    /// Requests seen so far, of which every so many is meant.
    pub seen: u32,
}

impl Knobs {
    /// Answers with `answer`, and otherwise behaves.
    pub fn answering(answer: Answer) -> Self {
        Self { answer, ..Self::default() }
    }

    /// The same for one of so many requests.
    pub fn once_in(self, every: u32) -> Self {
        Self { one_of: Some(every), ..self }
    }

    /// The same for one request only.
    pub fn once(self) -> Self {
        Self { for_next: Some(1), ..self }
    }

    /// The knobs for one request, which is counted.
    pub(crate) fn take(&mut self) -> Self {
        if let Some(every) = self.one_of {
            self.seen = self.seen.wrapping_add(1);
            if !self.seen.is_multiple_of(every.max(1)) {
                return Self::default();
            }
        }
        let now = *self;
        match &mut self.for_next {
            None => return now,
            Some(0) => (),
            Some(left) => {
                *left -= 1;
                if *left > 0 {
                    return now;
                }
            }
        }
        *self = Self::default();
        now
    }

    /// Whether what is taken reaches its person.
    pub(crate) fn arrives(&self) -> bool {
        !self.lose && !self.false_delivered && self.fail_later.is_none()
    }
}
