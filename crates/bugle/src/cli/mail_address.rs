//! `mail-address`: where an integration's events may be mailed to.

use serde_json::Value;

use super::MailAddressArgs;
use super::context::Context;
use super::names;
use crate::failure::{Failure, Reason};

/// Writes the address.
///
/// # Errors
///
/// The server does not answer or says no; there is no such integration, or no mail is taken in.
pub async fn mail_address(context: &Context, args: &MailAddressArgs) -> Result<(), Failure> {
    let among = names::all(context, "integrations").await?;
    let integration = names::find("integrations", &args.integration, &among)?;
    let path = format!("/api/v1/integrations/{}/address", integration.id);
    let value: Value = context.client.get(&path, &[]).await?;
    if context.output.json {
        return Ok(context.output.value(&value)?);
    }
    let Some(address) = value["address"].as_str() else {
        let message = "This server takes no mail in.";
        return Err(Failure::new(Reason::NotFound, message)
            .with_hint("set mail_in.listen and mail_in.domain there"));
    };
    Ok(context.output.line(address)?)
}
