//! Messages and calls as Twilio's API shows them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lab::ACCOUNTS;
use crate::server::field;
use crate::state::{Call, State, Text};

/// How many are listed where the request does not say.
const PAGE_SIZE: usize = 50;

/// One message.
pub(super) fn message(text: &Text) -> Value {
    let account = ACCOUNTS[text.account].sid;
    json!({
        "sid": text.sid,
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": date(text.at),
        "date_sent": null,
        "date_updated": date(text.at),
        "direction": if text.from_phone { "inbound" } else { "outbound-api" },
        "error_code": null,
        "error_message": null,
        "from": text.from,
        "messaging_service_sid": null,
        "num_media": "0",
        "num_segments": "1",
        "price": null,
        "price_unit": "USD",
        "status": text.status,
        "to": text.to,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{}.json", text.sid),
    })
}

/// One call.
pub(super) fn call(call: &Call) -> Value {
    let account = ACCOUNTS[call.account].sid;
    json!({
        "sid": call.sid,
        "account_sid": account,
        "api_version": "2010-04-01",
        "status": call.status,
        "to": call.to,
        "from": call.from,
        "direction": "outbound-api",
        "date_created": date(call.at),
        "date_updated": date(call.since),
        "answered_by": null,
        "uri": format!("/2010-04-01/Accounts/{account}/Calls/{}.json", call.sid),
    })
}

/// The newest messages, to a number where the query names one.
pub(super) fn messages(state: &State, account: usize, query: &[(String, String)]) -> Value {
    let to = field(query, "To");
    let wanted = |text: &&Text| text.account == account && to.is_none_or(|to| to == text.to);
    let list: Vec<Value> =
        state.texts.iter().rev().filter(wanted).take(page_size(query)).map(message).collect();
    json!({ "messages": list, "page": 0, "page_size": page_size(query), "next_page_uri": null })
}

/// The newest calls, to a number where the query names one.
pub(super) fn calls(state: &State, account: usize, query: &[(String, String)]) -> Value {
    let to = field(query, "To");
    let wanted = |call: &&Call| call.account == account && to.is_none_or(|to| to == call.to);
    let list: Vec<Value> =
        state.calls.iter().rev().filter(wanted).take(page_size(query)).map(call).collect();
    json!({ "calls": list, "page": 0, "page_size": page_size(query), "next_page_uri": null })
}

/// What was asked of us about one call: `/Calls/CA…/Events.json`.
pub(super) fn events(state: &State, account: usize, path: &str) -> Option<Value> {
    let sid = path.strip_prefix("/Calls/")?.strip_suffix("/Events.json")?;
    let call = state.calls.iter().find(|call| call.sid == sid && call.account == account)?;
    let event = |url: &String| json!({ "request": { "url": url, "method": "POST" } });
    let events: Vec<Value> = call.requests.iter().map(event).collect();
    Some(json!({ "events": events, "page": 0 }))
}

fn page_size(query: &[(String, String)]) -> usize {
    field(query, "PageSize").and_then(|size| size.parse().ok()).unwrap_or(PAGE_SIZE)
}

/// `Thu, 24 Aug 2023 05:01:45 +0000`.
fn date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
