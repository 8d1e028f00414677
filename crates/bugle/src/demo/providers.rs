//! The lab's simulated providers, entered as any others are.

use std::net::SocketAddr;
use std::time::Duration;

use bugle_app::channels::{
    Limits, Roots, Settings, SmtpSecurity, SmtpSettings, TwilioSettings, WebhookSettings,
};
use bugle_app::watch::ProbeAddress;
use bugle_domain::contact::{Address, Channel};
use bugle_lab::{Account, Lab, PROBE_MAILBOX, PROBE_NUMBER};
use ipnet::{IpNet, Ipv4Net};
use secrecy::SecretString;
use std::net::Ipv4Addr;

use crate::config::Watch;

/// What the simulated accounts are called; part of the URLs that their phones' texts go to.
const FIRST: &str = "simulated";
const SPARE: &str = "simulated_spare";

/// Settings of all channels that lead into `lab`.
pub fn simulated(lab: &Lab) -> Settings {
    let loopback = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    let twilios =
        || vec![twilio(lab, FIRST, lab.account()), twilio(lab, SPARE, lab.spare_account())];
    Settings {
        email: vec![smtp(FIRST, lab.smtp_addr()), smtp(SPARE, lab.spare_smtp_addr())],
        sms: twilios(),
        voice: twilios(),
        webhook: WebhookSettings { allow: vec![IpNet::V4(loopback)], limits: limits() },
        roots: Roots::default(),
    }
}

/// Sends canaries through every simulated provider; their receipts come at once.
pub fn probe(watch: &mut Watch) {
    let addresses = [
        (Channel::Email, PROBE_MAILBOX),
        (Channel::Sms, PROBE_NUMBER),
        (Channel::Voice, PROBE_NUMBER),
    ];
    let parsed = addresses.map(|(channel, text)| Address::parse(channel, text).ok());
    let probe = |provider: &str| {
        let provider = provider.to_owned();
        parsed
            .clone()
            .into_iter()
            .flatten()
            .map(move |address| ProbeAddress { provider: provider.clone(), address })
    };
    watch.probes = probe(FIRST).chain(probe(SPARE)).collect();
    watch.thresholds.receipt_late_ms = watch.thresholds.provider_late_ms;
}

/// Tells the lab where texts from its phones go: the server at `public_url`.
pub fn connect(lab: &Lab, public_url: &url::Url) {
    let base = public_url.as_str().trim_end_matches('/');
    for (name, account) in [(FIRST, lab.account()), (SPARE, lab.spare_account())] {
        lab.set_inbound_url(account, &format!("{base}/callbacks/twilio/{name}/sms"));
    }
}

fn limits() -> Limits {
    Limits { connect: Duration::from_secs(2), request: Duration::from_secs(5), rate: None }
}

fn smtp(name: &str, address: SocketAddr) -> SmtpSettings {
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

fn twilio(lab: &Lab, name: &str, account: Account) -> TwilioSettings {
    TwilioSettings {
        name: name.to_owned(),
        api_base: lab.twilio_base(),
        account_sid: account.sid.to_owned(),
        auth_token: SecretString::from(account.token),
        callback_keys: Vec::new(),
        from: account.number.to_owned(),
        limits: limits(),
    }
}
