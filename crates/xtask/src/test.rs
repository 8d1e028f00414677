//! `cargo xtask test`: everything that must hold before a change lands.

use std::time::Instant;

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::fixtures::Fixtures;
use crate::{generate, process, tidy};

/// Which tests to run.
#[derive(clap::Args, Debug)]
pub(crate) struct Options {
    /// Only tests of this crate, and nothing else. May be given more than once.
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,
    /// Only tests whose name contains one of these, and nothing else.
    filters: Vec<String>,
}

impl Options {
    fn is_part(&self) -> bool {
        !self.packages.is_empty() || !self.filters.is_empty()
    }
}

/// Runs all steps, also after one has failed, or only the tests asked for.
///
/// The tests come last, so that their runner's summary is at the end of the output.
pub(crate) async fn run(options: Options) -> Result<()> {
    if options.is_part() {
        let fixtures = Fixtures::start().await?;
        return process::run(&mut tests(&options, &fixtures)).await;
    }
    let mut steps = Steps::default();
    steps.run("format", process::run(&mut cargo(&["fmt", "--all", "--check"]))).await;
    steps.run("tidy", tidy::run()).await;
    steps.run("generated files", async { generate::check() }).await;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ];
    steps.run("lints", process::run(&mut cargo(&clippy))).await;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    // Nobody reads these pages without the private parts.
    let flags = "-D warnings -A rustdoc::private_intra_doc_links";
    doc.arg("--quiet").env("RUSTDOCFLAGS", flags);
    steps.run("documentation", process::run(&mut doc)).await;
    if process::find("cargo-deny").is_some() {
        let deny = ["deny", "--log-level", "error", "check", "bans", "licenses", "sources"];
        steps.run("dependencies", process::run(&mut cargo(&deny))).await;
    }
    let all = async {
        let fixtures = Fixtures::start().await?;
        process::run(&mut tests(&options, &fixtures)).await
    };
    steps.run("tests", all).await;
    steps.finish()
}

/// Starts what the tests need and leaves it running until Ctrl-C.
pub(crate) async fn env() -> Result<()> {
    let fixtures = Fixtures::start().await?;
    for (name, value) in fixtures.variables() {
        println!("export {name}='{value}'");
    }
    println!("# paste these into another shell; they hold until Ctrl-C here");
    std::future::pending().await
}

fn tests(options: &Options, fixtures: &Fixtures) -> Command {
    let nextest = process::find("cargo-nextest").is_some();
    let mut command = if nextest {
        cargo(&["nextest", "run", "--no-fail-fast"])
    } else {
        cargo(&["test", "--no-fail-fast"])
    };
    if options.packages.is_empty() {
        command.arg("--workspace");
    }
    for package in &options.packages {
        command.args(["-p", package]);
    }
    if !nextest && !options.filters.is_empty() {
        command.arg("--");
    }
    command.args(&options.filters);
    command.envs(fixtures.variables().iter().map(|(name, value)| (name, value)));
    // A snapshot that differs is a failure here, not a file to look at later.
    command.env("INSTA_UPDATE", "no").env("INSTA_FORCE_PASS", "0");
    command
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = process::command("cargo");
    command.args(arguments);
    command
}

/// Steps done so far, and those of them that failed.
#[derive(Default)]
struct Steps {
    failed: Vec<&'static str>,
}

impl Steps {
    /// Does one step and says how it went and how long it took.
    async fn run(&mut self, name: &'static str, step: impl Future<Output = Result<()>>) {
        println!("==> {name}");
        let began = Instant::now();
        let result = step.await;
        let seconds = began.elapsed().as_secs_f64();
        match result {
            Ok(()) => println!("==> {name}: ok, {seconds:.1} s"),
            Err(error) => {
                eprintln!("{error:#}");
                println!("==> {name}: FAILED, {seconds:.1} s");
                self.failed.push(name);
            }
        }
    }

    fn finish(self) -> Result<()> {
        if !self.failed.is_empty() {
            bail!("failed: {}", self.failed.join(", "));
        }
        Ok(())
    }
}
