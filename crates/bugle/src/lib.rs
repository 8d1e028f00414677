//! The binary: command line, configuration, wiring, shutdown.
//!
//! Architecture invariant: the only crate that reads the environment, the configuration file and
//! the command line. Every other crate is handed checked settings.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub mod cli;
pub mod client;
pub mod config;
pub mod data_dir;
pub mod demo;
mod drill_node;
pub mod environment;
pub mod failure;
pub mod node;
pub mod output;
pub mod profile;
pub mod sentinel;
pub mod serve;
pub mod setup;
mod suggest;
pub mod when;

use cli::context::Context;
use cli::{Cli, Command};
use environment::Environment;
use failure::{Failure, Reason};
use output::{Output, Tone};

/// Runs the command line that the process was started with.
pub fn run() -> ExitCode {
    install_tls();
    let environment = Environment::capture();
    let cli = Cli::parse();
    let output = Output::new(cli.common.json, &environment);
    match dispatch(cli, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(output, &failure);
            failure.exit_code()
        }
    }
}

/// Makes `aws-lc-rs` the one library for TLS. Harmless when it was done before.
pub fn install_tls() {
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    drop(installed);
}

fn report(output: Output, failure: &Failure) {
    let (word, tone) = match failure.reason {
        Reason::Attention => ("Attention:", Tone::Warn),
        _ => ("Error:", Tone::Bad),
    };
    // Nobody is left to tell when standard error is closed.
    drop(output.remark(&format!("{} {failure}", output.paint(word, tone))));
}

fn dispatch(cli: Cli, environment: &Environment) -> Result<(), Failure> {
    let Cli { common, command } = cli;
    match command {
        Command::Serve(args) => serve::run(&args, environment),
        Command::Demo(args) => demo::run(&args, environment),
        Command::Sentinel(args) => sentinel::run(&args, environment),
        Command::Drill(args) => {
            cli::drill::run(&args, Output::new(common.json, environment), environment)
        }
        Command::DrillNode(args) => drill_node::run(&args, environment),
        Command::Setup(args) => {
            setup::run(&args, Output::new(common.json, environment), environment)
        }
        Command::CheckConfig(args) => cli::configuration_file::check(
            &args,
            Output::new(common.json, environment),
            environment,
        ),
        Command::Reference => {
            Ok(Output::new(false, environment).line(cli::reference::markdown().trim_end())?)
        }
        Command::Completions(args) => {
            clap_complete::generate(
                args.shell,
                &mut Cli::command(),
                "bugle",
                &mut std::io::stdout().lock(),
            );
            Ok(())
        }
        remote => block_on(async {
            match remote {
                Command::Login => cli::login::login(&common, environment).await,
                Command::Doctor(args) => cli::doctor::doctor(&common, &args, environment).await,
                remote => talk(&Context::new(&common, environment)?, remote).await,
            }
        }),
    }
}

/// Runs a command that needs a server.
async fn talk(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Trigger(args) => cli::trigger::trigger(context, &args).await,
        Command::MailAddress(args) => cli::mail_address::mail_address(context, &args).await,
        Command::Alerts(args) => cli::alerts::list(context, &args).await,
        Command::Ack(args) => cli::alerts::respond(context, &args, "acknowledge").await,
        Command::Resolve(args) => cli::alerts::respond(context, &args, "resolve").await,
        Command::PassOn(args) => cli::alerts::respond(context, &args, "pass-on").await,
        Command::Who(args) => cli::schedules::who(context, &args).await,
        Command::Ledger(args) if args.backlog => cli::backlog::backlog(context).await,
        Command::Ledger(args) => cli::books::ledger(context, &args).await,
        Command::Why(args) => cli::books::why(context, &args).await,
        Command::Watch => cli::watch::watch(context).await,
        Command::Incident(args) => cli::incidents::incidents(context, &args).await,
        Command::Assist(command) => cli::assist::assist(context, &command).await,
        Command::Status(args) => cli::status::status(context, &args).await,
        Command::Change(command) => cli::change::run(context, &command).await,
        Command::Apply(args) => cli::configuration::apply(context, &args).await,
        Command::Export => cli::configuration::export(context).await,
        Command::Serve(_)
        | Command::Demo(_)
        | Command::Sentinel(_)
        | Command::Drill(_)
        | Command::DrillNode(_)
        | Command::Setup(_)
        | Command::CheckConfig(_)
        | Command::Doctor(_)
        | Command::Login
        | Command::Reference
        | Command::Completions(_) => Ok(()),
    }
}

/// Runs a short command to its end on this thread.
fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("no runtime", &error))?
        .block_on(work)
}
