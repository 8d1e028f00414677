//! The lab's receivers as the demo's pages see and use them.

use std::collections::BTreeSet;

use bugle_app::handset::{
    CallState, Handset, HandsetCall, HandsetError, HandsetMessage, Receiver, ReceiverKind,
};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::watch;

use crate::lab::Lab;
use crate::receivers::{calls_of, mails_of, texts_of};
use crate::state::{Call, Hook, Mail, State, Text};
use crate::twilio;

/// Messages shown per receiver.
const MAX_SHOWN: usize = 30;
/// Longest path that is shown as a receiver of its own.
const MAX_PROGRAMS: usize = 20;

impl Handset for Lab {
    fn receivers(&self) -> Vec<Receiver> {
        let state = self.state();
        let mut all: Vec<Receiver> = phones(&state);
        all.extend(mailboxes(&state));
        all.extend(programs(&state));
        all.sort_by_key(|one| (!is_in_call(one), one.owner.is_empty(), one.owner.clone()));
        all
    }

    fn answer<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        twilio::calls::answer(self, call, false).boxed()
    }

    fn voicemail<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        twilio::calls::answer(self, call, true).boxed()
    }

    fn press<'a>(&'a self, call: &'a str, key: char) -> BoxFuture<'a, Result<(), HandsetError>> {
        twilio::calls::press(self, call, key).boxed()
    }

    fn hang_up<'a>(&'a self, call: &'a str) -> BoxFuture<'a, Result<(), HandsetError>> {
        twilio::calls::hang_up(self, call).boxed()
    }

    fn reply<'a>(
        &'a self,
        phone: &'a str,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), HandsetError>> {
        twilio::texts::from_phone(self, phone, text).boxed()
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        Lab::subscribe(self)
    }
}

fn is_in_call(receiver: &Receiver) -> bool {
    receiver.call.as_ref().is_some_and(|call| call.state != CallState::Ended)
}

fn owner(state: &State, address: &str) -> String {
    state.owners.get(address).cloned().unwrap_or_default()
}

fn phones(state: &State) -> Vec<Receiver> {
    let owned = state.owners.keys().filter(|address| address.starts_with('+'));
    let texted = state.texts.iter().filter(|text| text.arrived);
    let texted = texted.map(|text| if text.from_phone { &text.from } else { &text.to });
    let called = state.calls.iter().filter(|call| call.arrived).map(|call| &call.to);
    let numbers: BTreeSet<&String> = owned.chain(texted).chain(called).collect();
    numbers.into_iter().map(|number| phone(state, number)).collect()
}

fn phone(state: &State, number: &str) -> Receiver {
    Receiver {
        owner: owner(state, number),
        kind: ReceiverKind::Phone { number: number.to_owned() },
        messages: newest(texts_of(state, number), shown_text),
        call: calls_of(state, number).pop().map(shown_call),
    }
}

fn shown_text(text: Text) -> HandsetMessage {
    let peer = if text.from_phone { text.to } else { text.from };
    HandsetMessage {
        id: text.sid,
        at: text.at,
        sent_by_owner: text.from_phone,
        peer,
        subject: String::new(),
        text: text.body,
    }
}

fn shown_call(call: Call) -> HandsetCall {
    HandsetCall {
        id: call.sid,
        state: call.state,
        spoken: call.spoken,
        keys: call.keys,
        since: call.since,
    }
}

fn mailboxes(state: &State) -> Vec<Receiver> {
    let owned = state.owners.keys().filter(|address| address.contains('@'));
    let mailed = state.mails.iter().map(|mail| &mail.to);
    let addresses: BTreeSet<&String> = owned.chain(mailed).collect();
    let mailbox = |address: &String| Receiver {
        owner: owner(state, address),
        kind: ReceiverKind::Mailbox { address: address.clone() },
        messages: newest(mails_of(state, address), shown_mail),
        call: None,
    };
    addresses.into_iter().map(mailbox).collect()
}

fn shown_mail(mail: Mail) -> HandsetMessage {
    HandsetMessage {
        id: mail.number.to_string(),
        at: mail.at,
        sent_by_owner: false,
        peer: mail.from,
        subject: mail.subject,
        text: mail.text,
    }
}

fn programs(state: &State) -> Vec<Receiver> {
    let paths: BTreeSet<&String> = state.hooks.iter().map(|hook| &hook.path).collect();
    let program = |path: &String| {
        let hooks = state.hooks.iter().filter(|hook| hook.path == *path).cloned().collect();
        Receiver {
            owner: owner(state, path),
            kind: ReceiverKind::Webhook { path: path.clone() },
            messages: newest(hooks, shown_hook),
            call: None,
        }
    };
    paths.into_iter().take(MAX_PROGRAMS).map(program).collect()
}

fn shown_hook(hook: Hook) -> HandsetMessage {
    HandsetMessage {
        id: hook.number.to_string(),
        at: hook.at,
        sent_by_owner: false,
        peer: hook.headers.get("webhook-id").cloned().unwrap_or_default(),
        subject: String::new(),
        text: String::from_utf8_lossy(&hook.body).into_owned(),
    }
}

fn newest<T>(mut all: Vec<T>, shown: impl FnMut(T) -> HandsetMessage) -> Vec<HandsetMessage> {
    let old = all.len().saturating_sub(MAX_SHOWN);
    all.drain(..old);
    all.into_iter().map(shown).collect()
}
