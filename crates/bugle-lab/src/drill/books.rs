//! What the books of a node say of each message, read by its API.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What the books say of messages.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Texts and calls, by what their provider calls them.
    pub(super) texts: BTreeSet<String>,
    /// Texts and calls of which it is not known whether the provider took them.
    pub(super) unsure_texts: usize,
    /// What a provider's answer about was cut off, as whoever got it can name it.
    cut_off: BTreeSet<String>,
    owed: Vec<Owed>,
}

/// A text or a call that somebody was owed until the end.
#[derive(Debug)]
struct Owed {
    /// What the providers that took it call it.
    names: Vec<String>,
    /// Whether the books say that it reached its phone.
    said_to_arrive: bool,
}

/// Texts and calls that were owed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Texts {
    /// In all.
    pub(super) owed: u64,
    /// Of those, the ones that reached no phone.
    pub(super) lost: u64,
    /// Of those, the ones that the books say did.
    pub(super) believed: u64,
}

impl Books {
    /// Whether the answer about a message was cut off.
    pub(super) fn was_cut_off(&self, name: &str) -> bool {
        self.cut_off.contains(name)
    }

    /// What became of texts and calls, by those that `arrived`, as their providers call them.
    pub(super) fn texts_owed(&self, arrived: impl Fn(&str) -> bool) -> Texts {
        let mut texts = Texts::default();
        for owed in &self.owed {
            let lost = !owed.names.iter().any(|name| arrived(name));
            texts.owed += 1;
            texts.lost += u64::from(lost);
            texts.believed += u64::from(lost && owed.said_to_arrive);
        }
        texts
    }

    /// Notes all that an alert's page says.
    pub(super) fn note(&mut self, alert: &Value) {
        for line in alert["told"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let attempts = line["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
            let unsure = attempts.iter().filter(|it| is_unsure(it)).count();
            if line["channel"] == "sms" || line["channel"] == "voice" {
                let named = attempts.iter().filter_map(|it| it["provider_ref"].as_str());
                let names: Vec<String> = named.map(str::to_owned).collect();
                self.texts.extend(names.iter().cloned());
                self.unsure_texts += unsure;
                if line["glyph"] != "cancelled" {
                    self.owed.push(Owed { names, said_to_arrive: says_it_arrived(&line["glyph"]) });
                }
            }
            if unsure > 0 {
                let names = [&line["notification"], &line["reference"]];
                let names = names.into_iter().filter_map(Value::as_str);
                self.cut_off.extend(names.map(str::to_owned));
            }
        }
    }
}

fn says_it_arrived(glyph: &Value) -> bool {
    matches!(glyph.as_str(), Some("delivered" | "seen" | "answered"))
}

/// Whether the answer of an attempt was cut off.
fn is_unsure(attempt: &Value) -> bool {
    attempt["outcome"] == "lost" || attempt["outcome"] == "unsure"
}

/// A claim and an answer that meet within this time may be seen in either order.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(1);

/// Whether a message about an alert was claimed after somebody had taken it, or it was over.
pub(super) fn was_claimed_when_over(page: &Value) -> bool {
    let alert = &page["alert"];
    let ends = [&alert["acknowledged"]["at"], &alert["resolved_at"]];
    let Some(over) = ends.into_iter().filter_map(time).min() else { return false };
    let told = page["told"].as_array().map(Vec::as_slice).unwrap_or_default();
    let attempts = told.iter().filter_map(|line| line["attempts"].as_array()).flatten();
    attempts
        .filter_map(|attempt| time(&attempt["started_at"]))
        .any(|at| at.duration_since(over) > AT_ONCE)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(over: &str) -> Value {
        let attempts = json!([
            { "outcome": "lost", "started_at": "2026-11-20T02:41:05Z", "provider_ref": null },
            { "outcome": "accepted", "started_at": "2026-11-20T02:41:09Z", "provider_ref": "SM1" },
        ]);
        let told = json!([
            { "channel": "sms", "notification": "ntf_1", "reference": "K7Q2",
              "glyph": "delivered", "attempts": attempts },
            { "channel": "voice", "notification": "ntf_2", "reference": "K7Q3",
              "glyph": "accepted", "attempts": [] },
            { "channel": "sms", "notification": "ntf_3", "reference": "K7Q4",
              "glyph": "cancelled", "attempts": [] },
        ]);
        json!({ "alert": { "acknowledged": { "at": over }, "resolved_at": null }, "told": told })
    }

    #[test]
    fn books_know_texts_and_what_was_cut_off() {
        let mut books = Books::default();
        books.note(&page("2026-11-20T02:42:00Z"));
        assert_eq!(books.texts, ["SM1".to_owned()].into());
        assert!(books.was_cut_off("K7Q2") && books.was_cut_off("ntf_1"));
        assert!(!books.was_cut_off("ntf_2"));
        let texts = |lost, believed| Texts { owed: 2, lost, believed };
        assert_eq!(books.texts_owed(|name| name == "SM1"), texts(1, 0), "what is over is not owed");
        assert_eq!(books.texts_owed(|_| false), texts(2, 1));
    }

    #[test]
    fn a_claim_after_the_end_is_one_too_many() {
        assert!(was_claimed_when_over(&page("2026-11-20T02:41:07Z")));
        assert!(!was_claimed_when_over(&page("2026-11-20T02:41:08Z")), "it was under way");
        assert!(!was_claimed_when_over(&json!({ "alert": {}, "told": [] })));
    }
}
