//! Asking Twilio whether it has a message or call already.
//!
//! A message is found by the notification's reference in its text (the rest may be worded anew at
//! each try). A call has no text: it is found by the callback URL in the list of what Twilio asked
//! of us about it.

use bugle_domain::contact::PhoneNumber;
use bugle_domain::notification::reference;
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Twilio;
use super::request::has_word;
use crate::message::Outgoing;

/// Messages and calls older than this are another try's, or another alert's.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(4);
/// How many of the newest are looked at.
const PAGE_SIZE: &str = "50";
/// Calls whose events are asked for.
const MAX_CALLS: usize = 5;

impl Twilio {
    /// The message's name there; `Ok(None)` where Twilio does not have it.
    pub(crate) async fn find_text(
        &self,
        message: &Outgoing,
        to: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Option<String>, String> {
        let list = self.get(&list_path("Messages.json", to)).await?;
        let sent = list["messages"].as_array().ok_or("the answer has no messages")?;
        let reference = reference(message.notification);
        let is_it = |resource: &&Value| {
            let body = resource["body"].as_str();
            is_recent(resource, now) && body.is_some_and(|body| has_word(body, &reference))
        };
        Ok(sent.iter().find(is_it).and_then(sid))
    }

    /// The call's name there; `Ok(None)` where Twilio does not have it.
    pub(crate) async fn find_call(
        &self,
        message: &Outgoing,
        to: &PhoneNumber,
        now: Timestamp,
    ) -> Result<Option<String>, String> {
        let list = self.get(&list_path("Calls.json", to)).await?;
        let made = list["calls"].as_array().ok_or("the answer has no calls")?;
        let recent: Vec<String> =
            made.iter().filter(|call| is_recent(call, now)).filter_map(sid).collect();
        if recent.len() > MAX_CALLS {
            return Err("too many calls to that number to tell them apart".to_owned());
        }
        let ours = message.notification.to_string();
        let mut unproven = false;
        for call in recent {
            let events = self.get(&format!("/Calls/{call}/Events.json")).await?;
            let urls = events["events"].as_array().ok_or("the answer has no events")?;
            let mut urls = urls.iter().filter_map(|event| event["request"]["url"].as_str());
            let first = urls.next();
            unproven |= first.is_none();
            if first.into_iter().chain(urls).any(|url| url.contains(&ours)) {
                return Ok(Some(call));
            }
        }
        if unproven {
            return Err("there is a call to that number about which nothing is known".to_owned());
        }
        Ok(None)
    }
}

fn list_path(what: &str, to: &PhoneNumber) -> String {
    let query = Serializer::new(String::new())
        .append_pair("To", to.as_str())
        .append_pair("PageSize", PAGE_SIZE)
        .finish();
    format!("/{what}?{query}")
}

fn sid(resource: &Value) -> Option<String> {
    resource["sid"].as_str().map(str::to_owned)
}

/// What has no date that can be read counts as recent.
fn is_recent(resource: &Value, now: Timestamp) -> bool {
    let created = resource["date_created"].as_str();
    let created = created.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    created.is_none_or(|created| now.duration_since(created.timestamp()) < LOOK_BACK)
}
