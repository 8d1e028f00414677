//! Providers that no message went through: which of them the stages can do without.
//!
//! A provider is named by a revision, so it goes and comes back by a guarded change. Nothing tags
//! it: each one named is looked at, and one that is used, new, or the last of its channel stays.

use std::collections::BTreeMap;

use bugle_domain::contact::Channel;
use bugle_domain::revision::Revision;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Candidate, IDLE, days_ago, lately};
use crate::change::checked::Dependants;

/// A provider that a revision names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedProvider {
    /// What it serves.
    pub channel: Channel,
    /// Its place among those of its channel, 0-based.
    pub place: usize,
    /// Its name.
    pub name: String,
}

/// How a provider is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProviderUse {
    /// Since when it has been looked at.
    pub since: Timestamp,
    /// When a message was last tried by it, whatever came of it. One of the watch's own counts: who
    /// has a canary sent through a spare provider wants it ready.
    pub last: Option<Timestamp>,
}

/// What is known of how providers are used.
pub type Uses = BTreeMap<(Channel, String), ProviderUse>;

/// Every provider that a revision names, in order.
pub fn named(revision: &Revision) -> Vec<NamedProvider> {
    let of = |(channel, names): (&Channel, &Vec<String>)| {
        let named = |(place, name): (usize, &String)| NamedProvider {
            channel: *channel,
            place,
            name: name.clone(),
        };
        names.iter().enumerate().map(named).collect::<Vec<_>>()
    };
    revision.channels.iter().flat_map(of).collect()
}

/// What becomes of those named; `channels`: who uses what they serve.
pub fn providers(
    named: &[NamedProvider],
    uses: &Uses,
    channels: &BTreeMap<Channel, Dependants>,
    now: Timestamp,
) -> Vec<Candidate> {
    let mut found: Vec<Candidate> =
        named.iter().map(|it| candidate(it, uses.get(&key(it)), now)).collect();
    for channel in Channel::ALL {
        let of = |it: &NamedProvider| it.channel == channel;
        let mut serving = named.iter().zip(&mut found).filter(|(it, _)| of(it));
        let first = serving.next().map(|(_, first)| first);
        let another_stays = serving.any(|(_, other)| !other.goes());
        if let Some(first) = first.filter(|first| first.goes() && !another_stays) {
            first.against.push(format!("nobody else would serve {}", channel.as_str()));
        }
    }
    for (it, candidate) in named.iter().zip(&mut found).filter(|(_, candidate)| !candidate.goes()) {
        let of = channels.get(&it.channel);
        if let Some(of) = of.filter(|of| of.methods > 0 || of.waiting > 0) {
            candidate.against.push(format!("{} is needed: {of}", it.channel.as_str()));
        }
    }
    found
}

fn key(it: &NamedProvider) -> (Channel, String) {
    (it.channel, it.name.clone())
}

fn candidate(it: &NamedProvider, of: Option<&ProviderUse>, now: Timestamp) -> Candidate {
    let mut against = Vec::new();
    match of {
        None => against.push("it is not known yet how it is used".to_owned()),
        Some(of) => {
            against.extend(lately(of.last, now));
            if against.is_empty() && now.duration_since(of.since) < IDLE {
                against.push(format!("it was named {}", days_ago(of.since, now)));
            }
        }
    }
    Candidate { id: id(it), name: shown(it), with: Vec::new(), against }
}

/// What it is called where channels are mixed.
fn shown(it: &NamedProvider) -> String {
    format!("{} ({})", it.name, it.channel.as_str())
}

/// Its place: channel and order.
fn id(it: &NamedProvider) -> Uuid {
    let channel = Channel::ALL.iter().position(|channel| *channel == it.channel);
    let number = |place: Option<usize>| place.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    Uuid::from_u64_pair(number(channel), number(Some(it.place)))
}

/// The revision without the candidates that go.
#[must_use]
pub fn without(revision: &Revision, goes: &[Candidate]) -> Revision {
    let mut left = revision.clone();
    for it in named(revision).iter().filter(|it| goes.iter().any(|gone| gone.id == id(it))) {
        if let Some(names) = left.channels.get_mut(&it.channel) {
            names.retain(|name| *name != it.name);
        }
    }
    left
}

/// What one revision names and another does not.
pub fn taken(before: &Revision, after: &Revision) -> Vec<NamedProvider> {
    let mut taken = named(before);
    let stays = |it: &NamedProvider| {
        after.channels.get(&it.channel).is_some_and(|names| names.contains(&it.name))
    };
    taken.retain(|it| !stays(it));
    taken
}

/// Things to be kept, for what was taken.
pub fn kept(taken: &[NamedProvider]) -> Vec<Candidate> {
    let kept = |it: &NamedProvider| Candidate {
        id: id(it),
        name: shown(it),
        with: Vec::new(),
        against: Vec::new(),
    };
    taken.iter().map(kept).collect()
}

/// The revision with what was taken from an older one, each in its place as far as there is one.
#[must_use]
pub fn with(revision: &Revision, taken: &[NamedProvider]) -> Revision {
    let mut whole = revision.clone();
    for it in taken {
        let names = whole.channels.entry(it.channel).or_default();
        if !names.contains(&it.name) {
            names.insert(it.place.min(names.len()), it.name.clone());
        }
    }
    whole
}

#[cfg(test)]
mod tests;
