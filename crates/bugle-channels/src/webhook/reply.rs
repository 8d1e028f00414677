//! What a program's answer to a webhook means.

use jiff::Timestamp;

use crate::http::Reply;
use crate::message::Fault;
use crate::provider::Done;

/// Reads a reply to a webhook, begun at `now`.
pub(crate) fn classify(reply: Reply, now: Timestamp) -> Done {
    let answer = match reply {
        Reply::Answered(answer) => answer,
        Reply::Blocked => {
            let detail = "the target is not a public address, which the operator has not allowed";
            return Done::refused(detail.to_owned(), Fault::Contact);
        }
        Reply::NotSent(why) => return Done::retry(now, format!("not sent: {why}"), Fault::Contact),
        Reply::TooLate => return Done::too_late(now),
        Reply::CutOff(why) => {
            let unsure = Done::unsure(now, format!("cut off: {why}"));
            return Done { fault: Some(Fault::Contact), ..unsure };
        }
    };
    let detail = format!("HTTP {}", answer.status);
    match answer.status {
        200..=299 => Done { delivered: true, ..Done::accepted(detail, None) },
        410 => Done { gone: true, ..Done::refused(detail, Fault::Contact) },
        408 | 425 | 429 | 500..=599 => {
            Done { fault: Some(Fault::Contact), ..Done::retry_answer(&answer, now, detail) }
        }
        300..=399 => Done::refused(format!("{detail}: redirects are not followed"), Fault::Contact),
        _ => Done::refused(detail, Fault::Contact),
    }
}

#[cfg(test)]
mod tests;
