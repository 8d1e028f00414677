//! Mail over STARTTLS, signed in, to a mail server that we did not write.

use std::time::Duration;

use bugle_channels::{
    Channels, Content, Correspondence, Limits, Login, Outgoing, Roots, Sent, Settings,
    SmtpSecurity, SmtpSettings, WebhookSettings,
};
use bugle_domain::contact::{Address, Channel};
use bugle_domain::notification::SendOutcome;
use bugle_domain::{NotificationId, TenantId};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::python::Python;

struct Server {
    python: Python,
    port: u16,
    certificate: String,
    _folder: TempDir,
}

impl Server {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let arguments = [path("cert.pem"), path("key.pem")];
        let mut python =
            Python::start("mail_server.py", &[arguments[0].as_str(), arguments[1].as_str()]);
        let port = python.read().await["port"].as_u64().unwrap();
        let port = u16::try_from(port).unwrap();
        Self { python, port, certificate: made.cert.pem(), _folder: folder }
    }

    fn authority(&self) -> Roots {
        Roots::parse(self.certificate.as_bytes()).unwrap()
    }

    fn channels(&self, password: &str, roots: Roots) -> Channels {
        let limits = Limits {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(30),
            rate: None,
        };
        let settings = Settings {
            email: vec![SmtpSettings {
                name: "mail".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: self.port,
                security: SmtpSecurity::StartTls,
                login: Some(Login { user: "bugle".to_owned(), password: password.into() }),
                from: "Bugle <bugle@halden.example>".to_owned(),
                limits,
            }],
            sms: Vec::new(),
            voice: Vec::new(),
            webhook: WebhookSettings { allow: Vec::new(), limits },
            roots,
        };
        let public_url = "https://bugle.halden.example".parse().unwrap();
        Channels::new(settings, public_url).unwrap()
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

fn mail(subject: &str) -> Outgoing {
    Outgoing {
        notification: NotificationId::new(now(), [7; 10]),
        tenant: TenantId::new(now(), [1; 10]),
        address: Address::parse(Channel::Email, "lena@halden.example").unwrap(),
        content: Content::Email {
            subject: subject.to_owned(),
            text: "Fehlerquote 14,2 % – Grenze 2 %\n.\nEnde\n".to_owned(),
            html: "<p>Fehlerquote <b>14,2 %</b></p>".to_owned(),
            thread_key: "alr_1".to_owned(),
            unsubscribe: None,
            correspondence: Correspondence::default(),
        },
        possible_repeat: false,
        validity_s: 300,
    }
}

async fn send(channels: &Channels, subject: &str) -> Sent {
    channels.send(&mail(subject), Instant::now() + Duration::from_secs(20), now()).await
}

#[tokio::test]
async fn a_real_mail_server_takes_our_mail_over_tls() {
    let mut server = Server::start().await;
    let channels = server.channels("right", server.authority());
    for subject in ["Kritisch: Zahlungen für Łódź", "Second, on the same connection"] {
        let sent = send(&channels, subject).await;
        assert_eq!(sent.outcome, SendOutcome::Accepted, "{}", sent.detail);
        let mail = server.python.read().await;
        assert_eq!(mail["tls"], true);
        assert_eq!(mail["from"], "bugle@halden.example");
        assert_eq!(mail["to"][0], "lena@halden.example");
        assert_eq!(mail["subject"], subject);
        let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(text.trim_end(), "Fehlerquote 14,2 % – Grenze 2 %\n.\nEnde");
        assert!(mail["html"].as_str().unwrap().contains("<b>14,2 %</b>"));
        assert_eq!(mail["headers"]["auto-submitted"], "auto-generated");
        assert_eq!(mail["headers"]["references"], "<alr_1@halden.example>");
    }
    assert_eq!(channels.check(Channel::Email, "mail").await, Ok(()));
}

#[tokio::test]
async fn a_wrong_password_or_a_server_that_cannot_prove_itself_is_our_affair() {
    let server = Server::start().await;
    let sent = send(&server.channels("wrong", server.authority()), "x").await;
    assert_eq!(sent.outcome, SendOutcome::Misconfigured, "{}", sent.detail);
    assert!(sent.detail.starts_with("signing in:"), "{}", sent.detail);
    let sent = send(&server.channels("right", Roots::default()), "x").await;
    assert_eq!(sent.outcome, SendOutcome::Misconfigured, "{}", sent.detail);
    assert!(sent.detail.starts_with("securing the connection:"), "{}", sent.detail);
}
