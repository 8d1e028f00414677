//! The one alert that is open when the demo begins: Lena's phone rings.

use bugle_app::entropy;
use bugle_domain::Severity;
use bugle_domain::event::{Action, EventBody, Link, NewEvent};

use super::company::Company;
use crate::failure::Failure;
use crate::node::Node;

/// Times that the monitors say it: all but the first fold into one alert.
const TIMES: usize = 12;

/// Opens it.
///
/// # Errors
///
/// The events were not taken.
pub(super) async fn open(node: &Node, company: &Company) -> Result<(), Failure> {
    let Some(integration) = company.integrations.first() else { return Ok(()) };
    let now = node.app.now();
    let request = entropy::event_id(now);
    let raw = serde_json::to_vec(&vec![body(); TIMES]).ok();
    let mut events: Vec<NewEvent> = Vec::new();
    for index in 0..TIMES {
        let id = if index == 0 { request } else { entropy::event_id(now) };
        events.push(NewEvent {
            id,
            tenant: company.tenant.id,
            integration: integration.id,
            dialect: integration.dialect,
            received_at: now,
            idempotency_key: None,
            body: body(),
            request,
            raw: raw.clone().filter(|_| index == 0),
        });
    }
    let accepted = node.app.intake().accept(events, integration.quota_per_minute).await;
    accepted.map_err(|error| Failure::because("an event was not taken", &error))?;
    Ok(())
}

fn body() -> EventBody {
    let link = |href: &str, text: &str| Link { href: href.to_owned(), text: text.to_owned() };
    let details = [("region", "eu-west-1"), ("errors", "14.2 %"), ("limit", "2 %")];
    EventBody {
        action: Action::Trigger,
        summary: "checkout-api: 5xx errors at 14.2 %, limit is 2 %".to_owned(),
        severity: Severity::Critical,
        source: "eu-west-1".to_owned(),
        dedup_key: "checkout-5xx".to_owned(),
        occurred_at: None,
        ends_at: None,
        links: vec![link("https://dash.halden.example/checkout", "Dashboard")],
        details: details
            .into_iter()
            .map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)))
            .collect(),
    }
}
