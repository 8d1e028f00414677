//! The command line.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{generate, test, tidy};

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
}

impl Cli {
    /// Does what was asked.
    pub(crate) async fn run(self) -> Result<()> {
        match self.command {
            Command::Test(options) => test::run(options).await,
            Command::Env => test::env().await,
            Command::Tidy => tidy::run().await,
            Command::Generate(options) => generate::run(options),
        }
    }
}
