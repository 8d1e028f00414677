//! Phones, mailboxes and programs, as tests look at them: everything awaited has a limit.

use std::time::Duration;

use bugle_app::handset::{CallState, Handset as _, HandsetError};

use crate::lab::Lab;
use crate::state::{Call, Hook, Mail, State, Text};

/// What was awaited did not come.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{awaited} did not come within {limit:?}; there is: {seen}")]
pub struct NotSeen {
    awaited: String,
    limit: Duration,
    seen: String,
}

impl Lab {
    /// Waits until `look` finds something.
    async fn wait<T>(
        &self,
        awaited: String,
        limit: Duration,
        look: impl Fn(&State) -> Result<T, String>,
    ) -> Result<T, NotSeen> {
        let mut changes = self.subscribe();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Ok(found) = look(&self.state()) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        if let Ok(Some(found)) = tokio::time::timeout(limit, waiting).await {
            return Ok(found);
        }
        match look(&self.state()) {
            Ok(found) => Ok(found),
            Err(seen) => Err(NotSeen { awaited, limit, seen }),
        }
    }
}

/// A simulated phone.
#[derive(Clone, Debug)]
pub struct Phone {
    lab: Lab,
    number: String,
}

impl Phone {
    pub(crate) fn new(lab: Lab, number: &str) -> Self {
        Self { lab, number: number.to_owned() }
    }

    /// Its number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Texts that have arrived or were written on it, oldest first.
    pub fn texts(&self) -> Vec<Text> {
        texts_of(&self.lab.state(), &self.number)
    }

    /// Calls that have rung, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        calls_of(&self.lab.state(), &self.number)
    }

    /// Waits for a text that contains `part`, and returns the newest such.
    pub async fn wait_for_text(&self, part: &str, limit: Duration) -> Result<Text, NotSeen> {
        let awaited = format!("a text with {part:?} to {}", self.number);
        let look = |state: &State| {
            let mut texts = texts_of(state, &self.number);
            let is_it = |text: &Text| !text.from_phone && text.body.contains(part);
            match texts.iter().rposition(is_it) {
                Some(index) => Ok(texts.swap_remove(index)),
                None => Err(listed(texts.into_iter().map(|text| text.body))),
            }
        };
        self.lab.wait(awaited, limit, look).await
    }

    /// Waits until so many texts have arrived in all.
    pub async fn wait_for_texts(
        &self,
        count: usize,
        limit: Duration,
    ) -> Result<Vec<Text>, NotSeen> {
        let awaited = format!("{count} texts to {}", self.number);
        let look = |state: &State| {
            let mut texts = texts_of(state, &self.number);
            texts.retain(|text| !text.from_phone);
            if texts.len() >= count {
                return Ok(texts);
            }
            Err(listed(texts.into_iter().map(|text| text.body)))
        };
        self.lab.wait(awaited, limit, look).await
    }

    /// Waits until it rings, and returns the call.
    pub async fn wait_for_call(&self, limit: Duration) -> Result<Call, NotSeen> {
        self.wait_for_call_state(CallState::Ringing, limit).await
    }

    /// Waits until its newest call is in `state`.
    pub async fn wait_for_call_state(
        &self,
        wanted: CallState,
        limit: Duration,
    ) -> Result<Call, NotSeen> {
        let awaited = format!("a call to {} that is {}", self.number, wanted.as_str());
        let look = |state: &State| {
            let mut calls = calls_of(state, &self.number);
            match calls.pop() {
                Some(call) if call.state == wanted => Ok(call),
                last => {
                    let all = calls.into_iter().chain(last);
                    Err(listed(all.map(|call| call.state.as_str().to_owned())))
                }
            }
        };
        self.lab.wait(awaited, limit, look).await
    }

    /// Answers the call that rings.
    pub async fn answer(&self) -> Result<(), HandsetError> {
        self.lab.answer(&self.newest_call()?).await
    }

    /// Lets a machine answer the call that rings.
    pub async fn voicemail(&self) -> Result<(), HandsetError> {
        self.lab.voicemail(&self.newest_call()?).await
    }

    /// Presses a key in its newest call, which is answered first where it rings.
    pub async fn press(&self, key: char) -> Result<(), HandsetError> {
        self.lab.press(&self.newest_call()?, key).await
    }

    /// Ends or declines its newest call.
    pub async fn hang_up(&self) -> Result<(), HandsetError> {
        self.lab.hang_up(&self.newest_call()?).await
    }

    /// Sends a text to Bugle.
    pub async fn reply(&self, text: &str) -> Result<(), HandsetError> {
        self.lab.reply(&self.number, text).await
    }

    fn newest_call(&self) -> Result<String, HandsetError> {
        self.calls().pop().map(|call| call.sid).ok_or(HandsetError::NoSuchCall)
    }
}

/// A simulated mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    lab: Lab,
    address: String,
}

impl Mailbox {
    pub(crate) fn new(lab: Lab, address: &str) -> Self {
        Self { lab, address: address.to_owned() }
    }

    /// Mails that have arrived, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        mails_of(&self.lab.state(), &self.address)
    }

    /// Waits for a mail whose subject or text contains `part`, and returns the newest such.
    pub async fn wait_for_mail(&self, part: &str, limit: Duration) -> Result<Mail, NotSeen> {
        let awaited = format!("a mail with {part:?} to {}", self.address);
        let look = |state: &State| {
            let mut mails = mails_of(state, &self.address);
            let is_it = |mail: &Mail| mail.subject.contains(part) || mail.text.contains(part);
            match mails.iter().rposition(is_it) {
                Some(index) => Ok(mails.swap_remove(index)),
                None => Err(listed(mails.into_iter().map(|mail| mail.subject))),
            }
        };
        self.lab.wait(awaited, limit, look).await
    }
}

/// What programs have received.
#[derive(Clone, Debug)]
pub struct Hooks {
    lab: Lab,
}

impl Hooks {
    pub(crate) fn new(lab: Lab) -> Self {
        Self { lab }
    }

    /// How many since the start.
    pub fn total(&self) -> u64 {
        self.lab.state().hooks_total
    }

    /// Those kept that were posted to `path`, oldest first.
    pub fn at(&self, path: &str) -> Vec<Hook> {
        hooks_at(&self.lab.state(), path)
    }

    /// Waits until so many were posted to `path`.
    pub async fn wait_for(
        &self,
        path: &str,
        count: usize,
        limit: Duration,
    ) -> Result<Vec<Hook>, NotSeen> {
        let awaited = format!("{count} webhooks to {path}");
        let look = |state: &State| {
            let hooks = hooks_at(state, path);
            if hooks.len() >= count {
                return Ok(hooks);
            }
            Err(format!("{} to it, {} in all", hooks.len(), state.hooks_total))
        };
        self.lab.wait(awaited, limit, look).await
    }
}

pub(crate) fn texts_of(state: &State, number: &str) -> Vec<Text> {
    let is_of = |text: &&Text| {
        let phone = if text.from_phone { &text.from } else { &text.to };
        text.arrived && phone == number
    };
    state.texts.iter().filter(is_of).cloned().collect()
}

pub(crate) fn calls_of(state: &State, number: &str) -> Vec<Call> {
    state.calls.iter().filter(|call| call.arrived && call.to == number).cloned().collect()
}

pub(crate) fn mails_of(state: &State, address: &str) -> Vec<Mail> {
    state.mails.iter().filter(|mail| mail.to.eq_ignore_ascii_case(address)).cloned().collect()
}

fn hooks_at(state: &State, path: &str) -> Vec<Hook> {
    state.hooks.iter().filter(|hook| hook.path == path).cloned().collect()
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("{item:?}")).collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}
