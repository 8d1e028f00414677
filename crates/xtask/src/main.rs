//! `cargo xtask`: drives Bugle from outside, as a developer and CI do.
//!
//! It knows Bugle only as programs and files: it depends on none of the other crates.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool talks to whoever started it"
)]

mod bench;
mod cli;
mod crash;
mod fixtures;
mod generate;
mod process;
mod rig;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// One thread runs everything that starts programs, so that a program told to end with its parent
/// thread ends with this one.
#[tokio::main]
async fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let result = tokio::select! {
        result = cli.run() => result,
        signal = process::interrupted() => Err(anyhow::anyhow!("stopped by {signal}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
