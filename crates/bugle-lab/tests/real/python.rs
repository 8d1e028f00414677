//! Runs a Python program and talks to it line by line.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Longer than any of them takes, also on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A running program; killed when dropped.
pub(crate) struct Python {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    /// Starts the script of that name beside this file.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "says where the test's programs are")]
        let python = std::env::var("BUGLE_TEST_PYTHON").expect(
            "BUGLE_TEST_PYTHON must name a Python with tests' packages; run `cargo xtask test`",
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real");
        let mut child = Command::new(python)
            .arg(folder.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, stdin, lines }
    }

    /// The next line it writes, as JSON.
    pub(crate) async fn read(&mut self) -> serde_json::Value {
        let line = tokio::time::timeout(LIMIT, self.lines.next_line()).await;
        let line = line.expect("the program said nothing in time").unwrap();
        serde_json::from_str(&line.expect("the program ended early")).unwrap()
    }

    /// Writes a line of JSON to it, and returns the line it answers with.
    pub(crate) async fn ask(&mut self, question: &serde_json::Value) -> serde_json::Value {
        self.stdin.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        self.stdin.flush().await.unwrap();
        self.read().await
    }
}
