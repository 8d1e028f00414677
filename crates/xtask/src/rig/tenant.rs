//! The tenant that the load is for: users with a schedule, a policy, services, integrations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::api::{Api, text};
use super::load::Template;
use super::sink::Sink;

/// Users, and services, and integrations.
const EACH: usize = 20;
/// Long enough that no level is followed by another while we measure.
const LEVEL_DELAY_S: u32 = 86_400;
const QUOTA_PER_MINUTE: u32 = 1_000_000;
const CODE_LIMIT: Duration = Duration::from_secs(20);

/// Makes it all through the API, and renders the requests of a load for it.
pub(crate) async fn make(api: &Api, sink: &Sink) -> Result<Arc<[Template]>> {
    let mut users = Vec::new();
    for number in 0..EACH {
        users.push(user(api, sink, number).await?);
    }
    let mut templates = Vec::new();
    for (number, user) in users.iter().enumerate() {
        let key = integration(api, user, number).await?;
        templates.push(request(api, &key)?);
    }
    Ok(templates.into())
}

/// A user with a webhook that is proven, and rules that use it at once.
async fn user(api: &Api, sink: &Sink, number: usize) -> Result<String> {
    let name = format!("Responder {number}");
    let user = json!({
        "name": name,
        "email": format!("responder-{number}@example.com"),
        "role": "responder",
        "time_zone": "Europe/Berlin",
    });
    let made = api.post("/api/v1/users", &user).await?;
    let user = text(&made["user"], "id")?.to_owned();
    let path = format!("/user/{number}");
    let method = json!({
        "name": "programs",
        "channel": "webhook",
        "address": format!("http://{}{path}", sink.address()),
    });
    let made = api.post(&format!("/api/v1/users/{user}/contact-methods"), &method).await?;
    let method = text(&made["method"], "id")?;
    let code = code(sink, &path).await.with_context(|| format!("the answer was {made}"))?;
    let verify = format!("/api/v1/contact-methods/{method}/verify");
    api.post(&verify, &json!({ "code": code })).await?;
    let rule = json!([{ "delay_s": 0, "method": method }]);
    let rules = json!({ "urgent": rule, "normal": rule });
    api.put(&format!("/api/v1/users/{user}/rules"), &rules).await?;
    Ok(user)
}

async fn code(sink: &Sink, path: &str) -> Result<String> {
    let began = Instant::now();
    while began.elapsed() < CODE_LIMIT {
        if let Some(code) = sink.take_code(path) {
            return Ok(code);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("no verification code came to {path} within {CODE_LIMIT:?}")
}

/// An integration, down to who is on call for it. Returns its key.
async fn integration(api: &Api, user: &str, number: usize) -> Result<String> {
    let schedule = json!({
        "name": format!("Schedule {number}"),
        "time_zone": "Europe/Berlin",
        "layers": [{
            "name": "weekly",
            "participants": [user],
            "start": "2026-01-05T09:00:00",
            "length": { "unit": "weeks", "count": 1 },
        }],
    });
    let schedule = made(api, "schedules", &schedule).await?;
    let policy = json!({
        "name": format!("Policy {number}"),
        "levels": [{
            "targets": [{ "type": "schedule", "id": schedule }],
            "delay_s": LEVEL_DELAY_S,
        }],
    });
    let policy = made(api, "policies", &policy).await?;
    let service = json!({ "name": format!("Service {number}"), "policy": policy });
    let service = made(api, "services", &service).await?;
    let integration = json!({
        "name": format!("Integration {number}"),
        "dialect": "native",
        "service": service,
        "quota_per_minute": QUOTA_PER_MINUTE,
    });
    let integration = api.post("/api/v1/integrations", &integration).await?;
    Ok(text(&integration, "key")?.to_owned())
}

async fn made(api: &Api, kind: &str, document: &Value) -> Result<String> {
    let answer = api.post(&format!("/api/v1/{kind}"), document).await?;
    text(&answer, "id").map(str::to_owned).with_context(|| format!("one of {kind} was not made"))
}

fn request(api: &Api, key: &str) -> Result<Template> {
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {key}",
        api.address
    );
    let body = json!({
        "action": "trigger",
        "summary": "Replication on db-primary-2 is 340 s behind",
        "severity": "critical",
        "source": "db-primary-2.eu.example.com",
        "dedup_key": "bench-0000000",
        "details": { "lag_s": 340, "cluster": "orders" },
    });
    Template::new(&head, &body.to_string())
}
