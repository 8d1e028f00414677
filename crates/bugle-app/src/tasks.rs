//! The one place that spawns: every task has a name, is joined at the end, and comes back after a
//! panic.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Wait before a worker that panicked is started again; doubles up to [`MAX_BACK_OFF`].
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const MAX_BACK_OFF: Duration = Duration::from_secs(10);

/// Spawns, names and joins tasks.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// A set without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process shuts down.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs a worker until it returns. `make` is called again, after a back-off, when it panics.
    pub fn worker<F, W>(&self, name: &'static str, make: F)
    where
        F: Fn(CancellationToken) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let run = repeat(name, self.stop.clone(), make);
        self.tracker.spawn(run);
    }

    /// Runs a worker on a thread of its own, with a runtime of its own: what holds up the others
    /// does not hold it up. `make` is called again, after a back-off, when it panics.
    pub fn apart<F, W>(&self, name: &'static str, make: F)
    where
        F: Fn(CancellationToken) -> W + Send + 'static,
        W: Future<Output = ()> + 'static,
    {
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let stop = self.stop.clone();
        let run = move || {
            let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match built {
                Ok(runtime) => runtime.block_on(repeat(name, stop, make)),
                Err(error) => tracing::error!(worker = name, %error, "no runtime"),
            }
            // Whoever waits for the end may have gone away.
            let _ = ended.send(());
        };
        match std::thread::Builder::new().name(name.to_owned()).spawn(run) {
            Ok(_) => drop(self.tracker.spawn(async { drop(end.await) })),
            Err(error) => tracing::error!(worker = name, %error, "no thread"),
        }
    }

    /// Runs one short piece of work that the end of the process waits for.
    pub fn once<W>(&self, work: W)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(work);
    }

    /// Asks all to stop, and waits for them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Runs what `make` makes until it ends, again after each panic.
async fn repeat<F, W>(name: &'static str, stop: CancellationToken, make: F)
where
    F: Fn(CancellationToken) -> W,
    W: Future<Output = ()>,
{
    let mut back_off = FIRST_BACK_OFF;
    while AssertUnwindSafe(make(stop.clone())).catch_unwind().await.is_err() {
        metrics::counter!("bugle_worker_panics_total", "worker" => name).increment(1);
        tracing::error!(worker = name, "worker panicked; starting it again");
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(back_off) => (),
        }
        back_off = (back_off * 2).min(MAX_BACK_OFF);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_worker_that_panics_comes_back() {
        let (tasks, runs) = (Tasks::new(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&runs);
        tasks.worker("test", move |_| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run > 1, "the first two runs panic") }
        });
        tasks.tracker.close();
        tasks.tracker.wait().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
