//! Canaries by mail: through this node's own door for mail, to the event that is kept.

use std::net::SocketAddr;
use std::time::Duration;

use bugle_channels::{MailProbe, NotTaken};
use bugle_domain::{EventId, TenantScope};
use bugle_engine::watch::door::{Door, Tried};
use bugle_engine::watch::judge::Signal;
use bugle_store::Store;
use jiff::Timestamp;

use super::run::{Every, within};
use crate::clock::Clock;
use crate::entropy;

/// Time between two of them. Two that fail are told of.
const MAIL_EVERY: Duration = Duration::from_secs(3);
/// For all of one.
const MAIL_LIMIT: Duration = Duration::from_millis(1_500);
/// Letters and digits that make an id of a mail unlike any other.
const ID_CHARS: usize = 22;
/// What the door answers where too many call from one place: it lives.
const TOO_MANY_FROM_THERE: (u16, &str) = (421, "4.7.0");
/// What stands before the event's id.
const QUEUED: &str = "queued as ";

/// Mails canaries, and remembers what came of them.
pub(super) struct MailCanaries {
    probe: MailProbe,
    to: String,
    scope: TenantScope,
    every: Every,
    door: Door,
}

impl MailCanaries {
    /// To `to`, an integration's address in `scope`, through `server`.
    pub(super) fn new(server: SocketAddr, to: String, scope: TenantScope) -> Self {
        let probe = MailProbe::new(server, MAIL_LIMIT);
        Self { probe, to, scope, every: Every::new(MAIL_EVERY), door: Door::default() }
    }

    /// Mails one, where it is time to.
    pub(super) async fn send(&mut self, store: &Store, clock: &Clock) {
        if !self.every.due() {
            return;
        }
        let sent_at = clock.now();
        let tried = self.send_one(store, sent_at).await;
        self.door.observe(sent_at, tried);
    }

    async fn send_one(&self, store: &Store, now: Timestamp) -> Tried {
        let domain = self.to.rsplit_once('@').map_or("", |(_, domain)| domain);
        let from = format!("canary@{domain}");
        let id = entropy::base62(ID_CHARS);
        // What ends no alert does nothing, and is told to nobody.
        let text = format!(
            "From: {from}\r\nTo: {}\r\nDate: {}\r\nMessage-ID: <{id}@{domain}>\r\n\
             Auto-Submitted: auto-generated\r\nSubject: [RESOLVED] canary by mail\r\n\r\n\
             A canary.\r\n",
            self.to,
            now.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        );
        match self.probe.send(&from, &self.to, &text).await {
            Ok(said) => self.kept(store, &said).await,
            Err(not) if is_busy(&not) => Tried::NotKnown,
            Err(not) => Tried::Failed(not.to_string()),
        }
    }

    /// Whether the event is kept that the door says it has queued.
    async fn kept(&self, store: &Store, said: &str) -> Tried {
        let id = said.split_once(QUEUED).and_then(|(_, id)| id.trim().parse::<EventId>().ok());
        let Some(id) = id else {
            return Tried::Failed("the door answered what is not understood".to_owned());
        };
        match within(store.event(self.scope, id)).await {
            Ok(Some(_)) => Tried::Through,
            Ok(None) => Tried::Failed("the door took it, and its event is not kept".to_owned()),
            // That is the database's fault, and said of it.
            Err(_) => Tried::NotKnown,
        }
    }

    /// What they say against the door.
    pub(super) fn signal(&self) -> Option<Signal> {
        self.door.signal()
    }
}

fn is_busy(not: &NotTaken) -> bool {
    let (code, enhanced) = TOO_MANY_FROM_THERE;
    not.code == Some(code) && not.text.contains(enhanced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_door_that_is_full_of_others_from_here_says_nothing_of_itself() {
        let not = |code, text: &str| NotTaken { code, text: text.to_owned() };
        assert!(is_busy(&not(Some(421), "transient error (421): 4.7.0 too many connections")));
        assert!(!is_busy(&not(Some(421), "transient error (421): 4.3.2 not now, come again")));
        assert!(!is_busy(&not(Some(451), "4.7.0")) && !is_busy(&not(None, "no answer in time")));
    }
}
