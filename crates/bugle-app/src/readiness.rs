//! Whether this node can do its work now, and what keeps it from it.

use std::time::Duration;

use serde::Serialize;

use crate::app::App;

/// How long the database may take to answer.
const PING_LIMIT: Duration = Duration::from_secs(2);

/// One thing that must be so for this node to be ready.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Condition {
    /// What was looked at: `database`, `workers`, `stages`, `operators`, `running`.
    pub name: &'static str,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found, in words.
    pub detail: String,
}

impl App {
    /// What the stages here run, and what is wrong with it. Never makes a node unready: intake must
    /// go on while something behind it is being mended.
    fn stages_detail(&self) -> String {
        let here = self.inner().stages.here(self.inner().node);
        let shown = here.iter().map(|run| {
            let held = if run.held { ", held" } else { "" };
            let error = run.error.as_ref().map(|error| format!(", {error}")).unwrap_or_default();
            format!("{} {}{held}{error}", run.stage.as_str(), run.revision)
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    /// Looks at the database and at this node's own workers.
    pub async fn readiness(&self) -> Vec<Condition> {
        let ping = tokio::time::timeout(PING_LIMIT, self.inner().store.ping()).await;
        let database = match ping {
            Ok(Ok(())) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, "does not answer".to_owned()),
        };
        let beats = self.inner().placement.beats();
        let workers = if beats { "beat" } else { "have not beaten for two seconds" };
        // Never makes a node unready, as the stages do not: it pages everybody else.
        let nobody = self.inner().troubles.tell_nobody();
        let operators =
            if nobody { "something is wrong and there is nobody to tell" } else { "are told" };
        let stopping = self.tasks().stop_token().is_cancelled();
        let running = if stopping { "stopping" } else { "running" };
        vec![
            Condition { name: "database", ok: database.0, detail: database.1 },
            Condition { name: "workers", ok: beats, detail: workers.to_owned() },
            Condition { name: "stages", ok: true, detail: self.stages_detail() },
            Condition { name: "operators", ok: true, detail: operators.to_owned() },
            Condition { name: "running", ok: !stopping, detail: running.to_owned() },
        ]
    }
}
