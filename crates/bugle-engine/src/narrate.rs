//! The timeline in plain sentences: one per line, in words of the person who reads it.

use bugle_domain::alert::{Actor, Missed, Route, TimelineEntry, Told, Unreachable, Via};
use bugle_domain::object::Directory;
use bugle_domain::policy::Target;
use jiff::SignedDuration;

use crate::message::text::{duration, names};

/// One line of a timeline as a sentence. Levels count from 1, as people do.
pub fn line(entry: &TimelineEntry, directory: &Directory) -> String {
    match entry {
        TimelineEntry::Opened { policy, route, .. } => opened(policy.as_deref(), *route),
        TimelineEntry::LevelTold { level, cycle, told, missed, .. } => {
            level_told(*level, *cycle, told, missed)
        }
        TimelineEntry::LevelSkipped { level, cycle, missed } => {
            let nobody = why(missed);
            format!("{} was skipped with its delay: {nobody}.", level_name(*level, *cycle))
        }
        TimelineEntry::ClockStands { level, cycle } => format!(
            "{} has more time: its pages have not gone out, and that delay is ours.",
            level_name(*level, *cycle)
        ),
        TimelineEntry::ClockRuns { level, cycle, late_s, .. } => format!(
            "{} has its whole time from its first page on, which went out {} late.",
            level_name(*level, *cycle),
            duration(SignedDuration::from_secs(*late_s))
        ),
        TimelineEntry::FallbackBegun { policy } => {
            format!("The policy was gone through. The fallback \"{policy}\" follows.")
        }
        TimelineEntry::Exhausted => "Nobody is left to be told.".to_owned(),
        TimelineEntry::Worsened { from, to } => {
            let louder = match (from.urgency(), to.urgency()) {
                (before, now) if before == now => "",
                _ => " Urgent rules apply from now on.",
            };
            format!("It became worse: {} after {}.{louder}", to.as_str(), from.as_str())
        }
        TimelineEntry::Acknowledged { by, via, .. } => {
            format!("{} acknowledged{}.", actor(by, directory), by_way(*via))
        }
        TimelineEntry::PassedOn { by, via } => {
            format!("{} passed it on{}.", actor(by, directory), by_way(*via))
        }
        TimelineEntry::Resolved { by: Actor::System, .. } => {
            "Resolved by itself: the end its sender gave passed without news.".to_owned()
        }
        TimelineEntry::Resolved { by, via } => {
            format!("{} resolved it{}.", actor(by, directory), by_way(*via))
        }
        TimelineEntry::WaitsAgain { heard_since, until } => {
            let minutes = until.duration_since(*heard_since).as_mins();
            format!(
                "Bugle could not be reached for a while, so silence says nothing: the sender is \
                 waited for again, for {minutes} min."
            )
        }
        TimelineEntry::Hopped { to: Some(_), .. } => {
            "One way did not work; the person's next was used at once.".to_owned()
        }
        TimelineEntry::Hopped { to: None, .. } => {
            "One way did not work, and the person has no other that waits.".to_owned()
        }
        TimelineEntry::Note { by, text } => format!("{}: {text}", actor(by, directory)),
    }
}

fn opened(policy: Option<&str>, route: Route) -> String {
    let Some(policy) = policy else {
        return "Opened. There is no policy to follow and no fallback: nobody is told.".to_owned();
    };
    match route {
        Route::Service => format!("Opened. It follows the policy \"{policy}\" of its service."),
        Route::NoService => {
            format!(
                "Opened. Its integration names no service, so the fallback \"{policy}\" follows."
            )
        }
        Route::NoPolicy => {
            format!("Opened. Its service names no policy, so the fallback \"{policy}\" follows.")
        }
        Route::Person => format!("Opened. {policy} is asked for by name."),
        Route::Quarantined => {
            format!("Opened. Its event could not be routed, so the fallback \"{policy}\" follows.")
        }
    }
}

fn level_told(level: usize, cycle: u8, told: &[Told], missed: &[Missed]) -> String {
    let people: Vec<String> = told.iter().map(person).collect();
    let verb = if people.len() == 1 { "is" } else { "are" };
    let level = level_name(level, cycle);
    let told = format!("{level}: {} {verb} paged.", names(&people));
    if missed.is_empty() { told } else { format!("{told} Not reached: {}.", why(missed)) }
}

/// `Level 2`, or `Level 2, round 3` where the policy is repeated.
fn level_name(level: usize, cycle: u8) -> String {
    match cycle {
        0 => format!("Level {}", level + 1),
        more => format!("Level {}, round {}", level + 1, u16::from(more) + 1),
    }
}

fn person(told: &Told) -> String {
    match (&told.schedule, &told.team) {
        (Some((_, schedule)), _) => format!("{} (on call in {schedule})", told.name),
        (None, Some((_, team))) => format!("{} (of {team})", told.name),
        (None, None) => told.name.clone(),
    }
}

fn why(missed: &[Missed]) -> String {
    if missed.is_empty() {
        return "it has no targets".to_owned();
    }
    let reasons: Vec<String> = missed.iter().map(reason).collect();
    reasons.join("; ")
}

fn reason(missed: &Missed) -> String {
    let name = &missed.name;
    match (missed.why, missed.target) {
        (Unreachable::Gap, _) => format!("nobody is on call in {name}"),
        (Unreachable::EmptyTeam, _) => format!("{name} has no members"),
        (Unreachable::NoProvenMethod, _) => format!("{name} has no proven contact method"),
        (Unreachable::Disabled, _) => format!("{name} is disabled"),
        (Unreachable::Gone, Target::User(_)) => "the user was removed".to_owned(),
        (Unreachable::Gone, Target::Schedule(_)) => "the schedule was removed".to_owned(),
        (Unreachable::Gone, Target::Team(_)) => "the team was removed".to_owned(),
    }
}

fn actor(actor: &Actor, directory: &Directory) -> String {
    match actor {
        Actor::User { name, .. } => name.clone(),
        Actor::Sender { integration } => {
            let found = directory.integration_name(*integration);
            found.map_or("The sender".to_owned(), |name| format!("The sender ({name})"))
        }
        Actor::Key { name } => format!("The API key \"{name}\""),
        Actor::System => "Bugle".to_owned(),
    }
}

fn by_way(via: Via) -> &'static str {
    match via {
        Via::Web => " on the page",
        Via::Api => " through the API",
        Via::Cli => " from the command line",
        Via::Sms => " by text message",
        Via::Voice => " by a key in the call",
        Via::Link => " by the link in a message",
        Via::Event | Via::Timer => "",
    }
}

#[cfg(test)]
mod tests;
