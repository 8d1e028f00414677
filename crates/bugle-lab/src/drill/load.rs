//! Much at once: events sent by many connections, as fast as they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::board::Board;
use super::timeline::Timeline;
use super::traffic::{Post, Zeal};
use bugle_app::tasks::Tasks;
use tokio_util::sync::CancellationToken;

/// Connections that send at the same time.
const CONNECTIONS: usize = 32;
/// How often it is said how far it is.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// One request of a load, and which event it is about.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    /// What is posted.
    pub(super) post: Post,
    /// The event's number on the board.
    pub(super) event: usize,
}

/// Sends it all, and gives `done` each event that was accepted.
pub(super) async fn fire(
    shots: Vec<Shot>,
    (board, timeline): (&Board, &Timeline),
    what: &str,
    done: fn(&Board, usize),
) {
    let (shots, next, tasks) = (Arc::new(shots), Arc::<AtomicUsize>::default(), Tasks::new());
    for _ in 0..CONNECTIONS {
        let (shots, next, board) = (Arc::clone(&shots), Arc::clone(&next), board.clone());
        tasks.once(async move {
            let never = CancellationToken::new();
            while let Some(shot) = shots.get(next.fetch_add(1, Ordering::Relaxed)) {
                if shot.post.send(&board, &never, Zeal::UntilTaken).await {
                    done(&board, shot.event);
                }
            }
        });
    }
    let ended = tasks.stop();
    tokio::pin!(ended);
    while tokio::time::timeout(SAY_EVERY, &mut ended).await.is_err() {
        let sent = next.load(Ordering::Relaxed).min(shots.len());
        timeline.note(format!("{sent} of {} {what} sent", shots.len()));
    }
}
