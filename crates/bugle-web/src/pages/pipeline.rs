//! The operator's picture of the pipeline: what goes in, where it waits, who takes it out, and how
//! the canaries do.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use bugle_app::App;
use bugle_app::watch::{PathReport, Report, Watched};
use bugle_domain::NodeId;
use bugle_engine::watch::runway::Level;
use bugle_engine::watch::{Canary, Verdict};
use http::StatusCode;
use jiff::Timestamp;

use super::alert::build::channel;
use super::error::PageError;
use super::shell::{Section, page};
use super::times::{Times, When, count};
use super::visitor::Visitor;

mod drawing;

#[derive(Template)]
#[template(path = "pipeline.html")]
pub(super) struct PipelinePage {
    /// Whether the watch runs.
    on: bool,
    /// What is broken, worst first.
    broken: Vec<Broken>,
    /// The picture.
    svg: String,
    /// How each path does.
    paths: Vec<PathRow>,
    /// Providers that no canary goes through.
    unprobed: Vec<String>,
    /// What runs out, on each node.
    nodes: Vec<NodeRow>,
    /// How each provider does.
    providers: Vec<ProviderRow>,
    /// When the probe that must fail was last reported.
    control: Option<When>,
}

/// A verdict.
struct Broken {
    title: String,
    since: When,
    evidence: String,
    waiting: String,
    tenants: String,
}

/// A path.
struct PathRow {
    name: String,
    node: String,
    green: bool,
    state: String,
    hops: String,
}

/// A node.
struct NodeRow {
    name: String,
    speaks: bool,
    at: When,
    gauges: Vec<GaugeRow>,
}

/// Something that runs out.
struct GaugeRow {
    name: String,
    text: String,
    level: &'static str,
}

/// A provider.
struct ProviderRow {
    name: String,
    state: &'static str,
    good: bool,
    success: String,
    median: String,
    last_error: String,
}

/// `GET /pipeline`, for operators.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, PageError> {
    let body = load(&app, &visitor).await?;
    let shell = visitor.shell(&app, "Pipeline", Section::Pipeline).await?;
    Ok(page(StatusCode::OK, &shell.live("pipeline".to_owned()), &body))
}

/// Reads what the watch says.
pub(super) async fn load(app: &App, visitor: &Visitor) -> Result<PipelinePage, PageError> {
    let watched = app.watched(&visitor.caller)?;
    let Some(watched) = watched.filter(|watched| !watched.reports.is_empty()) else {
        return Ok(build(None, &[], &visitor.times));
    };
    let mut names = Vec::new();
    for verdict in &watched.view.verdicts {
        names.push(app.tenant_names(&visitor.caller, &verdict.tenants).await?.join(", "));
    }
    Ok(build(Some(&watched), &names, &visitor.times))
}

/// What the page says. Pure.
pub(super) fn build(watched: Option<&Watched>, names: &[String], times: &Times) -> PipelinePage {
    let Some(watched) = watched else {
        return PipelinePage {
            on: false,
            broken: Vec::new(),
            svg: String::new(),
            paths: Vec::new(),
            unprobed: Vec::new(),
            nodes: Vec::new(),
            providers: Vec::new(),
            control: None,
        };
    };
    let verdicts = watched.view.verdicts.iter().enumerate();
    let own = watched.reports.first();
    let tenants = |index: usize| names.get(index).cloned().unwrap_or_default();
    PipelinePage {
        on: true,
        broken: verdicts.map(|(index, it)| broken(it, tenants(index), times)).collect(),
        svg: drawing::draw(watched, times.now()),
        paths: watched.reports.iter().flat_map(|report| paths(report, times)).collect(),
        unprobed: own.map(unprobed).unwrap_or_default(),
        nodes: nodes(watched, times),
        providers: own.map(providers).unwrap_or_default(),
        control: own.and_then(|it| it.control_reported).map(|at| times.short(at)),
    }
}

fn broken(verdict: &Verdict, tenants: String, times: &Times) -> Broken {
    let waiting = if verdict.waiting > 0 { count(verdict.waiting) } else { String::new() };
    Broken {
        title: bugle_app::watch::title(&verdict.hop),
        since: times.exact(verdict.since),
        evidence: verdict.evidence.clone(),
        waiting,
        tenants,
    }
}

fn paths(report: &Report, times: &Times) -> Vec<PathRow> {
    // Both are in the order of the paths, once each has had its first canary.
    let whole = report.paths.len() == report.canaries.len();
    let row = |(index, canary): (usize, &Canary)| {
        path(canary, report.paths.get(index).filter(|_| whole), times)
    };
    report.canaries.iter().enumerate().map(row).collect()
}

fn path(canary: &Canary, way: Option<&PathReport>, times: &Times) -> PathRow {
    let (state, green) = match (&canary.stuck, canary.through) {
        (Some(hop), _) => (format!("stuck at {}", hop.name()), false),
        (None, Some(through)) => (format!("through, sent {}", age(through, times.now())), true),
        (None, None) => ("on its way".to_owned(), true),
    };
    let mut hops: Vec<String> =
        canary.hops_ms.iter().map(|(stage, ms)| format!("{} {ms} ms", stage.as_str())).collect();
    hops.extend(way.and_then(|way| way.provider_ms).map(|ms| format!("provider {ms} ms")));
    let lane = way.map(|way| format!(", {}", way.path.lane.as_str())).unwrap_or_default();
    PathRow {
        name: format!("{} by {}{lane}", channel(canary.channel), canary.provider),
        node: short(canary.node),
        green,
        state,
        hops: hops.join(" · "),
    }
}

fn unprobed(report: &Report) -> Vec<String> {
    let without = report.providers.iter().filter(|it| !it.probed);
    without.map(|it| format!("{} by {}", channel(it.channel), it.name)).collect()
}

fn nodes(watched: &Watched, times: &Times) -> Vec<NodeRow> {
    let speaking = watched.reports.iter().map(|report| NodeRow {
        name: short(report.node),
        speaks: true,
        at: times.exact(report.at),
        gauges: report
            .gauges
            .iter()
            .map(|gauge| GaugeRow {
                name: gauge.name.clone(),
                text: gauge.text.clone(),
                level: match gauge.level {
                    Level::Ok => "",
                    Level::Warn => "badge",
                    Level::Bad => "badge bad",
                },
            })
            .collect(),
    });
    let silent = watched.silent.iter().map(|(node, at)| NodeRow {
        name: short(*node),
        speaks: false,
        at: times.exact(*at),
        gauges: Vec::new(),
    });
    speaking.chain(silent).collect()
}

fn providers(report: &Report) -> Vec<ProviderRow> {
    let row = |it: &bugle_app::watch::ProviderReport| {
        let (state, good) = match it.breaker.as_str() {
            "closed" => ("used", true),
            "open" => ("left alone", false),
            _ => ("being tried", false),
        };
        #[expect(clippy::cast_possible_truncation, reason = "a share of 0 to 1")]
        let percent = |share: f64| format!("{} %", (share * 100.0).round() as i64);
        ProviderRow {
            name: format!("{} by {}", channel(it.channel), it.name),
            state,
            good,
            success: it.success_rate.map_or("–".to_owned(), percent),
            median: it.median_ms.map_or("–".to_owned(), |ms| format!("{ms} ms")),
            last_error: it.last_error.clone().unwrap_or_default(),
        }
    };
    report.providers.iter().map(row).collect()
}

/// The part of a node's id that tells nodes apart.
pub(super) fn short(node: NodeId) -> String {
    let text = node.to_string();
    let tail = text.get(text.len().saturating_sub(6)..).unwrap_or_default();
    format!("nod_…{tail}")
}

/// `0.4 s ago`, `12 s ago`, `3 min ago`.
fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    if seconds < 2 { "just now".to_owned() } else { format!("{seconds} s ago") }
}
