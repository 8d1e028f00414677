//! What the tests need beside Rust: a database, a browser, and the real programs that talk to
//! Bugle. All are Debian's, PyPI's or npm's; what is missing is installed where that is allowed.

pub(crate) mod account;
mod chromedriver;
mod node;
mod packages;
pub(crate) mod postgres;
mod python;

use anyhow::Result;

use crate::process;
use chromedriver::Chromedriver;
use packages::Need;
use postgres::{Durability, Postgres};

const DATABASE: Need = Need { programs: &["psql", "pgbench"], packages: &["postgresql"] };
const BROWSER: Need =
    Need { programs: &["chromium", "chromedriver"], packages: &["chromium", "chromium-driver"] };
const ALERTMANAGER: Need = Need {
    programs: &["prometheus-alertmanager", "amtool"],
    packages: &["prometheus-alertmanager"],
};
const PROMETHEUS: Need = Need { programs: &["prometheus"], packages: &["prometheus"] };
const SWAKS: Need = Need { programs: &["swaks"], packages: &["swaks"] };
const PYTHON: Need = Need { programs: &["python3"], packages: &["python3", "python3-venv"] };
const NODE: Need = Need { programs: &["node", "npm"], packages: &["nodejs", "npm"] };

/// Everything the tests need, running until this is dropped.
pub(crate) struct Fixtures {
    _postgres: Postgres,
    _chromedriver: Chromedriver,
    variables: Vec<(&'static str, String)>,
}

impl Fixtures {
    /// Installs what is missing and starts what runs.
    pub(crate) async fn start() -> Result<Self> {
        let needed = [DATABASE, BROWSER, ALERTMANAGER, PROMETHEUS, SWAKS, PYTHON, NODE];
        packages::require(&needed).await?;
        let python = python::environment().await?;
        let modules = node::modules().await?;
        let postgres = Postgres::start(Durability::ForTests).await?;
        let chromedriver = Chromedriver::start().await?;
        let path_of = |program| {
            process::find(program).map(|path| path.display().to_string()).unwrap_or_default()
        };
        let variables = vec![
            ("BUGLE_TEST_POSTGRES", postgres.url("postgres")),
            ("BUGLE_TEST_CHROMEDRIVER", chromedriver.url()),
            ("BUGLE_TEST_PYTHON", python.display().to_string()),
            ("BUGLE_TEST_NODE", path_of("node")),
            ("BUGLE_TEST_NODE_MODULES", modules.display().to_string()),
            ("BUGLE_TEST_ALERTMANAGER", path_of("prometheus-alertmanager")),
            ("BUGLE_TEST_AMTOOL", path_of("amtool")),
            ("BUGLE_TEST_PROMETHEUS", path_of("prometheus")),
            ("BUGLE_TEST_SWAKS", path_of("swaks")),
        ];
        Ok(Self { _postgres: postgres, _chromedriver: chromedriver, variables })
    }

    /// The variables by which the tests find it all.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }
}

/// Starts a PostgreSQL to measure with, installing it if it is missing.
pub(crate) async fn durable_postgres() -> Result<Postgres> {
    packages::require(&[DATABASE]).await?;
    Postgres::start(Durability::Default).await
}
