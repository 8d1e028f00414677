//! Where Twilio calls us back. The routes of `bugle-web` have the same form.

use bugle_domain::NotificationId;
use url::Url;

/// The callback URLs of one provider.
#[derive(Clone, Debug)]
pub struct CallbackPaths {
    public_url: Url,
    base: String,
}

impl CallbackPaths {
    /// URLs below `public_url` for the provider of that name.
    pub fn new(public_url: &Url, provider: &str) -> Self {
        let base =
            format!("{}/callbacks/twilio/{provider}", public_url.as_str().trim_end_matches('/'));
        Self { public_url: public_url.clone(), base }
    }

    pub(crate) fn origin(&self) -> &Url {
        &self.public_url
    }

    /// Where a message's state is reported.
    pub fn message(&self, notification: NotificationId) -> String {
        format!("{}/message/{notification}", self.base)
    }

    /// Where a call's words are fetched.
    pub fn voice(&self, notification: NotificationId) -> String {
        format!("{}/voice/{notification}", self.base)
    }

    /// Where a pressed key is reported.
    pub fn gather(&self, notification: NotificationId) -> String {
        format!("{}/gather/{notification}", self.base)
    }

    /// Where a call's state is reported.
    pub fn call(&self, notification: NotificationId) -> String {
        format!("{}/call/{notification}", self.base)
    }

    /// Where texts from phones come in: to be entered at Twilio.
    pub fn inbound(&self) -> String {
        format!("{}/sms", self.base)
    }
}
