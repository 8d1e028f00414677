//! `unused`: what is taken for unused, and is not, is to be cleaned up; and what really is, much of
//! it, while pages go out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{self, Api};
use super::company;
use super::error::DrillError;
use super::gate::{self, Check, Expected};
use super::measure::{self, to_f64};
use super::scene::{Extra, Scene};
use super::scorecard::{Measured, Run};
use super::traffic::Traffic;
use super::{Drill, Held};

/// The drill.
pub(super) const DRILL: Drill = Drill {
    name: "unused",
    injects: "clean-up of an integration, a service, a provider that are in use; of 100,000 \
              expired accounts while urgent pages flow",
    variants: &["integration", "service", "provider", "accounts"],
    more_variants: &[],
    run: |held, variant| Box::pin(run(held, variant)),
};

/// Tenants, people of each, and seconds that a level waits.
const COMPANY: (usize, usize, u32) = (3, 4, 60);
/// Events a second of each tenant.
const PER_SECOND: f64 = 2.0;
/// How long all is well before it, by chance.
const BEFORE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));
/// How long it is looked on afterwards.
const AFTER: Duration = Duration::from_secs(2);
/// Expired accounts, where nothing else is asked for. They are of the first tenant.
const ACCOUNTS: u32 = 100_000;
/// How long a clean-up of one thing may take to be through.
const THROUGH_WITHIN: Duration = Duration::from_mins(1);
/// How often a clean-up is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Why it is done.
const REASON: &str = "unused, it seems";

/// What is taken for unused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    Integration,
    Service,
    Provider,
    Accounts,
}

fn parse(variant: &str) -> Option<Thing> {
    match variant {
        "integration" => Some(Thing::Integration),
        "service" => Some(Thing::Service),
        "provider" => Some(Thing::Provider),
        "accounts" => Some(Thing::Accounts),
        _ => None,
    }
}

async fn run(held: &Held, variant: &str) -> Result<Run, DrillError> {
    let unknown = || DrillError::Unknown(format!("variant {variant} of unused"));
    let thing = parse(variant).ok_or_else(unknown)?;
    let expired = if thing == Thing::Accounts { held.scale.unwrap_or(ACCOUNTS) } else { 0 };
    let mut scene = Scene::open_with(held, COMPANY, Extra { expired, ..Extra::NONE }).await?;
    let traffic = scene.traffic(PER_SECOND);
    let (began, calm) = (Instant::now(), scene.chance.time(BEFORE.0, BEFORE.1));
    scene.pass(calm).await;
    let (tenant, person) = scene.somebody();
    let (hit, mut checks) = match thing {
        Thing::Integration => (tenant, integration(&scene, (tenant, person)).await?),
        Thing::Service => (tenant, service(&scene, (tenant, person)).await?),
        Thing::Provider => (tenant, provider(&scene).await?),
        Thing::Accounts => (0, accounts(&scene, held).await?),
    };
    let measured = measured(&scene, held, (traffic, began), hit).await?;
    checks.push(nobody_misses(&scene));
    checks.extend(gate::checks(&measured, Expected::NOTHING));
    let timeline = scene.timeline.entries();
    scene.close().await?;
    Ok(Run::new(variant, measured, checks, timeline))
}

/// Looks on for a while, and measures. Others are all tenants but the one it is about.
async fn measured(
    scene: &Scene,
    held: &Held,
    (traffic, began): (Traffic, Instant),
    hit: usize,
) -> Result<Measured, DrillError> {
    scene.pass(AFTER).await;
    let (injected, ended) = (scene.timeline.injected().unwrap_or(began), Instant::now());
    let (mut measured, _) = scene.measure(traffic, held.patience).await?;
    let events = scene.board.events();
    let others = events.iter().filter(|sent| sent.tenant != hit);
    measure::others(&mut measured, others, (began, injected), (injected, ended));
    Ok(measured)
}

/// Every event that a sender had was taken in the end, and somebody told of it.
fn nobody_misses(scene: &Scene) -> Check {
    let events = scene.board.events();
    let missed = events.iter().filter(|sent| sent.told.is_none() && sent.over.is_none()).count();
    let text = format!("{missed} of {} pages are missing", events.len());
    Check::new("nobody misses a page", missed == 0, text)
}

/// One of a tenant's objects by its name.
async fn object(api: &Api, kind: &str, name: &str) -> Result<Value, DrillError> {
    let list = api.get(&format!("/api/v1/{kind}?limit=200")).await?;
    let found = list["data"].as_array().and_then(|all| all.iter().find(|it| it["name"] == name));
    found.cloned().ok_or_else(|| DrillError::Node(format!("{kind}: no \"{name}\" in {list}")))
}

/// An integration was disabled because it seems unused. Its sender goes on trying.
async fn integration(
    scene: &Scene,
    (tenant, person): (usize, usize),
) -> Result<Vec<Check>, DrillError> {
    let (operator, lead) = (scene.node.api(0), scene.node.api(tenant));
    let name = company::way_in_name(person);
    let found = object(&lead, "integrations", &name).await?;
    let path = format!("/api/v1/integrations/{}", found["id"].as_str().unwrap_or_default());
    let with = |disabled: bool| {
        json!({ "name": found["name"], "dialect": found["dialect"], "service": found["service"],
                "quota_per_minute": found["quota_per_minute"], "disabled": disabled })
    };
    let client = tenant + 1;
    scene.timeline.inject(format!("\"{name}\" of client {client} is disabled, and cleaned up"));
    lead.put(&path, &with(true)).await?;
    let plan = operator.post("/api/v1/clean-ups", &json!({ "what": "integrations" })).await?;
    let against = plan["stays"][0]["against"][0].as_str().unwrap_or("nothing").to_owned();
    scene.timeline.note(format!("against it speaks: {against}"));
    let forced = json!({ "what": "integrations", "apply": true, "reason": REASON, "force": true });
    let forced = api::refusal(operator.post("/api/v1/clean-ups", &forced).await)?;
    let done = clean_up(scene, "integrations").await?;
    let (removed, left) = (&done["removed"], &done["left"]);
    scene.timeline.note(format!("{removed} taken away, {left} left"));
    let back = api::refusal(lead.put(&path, &with(false)).await)?;
    scene.timeline.note(match &back {
        None => "it is enabled again".to_owned(),
        Some(why) => format!("it can't be enabled again: {why}"),
    });
    let refused = plan["going"] == 0 && plan["left"] == 1 && *removed == 0 && *left == 1;
    let text = forced.clone().unwrap_or_else(|| "it was taken".to_owned());
    Ok(vec![
        Check::new("refused", refused, against),
        Check::new("can't be forced", forced.is_some(), text),
    ])
}

/// Cleans up, and waits until that is through.
async fn clean_up(scene: &Scene, what: &str) -> Result<Value, DrillError> {
    let wanted = json!({ "what": what, "apply": true, "reason": REASON });
    let begun = scene.node.api(0).post("/api/v1/clean-ups", &wanted).await?;
    until(scene, &begun["number"], ("removed", THROUGH_WITHIN)).await
}

/// Looks at a clean-up until it stands somewhere, or that takes too long.
async fn until(
    scene: &Scene,
    number: &Value,
    (state, limit): (&str, Duration),
) -> Result<Value, DrillError> {
    let (api, began) = (scene.node.api(0), Instant::now());
    loop {
        let found = api.get(&format!("/api/v1/clean-ups/{number}")).await?;
        if found["state"] == state || began.elapsed() > limit {
            return Ok(found);
        }
        scene.pass(LOOK_EVERY).await;
    }
}

/// A service is to be deleted into which events come.
async fn service(
    scene: &Scene,
    (tenant, person): (usize, usize),
) -> Result<Vec<Check>, DrillError> {
    let lead = scene.node.api(tenant);
    let name = company::service_name(person);
    let found = object(&lead, "services", &name).await?;
    let (client, id) = (tenant + 1, found["id"].as_str().unwrap_or_default());
    scene.timeline.inject(format!("\"{name}\" of client {client} is deleted"));
    let said = api::refusal(lead.delete(&format!("/api/v1/services/{id}")).await)?;
    Ok(vec![names(scene, said, &company::way_in_name(person))])
}

/// All providers of texts are to be taken out.
async fn provider(scene: &Scene) -> Result<Vec<Check>, DrillError> {
    let operator = scene.node.api(0);
    let first = operator.get("/api/v1/revisions/1").await?;
    let document = without_texts(first["document"].as_str().unwrap_or_default());
    scene.timeline.inject("the providers of texts are taken out");
    let wanted = json!({ "document": document, "reason": REASON });
    let said = api::refusal(operator.post("/api/v1/changes", &wanted).await)?;
    let refused = names(scene, said, "Client 1");
    let plan = operator.post("/api/v1/clean-ups", &json!({ "what": "providers" })).await?;
    let against = plan["stays"][0]["against"].to_string();
    scene.timeline.note(format!("cleaned up, against the first speaks: {against}"));
    let done = clean_up(scene, "providers").await?;
    let stays = plan["going"] == 0 && done["removed"] == 0 && done["left"] == plan["left"];
    Ok(vec![refused, Check::new("a clean-up leaves it", stays, against)])
}

/// The same document with nobody who sends texts.
fn without_texts(document: &str) -> String {
    let mut of_texts = false;
    let mut lines = Vec::new();
    for line in document.lines() {
        if line.starts_with('[') {
            of_texts = line == "[channels.sms]";
        }
        let is_it = of_texts && line.starts_with("providers = ");
        lines.push(if is_it { "providers = []" } else { line });
    }
    lines.join("\n") + "\n"
}

/// It was refused, and the refusal names what depends on it.
fn names(scene: &Scene, said: Option<String>, dependant: &str) -> Check {
    let refused = said.as_ref().is_some_and(|said| said.contains(dependant));
    let said = said.unwrap_or_else(|| "it went through".to_owned());
    scene.timeline.note(&said);
    Check::new("refused, naming what depends on it", refused, said)
}

/// Accounts that a clean-up would take away.
async fn candidates(scene: &Scene) -> Result<u64, DrillError> {
    let plan = scene.node.api(0).post("/api/v1/clean-ups", &json!({ "what": "users" })).await?;
    Ok(plan["going"].as_u64().unwrap_or(0))
}

/// Cleans expired accounts up, as many as there is time for, and puts them back.
async fn accounts(scene: &Scene, held: &Held) -> Result<Vec<Check>, DrillError> {
    let api = scene.node.api(0);
    let expired = scene.plan.expired;
    scene.timeline.inject(format!("{expired} expired accounts of client 1 are cleaned up"));
    let wanted = json!({ "what": "users", "apply": true, "reason": REASON });
    let begun = api.post("/api/v1/clean-ups", &wanted).await?;
    let number = &begun["number"];
    let gone = until(scene, number, ("removed", held.patience)).await?;
    let (state, so_far) = (gone["state"].as_str().unwrap_or_default(), &gone["removed"]);
    scene.timeline.note(format!("{state}: {so_far} so far; they are put back"));
    api.post(&format!("/api/v1/clean-ups/{number}/restore"), &json!({ "reason": REASON })).await?;
    // It goes back as fast as it went.
    let limit = held.patience.saturating_mul(2);
    let back = until(scene, number, ("restored", limit)).await?;
    let count = |key: &str| back[key].as_u64().unwrap_or(0);
    let (removed, restored, there) =
        (count("removed"), count("restored"), candidates(scene).await?);
    scene.timeline.note(format!("{restored} of {removed} are back"));
    let all = u64::from(scene.plan.expired);
    let whole = back["state"] == "restored" && restored == removed && there == all;
    let text = format!("{restored} of {removed}, and then there are {there} of {all}");
    let taken = Check::new("taken away", removed > 0, format!("{:.0}", to_f64(removed)));
    Ok(vec![taken, Check::new("put back", whole, text)])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bugle_domain::contact::Channel;
    use bugle_domain::revision::Revision;

    use super::*;

    #[test]
    fn only_the_providers_of_texts_are_taken_out() {
        let some = |channel| (channel, vec!["simulated".to_owned()]);
        let channels = BTreeMap::from([some(Channel::Sms), some(Channel::Voice)]);
        let now = Revision::standard(channels);
        let then = Revision::parse(&without_texts(&now.to_string())).unwrap();
        let differences = now.diff(&then);
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].key.contains("sms"), "{differences:?}");
    }
}
