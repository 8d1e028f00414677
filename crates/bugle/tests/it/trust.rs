//! Providers whose certificates a private authority has signed.

use bugle::node::Behaviour;
use bugle_app::channels::{Roots, SmtpSecurity};
use bugle_lab::Lab;
use url::Url;

use crate::tls::Proxy;
use crate::world::{LENA, LIMIT, World};

const MAILBOX: &str = "lena@halden.example";

/// Puts TLS before the simulated accounts' texts and before a mail server.
fn behind_tls(lab: &Lab, behaviour: &mut Behaviour) -> [Proxy; 2] {
    let api = Proxy::start(lab.twilio_base().as_str());
    let mail = Proxy::start(&lab.smtp_addr().to_string());
    for account in &mut behaviour.channels.sms {
        account.api_base = api.url.parse().unwrap();
    }
    behaviour.channels.email.truncate(1);
    let server = &mut behaviour.channels.email[0];
    server.port = mail.url.parse::<Url>().unwrap().port().unwrap();
    server.security = SmtpSecurity::Tls;
    [api, mail]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_a_named_authority_has_signed_is_believed() {
    let mut proxies = None;
    let w = World::configured(|lab, behaviour| {
        let behind = behind_tls(lab, behaviour);
        let authorities = behind.each_ref().map(|proxy| proxy.authority.as_str()).concat();
        behaviour.channels.roots = Roots::parse(authorities.as_bytes()).unwrap();
        proxies = Some(behind);
    })
    .await;
    w.trigger("db1 is down").await;
    w.phone(LENA).wait_for_text("db1 is down", LIMIT).await.unwrap();
    w.lab.mailbox(MAILBOX).wait_for_mail("db1 is down", LIMIT).await.unwrap();
    w.end().await;
    for proxy in proxies.into_iter().flatten() {
        proxy.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_nobody_knows_is_not_believed_and_the_call_comes_all_the_same() {
    let mut proxies = None;
    let w = World::configured(|lab, behaviour| proxies = Some(behind_tls(lab, behaviour))).await;
    w.trigger("db1 is down").await;
    w.forward(60).await;
    assert!(!w.phone(LENA).calls().is_empty());
    assert!(w.phone(LENA).texts().is_empty());
    assert!(w.lab.mailbox(MAILBOX).mails().is_empty());
    let why = w.why("1").await;
    assert!(why.contains("certificate"), "{why}");
    w.end().await;
    for proxy in proxies.into_iter().flatten() {
        proxy.stop().await;
    }
}
