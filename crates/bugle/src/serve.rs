//! `serve`: the real thing, until it is asked to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bugle_app::Clock;
use bugle_app::store::DatabaseUrl;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use secrecy::{ExposeSecret, SecretString};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use crate::cli::ServeArgs;
use crate::cli::configuration_file;
use crate::config::{Config, Log, LogFormat};
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::node::{self, Node, Parts};
use crate::output::Output;

/// How often counted metrics are put together; keeps memory bounded while nobody reads them.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Runs the server until SIGTERM or SIGINT.
///
/// # Errors
///
/// The configuration has mistakes, or something that is needed can't be had. Nothing runs then.
pub fn run(args: &ServeArgs, environment: &Environment) -> Result<(), Failure> {
    let flags = [
        ("server.listen", "--listen", args.listen.as_deref()),
        ("database.url", "--database", args.data.database.as_deref()),
    ];
    let config = configuration_file::load(args.data.config.as_deref(), environment, &flags)?;
    start_log(&config.log);
    let output = Output::new(false, environment);
    runtime()?.block_on(serve(config, &args.data.data, output))
}

async fn serve(mut config: Config, data: &Path, output: Output) -> Result<(), Failure> {
    // Bound before anything is said, so that no signal is lost while starting.
    let stop = Stop::new()?;
    let data = DataDir::open(data)?;
    let clock = Clock::system();
    let listener = node::listen(config.server.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::because("the listener has no address", &error))?;
    let url = database_url(&config, &data);
    let store = node::open_store(url.expose_secret(), config.database.connections).await?;
    let parts = Parts {
        node: data.node(clock.now())?,
        key: match config.server.key.take() {
            Some(key) => key,
            None => data.key()?,
        },
        store,
        listener,
        public_url: public_url(&config, address)?,
        clock,
        handset: None,
        metrics: Some(metrics()?),
        status: Some(data.status()),
        demo: false,
    };
    let (stop_within, public_url) = (config.server.stop_within, parts.public_url.clone());
    let upkeep = parts.metrics.clone();
    let node = Node::start(parts, config.into()).await?;
    if let Some(handle) = upkeep {
        keep_up(&node, handle);
    }
    data.write_listen(&node.address.to_string())?;
    greet(output, &node, &url, &public_url).await?;
    stop.requested().await;
    tracing::info!("stopping");
    data.remove_listen();
    end(node, stop_within).await
}

/// Stops the node, within the limit that the configuration sets.
///
/// # Errors
///
/// It took longer. What was not finished is found and finished by the next start.
pub async fn end(node: Node, within: Duration) -> Result<(), Failure> {
    // The web server has its own grace of the same length; the rest is for the workers.
    if tokio::time::timeout(within * 2, node.stop()).await.is_err() {
        let message = "Not everything could be finished in time; the next start does it.";
        return Err(Failure::new(Reason::Failed, message));
    }
    Ok(())
}

/// Says what runs, where, and what it promises; to whom there is no user yet, how to begin.
async fn greet(
    output: Output,
    node: &Node,
    database: &SecretString,
    public_url: &Url,
) -> Result<(), Failure> {
    output.line(&format!("Bugle {} listens on {}", env!("CARGO_PKG_VERSION"), node.address))?;
    if let Ok(url) = database.expose_secret().parse::<DatabaseUrl>() {
        let promise = match &url {
            DatabaseUrl::Sqlite(_) => {
                "accepted events survive a kill and a power cut, but not the loss of this disk"
            }
            DatabaseUrl::Postgres(_) => {
                "accepted events are as safe as that server's own commits and standbys"
            }
        };
        output.line(&format!("Database {url}: {promise}."))?;
    }
    let token = node
        .app
        .begin_setup()
        .await
        .map_err(|error| Failure::because("the set-up can't begin", &error))?;
    match token {
        Some(token) => {
            let url = join(public_url, &format!("setup/{}", token.expose_secret()));
            output.line(&format!("Nobody is set up yet. Open once: {url}"))?;
        }
        None => output.line(&format!("Open {public_url}"))?,
    }
    tracing::info!(address = %node.address, "ready");
    Ok(())
}

/// An address below `base`.
pub fn join(base: &Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// The database that the configuration names, or the data directory's own.
pub fn database_url(config: &Config, data: &DataDir) -> SecretString {
    config.database.url.clone().unwrap_or_else(|| SecretString::from(data.database_url()))
}

/// Address that links point at.
///
/// # Errors
///
/// Never for an address that was bound.
pub fn public_url(config: &Config, address: SocketAddr) -> Result<Url, Failure> {
    match &config.server.public_url {
        Some(url) => Ok(url.clone()),
        None => node::default_public_url(address),
    }
}

/// A runtime with a thread for each processor.
///
/// # Errors
///
/// The system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("no runtime", &error))
}

/// Sends log lines to standard error.
pub fn start_log(log: &Log) {
    let filter = tracing_subscriber::EnvFilter::new(&log.level);
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi);
    // A second call, as in tests, changes nothing.
    let started = match log.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    drop(started);
}

/// Begins to count.
///
/// # Errors
///
/// Something else counts already.
pub fn metrics() -> Result<PrometheusHandle, Failure> {
    PrometheusBuilder::new()
        .install_recorder()
        .map_err(|error| Failure::because("metrics can't be counted", &error))
}

/// Puts counted metrics together now and then.
pub fn keep_up(node: &Node, handle: PrometheusHandle) {
    let stop = node.app.tasks().stop_token();
    node.app.tasks().once(async move {
        let mut tick = tokio::time::interval(METRICS_UPKEEP);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => handle.run_upkeep(),
            }
        }
    });
}

/// The signals that ask for a stop.
pub struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// Begins to listen for SIGTERM and SIGINT.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::because("no signals", &error));
        let terminate = listen(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for either.
    pub async fn requested(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => (),
            _ = self.interrupt.recv() => (),
        }
    }
}
