//! One node: database, channels, workers and web server, started in order and stopped in reverse.
//!
//! `serve`, `demo` and the product tests run the same node; they differ in what they hand it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bugle_app::channels::{self, Channels};
use bugle_app::handset::Handset;
use bugle_app::rehearsal::Rehearsal;
use bugle_app::store::{DatabaseUrl, PoolSettings, Store};
use bugle_app::tasks::Tasks;
use bugle_app::{App, Clock, app, status, watch};
use bugle_domain::NodeId;
use bugle_domain::revision::Revision;
use bugle_web::{MailLimits, ServerLimits, WebSettings};
use jiff::SignedDuration;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{SecretBox, SecretString};
use tokio::net::TcpListener;
use url::Url;

use crate::config::{Config, MailIn, Status, Watch};
use crate::failure::{Failure, Reason};

/// How long one statement may take.
const STATEMENT_LIMIT: Duration = Duration::from_secs(10);
/// How long one statement may wait for a lock.
const LOCK_LIMIT: Duration = Duration::from_secs(5);
/// How long to wait for a free connection.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);

/// What a node is started with.
pub struct Parts {
    /// Who it is.
    pub node: NodeId,
    /// Signs webhooks and links.
    pub key: SecretBox<[u8; 32]>,
    /// The database, open.
    pub store: Store,
    /// Where it listens, bound.
    pub listener: TcpListener,
    /// Address that links point at.
    pub public_url: Url,
    /// The time.
    pub clock: Clock,
    /// Simulated phones, in demo and tests.
    pub handset: Option<Arc<dyn Handset>>,
    /// What `/metrics` shows.
    pub metrics: Option<PrometheusHandle>,
    /// Where the status page is written, unless the configuration says; `None`: there is none.
    pub status: Option<PathBuf>,
    /// Whether this is the demo.
    pub demo: bool,
}

/// The part of the configuration that a node runs with.
pub struct Behaviour {
    /// The channels and their providers.
    pub channels: channels::Settings,
    /// Whether all of them serve their channels, whatever the stages' settings say.
    pub every_provider: bool,
    /// What the stages run with at the first start.
    pub stages: Revision,
    /// Key of the integration by which operators are told what is wrong.
    pub operators_key: Option<SecretString>,
    /// How long answers under way may take when the node stops.
    pub stop_within: Duration,
    /// How it watches itself.
    pub watch: Watch,
    /// What the public is told.
    pub status: Status,
    /// Where mail is taken in; `None`: nowhere.
    pub mail_in: Option<MailIn>,
    /// What is taken out, and where it is stopped: nothing and nowhere but in rehearsals.
    pub rehearsal: Rehearsal,
}

impl From<Config> for Behaviour {
    fn from(config: Config) -> Self {
        Self {
            every_provider: false,
            stages: config.stages(),
            channels: config.channels,
            operators_key: config.operators.integration_key,
            stop_within: config.server.stop_within,
            watch: config.watch,
            status: config.status,
            mail_in: config.mail_in,
            rehearsal: Rehearsal::default(),
        }
    }
}

/// A node that runs.
pub struct Node {
    /// All use cases.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it takes mail.
    pub mail_address: Option<SocketAddr>,
    web: Tasks,
}

impl Node {
    /// Starts the workers, then the web server: what is answered can be worked on.
    ///
    /// # Errors
    ///
    /// A channel's settings don't fit, or the database does not take the node. Nothing runs then.
    pub async fn start(parts: Parts, behaviour: Behaviour) -> Result<Self, Failure> {
        let address = parts
            .listener
            .local_addr()
            .map_err(|error| Failure::because("the listener has no address", &error))?;
        let channels = Channels::new(behaviour.channels, parts.public_url.clone())
            .map_err(|error| Failure::because("the channels can't be set up", &error))?;
        let mut stages = behaviour.stages;
        if behaviour.every_provider {
            stages.channels = channels.names();
        }
        let mail = match behaviour.mail_in {
            Some(mail) => Some((listen_for_mail(mail.listen).await?, mail.domain)),
            None => None,
        };
        let settings = app::Settings {
            node: parts.node,
            public_url: parts.public_url.clone(),
            key: parts.key,
            stages,
            operators_key: behaviour.operators_key,
            mail_domain: mail.as_ref().map(|(_, domain)| domain.clone()),
            rehearsal: behaviour.rehearsal,
            version: env!("CARGO_PKG_VERSION"),
            demo: parts.demo,
        };
        let parts_of_app =
            app::Parts { store: parts.store, channels, clock: parts.clock, handset: parts.handset };
        let app = App::start(parts_of_app, settings)
            .await
            .map_err(|error| Failure::because("the node can't start", &error))?;
        let settings = WebSettings {
            public_url: parts.public_url,
            demo: parts.demo,
            metrics: parts.metrics,
            version: env!("CARGO_PKG_VERSION"),
        };
        let router = bugle_web::router(app.clone(), settings);
        let web = Tasks::new();
        let limits = ServerLimits { grace: behaviour.stop_within, ..ServerLimits::STANDARD };
        web.once(bugle_web::serve(parts.listener, router, limits, web.stop_token()));
        let mail_address = mail.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        if let Some((listener, domain)) = mail {
            let limits = MailLimits { grace: behaviour.stop_within, ..MailLimits::STANDARD };
            let stop = web.stop_token();
            web.once(bugle_web::serve_mail(listener, (app.clone(), domain), limits, stop));
        }
        if let Some(settings) = watch_settings(behaviour.watch, address, mail_address)? {
            app.start_watch(settings);
            if let Some(folder) = parts.status {
                app.start_status(status_settings(behaviour.status, folder));
            }
        }
        Ok(Self { app, address, mail_address, web })
    }

    /// Finishes the answers under way, then the work in hand, and returns when nothing runs.
    pub async fn stop(self) {
        self.web.stop().await;
        self.app.stop().await;
    }
}

/// What the status page is made with.
fn status_settings(status: Status, folder: PathBuf) -> status::Settings {
    status::Settings {
        folder: status.folder.unwrap_or(folder),
        name: status.name,
        region: status.region,
        regions: status.regions,
        texts: status.texts,
        promise: SignedDuration::try_from(status.update_every).unwrap_or(SignedDuration::MAX),
        render: bugle_web::render_status,
    }
}

/// What the watch is run with; `None` where there is to be none.
fn watch_settings(
    watch: Watch,
    address: SocketAddr,
    mail: Option<SocketAddr>,
) -> Result<Option<watch::Settings>, Failure> {
    if !watch.on {
        return Ok(None);
    }
    Ok(Some(watch::Settings {
        own_url: default_public_url(as_reached_here(address))?,
        mail_in: mail.map(as_reached_here),
        probes: watch.probes,
        thresholds: watch.thresholds,
        roots: watch.roots,
        recover_after: watch.recover_after,
        control_every: watch.control_every,
        key: watch.key,
        operators: watch.operators,
        heartbeat: watch.heartbeat,
    }))
}

/// The address by which the node reaches itself where it listens.
fn as_reached_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Opens the database that `url` names.
///
/// # Errors
///
/// It can't be reached, is too old, or was made by a newer Bugle.
pub async fn open_store(url: &str, connections: u32) -> Result<Store, Failure> {
    let url: DatabaseUrl =
        url.parse().map_err(|error| Failure::because("the database's address is wrong", &error))?;
    let settings = PoolSettings {
        connections,
        statement_timeout: STATEMENT_LIMIT,
        lock_timeout: LOCK_LIMIT,
        acquire_timeout: ACQUIRE_LIMIT,
    };
    Store::open(&url, settings).await.map_err(|error| {
        Failure::because(&format!("the database {url} can't be opened"), &error)
            .with_hint("bugle doctor")
    })
}

/// Takes an address to listen on.
///
/// # Errors
///
/// Something else has it, or it is not ours; the next port is offered.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let next = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(7_070));
        Failure::new(Reason::Failed, format!("Can't listen on {address}: {error}."))
            .with_hint(format!("--listen {next}"))
    })
}

/// Takes an address to take mail at.
async fn listen_for_mail(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(Reason::Failed, format!("Can't take mail at {address}: {error}."))
            .with_hint("set mail_in.listen")
    })
}

/// Address that links point at when the configuration names none.
pub fn default_public_url(address: SocketAddr) -> Result<Url, Failure> {
    let host = if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    format!("http://{host}")
        .parse()
        .map_err(|error| Failure::because("the listen address is no URL", &error))
}
