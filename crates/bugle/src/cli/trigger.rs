//! `trigger`: an event by hand, through an integration.

use serde::Deserialize;
use serde_json::{Value, json};

use super::TriggerArgs;
use super::context::Context;
use super::names::{self, Named};
use crate::client::not_understood;
use crate::failure::{Failure, Reason};

/// What the server says to an event.
#[derive(Deserialize)]
struct Taken {
    id: String,
    #[serde(default)]
    url: Option<String>,
}

/// Sends an event.
///
/// # Errors
///
/// The server does not answer or says no; the integration or service is not found, or several
/// could be meant.
pub async fn trigger(context: &Context, args: &TriggerArgs) -> Result<(), Failure> {
    if args.action != "trigger" && args.dedup_key.is_none() {
        let message = format!("{} needs the key of what it ends.", args.action);
        return Err(Failure::new(Reason::Usage, message).with_hint("--dedup-key KEY"));
    }
    let integration = integration(context, args).await?;
    let mut body = json!({
        "action": args.action,
        "summary": args.summary,
        "severity": args.severity,
        "source": args.source,
    });
    if let Some(key) = &args.dedup_key {
        body["dedup_key"] = json!(key);
    }
    let path = format!("/api/v1/integrations/{integration}/events");
    let value: Value = context.client.post(&path, &body).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let taken: Taken = serde_json::from_value(value).map_err(not_understood)?;
    context.output.line(&taken.id)?;
    if context.output.aligned {
        let url = taken.url.map(|url| format!("  {url}")).unwrap_or_default();
        context.output.remark(&format!("Accepted. See: bugle why {}{url}", taken.id))?;
    }
    Ok(())
}

/// The integration that is meant.
async fn integration(context: &Context, args: &TriggerArgs) -> Result<String, Failure> {
    let among = names::all(context, "integrations").await?;
    if let Some(typed) = &args.integration {
        return Ok(names::find("integrations", typed, &among)?.id.clone());
    }
    let service = match &args.service {
        Some(typed) => {
            let services = names::all(context, "services").await?;
            Some(names::find("services", typed, &services)?.clone())
        }
        None => None,
    };
    only_one(&among, service.as_ref()).cloned().map(|named| named.id)
}

/// The only integration there is, or the first of the service.
fn only_one<'a>(among: &'a [Named], service: Option<&Named>) -> Result<&'a Named, Failure> {
    let mut usable = among.iter().filter(|named| !named.disabled);
    if let Some(service) = service {
        return usable.find(|named| named.service.as_ref() == Some(&service.id)).ok_or_else(|| {
            Failure::new(Reason::NotFound, format!("{:?} has no integration.", service.name))
                .with_hint("name one with --integration")
        });
    }
    match (usable.next(), usable.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::new(Reason::NotFound, "There is no integration yet.")
            .with_hint("make one on the page Integrations, or with bugle apply")),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = among.iter().map(|named| named.name.as_str()).collect();
            let message = format!("Several integrations could be meant: {}.", names.join(", "));
            Err(Failure::new(Reason::Usage, message).with_hint("--integration NAME"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: &str, service: Option<&str>) -> Named {
        Named {
            id: id.to_owned(),
            name: format!("name of {id}"),
            service: service.map(str::to_owned),
            disabled: false,
        }
    }

    #[test]
    fn the_only_integration_need_not_be_named() {
        let one = [named("int_1", None)];
        assert_eq!(only_one(&one, None).unwrap().id, "int_1");
        let two = [named("int_1", None), named("int_2", Some("svc_2"))];
        assert_eq!(only_one(&two, None).unwrap_err().reason, Reason::Usage);
        assert_eq!(only_one(&[], None).unwrap_err().reason, Reason::NotFound);
        let service = named("svc_2", None);
        assert_eq!(only_one(&two, Some(&service)).unwrap().id, "int_2");
    }
}
