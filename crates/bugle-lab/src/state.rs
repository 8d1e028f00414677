//! What the simulated providers have taken: bounded, newest kept.

use std::collections::{BTreeMap, VecDeque};

use bugle_app::handset::CallState;
use bytes::Bytes;
use jiff::Timestamp;

use crate::knobs::{Knobs, Service};
use crate::witness::{Arrival, What, Witness};

/// A number whose texts and calls are taken, reported and forgotten: for canaries.
pub const PROBE_NUMBER: &str = "+15005550009";
/// A mailbox whose mails are taken and forgotten.
pub const PROBE_MAILBOX: &str = "canary@lab.invalid";
/// Things kept of each kind.
const MAX_KEPT: usize = 2_000;

/// A text message, to or from a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// What the provider calls it.
    pub sid: String,
    /// When it was taken.
    pub at: Timestamp,
    /// Who sent it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// What it says.
    pub body: String,
    /// Written on the phone, not sent to it.
    pub from_phone: bool,
    /// It has reached the phone.
    pub arrived: bool,
    /// Twilio's word for how far it is.
    pub status: &'static str,
    pub(crate) account: usize,
    pub(crate) status_callback: Option<String>,
}

/// A call to a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What the provider calls it.
    pub sid: String,
    /// When it was taken.
    pub at: Timestamp,
    /// Who calls.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// Where it stands.
    pub state: CallState,
    /// Since when.
    pub since: Timestamp,
    /// Rings until then, where nobody answers. One that is lost is never over.
    pub(crate) rings_until: Timestamp,
    /// What has been said so far.
    pub spoken: Vec<String>,
    /// Which keys have been pressed.
    pub keys: String,
    /// The phone has rung.
    pub arrived: bool,
    /// Twilio's word for how far it is.
    pub status: &'static str,
    pub(crate) account: usize,
    pub(crate) url: String,
    pub(crate) status_callback: Option<String>,
    pub(crate) wanted_events: Vec<String>,
    pub(crate) action: Option<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) sequence: u32,
    pub(crate) by_machine: bool,
    pub(crate) duplicate_callbacks: bool,
}

/// A mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Counts mails, from 1.
    pub number: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// From whom, as the envelope says.
    pub from: String,
    /// To whom, as the envelope says.
    pub to: String,
    /// Its subject, decoded.
    pub subject: String,
    /// Its plain part, decoded.
    pub text: String,
    /// Its HTML part, decoded.
    pub html: String,
    /// Its headers: names in small letters, values unfolded.
    pub headers: Vec<(String, String)>,
    /// All of it, as received.
    pub raw: Bytes,
}

impl Mail {
    /// The first header of that name (small letters).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Counts webhooks, from 1.
    pub number: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// Where it was posted.
    pub path: String,
    /// Its headers: names in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Bytes,
    /// On which connection it came, counted from 1.
    pub connection: u64,
}

/// Everything taken so far, and the knobs.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) texts: VecDeque<Text>,
    pub(crate) calls: VecDeque<Call>,
    pub(crate) mails: VecDeque<Mail>,
    pub(crate) hooks: VecDeque<Hook>,
    pub(crate) mails_total: u64,
    pub(crate) hooks_total: u64,
    pub(crate) owners: BTreeMap<String, String>,
    pub(crate) knobs: BTreeMap<Service, Knobs>,
    /// Where texts from phones are posted, as entered at the provider.
    pub(crate) inbound_urls: [Option<String>; 2],
    /// Sees everything that arrives, also what is not kept for long.
    pub(crate) witness: Option<Witness>,
    next_sid: u64,
}

impl State {
    /// A name for something new: a prefix and 32 hex digits.
    pub(crate) fn sid(&mut self, prefix: &str) -> String {
        self.next_sid += 1;
        format!("{prefix}{:032x}", self.next_sid)
    }

    pub(crate) fn add_text(&mut self, text: Text) {
        if text.to == PROBE_NUMBER {
            return;
        }
        if text.arrived && !text.from_phone {
            self.see(What::Text, &text.to, (&text.sid, text.body.as_bytes()));
        }
        self.keep_text(text);
    }

    /// Keeps a text that is part of a dialogue, and no message of its own.
    pub(crate) fn keep_text(&mut self, text: Text) {
        push(&mut self.texts, text);
    }

    pub(crate) fn add_call(&mut self, call: Call) {
        if call.to == PROBE_NUMBER {
            return;
        }
        if call.arrived {
            self.see(What::Call, &call.to, (&call.sid, b""));
        }
        push(&mut self.calls, call);
    }

    pub(crate) fn add_mail(&mut self, mut mail: Mail) {
        if mail.to == PROBE_MAILBOX {
            return;
        }
        self.mails_total += 1;
        mail.number = self.mails_total;
        self.see(What::Mail, &mail.to, (&mail.subject, mail.text.as_bytes()));
        push(&mut self.mails, mail);
    }

    pub(crate) fn add_hook(&mut self, mut hook: Hook) {
        self.hooks_total += 1;
        hook.number = self.hooks_total;
        self.see(What::Hook, &hook.path, ("", &hook.body));
        push(&mut self.hooks, hook);
    }

    fn see(&self, what: What, to: &str, (name, body): (&str, &[u8])) {
        if let Some(witness) = &self.witness {
            witness.see(&Arrival { what, to, name, body });
        }
    }

    pub(crate) fn call_mut(&mut self, sid: &str) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.sid == sid)
    }

    pub(crate) fn text_mut(&mut self, sid: &str) -> Option<&mut Text> {
        self.texts.iter_mut().find(|text| text.sid == sid)
    }

    pub(crate) fn take_knobs(&mut self, service: Service) -> Knobs {
        self.knobs.get_mut(&service).map(Knobs::take).unwrap_or_default()
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= MAX_KEPT {
        list.pop_front();
    }
    list.push_back(item);
}
