//! Reads the status page as the public does: from its files, which are there whatever the node
//! does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bugle_app::tasks::Tasks;
use serde_json::Value;

use super::timeline::Timeline;

/// How often it is read.
const EVERY: Duration = Duration::from_millis(150);

/// What the public calls the ways by which a drill's people are reached.
pub(super) const WAYS_OUT: &[&str] =
    &["Integration platform", "SMS notifications", "Voice notifications"];
/// The same of texts alone.
pub(super) const TEXTS: &[&str] = &["SMS notifications"];

/// What the public was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// When the first update about what was injected could be read.
    pub first_post: Option<Instant>,
    /// Components that were said since then to be in trouble, or to be touched by one.
    pub named: BTreeSet<String>,
    /// The longest time between two updates about the same trouble while it went on.
    pub longest_silence: Option<Duration>,
    /// Components that are said to be in trouble just now.
    amiss: BTreeSet<String>,
    /// Troubles that go on just now, and of which it is not even said that they are over.
    goes_on: BTreeSet<String>,
    /// Troubles on the page, by id.
    troubles: BTreeMap<String, Trouble>,
}

/// What was said of one trouble.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    /// How often something was.
    updates: usize,
    /// When that was seen last.
    last: Instant,
}

impl Told {
    /// What is said just now that is not so, where this is `broken`, or nothing is.
    pub(super) fn untrue(&self, broken: bool) -> Vec<String> {
        if broken {
            let silent = self.amiss.is_empty() && self.goes_on.is_empty();
            return silent.then(|| "all is said to be well".to_owned()).into_iter().collect();
        }
        self.amiss.iter().chain(&self.goes_on).cloned().collect()
    }
}

/// Reads on until its tasks end. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reader(Arc<Mutex<Told>>);

impl Reader {
    /// Begins to read the page in a folder.
    pub(super) fn begin(folder: PathBuf, timeline: Timeline, tasks: &Tasks) -> Self {
        let reader = Self(Arc::default());
        let (told, stop) = (reader.clone(), tasks.stop_token());
        let page = folder.join("api/v2/summary.json");
        tasks.once(async move {
            let reading = async {
                loop {
                    // Until the first one is written there is none.
                    let page = tokio::fs::read(&page).await.unwrap_or_default();
                    if let Ok(page) = serde_json::from_slice(&page) {
                        told.read(&page, &timeline);
                    }
                    tokio::time::sleep(EVERY).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => (),
                () = reading => (),
            }
        });
        reader
    }

    /// What was read so far.
    pub(super) fn told(&self) -> Told {
        self.kept().clone()
    }

    fn kept(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, page: &Value, timeline: &Timeline) {
        let injected = timeline.injected().is_some();
        for text in self.kept().take(page, injected, Instant::now()) {
            timeline.note(text);
        }
    }
}

impl Told {
    /// Takes a page in; gives what is new in it.
    fn take(&mut self, page: &Value, injected: bool, now: Instant) -> Vec<String> {
        let mut new = Vec::new();
        let amiss: BTreeSet<String> = list(page, "components")
            .filter(|it| it["status"] != "operational")
            .map(|it| text(it, "name"))
            .collect();
        if amiss != self.amiss {
            let names = amiss.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "all is well" } else { &names };
            new.push(format!("the public page: {names}"));
        }
        let troubles: Vec<&Value> = list(page, "incidents").collect();
        // What was said before there was anything to say does not count.
        if injected {
            let touched = troubles.iter().flat_map(|it| list(it, "components"));
            self.named.extend(amiss.iter().cloned().chain(touched.map(|it| text(it, "name"))));
        }
        self.amiss = amiss;
        let is_over = |it: &&&Value| it["status"] == "monitoring" || it["status"] == "resolved";
        let goes_on = troubles.iter().filter(|it| !is_over(it));
        self.goes_on = goes_on.map(|it| text(it, "name")).collect();
        self.count(&troubles, (injected, now), &mut new);
        new
    }

    /// Each trouble has its own promises: what is said of one is no word about another.
    fn count(
        &mut self,
        troubles: &[&Value],
        (injected, now): (bool, Instant),
        new: &mut Vec<String>,
    ) {
        let ids: BTreeSet<String> = troubles.iter().map(|it| text(it, "id")).collect();
        self.troubles.retain(|id, _| ids.contains(id));
        for it in troubles {
            let updates = list(it, "incident_updates").count();
            let known = self.troubles.insert(text(it, "id"), Trouble { updates, last: now });
            if let Some(known) = known {
                self.longest_silence = self.longest_silence.max(Some(now - known.last));
            }
            match known {
                Some(known) if updates <= known.updates => {
                    self.troubles.insert(text(it, "id"), known);
                }
                _ => new.push(format!("the public is told: {}", newest(it))),
            }
        }
        if injected && !troubles.is_empty() {
            self.first_post.get_or_insert(now);
        }
    }
}

/// What was said last of a trouble, in a line.
fn newest(trouble: &Value) -> String {
    let newest = list(trouble, "incident_updates").max_by_key(|it| text(it, "created_at"));
    newest.map(|it| text(it, "body")).unwrap_or_default().replace('\n', " ")
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(texts: &str, trouble: Option<(&str, usize)>) -> Value {
        let updates =
            |count| vec![json!({"created_at": "2026-03-14T15:00:00Z", "body": "b"}); count];
        let trouble = trouble.map(|(status, count)| {
            let touched = json!([{"name": "SMS notifications"}]);
            json!({
                "id": "texts", "name": "Texts", "status": status, "components": touched,
                "incident_updates": updates(count),
            })
        });
        json!({
            "components": [
                {"name": "API", "status": "operational"},
                {"name": "SMS notifications", "status": texts},
            ],
            "incidents": trouble.into_iter().collect::<Vec<_>>(),
        })
    }

    #[test]
    fn the_first_post_what_it_names_and_the_silence_after_it_are_noted() {
        let (mut told, zero) = (Told::default(), Instant::now());
        let at = |seconds| zero + Duration::from_secs(seconds);
        assert_eq!(told.take(&page("operational", None), false, at(0)), Vec::<String>::new());
        let down = page("major_outage", Some(("investigating", 1)));
        let new = told.take(&down, true, at(5));
        assert_eq!(new, ["the public page: SMS notifications", "the public is told: b"]);
        assert_eq!(told.take(&down, true, at(25)), Vec::<String>::new());
        let better = page("operational", Some(("monitoring", 2)));
        assert_eq!(told.take(&better, true, at(30)).len(), 2);
        assert_eq!(told.take(&better, true, at(40)), Vec::<String>::new());
        assert_eq!(told.first_post, Some(at(5)));
        assert_eq!(told.longest_silence, Some(Duration::from_secs(25)));
        assert_eq!(told.named, BTreeSet::from(["SMS notifications".to_owned()]));
    }

    #[test]
    fn what_is_said_of_one_trouble_is_no_word_about_another() {
        let (mut told, zero) = (Told::default(), Instant::now());
        let at = |seconds| zero + Duration::from_secs(seconds);
        let both = |of_other| {
            let mut page = page("major_outage", Some(("investigating", 1)));
            let mut other = page["incidents"][0].clone();
            other["id"] = "calls".into();
            other["components"] = json!([{"name": "Voice notifications"}]);
            other["incident_updates"] = json!(vec![json!({"body": "c"}); of_other]);
            page["incidents"].as_array_mut().unwrap().push(other);
            page
        };
        for (number, seconds) in [(1, 0), (2, 40), (3, 80)] {
            told.take(&both(number), true, at(seconds));
        }
        assert_eq!(told.longest_silence, Some(Duration::from_secs(80)), "nothing more of texts");
        let named = ["SMS notifications", "Voice notifications"].map(str::to_owned);
        assert_eq!(told.named, BTreeSet::from(named), "a trouble names what it touches");
        told.take(&page("operational", None), true, at(90));
        told.take(&both(1), true, at(900));
        assert_eq!(told.longest_silence, Some(Duration::from_secs(80)), "it was over meanwhile");
    }

    #[test]
    fn what_is_said_in_the_end_is_held_against_how_it_is() {
        let (mut told, now) = (Told::default(), Instant::now());
        told.take(&page("major_outage", Some(("identified", 1))), true, now);
        assert_eq!(told.untrue(true), Vec::<String>::new());
        assert_eq!(told.untrue(false), ["SMS notifications", "Texts"]);
        told.take(&page("operational", Some(("monitoring", 2))), true, now);
        assert_eq!(told.untrue(false), Vec::<String>::new());
        assert_eq!(told.untrue(true), ["all is said to be well"]);
    }
}
