//! The lab itself: starts and stops the simulated providers, and says where they are.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bugle_app::Clock;
use bugle_app::handset::CallState;
use bugle_app::tasks::Tasks;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::knobs::{Knobs, Service};
use crate::receivers::{Hooks, Mailbox, Phone};
use crate::state::{Call, State};
use crate::witness::Witness;
use crate::{hooks, server, smtp, twilio};

/// How long a callback to Bugle may take. Twilio's limit (*Webhooks*, read 2026-11).
const CALLBACK_LIMIT: Duration = Duration::from_secs(15);

/// The two simulated Twilio accounts. The tokens protect nothing but simulated phones.
pub(crate) const ACCOUNTS: [Account; 2] = [
    Account {
        sid: "AC000000000000000000000000000000a1",
        token: "simulated-token-of-the-first-account",
        number: "+15005550001",
    },
    Account {
        sid: "AC000000000000000000000000000000a2",
        token: "simulated-token-of-the-second-account",
        number: "+15005550002",
    },
];

/// A simulated Twilio account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// `AC…`.
    pub sid: &'static str,
    /// Its auth token.
    pub token: &'static str,
    /// Its telephone number.
    pub number: &'static str,
}

/// Simulated providers on loopback. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    tasks: Tasks,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    /// As often as a provider has something to report, and once more.
    reports: Arc<()>,
    client: reqwest::Client,
    twilio: SocketAddr,
    hooks: SocketAddr,
    smtp: [SocketAddr; 2],
}

impl Lab {
    /// Starts everything on free ports of the loopback address.
    ///
    /// # Errors
    ///
    /// Where no port can be had.
    pub async fn start(clock: Clock) -> io::Result<Self> {
        let bind = || TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0));
        let (api, programs, mail, spare) =
            (bind().await?, bind().await?, bind().await?, bind().await?);
        let lab = Self(Arc::new(Inner {
            clock,
            tasks: Tasks::new(),
            state: Mutex::new(State::default()),
            changes: watch::Sender::new(0),
            reports: Arc::default(),
            client: client().map_err(io::Error::other)?,
            twilio: api.local_addr()?,
            hooks: programs.local_addr()?,
            smtp: [mail.local_addr()?, spare.local_addr()?],
        }));
        lab.spawn(server::serve(lab.clone(), api, twilio::handle));
        lab.spawn(server::serve(lab.clone(), programs, hooks::handle));
        lab.spawn(smtp::serve(lab.clone(), mail, Service::Mail));
        lab.spawn(smtp::serve(lab.clone(), spare, Service::SpareMail));
        Ok(lab)
    }

    /// Stops everything and waits until it has.
    pub async fn stop(&self) {
        self.0.tasks.stop().await;
    }

    /// The base of the simulated Twilio API.
    pub fn twilio_base(&self) -> Url {
        base(self.0.twilio)
    }

    /// The first account. Its knobs are [`Service::Texts`] and [`Service::Calls`].
    pub fn account(&self) -> Account {
        ACCOUNTS[0]
    }

    /// The second account. Its knobs are [`Service::SpareTexts`] and [`Service::SpareCalls`].
    pub fn spare_account(&self) -> Account {
        ACCOUNTS[1]
    }

    /// The first mail server: plain, takes any sign-in and any recipient.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.0.smtp[0]
    }

    /// The second mail server.
    pub fn spare_smtp_addr(&self) -> SocketAddr {
        self.0.smtp[1]
    }

    /// Where programs listen: every path takes a webhook; `/status/410` and the like answer with
    /// that status.
    pub fn hook_url(&self, path: &str) -> Url {
        let mut url = base(self.0.hooks);
        url.set_path(path);
        url
    }

    /// Enters at the provider where texts from phones to an account's number are posted.
    pub fn set_inbound_url(&self, account: Account, url: &str) {
        for (known, entered) in ACCOUNTS.iter().zip(&mut self.state().inbound_urls) {
            if *known == account {
                *entered = Some(url.to_owned());
            }
        }
    }

    /// Says whose a phone or mailbox is. It is shown from then on, also while it is empty.
    pub fn set_owner(&self, address: &str, owner: &str) {
        self.state().owners.insert(address.to_owned(), owner.to_owned());
        self.changed();
    }

    /// Makes a service misbehave, or behave again.
    pub fn set(&self, service: Service, knobs: Knobs) {
        self.state().knobs.insert(service, knobs);
    }

    /// How a service is set at the moment.
    pub fn knobs(&self, service: Service) -> Knobs {
        self.state().knobs.get(&service).copied().unwrap_or_default()
    }

    /// Has everything that arrives from now on seen.
    pub fn set_witness(&self, witness: Witness) {
        self.state().witness = Some(witness);
    }

    /// A simulated phone.
    pub fn phone(&self, number: &str) -> Phone {
        Phone::new(self.clone(), number)
    }

    /// A simulated mailbox.
    pub fn mailbox(&self, address: &str) -> Mailbox {
        Mailbox::new(self.clone(), address)
    }

    /// What programs have received.
    pub fn hooks(&self) -> Hooks {
        Hooks::new(self.clone())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    /// Tells whoever waits that something may be new.
    pub(crate) fn changed(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Whether a provider has something to report, or will as soon as it looks at the clock.
    pub fn has_reports(&self) -> bool {
        let now = self.now();
        let rings_out = |call: &Call| call.state == CallState::Ringing && call.rings_until <= now;
        Arc::strong_count(&self.0.reports) > 1 || self.state().calls.iter().any(rings_out)
    }

    /// Notes that there is something to report, until what it gives is dropped.
    pub(crate) fn begin_report(&self) -> Arc<()> {
        Arc::clone(&self.0.reports)
    }

    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.0.tasks.stop_token()
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.once(work);
    }
}

fn base(address: SocketAddr) -> Url {
    #[expect(clippy::expect_used, reason = "a socket address is always a host and a port")]
    Url::parse(&format!("http://{address}")).expect("an address makes a URL")
}

/// A client for callbacks: as Twilio, it follows nothing and gives up in time.
fn client() -> reqwest::Result<reqwest::Client> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| {
            builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        });
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CALLBACK_LIMIT);
    if let Ok(tls) = tls {
        builder = builder.tls_backend_preconfigured(tls);
    }
    builder.build()
}
