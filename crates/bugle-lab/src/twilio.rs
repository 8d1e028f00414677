//! A simulated Twilio: its API, its callbacks, and the phones behind it.

pub(crate) mod calls;
mod resources;
mod sign;
pub(crate) mod texts;
mod twiml;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::knobs::{Answer, Knobs, Service};
use crate::lab::{ACCOUNTS, Lab};
use crate::server::{Answered, Dropped, Handled, Request, answer, form, hang, with_retry_after};

const JSON: &str = "application/json";
const BASE: &str = "/2010-04-01/Accounts/";

/// Serves the API.
pub(crate) async fn handle(lab: Lab, request: Request) -> Handled {
    let Some(account) = authenticated(&request) else {
        return Ok(problem(401, 20_003, "Authenticate"));
    };
    let rest =
        request.path.strip_prefix(BASE).and_then(|path| path.strip_prefix(ACCOUNTS[account].sid));
    match (&request.method, rest) {
        (&Method::POST, Some("/Messages.json")) => {
            create(&lab, account, &request, Kind::Text).await
        }
        (&Method::POST, Some("/Calls.json")) => create(&lab, account, &request, Kind::Call).await,
        (&Method::GET, Some(path)) => Ok(read(&lab, account, path, &request.query)),
        _ => Ok(not_found(&request.path)),
    }
}

/// Reads a resource of the account.
fn read(lab: &Lab, account: usize, path: &str, query: &str) -> Answered {
    let query = form(query.as_bytes());
    match path {
        "/Messages.json" => ok(&resources::messages(&lab.state(), account, &query)),
        "/Calls.json" => ok(&resources::calls(&lab.state(), account, &query)),
        ".json" => {
            let suspended = lab.knobs(Service::of(account, Kind::Text)).answer == Answer::Suspended;
            let status = if suspended { "suspended" } else { "active" };
            ok(&json!({ "sid": ACCOUNTS[account].sid, "status": status, "type": "Full" }))
        }
        _ => match resources::events(&lab.state(), account, path) {
            Some(events) => ok(&events),
            None => not_found(path),
        },
    }
}

/// What is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    Call,
}

impl Service {
    fn of(account: usize, kind: Kind) -> Self {
        match (account, kind) {
            (0, Kind::Text) => Self::Texts,
            (0, Kind::Call) => Self::Calls,
            (_, Kind::Text) => Self::SpareTexts,
            (_, Kind::Call) => Self::SpareCalls,
        }
    }
}

/// Which account the request is of, where its credentials are right.
fn authenticated(request: &Request) -> Option<usize> {
    let value = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let given = String::from_utf8(decoded).ok()?;
    ACCOUNTS.iter().position(|account| given == format!("{}:{}", account.sid, account.token))
}

async fn create(lab: &Lab, account: usize, request: &Request, kind: Kind) -> Handled {
    let knobs = lab.state().take_knobs(Service::of(account, kind));
    if !knobs.delay.is_zero() {
        lab.clock().sleep(knobs.delay.try_into().unwrap_or_default()).await;
    }
    let answered = match knobs.answer {
        Answer::Take => take(lab, account, request, (kind, knobs)),
        Answer::TakeAndDrop => {
            take(lab, account, request, (kind, knobs));
            return Err(Dropped);
        }
        Answer::TakeAndHang => {
            take(lab, account, request, (kind, knobs));
            return hang().await;
        }
        Answer::Drop => return Err(Dropped),
        Answer::Hang => return hang().await,
        Answer::Refuse(code) => problem(400, code, "Refused by the lab"),
        Answer::TooMany { retry_after_s } => {
            with_retry_after(problem(429, 20_429, "Too Many Requests"), retry_after_s)
        }
        Answer::Error(status) => problem(status, 20_500, "Internal Server Error"),
        Answer::Suspended => problem(403, 20_005, "Account not active"),
    };
    Ok(answered)
}

/// Takes the message or call, and sees to what follows.
fn take(lab: &Lab, account: usize, request: &Request, (kind, knobs): (Kind, Knobs)) -> Answered {
    let form = form(&request.body);
    let created = match kind {
        Kind::Text => texts::take(lab, account, &form, knobs),
        Kind::Call => calls::take(lab, account, &form, knobs),
    };
    match created {
        Ok(resource) => answer(201, JSON, resource.to_string()),
        Err(Invalid { code, message }) => problem(400, code, message),
    }
}

/// A request that lacks what it must have.
pub(crate) struct Invalid {
    pub(crate) code: u32,
    pub(crate) message: &'static str,
}

fn ok(body: &Value) -> Answered {
    answer(200, JSON, body.to_string())
}

fn not_found(path: &str) -> Answered {
    problem(404, 20_404, &format!("The requested resource {path} was not found"))
}

fn problem(status: u16, code: u32, message: &str) -> Answered {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    let body =
        json!({ "code": code, "message": message, "more_info": more_info, "status": status });
    answer(status, JSON, body.to_string())
}
