//! Calls: a phone rings, is answered by a person or a machine, hears what Bugle says, sends keys.

use std::collections::VecDeque;
use std::sync::Arc;

use bugle_app::handset::{CallState, HandsetError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::sign::{Form, Posted, post};
use super::twiml::{self, Verb};
use super::{Invalid, resources};
use crate::knobs::Knobs;
use crate::lab::{ACCOUNTS, Lab};
use crate::server::field;
use crate::state::{Call, PROBE_NUMBER};

/// How long a phone rings where the request does not say, in seconds (Twilio's own).
const RING_S: i64 = 60;
/// Redirects followed in a row.
const MAX_STEPS: usize = 20;

/// Takes a call, and lets the phone ring.
pub(super) fn take(
    lab: &Lab,
    account: usize,
    form: &[(String, String)],
    knobs: Knobs,
) -> Result<Value, Invalid> {
    let missing = |code, message| Invalid { code, message };
    let to = field(form, "To").ok_or(missing(21_201, "No 'To' number is specified"))?;
    let from = field(form, "From").ok_or(missing(21_213, "No 'From' number is specified"))?;
    let url = field(form, "Url").ok_or(missing(21_205, "Url is not a valid URL"))?;
    if !to.starts_with('+') || to.len() < 9 {
        return Err(missing(21_211, "The phone number you are attempting to call is not valid."));
    }
    let events = form.iter().filter(|(name, _)| name == "StatusCallbackEvent");
    let ring = field(form, "Timeout").and_then(|timeout| timeout.parse().ok()).unwrap_or(RING_S);
    let rung_out = lab.now().saturating_add(SignedDuration::from_secs(ring));
    let rings_until = rung_out.ok().filter(|_| !knobs.lose).unwrap_or(Timestamp::MAX);
    let call = {
        let mut state = lab.state();
        let call = Call {
            sid: state.sid("CA"),
            at: lab.now(),
            from: from.to_owned(),
            to: to.to_owned(),
            state: CallState::Ringing,
            since: lab.now(),
            rings_until,
            spoken: Vec::new(),
            keys: String::new(),
            arrived: knobs.arrives(),
            status: "queued",
            account,
            url: url.to_owned(),
            status_callback: field(form, "StatusCallback").map(str::to_owned),
            wanted_events: events.map(|(_, event)| event.clone()).collect(),
            action: None,
            requests: Vec::new(),
            sequence: 0,
            by_machine: false,
            duplicate_callbacks: knobs.duplicate_callbacks,
        };
        state.add_call(call.clone());
        call
    };
    let resource = resources::call(&call);
    if call.to == PROBE_NUMBER {
        return Ok(resource);
    }
    lab.changed();
    lab.spawn(ring_out(lab.clone(), call, knobs, lab.begin_report()));
    Ok(resource)
}

/// Reports that the phone rings, and gives up where nobody answers in time.
async fn ring_out(lab: Lab, call: Call, knobs: Knobs, reported: Arc<()>) {
    let Call { sid, rings_until, .. } = call;
    if knobs.lose {
        return;
    }
    let mut events = [("initiated", "initiated"), ("ringing", "ringing")];
    if knobs.shuffled_callbacks {
        events.reverse();
    }
    for (event, status) in events {
        report(&lab, &sid, event, status).await;
    }
    drop(reported);
    if knobs.fail_later.is_some() {
        end(&lab, &sid, "failed").await;
    } else if knobs.false_delivered {
        end(&lab, &sid, "completed").await;
    } else {
        let stop = lab.stop_token();
        tokio::select! {
            () = stop.cancelled() => (),
            () = lab.clock().sleep_until(rings_until) => {
                let rings = |call: &mut Call| call.state == CallState::Ringing;
                if lab.state().call_mut(&sid).is_some_and(rings) {
                    end(&lab, &sid, "no-answer").await;
                }
            }
        }
    }
}

/// Somebody or a machine answers a call that rings.
pub(crate) async fn answer(lab: &Lab, sid: &str, by_machine: bool) -> Result<(), HandsetError> {
    {
        let mut state = lab.state();
        let call = state.call_mut(sid).ok_or(HandsetError::NoSuchCall)?;
        if call.state != CallState::Ringing {
            return Err(HandsetError::NoSuchCall);
        }
        call.state = if by_machine { CallState::Voicemail } else { CallState::InCall };
        call.by_machine = by_machine;
        call.since = lab.now();
    }
    lab.changed();
    report(lab, sid, "answered", "in-progress").await;
    let url = lab.state().call_mut(sid).map(|call| call.url.clone());
    let url = url.ok_or(HandsetError::NoSuchCall)?;
    let said = fetch(lab, sid, &url, Form::default()).await;
    follow(lab, sid, said).await
}

/// Presses a key; a call that rings is answered first.
pub(crate) async fn press(lab: &Lab, sid: &str, key: char) -> Result<(), HandsetError> {
    if !matches!(key, '0'..='9' | '*' | '#') {
        return Err(HandsetError::NoSuchKey);
    }
    let state = lab.state().call_mut(sid).map(|call| call.state);
    if state == Some(CallState::Ringing) {
        answer(lab, sid, false).await?;
    }
    let action = {
        let mut state = lab.state();
        let call = state.call_mut(sid).ok_or(HandsetError::NoSuchCall)?;
        match call.state {
            CallState::InCall => (),
            CallState::Ringing | CallState::Voicemail => return Err(HandsetError::NotAnswered),
            CallState::Ended => return Err(HandsetError::NoSuchCall),
        }
        call.keys.push(key);
        call.action.take()
    };
    lab.changed();
    // A key that nobody waits for is only a sound.
    let Some(action) = action else { return Ok(()) };
    let said = fetch(lab, sid, &action, Form::default().with("Digits", key)).await;
    follow(lab, sid, said).await
}

/// Ends a call; one that rings is declined.
pub(crate) async fn hang_up(lab: &Lab, sid: &str) -> Result<(), HandsetError> {
    let state = lab.state().call_mut(sid).map(|call| call.state);
    let status = match state {
        Some(CallState::Ringing) => "busy",
        Some(CallState::InCall | CallState::Voicemail) => "completed",
        Some(CallState::Ended) | None => return Err(HandsetError::NoSuchCall),
    };
    end(lab, sid, status).await;
    Ok(())
}

/// Asks Bugle what to do next in a call.
async fn fetch(lab: &Lab, sid: &str, url: &str, form: Form) -> Posted {
    let known = {
        let mut state = lab.state();
        state.call_mut(sid).map(|call| {
            call.requests.push(url.to_owned());
            (call.account, common(call, form, "in-progress"))
        })
    };
    let (account, form) = known.ok_or_else(|| "the call is gone".to_owned())?;
    post(lab, account, url, form).await
}

/// Does what Bugle said, up to where a key is awaited or the call ends.
async fn follow(lab: &Lab, sid: &str, said: Posted) -> Result<(), HandsetError> {
    let mut verbs: VecDeque<Verb> = match &said {
        Ok(xml) => twiml::parse(xml).into(),
        Err(why) => {
            // What a caller hears when the application does not answer.
            say(lab, sid, "We are sorry, an application error has occurred. Goodbye.");
            end(lab, sid, "completed").await;
            return Err(HandsetError::NotTaken(why.clone()));
        }
    };
    for _ in 0..MAX_STEPS {
        match verbs.pop_front() {
            Some(Verb::Say(words)) => say(lab, sid, &words),
            Some(Verb::Gather { action, inside }) => {
                for verb in inside {
                    if let Verb::Say(words) = verb {
                        say(lab, sid, &words);
                    }
                }
                let mut state = lab.state();
                if let Some(call) = state.call_mut(sid)
                    && !call.by_machine
                {
                    call.action = Some(action);
                    return Ok(());
                }
            }
            Some(Verb::Redirect(url)) => {
                let said = fetch(lab, sid, &url, Form::default()).await;
                verbs = twiml::parse(&said.map_err(HandsetError::NotTaken)?).into();
            }
            Some(Verb::Message(_)) => (),
            Some(Verb::Hangup) | None => break,
        }
    }
    end(lab, sid, "completed").await;
    Ok(())
}

fn say(lab: &Lab, sid: &str, words: &str) {
    if let Some(call) = lab.state().call_mut(sid) {
        call.spoken.push(words.to_owned());
    }
    lab.changed();
}

/// Ends a call, once, and reports it.
async fn end(lab: &Lab, sid: &str, status: &'static str) {
    let _reported = lab.begin_report();
    {
        let mut state = lab.state();
        let Some(call) = state.call_mut(sid) else { return };
        if call.state == CallState::Ended {
            return;
        }
        call.state = CallState::Ended;
        call.since = lab.now();
        call.action = None;
    }
    lab.changed();
    report(lab, sid, "completed", status).await;
}

/// Posts a report of a call's state, where it is wanted.
async fn report(lab: &Lab, sid: &str, event: &str, status: &'static str) {
    let known = {
        let mut state = lab.state();
        let Some(call) = state.call_mut(sid) else { return };
        // Somebody was quicker than the report that it rings.
        if matches!(event, "initiated" | "ringing") && call.state != CallState::Ringing {
            return;
        }
        call.status = status;
        let wanted = call.wanted_events.iter().any(|wanted| wanted == event);
        let url = call.status_callback.clone().filter(|_| wanted || event == "completed");
        url.map(|url| {
            let form = common(call, Form::default(), status)
                .with("CallbackSource", "call-progress-events")
                .with("SequenceNumber", call.sequence.to_string());
            let form = match status {
                "completed" => {
                    let talked = lab.now().duration_since(call.at).as_secs();
                    form.with("CallDuration", talked.to_string())
                }
                _ => form,
            };
            call.sequence += 1;
            call.requests.push(url.clone());
            (call.account, url, form, call.duplicate_callbacks)
        })
    };
    let Some((account, url, form, twice)) = known else { return };
    for _ in 0..if twice { 2 } else { 1 } {
        // What is not taken is not repeated: Twilio does not either.
        let _ = post(lab, account, &url, form.clone()).await;
    }
}

/// What every callback of a call has.
fn common(call: &Call, form: Form, status: &str) -> Form {
    let form = form
        .with("AccountSid", ACCOUNTS[call.account].sid)
        .with("ApiVersion", "2010-04-01")
        .with("CallSid", call.sid.as_str())
        .with("CallStatus", status)
        .with("Called", call.to.as_str())
        .with("Caller", call.from.as_str())
        .with("Direction", "outbound-api")
        .with("From", call.from.as_str())
        .with("To", call.to.as_str());
    if call.state == CallState::Ringing {
        form
    } else if call.by_machine {
        form.with("AnsweredBy", "machine_end_beep")
    } else if call.state == CallState::InCall {
        form.with("AnsweredBy", "human")
    } else {
        form
    }
}
