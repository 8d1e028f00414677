//! What the tests share: a lab, channels that lead to it, messages.

use std::time::Duration;

use bugle_app::Clock;
use bugle_channels::{
    Channels, Content, Correspondence, Limits, Outgoing, Roots, Sent, Settings, SmtpSecurity,
    SmtpSettings, TwilioSettings, WebhookSettings,
};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_domain::{NotificationId, TenantId};
use bugle_lab::{Account, Lab};
use jiff::Timestamp;
use tokio::time::Instant;

/// Nothing on loopback takes this long; only a fault waits for it.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const PHONE: &str = "+4930123456";
pub(crate) const MAILBOX: &str = "lena@halden.example";

/// A lab and channels whose providers it simulates.
pub(crate) struct World {
    pub(crate) lab: Lab,
    pub(crate) channels: Channels,
    pub(crate) clock: Clock,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Lets `adjust` change the settings first.
    pub(crate) async fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let clock = Clock::pushed(now);
        let lab = Lab::start(clock.clone()).await.unwrap();
        let mut settings = settings(&lab);
        adjust(&mut settings);
        // The lab's own program stands for Bugle where callbacks go.
        let channels = Channels::new(settings, lab.hook_url("/")).unwrap();
        Self { lab, channels, clock, now }
    }

    /// Sends with 5 s in hand.
    pub(crate) async fn send(&self, message: &Outgoing) -> Sent {
        let send_by = Instant::now() + Duration::from_secs(5);
        self.channels.send(message, send_by, self.now).await
    }

    /// So many seconds from now.
    pub(crate) fn after(&self, seconds: i64) -> Timestamp {
        Timestamp::from_second(self.now.as_second() + seconds).unwrap()
    }

    pub(crate) fn retry(&self, seconds: i64) -> SendOutcome {
        SendOutcome::RetryAt { at: self.after(seconds) }
    }

    pub(crate) fn unsure(&self, seconds: i64) -> SendOutcome {
        SendOutcome::RetryUnsure { at: self.after(seconds) }
    }
}

pub(crate) fn limits() -> Limits {
    let connect = Duration::from_secs(2);
    Limits { connect, request: Duration::from_secs(5), rate: None }
}

/// Short enough that a test of what hangs is quick.
pub(crate) fn impatient(limits: &mut Limits) {
    limits.request = Duration::from_millis(200);
}

pub(crate) fn twilio(name: &str, lab: &Lab, account: Account) -> TwilioSettings {
    TwilioSettings {
        name: name.to_owned(),
        api_base: lab.twilio_base(),
        account_sid: account.sid.to_owned(),
        auth_token: account.token.into(),
        callback_keys: Vec::new(),
        from: account.number.to_owned(),
        limits: limits(),
    }
}

fn smtp(name: &str, address: std::net::SocketAddr) -> SmtpSettings {
    SmtpSettings {
        name: name.to_owned(),
        host: address.ip().to_string(),
        port: address.port(),
        security: SmtpSecurity::None,
        login: None,
        from: "Bugle <bugle@halden.example>".to_owned(),
        limits: limits(),
    }
}

fn settings(lab: &Lab) -> Settings {
    Settings {
        email: vec![smtp("mail", lab.smtp_addr())],
        sms: vec![twilio("texts", lab, lab.account())],
        voice: vec![twilio("calls", lab, lab.account())],
        webhook: WebhookSettings { allow: vec!["127.0.0.0/8".parse().unwrap()], limits: limits() },
        roots: Roots::default(),
    }
}

pub(crate) fn spare_smtp(lab: &Lab) -> SmtpSettings {
    smtp("spare", lab.spare_smtp_addr())
}

/// A message whose notification is number `number`.
pub(crate) fn outgoing(number: u8, address: Address, content: Content) -> Outgoing {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    Outgoing {
        notification: NotificationId::new(now, [number; 10]),
        tenant: TenantId::new(now, [1; 10]),
        address,
        content,
        possible_repeat: false,
        validity_s: 300,
    }
}

pub(crate) fn text(number: u8, text: &str) -> Outgoing {
    let address = Address::parse(Channel::Sms, PHONE).unwrap();
    outgoing(number, address, Content::Sms { text: text.to_owned() })
}

pub(crate) fn call(number: u8) -> Outgoing {
    outgoing(number, Address::parse(Channel::Voice, PHONE).unwrap(), Content::Voice)
}

pub(crate) fn mail(number: u8, subject: &str) -> Outgoing {
    let content = Content::Email {
        subject: subject.to_owned(),
        text: "Checkout API errors 14.2 % — limit 2 %\n".to_owned(),
        html: "<p>Checkout API errors <b>14.2 %</b></p>".to_owned(),
        thread_key: "alr_018f00000000000000000000000000aa".to_owned(),
        unsubscribe: None,
        correspondence: Correspondence::default(),
    };
    outgoing(number, Address::parse(Channel::Email, MAILBOX).unwrap(), content)
}

pub(crate) fn hook(number: u8, url: &str) -> Outgoing {
    let content = Content::Webhook {
        id: format!("ntf_{number}"),
        body: br#"{"type":"alert.opened"}"#.as_slice().into(),
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
    };
    outgoing(number, Address::parse(Channel::Webhook, url).unwrap(), content)
}
