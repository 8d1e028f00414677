//! The command line.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{bench, crash, generate, test, tidy};

/// Drives Bugle as a developer does.
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Runs format, lints, tidy and all tests, as CI does; with -p or a filter, only those tests.
    Test(test::Options),
    /// Starts what the tests need, prints the variables to export, and waits for Ctrl-C.
    Env,
    /// Checks the house rules that a machine can check.
    Tidy,
    /// Writes the files that are made from others.
    Generate(generate::Options),
    /// Measures how fast it is, beside what this machine can do.
    Bench(bench::Options),
    /// Kills it in the middle of a load, again and again, and checks that nothing is lost.
    Crash(crash::Options),
}

impl Cli {
    /// Does what was asked.
    pub(crate) async fn run(self) -> Result<()> {
        match self.command {
            Command::Test(options) => test::run(options).await,
            Command::Env => test::env().await,
            Command::Tidy => tidy::run().await,
            Command::Generate(options) => generate::run(options),
            Command::Bench(options) => bench::run(options).await,
            Command::Crash(options) => crash::run(options).await,
        }
    }
}
