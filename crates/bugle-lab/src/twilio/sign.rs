//! Callbacks to Bugle, signed as Twilio signs them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::lab::{ACCOUNTS, Lab};

/// What Bugle answered, or why it did not.
pub(super) type Posted = Result<String, String>;

/// Posts a form to Bugle, and returns what it answers.
pub(super) async fn post(lab: &Lab, account: usize, url: &str, form: Form) -> Posted {
    let request = lab
        .client()
        .post(url)
        .header("X-Twilio-Signature", signature(ACCOUNTS[account].token, url, &form.0))
        .header("User-Agent", "TwilioProxy/1.1")
        .header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
        .body(form.encode());
    let posted = async {
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.text().await?))
    };
    let result: Result<_, reqwest::Error> = posted.await;
    let said = match result {
        Ok((status, body)) if status.is_success() => Ok(body),
        Ok((status, _)) => Err(format!("HTTP {}", status.as_u16())),
        Err(error) => Err(error.without_url().to_string()),
    };
    if let Err(why) = &said {
        tracing::warn!(url, why, "simulated callback was not taken");
    }
    said
}

/// A form of a callback.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(&'static str, String)>);

impl Form {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

fn signature(token: &str, url: &str, form: &[(&'static str, String)]) -> String {
    let sorted: BTreeSet<(&str, &str)> =
        form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let signed: String = std::iter::once(url)
        .chain(sorted.into_iter().flat_map(|(name, value)| [name, value]))
        .collect();
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any key will do");
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_twilio_does() {
        let form = Form::default()
            .with("CallSid", "CA1234567890ABCDE")
            .with("Caller", "+14158675309")
            .with("Digits", "1234")
            .with("From", "+14158675309")
            .with("To", "+18005551212");
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(signature("12345", url, &form.0), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }
}
