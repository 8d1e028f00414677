//! Text messages, both ways.

use bugle_app::handset::HandsetError;
use serde_json::Value;

use super::sign::{Form, post};
use super::{Invalid, resources, twiml};
use crate::knobs::Knobs;
use crate::lab::{ACCOUNTS, Lab};
use crate::server::field;
use crate::state::Text;

/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 1_600;

/// Takes a text, and sees to its delivery and its reports.
pub(super) fn take(
    lab: &Lab,
    account: usize,
    form: &[(String, String)],
    knobs: Knobs,
) -> Result<Value, Invalid> {
    let missing = |code, message| Invalid { code, message };
    let to = field(form, "To").ok_or(missing(21_604, "A 'To' phone number is required."))?;
    let body = field(form, "Body").ok_or(missing(21_602, "Message body is required."))?;
    let sender = field(form, "From").or_else(|| field(form, "MessagingServiceSid"));
    let from = sender.ok_or(missing(21_603, "A 'From' phone number is required."))?;
    if !to.starts_with('+') || to.len() < 9 {
        return Err(missing(21_211, "The 'To' number is not a valid phone number."));
    }
    let text = {
        let mut state = lab.state();
        let text = Text {
            sid: state.sid("SM"),
            at: lab.now(),
            from: from.to_owned(),
            to: to.to_owned(),
            body: body.to_owned(),
            from_phone: false,
            arrived: knobs.arrives(),
            status: "queued",
            account,
            status_callback: field(form, "StatusCallback").map(str::to_owned),
        };
        state.add_text(text.clone());
        text
    };
    lab.changed();
    let resource = resources::message(&text);
    let (reported, reports) = (lab.begin_report(), report(lab.clone(), text, knobs));
    lab.spawn(async move {
        reports.await;
        drop(reported);
    });
    Ok(resource)
}

/// Reports how far a text is, as the knobs say.
async fn report(lab: Lab, text: Text, knobs: Knobs) {
    let end = match knobs.fail_later {
        Some(_) => "undelivered",
        None => "delivered",
    };
    let mut statuses = vec!["sent", end];
    if knobs.lose {
        statuses.clear();
    }
    if knobs.shuffled_callbacks {
        statuses.reverse();
    }
    for status in statuses {
        if let Some(kept) = lab.state().text_mut(&text.sid)
            && kept.status != end
        {
            kept.status = status;
        }
        let Some(url) = &text.status_callback else { continue };
        let form = Form::default()
            .with("AccountSid", ACCOUNTS[text.account].sid)
            .with("ApiVersion", "2010-04-01")
            .with("From", text.from.as_str())
            .with("MessageSid", text.sid.as_str())
            .with("MessageStatus", status)
            .with("SmsSid", text.sid.as_str())
            .with("SmsStatus", status)
            .with("To", text.to.as_str());
        let form = match knobs.fail_later {
            Some(code) if status == end => form.with("ErrorCode", code.to_string()),
            Some(_) | None => form,
        };
        let times = if knobs.duplicate_callbacks { 2 } else { 1 };
        for _ in 0..times {
            // What is not taken is not repeated: Twilio does not either.
            let _ = post(&lab, text.account, url, form.clone()).await;
        }
    }
    lab.changed();
}

/// Sends a text from a phone to the number that wrote to it last, and shows Bugle's answer on it.
pub(crate) async fn from_phone(lab: &Lab, phone: &str, body: &str) -> Result<(), HandsetError> {
    if !phone.starts_with('+') {
        return Err(HandsetError::NoSuchPhone);
    }
    let body: String = body.chars().take(MAX_TEXT).collect();
    let (text, url) = {
        let mut state = lab.state();
        let last = state.texts.iter().rev().find(|text| !text.from_phone && text.to == phone);
        let account = last.map_or(0, |text| text.account);
        let to = last.map_or(ACCOUNTS[account].number.to_owned(), |text| text.from.clone());
        let text = Text {
            sid: state.sid("SM"),
            at: lab.now(),
            from: phone.to_owned(),
            to,
            body,
            from_phone: true,
            arrived: true,
            status: "received",
            account,
            status_callback: None,
        };
        state.add_text(text.clone());
        (text, state.inbound_urls[account].clone())
    };
    lab.changed();
    let url = url.ok_or_else(|| HandsetError::NotTaken("no inbound URL is set".to_owned()))?;
    let form = Form::default()
        .with("AccountSid", ACCOUNTS[text.account].sid)
        .with("ApiVersion", "2010-04-01")
        .with("Body", text.body.as_str())
        .with("From", text.from.as_str())
        .with("MessageSid", text.sid.as_str())
        .with("NumMedia", "0")
        .with("NumSegments", "1")
        .with("SmsMessageSid", text.sid.as_str())
        .with("SmsSid", text.sid.as_str())
        .with("SmsStatus", "received")
        .with("To", text.to.as_str());
    let said = post(lab, text.account, &url, form).await.map_err(HandsetError::NotTaken)?;
    show_answers(lab, &text, &said);
    Ok(())
}

/// Puts the texts that Bugle answered with on the phone.
fn show_answers(lab: &Lab, text: &Text, xml: &str) {
    for verb in twiml::parse(xml) {
        let twiml::Verb::Message(body) = verb else { continue };
        let mut state = lab.state();
        let answer = Text {
            sid: state.sid("SM"),
            at: lab.now(),
            from: text.to.clone(),
            to: text.from.clone(),
            body,
            from_phone: false,
            status: "delivered",
            ..text.clone()
        };
        state.keep_text(answer);
    }
    lab.changed();
}
