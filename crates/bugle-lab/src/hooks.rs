//! Programs that take webhooks.

use http::Response;

use crate::knobs::{Answer, Service};
use crate::lab::Lab;
use crate::server::{Dropped, Handled, Request, answer, hang, with_retry_after};
use crate::state::Hook;

/// Takes a webhook, or does what the knobs say.
pub(crate) async fn handle(lab: Lab, request: Request) -> Handled {
    let knobs = lab.state().take_knobs(Service::Hooks);
    if !knobs.delay.is_zero() {
        lab.clock().sleep(knobs.delay.try_into().unwrap_or_default()).await;
    }
    let plain = |status: u16| Ok(answer(status, "text/plain", format!("status {status}\n")));
    let by_path = request.path.strip_prefix("/status/").and_then(|status| status.parse().ok());
    match (by_path, knobs.answer) {
        (Some(status), _) => {
            keep(&lab, request);
            plain(status)
        }
        (None, Answer::Take) => {
            if !knobs.lose {
                keep(&lab, request);
            }
            Ok(Response::default())
        }
        (None, Answer::Refuse(status)) => plain(u16::try_from(status).unwrap_or(400)),
        (None, Answer::TooMany { retry_after_s }) => {
            plain(429).map(|response| with_retry_after(response, retry_after_s))
        }
        (None, Answer::Error(status)) => plain(status),
        (None, Answer::Hang) => hang().await,
        (None, Answer::TakeAndHang) => {
            keep(&lab, request);
            hang().await
        }
        (None, Answer::TakeAndDrop) => {
            keep(&lab, request);
            Err(Dropped)
        }
        (None, Answer::Drop) => Err(Dropped),
        (None, Answer::Suspended) => plain(401),
    }
}

fn keep(lab: &Lab, request: Request) {
    let headers = request.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let hook = Hook {
        number: 0,
        at: lab.now(),
        path: request.path,
        headers: headers.collect(),
        body: request.body,
        connection: request.connection,
    };
    lab.state().add_hook(hook);
    lab.changed();
}
