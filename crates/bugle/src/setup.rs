//! `setup`: the first tenant, its admin and an API key, without a server and a browser.

use std::net::{IpAddr, Ipv4Addr};

use bugle_app::app::{self, App};
use bugle_app::channels::Channels;
use bugle_app::identity::{ClientInfo, NewApiKey, SetupForm};
use bugle_app::rehearsal::Rehearsal;
use bugle_app::{Clock, entropy};
use bugle_domain::RequestId;
use bugle_domain::role::Role;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::cli::SetupArgs;
use crate::cli::configuration_file;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::failure::{Failure, Reason};
use crate::node;
use crate::output::Output;
use crate::serve;

/// Letters and digits of a password that is made here: 119 bits.
const PASSWORD_CHARS: usize = 20;

/// Sets up an empty installation.
///
/// # Errors
///
/// It was set up before, a server runs on it, or a field is wrong. Nothing is made then.
pub fn run(args: &SetupArgs, output: Output, environment: &Environment) -> Result<(), Failure> {
    let flags = [("database.url", "--database", args.data.database.as_deref())];
    let config = configuration_file::load(args.data.config.as_deref(), environment, &flags)?;
    serve::runtime()?.block_on(set_up(args, config, output))
}

async fn set_up(args: &SetupArgs, config: Config, output: Output) -> Result<(), Failure> {
    let password = match &args.password_file {
        Some(path) => read_password(path)?,
        None => SecretString::from(entropy::base62(PASSWORD_CHARS)),
    };
    let data = DataDir::open(&args.data.data)?;
    let app = start(config, &data).await?;
    let made = fill(&app, args, password.clone()).await;
    app.stop().await;
    let (tenant, user, key) = made?;
    if output.json {
        let key = key.expose_secret();
        return Ok(output.value(&json!({ "tenant": tenant, "user": user, "api_key": key }))?);
    }
    output.line(&format!(
        "Made {:?} with its first admin {} ({}).",
        args.tenant, args.name, args.email
    ))?;
    if args.password_file.is_none() {
        output.line(&format!("Password, shown once: {}", password.expose_secret()))?;
    }
    output.line(&format!("API key, shown once:  {}", key.expose_secret()))?;
    Ok(output.remark("Next: bugle serve, then bugle login")?)
}

/// The application without a way out and without a web server.
async fn start(mut config: Config, data: &DataDir) -> Result<App, Failure> {
    let (clock, stages) = (Clock::system(), config.stages());
    let url = serve::database_url(&config, data);
    let store = node::open_store(url.expose_secret(), config.database.connections).await?;
    let public_url = serve::public_url(&config, config.server.listen)?;
    let channels = Channels::new(config.channels, public_url.clone())
        .map_err(|error| Failure::because("the channels can't be set up", &error))?;
    let settings = app::Settings {
        node: data.node(clock.now())?,
        public_url,
        key: match config.server.key.take() {
            Some(key) => key,
            None => data.key()?,
        },
        stages,
        mail_domain: None,
        operators_key: config.operators.integration_key,
        rehearsal: Rehearsal::default(),
        version: env!("CARGO_PKG_VERSION"),
        demo: false,
    };
    let parts = app::Parts { store, channels, clock, handset: None };
    App::start(parts, settings).await.map_err(|error| Failure::because("can't start", &error))
}

async fn fill(
    app: &App,
    args: &SetupArgs,
    password: SecretString,
) -> Result<(String, String, SecretString), Failure> {
    let told = |error: &(dyn std::error::Error + 'static)| Failure::because("set-up", error);
    let Some(token) = app.begin_setup().await.map_err(|error| told(&error))? else {
        let failure = Failure::new(Reason::Refused, "This installation is set up already.");
        return Err(failure.with_hint("bugle login"));
    };
    let form = SetupForm {
        token,
        tenant: args.tenant.clone(),
        name: args.name.clone(),
        email: args.email.clone(),
        password,
        time_zone: args.time_zone.clone(),
    };
    let client = ClientInfo {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: "bugle setup".to_owned(),
        request: RequestId::new(app.now(), entropy::bytes()),
    };
    let signed_in = app.complete_setup(form, &client).await.map_err(|error| told(&error))?;
    let caller = signed_in.caller;
    let new = NewApiKey {
        name: "bugle setup".to_owned(),
        role: Role::Admin,
        expires_at: None,
        personal: true,
    };
    let key = app.create_key(&caller, new).await.map_err(|error| told(&error))?;
    let user = caller.user.map(|user| user.to_string()).unwrap_or_default();
    Ok((caller.scope.tenant().to_string(), user, key.secret))
}

fn read_password(path: &std::path::Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::because(&path.display().to_string(), &error))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n'])))
}
