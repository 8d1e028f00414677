//! What Twilio's answer to a request for a message or a call means.
//!
//! Source: Twilio, *Error and Warning Dictionary*, read 2026-11.

use jiff::Timestamp;
use serde::Deserialize;

use crate::http::{Answer, Reply};
use crate::message::Fault;
use crate::provider::Done;

/// What is wrong, by Twilio's error code. Codes of receipts are read in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// Too many at once, or a passing fault of theirs.
    Passing,
    /// The phone may be off or out of reach; later it may not be.
    Unreachable,
    /// The number will not take this message.
    Number,
    /// The number will never take a message from us: its owner opted out.
    OptedOut,
    /// Our account may not send there.
    Country,
    /// Our account, its numbers or its registration.
    Account,
    /// Nobody knows.
    Unknown,
}

/// Groups Twilio's error codes by what must happen next.
pub(super) fn trouble(code: u32) -> Trouble {
    match code {
        20_429 | 20_500 | 20_503 | 21_611 | 30_001 | 63_018 => Trouble::Passing,
        30_003 | 30_008 | 30_017 => Trouble::Unreachable,
        13_223 | 13_224 | 13_225 | 21_201 | 21_211 | 21_214 | 21_217 | 21_219 | 21_265 | 21_612
        | 21_614 | 21_617 | 30_004 | 30_005 | 30_006 => Trouble::Number,
        21_610 => Trouble::OptedOut,
        21_215 | 21_408 | 30_044 => Trouble::Country,
        20_001..=20_008
        | 20_404
        | 21_202..=21_210
        | 21_212
        | 21_213
        | 21_216
        | 21_601..=21_608
        | 21_659
        | 21_660
        | 21_703..=21_705
        | 30_002
        | 30_007
        | 30_032
        | 30_034
        | 63_038 => Trouble::Account,
        _ => Trouble::Unknown,
    }
}

#[derive(Deserialize)]
struct Created {
    sid: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: Option<u32>,
    #[serde(default)]
    message: Option<String>,
}

/// Reads a reply to a request that was begun at `now`.
pub(super) fn classify(reply: Reply, now: Timestamp) -> Done {
    let answer = match reply {
        Reply::Answered(answer) => answer,
        Reply::NotSent(why) => {
            return Done::retry(now, format!("not sent: {why}"), Fault::Provider);
        }
        Reply::Blocked => return Done::misconfigured("the API is at no permitted address".into()),
        Reply::TooLate => return Done::too_late(now),
        Reply::CutOff(why) => return Done::unsure(now, format!("cut off: {why}")),
    };
    let detail = describe(&answer);
    match answer.status {
        200..=299 => match serde_json::from_slice::<Created>(&answer.body) {
            Ok(created) => Done::accepted(detail, Some(created.sid)),
            Err(_) => Done::unsure(now, format!("{detail}: the answer names no message")),
        },
        429 => Done { limited: true, ..Done::retry_answer(&answer, now, detail) },
        500..=599 => Done::retry_answer(&answer, now, detail),
        300..=399 => Done::misconfigured(format!("{detail}: redirects are not followed")),
        401 | 403 | 404 => refusal(&answer, now, detail, Trouble::Account),
        _ => refusal(&answer, now, detail, Trouble::Unknown),
    }
}

/// Reads a refusal by its code, or by what its status alone says.
fn refusal(answer: &Answer, now: Timestamp, detail: String, by_status: Trouble) -> Done {
    let code = problem(answer).code;
    let known = code.map(trouble).filter(|trouble| *trouble != Trouble::Unknown);
    match known.unwrap_or(by_status) {
        Trouble::Passing => Done::retry_answer(answer, now, detail),
        Trouble::Unreachable | Trouble::Number => Done::refused(detail, Fault::Contact),
        Trouble::OptedOut => Done { gone: true, ..Done::refused(detail, Fault::Contact) },
        Trouble::Country => Done { fault: Some(Fault::Contact), ..Done::misconfigured(detail) },
        Trouble::Account => Done::misconfigured(detail),
        Trouble::Unknown => Done::refused(detail, Fault::Us),
    }
}

fn problem(answer: &Answer) -> Problem {
    serde_json::from_slice(&answer.body).unwrap_or(Problem { code: None, message: None })
}

/// The answer in words.
pub(super) fn describe(answer: &Answer) -> String {
    let problem = problem(answer);
    let code = problem.code.map(|code| format!(", error {code}")).unwrap_or_default();
    // A message that was created has its own `message`-less body.
    let message = problem.message.map(|message| format!(": {message}")).unwrap_or_default();
    format!("HTTP {}{code}{message}", answer.status)
}

#[cfg(test)]
mod tests;
