//! The picture: in, the stages, the queue, the senders, the providers, from top to bottom.

use std::fmt::Write as _;

use bugle_app::watch::{Report, Watched};
use bugle_domain::notification::Lane;
use bugle_domain::stage::Stage;
use bugle_engine::watch::Hop;
use bugle_engine::watch::books::{Books, Flow, Waiting};
use jiff::Timestamp;

use crate::pages::alert::build::channel;
use crate::pages::times::count;

const WIDTH: i32 = 358;
const BOX: i32 = 52;
const SMALL: i32 = 34;
const GAP: i32 = 22;

/// A box of the picture.
struct Step {
    name: String,
    /// What it has to do.
    text: String,
    /// How long the latest canary took here.
    took: String,
    bad: bool,
    /// What goes from it to the next, in words.
    flow: String,
}

/// Draws what the watch says.
pub(super) fn draw(watched: &Watched, now: Timestamp) -> String {
    let Some(own) = watched.reports.first() else { return String::new() };
    let steps = steps(watched, own, now);
    let providers = providers(watched, own);
    let height = i32::try_from(steps.len()).unwrap_or(0) * (BOX + GAP)
        + i32::try_from(providers.len()).unwrap_or(0) * (SMALL + 6)
        + 4;
    let words: Vec<String> = steps
        .iter()
        .chain(&providers)
        .map(|step| {
            format!("{}: {}{}", step.name, step.text, if step.bad { ", broken" } else { "" })
        })
        .collect();
    let mut svg = format!(
        "<svg class=\"pipe\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        words.join(". ")
    );
    let mut y = 2;
    for step in &steps {
        add_box(&mut svg, step, y);
        add_arrow(&mut svg, &step.flow, y + BOX);
        y += BOX + GAP;
    }
    for provider in &providers {
        add_provider(&mut svg, provider, y);
        y += SMALL + 6;
    }
    svg.push_str("</svg>");
    svg
}

fn steps(watched: &Watched, own: &Report, now: Timestamp) -> Vec<Step> {
    let unknown = Books::default();
    let (books, flow) = (own.books.as_ref().unwrap_or(&unknown), own.flow);
    let lane = |lane| books.owed.iter().find(|it| it.lane == lane).map(|it| &it.waiting);
    let queue = [(Lane::Urgent, "urgent"), (Lane::Bulk, "bulk")]
        .map(|(of, name)| format!("{name} {}", waits(lane(of), now)));
    let broken = |hop: &Hop| watched.view.verdicts.iter().any(|verdict| verdict.hop == *hop);
    let stage = |stage| broken(&Hop::Stage { stage });
    let step = |name: &str, text: String, took: String, bad: bool, flow: String| Step {
        name: name.to_owned(),
        text,
        took,
        bad,
        flow,
    };
    vec![
        step(
            "Intake",
            format!("{} in the last {}", count(flow.events_in), over(flow)),
            took(watched, Stage::Intake),
            stage(Stage::Intake),
            format!("{} accepted", count(books.totals.accepted)),
        ),
        step(
            "Alerting",
            format!("pending {}", waits(Some(&books.pending), now)),
            took(watched, Stage::Alerting),
            stage(Stage::Alerting),
            format!("{} decided in {}", count(flow.events_out), over(flow)),
        ),
        step(
            "Queue",
            queue.join(" · "),
            String::new(),
            broken(&Hop::Store),
            format!("{} owed in {}", count(flow.owed_in), over(flow)),
        ),
        step(
            "Dispatch",
            format!("{} ended in {}", count(flow.owed_out), over(flow)),
            took(watched, Stage::Dispatch),
            stage(Stage::Dispatch),
            String::new(),
        ),
    ]
}

fn providers(watched: &Watched, own: &Report) -> Vec<Step> {
    let row = |it: &bugle_app::watch::ProviderReport| {
        let hop = Hop::Provider { channel: it.channel, provider: it.name.clone() };
        let bad = watched.view.verdicts.iter().any(|verdict| verdict.hop == hop);
        let canary = watched
            .view
            .canaries
            .iter()
            .find(|canary| canary.channel == it.channel && canary.provider == it.name);
        let text = match canary {
            Some(canary) if canary.stuck.is_some() => "canary overdue",
            Some(canary) if canary.through.is_some() => "canary through",
            Some(_) => "canary on its way",
            None => "not probed",
        };
        Step {
            name: format!("{} by {}", channel(it.channel), it.name),
            text: text.to_owned(),
            took: String::new(),
            bad,
            flow: String::new(),
        }
    };
    own.providers.iter().map(row).collect()
}

fn over(flow: Flow) -> String {
    format!("{} s", (flow.over_ms / 1_000).max(1))
}

/// `3, the oldest 2 s` or `nothing waits`.
fn waits(waiting: Option<&Waiting>, now: Timestamp) -> String {
    let Some(waiting) = waiting.filter(|it| it.count > 0) else { return "0".to_owned() };
    let more = if waiting.more { "more than " } else { "" };
    let oldest = waiting.oldest.map(|at| now.duration_since(at).as_secs().max(0));
    let age = oldest.map(|seconds| format!(", oldest {seconds} s")).unwrap_or_default();
    format!("{more}{}{age}", count(waiting.count))
}

/// The slowest of the latest canaries at a stage.
fn took(watched: &Watched, stage: Stage) -> String {
    let hops = watched.view.canaries.iter().flat_map(|canary| &canary.hops_ms);
    let slowest = hops.filter(|(of, _)| *of == stage).map(|(_, ms)| *ms).max();
    slowest.map(|ms| format!("{ms} ms")).unwrap_or_default()
}

fn add_box(svg: &mut String, step: &Step, y: i32) {
    let class = if step.bad { "box bad" } else { "box" };
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        "<g class=\"{class}\"><rect x=\"1\" y=\"{y}\" width=\"{}\" height=\"{BOX}\" rx=\"7\"/>\
         <text class=\"t\" x=\"14\" y=\"{}\">{}</text><text class=\"s\" x=\"14\" y=\"{}\">{}</text>\
         <text class=\"n\" x=\"{}\" y=\"{}\">{}</text></g>",
        WIDTH - 2,
        y + 22,
        step.name,
        y + 41,
        step.text,
        WIDTH - 14,
        y + 22,
        if step.bad { "broken".to_owned() } else { step.took.clone() },
    );
}

fn add_arrow(svg: &mut String, text: &str, y: i32) {
    let (end, tip) = (y + GAP - 2, y + GAP - 7);
    let _ = write!(
        svg,
        "<path class=\"w\" d=\"M28 {} V{end} M24 {tip} L28 {end} L32 {tip}\"/>\
         <text class=\"f\" x=\"44\" y=\"{}\">{text}</text>",
        y + 2,
        y + 15,
    );
}

fn add_provider(svg: &mut String, step: &Step, y: i32) {
    let class = match (step.bad, step.text.as_str()) {
        (true, _) => "box bad",
        (false, "not probed") => "box off",
        (false, _) => "box",
    };
    let _ = write!(
        svg,
        "<g class=\"{class}\"><rect x=\"1\" y=\"{y}\" width=\"{}\" height=\"{SMALL}\" rx=\"7\"/>\
         <text class=\"t\" x=\"14\" y=\"{}\">{}</text>\
         <text class=\"n\" x=\"{}\" y=\"{}\">{}</text></g>",
        WIDTH - 2,
        y + 22,
        step.name,
        WIDTH - 14,
        y + 22,
        step.text,
    );
}
