//! `march-14`: a stage comes to run a revision of the past that does not fit its neighbours.
//!
//! Events were accepted then, and nobody was told. Here the same mistake is refused (a); forced, it
//! is seen and undone (b); and done behind the guard's back, it is put back (c).

use std::time::{Duration, Instant};

use bugle_domain::stage::Stage;
use serde_json::json;

use super::api;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{self, Moment};
use super::orders::{Order, Word};
use super::scene::Scene;
use super::scorecard::{Measured, Run};
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "march-14",
    injects: "a stage is put back on a revision that does not fit its neighbours: through the \
              guard, forced past it, behind its back",
    variants: &["a", "b", "c", "alerting-c", "responses-c"],
    more_variants: &["alerting-a", "alerting-b", "responses-a", "responses-b"],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits: less than the stall, so that clocks
/// which ran on would tell the next level.
const COMPANY: (usize, usize, u32) = (3, 4, 10);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before the injection, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(5));
/// How long it is looked on when nothing was broken, or when all is well again.
const AFTER: Duration = Duration::from_secs(3);
/// How long the change is watched in the end, where it is let go through.
const WATCH_S: i64 = 10;

/// How the mistake is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ThroughTheGuard,
    Forced,
    BehindItsBack,
}

fn parse(variant: &str) -> Option<(Stage, Way)> {
    let (stage, way) = match variant.split_once('-') {
        Some((stage, way)) => (Stage::parse(stage)?, way),
        None => (Stage::Dispatch, variant),
    };
    let way = match way {
        "a" => Way::ThroughTheGuard,
        "b" => Way::Forced,
        "c" => Way::BehindItsBack,
        _ => return None,
    };
    Some((stage, way))
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of march-14"));
    let (stage, way) = parse(variant).ok_or_else(unknown)?;
    let mut scene = Scene::open(held, COMPANY).await?;
    let old = keep_old(&mut scene, stage).await?;
    let traffic = scene.traffic(PER_SECOND);
    let calm = scene.chance.time(BEFORE.0, BEFORE.1);
    let began = Instant::now();
    scene.pass(calm).await;
    let (injected, refused) = inject(&mut scene, (stage, way), old).await?;
    if way == Way::ThroughTheGuard || scene.until_well(held.patience).await {
        scene.pass(AFTER).await;
    }
    let ended = Instant::now();
    let (mut measured, _) = scene.measure(traffic, scene.patience()).await?;
    let expected = if way == Way::ThroughTheGuard {
        measure::others(&mut measured, &scene.board.events(), (began, injected), (injected, ended));
        Expected::NOTHING
    } else {
        of_stall(&mut measured, &scene, stage, (injected, ended));
        Expected::ALL
    };
    let mut checks = gate::checks(&measured, expected);
    if way == Way::ThroughTheGuard {
        let text = refused.clone().unwrap_or_else(|| "it went through".to_owned());
        checks.insert(0, Check::new("refused", refused.is_some(), text));
    }
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// Keeps what a stage ran with once, as a revision; gives its number.
async fn keep_old(scene: &mut Scene, stage: Stage) -> Result<i64, DrillError> {
    let first = scene.node.api(0).get("/api/v1/revisions/1").await?;
    let document = first["document"].as_str().unwrap_or_default();
    match scene.node.order(&Order::Keep { document: aged(document, stage) }).await? {
        Word::Kept { revision } => Ok(revision),
        other => Err(DrillError::Node(format!("{other:?}"))),
    }
}

/// The same document as it was when lanes and versions were others.
fn aged(document: &str, stage: Stage) -> String {
    let (setting, old) = match stage {
        Stage::Alerting | Stage::Dispatch => ("lanes = ", "lanes = [\"notifications\"]"),
        Stage::Intake | Stage::Responses => ("accepts = ", "accepts = [2]"),
    };
    let mut section = "";
    let mut lines = Vec::new();
    for line in document.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        let is_it = section == stage.as_str() && line.starts_with(setting);
        lines.push(if is_it { old } else { line });
    }
    lines.join("\n") + "\n"
}

/// Does it; gives when, and what was said where it was refused.
async fn inject(
    scene: &mut Scene,
    (stage, way): (Stage, Way),
    old: i64,
) -> Result<(Instant, Option<String>), DrillError> {
    let name = stage.as_str();
    if way == Way::BehindItsBack {
        let injected = scene.timeline.inject(format!("{name} is put on revision {old} directly"));
        scene.node.order(&Order::Put { stage: name.to_owned(), revision: old }).await?;
        return Ok((injected, None));
    }
    let force = way == Way::Forced;
    let how = if force { "forced" } else { "asked for" };
    let injected = scene.timeline.inject(format!("a revert of {name} to revision {old} is {how}"));
    let wanted =
        json!({ "revision": old, "reason": "clean up", "force": force, "watch_s": WATCH_S });
    let said = api::refusal(scene.node.api(0).post("/api/v1/changes", &wanted).await)?;
    let Some(said) = said else { return Ok((injected, None)) };
    scene.timeline.note(&said);
    // The first thing that does not fit, with both its ends, is enough here.
    Ok((injected, said.split(';').next().map(str::to_owned)))
}

/// The stall, by what the stage is there for: people are told, or what they answer is taken.
fn of_stall(
    measured: &mut Measured,
    scene: &Scene,
    stage: Stage,
    (injected, ended): (Instant, Instant),
) {
    let told: (Moment, Moment) = (|sent| sent.accepted, |sent| sent.told);
    let answered: (Moment, Moment) = (|sent| sent.wanted, |sent| sent.over);
    let (signs, moments) = match stage {
        Stage::Responses => (scene.board.answers(), answered),
        Stage::Intake | Stage::Alerting | Stage::Dispatch => (scene.board.pages(), told),
    };
    let seen = scene.lookout.seen();
    let back = seen.changed.unwrap_or(ended);
    let Some(stall) = measure::stall(&signs, (injected, back)) else { return };
    measured.stall_s = Some(stall.length().as_secs_f64());
    measured.drained_s = measure::drained_s(&scene.board.events(), stall.to, moments);
    if seen.changed.is_some() && seen.broken.is_empty() {
        measured.mitigated_s = scene.timeline.since_s(stall.to.max(back));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aged_document_differs_in_one_stage_only() {
        let now = bugle_domain::revision::Revision::standard(std::collections::BTreeMap::new());
        for stage in [Stage::Alerting, Stage::Dispatch, Stage::Responses] {
            let old = aged(&now.to_string(), stage);
            let old = bugle_domain::revision::Revision::parse(&old).unwrap();
            assert_eq!(now.changed(&old), [stage].into(), "{old}");
        }
    }

    #[test]
    fn every_variant_can_be_read() {
        let all = DRILL.variants.iter().chain(DRILL.more_variants);
        assert!(all.into_iter().all(|variant| parse(variant).is_some()));
        assert_eq!(parse("b"), Some((Stage::Dispatch, Way::Forced)));
        assert_eq!(parse("elsewhere-b"), None);
    }
}
