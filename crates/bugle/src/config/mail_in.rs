//! The section `[mail_in]`: where mail is taken in.

use std::net::SocketAddr;

use super::reader::{Noted, Reader};
use super::value::{self, Problem, Value};

/// Longest name of a domain, in characters (RFC 1035).
const MAX_DOMAIN: usize = 253;

/// Where mail is taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailIn {
    /// Address that it listens on. Port 0: any.
    pub listen: SocketAddr,
    /// What the addresses of people end with.
    pub domain: String,
}

/// Reads it; `None`: no mail is taken in.
pub(super) fn mail_in(reader: &mut Reader) -> Result<Option<MailIn>, Noted> {
    let listen = reader.take_optional("mail_in.listen", |value| value::listen(value, 2_525));
    let domain = reader.take_optional("mail_in.domain", domain);
    let (missing, given) = match (listen?, domain?) {
        (Some(listen), Some(domain)) => return Ok(Some(MailIn { listen, domain })),
        (None, None) => return Ok(None),
        (None, Some(_)) => ("mail_in.listen", "mail_in.domain"),
        (Some(_), None) => ("mail_in.domain", "mail_in.listen"),
    };
    let origin = reader.origin_of(given);
    Err(reader.note(given, origin, &format!("needs {missing}")))
}

fn domain(value: &Value) -> Result<String, Problem> {
    let text = value::some_text(value)?.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if text.len() <= MAX_DOMAIN && text.split('.').all(label) {
        return Ok(text);
    }
    Err(format!("must be a domain such as \"in.example.com\", not {text:?}"))
}
