//! Webhooks over TLS: to whom the operator trusts, and to nobody else.

use std::sync::Arc;

use bugle_channels::{
    CertificateError, Certificates, Channels, Limits, Roots, Settings, WebhookSettings,
};
use bugle_domain::notification::SendOutcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto};

use crate::helpers::{LIMIT, hook};

/// Takes one request over TLS and answers it; `false` where the other side gave up.
async fn serve_one(listener: &TcpListener, tls: &TlsAcceptor) -> bool {
    let (stream, _) = listener.accept().await.unwrap();
    let Ok(mut stream) = tls.accept(stream).await else { return false };
    let mut request = vec![0; 8_192];
    let read = stream.read(&mut request).await.unwrap_or(0);
    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
    read > 0 && stream.write_all(answer).await.is_ok()
}

#[tokio::test]
async fn a_webhook_goes_to_who_can_prove_its_name() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let now = jiff::Timestamp::from_second(1_790_000_000).unwrap();

    let by_name = format!("https://localhost:{port}/alerts");
    let by_address = format!("https://127.0.0.1:{port}/alerts");
    let trusted = || Roots::parse(made.cert.pem().as_bytes()).unwrap();
    for (url, roots, accepted) in [
        (&by_name, trusted(), true),
        (&by_name, Roots::default(), false),
        (&by_address, trusted(), false),
    ] {
        let limits = Limits { connect: LIMIT, request: LIMIT, rate: None };
        let settings = Settings {
            email: Vec::new(),
            sms: Vec::new(),
            voice: Vec::new(),
            webhook: WebhookSettings { allow: vec!["127.0.0.0/8".parse().unwrap()], limits },
            roots,
        };
        let public_url = "https://bugle.example".parse().unwrap();
        let channels = Channels::new(settings, public_url).unwrap();
        let message = hook(1, url);
        let sending = channels.send(&message, Instant::now() + LIMIT, now);
        let (sent, served) = tokio::join!(sending, serve_one(&listener, &tls));
        assert_eq!((sent.delivered, served), (accepted, accepted), "{url}: {}", sent.detail);
        let retried = matches!(sent.outcome, SendOutcome::RetryAt { .. });
        assert_eq!(retried, !accepted, "{:?}: nothing had left", sent.outcome);
    }
}

#[tokio::test]
async fn the_end_of_a_certificate_is_seen_before_it_comes() {
    let mut asked = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    asked.not_after = rcgen::date_time_ymd(2099, 5, 4);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = asked.self_signed(&key).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url: url::Url = format!("https://localhost:{}/", address.port()).parse().unwrap();
    let trusted = Roots::parse(made.pem().as_bytes()).unwrap();
    let certificates = |roots: &Roots| Certificates::new(LIMIT, roots).unwrap();

    let looker = certificates(&trusted);
    let (end, _) = tokio::join!(looker.end(&url), serve_one(&listener, &tls));
    assert_eq!(end.unwrap(), Some("2099-05-04T00:00:00Z".parse().unwrap()));
    let looker = certificates(&Roots::default());
    let (end, _) = tokio::join!(looker.end(&url), serve_one(&listener, &tls));
    assert!(matches!(end, Err(CertificateError::NotAccepted(_))), "{end:?}");
    drop(listener);
    let end = looker.end(&url).await;
    assert!(matches!(end, Err(CertificateError::Unreachable(_))), "{end:?}");
    let plain = "http://localhost/".parse().unwrap();
    assert!(matches!(looker.end(&plain).await, Ok(None)));
}
