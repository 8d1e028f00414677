//! Facts for `bugle doctor`: each line is ok, or says how to mend it.

use std::time::Duration;

use bugle_domain::contact::Channel;
use bugle_domain::ledger::Ledger;
use bugle_domain::stage::Stage;
use serde::Serialize;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Chain;
use crate::permission::Permission;
use crate::reading::ReadError;

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it came out.
    pub state: CheckState,
    /// What was found.
    pub text: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// When this program was made, roughly: no correct clock is before it (2026-11-01).
const MADE_AT: i64 = 1_793_491_200;
/// A pending event or owed notification older than this means that a stage stands still.
const STALE_MS: i64 = 10_000;

impl App {
    /// How the installation is doing: each line is ok, or says how to mend it.
    pub async fn doctor(&self, caller: &Caller) -> Result<Vec<Check>, ReadError> {
        let all = caller.all_tenants(Permission::Doctor)?;
        let mut checks = vec![self.clock_check(), self.database().await, self.address()];
        checks.extend(self.providers().await);
        checks.push(self.inner().operators_check().await?);
        checks.push(self.retention());
        checks.extend(self.stages_checks().await?);
        let ledger = self.inner().store.ledger_of_all(all, self.now()).await?;
        checks.push(books(&ledger));
        checks.push(flow(&ledger));
        Ok(checks)
    }

    /// A clock that is wrong by years makes every shift wrong; one that is wrong by seconds shows
    /// only beside another, which `bugle doctor` has.
    fn clock_check(&self) -> Check {
        let now = self.now();
        let zone = jiff::tz::TimeZone::UTC.to_datetime(now);
        if now.as_second() < MADE_AT {
            let fix = "set the clock, and keep it with chrony or systemd-timesyncd";
            return fail("clock", format!("it says {zone} UTC, which is in the past"), fix);
        }
        ok("clock", format!("{zone} UTC"))
    }

    async fn database(&self) -> Check {
        let store = &self.inner().store;
        let kind = store.dialect_name();
        let began = self.now();
        match store.ping().await {
            Ok(()) => {
                let took = self.now().duration_since(began);
                ok("database", format!("{kind} answers in {} ms", took.as_millis()))
            }
            Err(error) => {
                let fix = "start it, and check database.url with `bugle check-config`";
                fail("database", format!("{kind}: {}", Chain(&error)), fix)
            }
        }
    }

    fn address(&self) -> Check {
        let url = self.public_url();
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match (url.scheme(), local) {
            (_, true) => warn(
                "public address",
                format!("{url} is this machine: phones and providers can't reach it"),
                "set public_url to the address that others reach",
            ),
            ("https", false) => ok("public address", url.to_string()),
            (_, false) => warn(
                "public address",
                format!("{url} is not encrypted"),
                "put it behind HTTPS and set public_url to it",
            ),
        }
    }

    async fn providers(&self) -> Vec<Check> {
        let channels = &self.inner().channels;
        let mut checks = Vec::new();
        for channel in Channel::ALL {
            if !channels.serves(channel) {
                let name = format!("{} provider", channel.as_str());
                let fix = format!("set channels.{} in the configuration", channel.as_str());
                checks.push(warn(&name, "none is set up".to_owned(), &fix));
            }
        }
        for provider in channels.providers() {
            let name = format!("{} provider {}", provider.channel.as_str(), provider.name);
            checks.push(match channels.check(provider.channel, &provider.name).await {
                Ok(()) => ok(&name, "it accepts us".to_owned()),
                Err(what) => {
                    fail(&name, what, "check its address and credentials in the configuration")
                }
            });
        }
        checks
    }

    /// What each stage of each node says of itself, where that is not as it should be.
    async fn stages_checks(&self) -> Result<Vec<Check>, ReadError> {
        let runs = self.inner().store.stage_runs().await?;
        let living = self.inner().living();
        let wrong = runs.iter().filter(|run| living.contains(&run.node)).filter_map(|run| {
            let error = run.error.as_ref()?;
            let name = format!("stage {} on {}", run.stage.as_str(), run.node);
            let text = format!("runs revision {}; {error}", run.revision);
            Some(fail(&name, text, "see `bugle change log`, and undo or revert"))
        });
        let wrong: Vec<Check> = wrong.collect();
        let all = || vec![ok("stages", "each runs what it should".to_owned())];
        Ok(if wrong.is_empty() { all() } else { wrong })
    }

    fn retention(&self) -> Check {
        let kept = self.inner().stages.of(Stage::Intake).revision.retention;
        let days = |span: Duration| span.as_secs() / 86_400;
        let (raw, history, log) = (days(kept.raw_bytes), days(kept.history), days(kept.log));
        let text = format!(
            "received bytes are kept for {raw} days, alerts for {history} after their end, the log \
             of changes for {log}"
        );
        ok("retention", text)
    }
}

fn books(ledger: &Ledger) -> Check {
    let sums = &ledger.total;
    if sums.balanced() {
        return ok(
            "ledger",
            format!("{} events and {} notifications, none missing", sums.accepted, sums.owed),
        );
    }
    let (events, notifications) = (sums.event_difference(), sums.notification_difference());
    let text = format!("{events} events and {notifications} notifications are unaccounted for");
    fail("ledger", text, "keep the database as it is and report this")
}

fn flow(ledger: &Ledger) -> Check {
    let pending = ledger.oldest_pending_ms.unwrap_or(0);
    let owed = ledger.owed.iter().map(|age| age.oldest_ms).max().unwrap_or(0);
    if pending > STALE_MS {
        let text = format!("the oldest event waits for {} s", pending / 1_000);
        return fail("flow", text, "look for errors of alerting in the log");
    }
    if owed > STALE_MS {
        let text = format!("the oldest notification due waits for {} s", owed / 1_000);
        return warn("flow", text, "look at the providers above");
    }
    ok("flow", "nothing waits".to_owned())
}

pub(crate) fn ok(name: &str, text: String) -> Check {
    Check { name: name.to_owned(), state: CheckState::Ok, text, fix: String::new() }
}

pub(crate) fn warn(name: &str, text: String, fix: &str) -> Check {
    Check { name: name.to_owned(), state: CheckState::Warn, text, fix: fix.to_owned() }
}

pub(crate) fn fail(name: &str, text: String, fix: &str) -> Check {
    Check { name: name.to_owned(), state: CheckState::Fail, text, fix: fix.to_owned() }
}

#[cfg(test)]
mod tests {
    use bugle_domain::contact::Address;
    use bugle_domain::role::Role;

    use super::*;
    use crate::error::UseCaseError;
    use crate::world::World;

    #[tokio::test]
    async fn the_doctor_says_what_works_and_how_to_mend_the_rest() {
        let world = World::new().await;
        let checks = world.app.doctor(&world.admin).await.unwrap();
        let state = |name: &str| checks.iter().find(|check| check.name == name).unwrap().state;
        assert_eq!((state("clock"), state("database")), (CheckState::Ok, CheckState::Ok));
        assert_eq!((state("ledger"), state("flow")), (CheckState::Ok, CheckState::Ok));
        assert_eq!(
            (state("sms provider"), state("public address")),
            (CheckState::Warn, CheckState::Warn)
        );
        assert!(checks.iter().all(|check| (check.state == CheckState::Ok) == check.fix.is_empty()));
        assert_eq!(state("operators"), CheckState::Warn, "Priya has no contact method");
        let hook = Address::Webhook(world.hook.clone());
        world.proven(world.admin.user.unwrap(), hook).await;
        let checks = world.app.doctor(&world.admin).await.unwrap();
        let operators = checks.iter().find(|check| check.name == "operators").unwrap();
        assert_eq!(operators.text, "told by policy \"Fallback\" of Halden Freight");
        let vera = world.person("Vera Holm", Role::Admin).await;
        assert_eq!(world.app.doctor(&vera).await.unwrap_err().code(), "forbidden");
        world.end().await;
    }
}
