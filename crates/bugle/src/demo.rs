//! `demo`: the same server with a sample company and simulated phones.

mod company;
mod live;
mod past;
mod providers;
mod rota;
mod seed;

use std::path::Path;
use std::sync::Arc;

use bugle_app::store::Store;
use bugle_app::{Clock, entropy};
use bugle_domain::AllTenants;
use bugle_lab::Lab;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use url::Url;

pub use providers::{connect, probe, simulated};

use crate::cli::DemoArgs;
use crate::cli::configuration_file;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::node::{self, Node, Parts};
use crate::output::{Output, Tone};
use crate::serve::{self, Stop, join};

use company::Company;

/// Who the demo signs you in as.
const LENA: &str = "lena@halden.example";
/// Letters and digits of the sample integration's key.
const KEY_CHARS: usize = 32;

/// Runs the demo until SIGTERM or SIGINT.
///
/// # Errors
///
/// Something that is needed can't be had.
pub fn run(args: &DemoArgs, environment: &Environment) -> Result<(), Failure> {
    // Between the lines that the demo prints, only what needs attention.
    let quiet = args.config.is_none() && environment.variable("BUGLE__LOG__LEVEL").is_none();
    let flags = [
        ("server.listen", "--listen", args.listen.as_deref()),
        ("log.level", "(demo)", quiet.then_some("warn")),
    ];
    let config = configuration_file::load(args.config.as_deref(), environment, &flags)?;
    serve::start_log(&config.log);
    let output = Output::new(false, environment);
    let temporary = match &args.data {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("bugle-demo-").tempdir()?),
    };
    let folder = args.data.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
    serve::runtime()?.block_on(demo(config, folder.unwrap_or(Path::new("bugle-demo")), output))
}

async fn demo(config: Config, folder: &Path, output: Output) -> Result<(), Failure> {
    let stop = Stop::new()?;
    let data = DataDir::open(folder)?;
    let clock = Clock::system();
    let listener = node::listen(config.server.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::because("the listener has no address", &error))?;
    let public_url = serve::public_url(&config, address)?;
    let lab = Lab::start(clock.clone()).await?;
    connect(&lab, &public_url);
    let key = data.kept("demo-key", || entropy::base62(KEY_CHARS))?;
    output.remark("Playing the sample company's last thirty days ...")?;
    let (company, fresh) = sample(&data, &config, key.trim(), clock.now()).await?;
    seed::owners(&lab, &company);
    let parts = Parts {
        node: data.node(clock.now())?,
        key: data.key()?,
        store: open(&data, &config).await?,
        listener,
        public_url: public_url.clone(),
        clock,
        handset: Some(Arc::new(lab.clone())),
        metrics: Some(serve::metrics()?),
        status: Some(data.status()),
        demo: true,
    };
    let stop_within = config.server.stop_within;
    let mut behaviour =
        node::Behaviour { channels: simulated(&lab), every_provider: true, ..config.into() };
    probe(&mut behaviour.watch);
    let node = Node::start(parts, behaviour).await?;
    if fresh {
        live::open(&node, &company).await?;
    }
    data.write_listen(&node.address.to_string())?;
    greet(output, &node, &public_url, key.trim()).await?;
    stop.requested().await;
    data.remove_listen();
    serve::end(node, stop_within).await?;
    lab.stop().await;
    Ok(())
}

async fn open(data: &DataDir, config: &Config) -> Result<Store, Failure> {
    node::open_store(&data.database_url(), config.database.connections).await
}

/// Writes the sample company and its past into a new database; a database that is there stays.
/// Also says whether it was new.
async fn sample(
    data: &DataDir,
    config: &Config,
    key: &str,
    now: Timestamp,
) -> Result<(Company, bool), Failure> {
    let told = |error| Failure::because("the sample company can't be read", &error);
    let store = open(data, config).await?;
    let tenants = store.tenants(AllTenants::granted()).await.map_err(told)?;
    let [a, b] = entropy::bytes();
    let company = Company::at(now, [a, b]);
    let fresh = tenants.is_empty();
    if fresh {
        seed::company(&store, &company, key, now).await?;
        past::play(store, &company, data, now).await?;
    } else {
        store.close().await;
    }
    Ok((company, fresh))
}

async fn greet(output: Output, node: &Node, public_url: &Url, key: &str) -> Result<(), Failure> {
    let link = node
        .app
        .make_sign_in_link(AllTenants::granted(), LENA)
        .await
        .map_err(|error| Failure::because("no sign-in link", &error))?;
    let url = join(public_url, &format!("s/{}", link.token.expose_secret()));
    output.line("Halden Freight, a sample company. Nothing here reaches anybody real.\n")?;
    output.line(&format!("Open {}", output.paint(&url, Tone::Good)))?;
    output.line("You are Lena, who is on call for payments. The link works once.")?;
    if output.aligned {
        output.line(&format!("\n{}", qr(&url)?))?;
    }
    output.line("\nOr send an event yourself:\n")?;
    output.line(&curl(public_url, key))?;
    output.line("\nStop with Ctrl-C.")?;
    Ok(())
}

fn curl(public_url: &Url, key: &str) -> String {
    let body =
        r#"{"action":"trigger","summary":"db1 is down","severity":"critical","source":"db1"}"#;
    let headers = format!("-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'");
    format!("curl {headers} \\\n  -d '{body}' \\\n  {}", join(public_url, "api/v1/events"))
}

fn qr(url: &str) -> Result<String, Failure> {
    let code = qrcode::QrCode::new(url)
        .map_err(|error| Failure::because("the link is too long for a code", &error))?;
    Ok(code.render::<qrcode::render::unicode::Dense1x2>().build())
}
