//! Serves a router on a listener: limits on connections and headers, and an end that cuts off no
//! answer.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use crate::auth::Peer;

/// Wait after a connection could not be accepted, as when no file descriptors are left.
pub(crate) const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);

/// Bounds on what clients may use.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections at the same time; more wait in the listener's queue.
    pub connections: usize,
    /// Longest wait for a request's headers, also of an idle connection.
    pub header_wait: Duration,
    /// Most bytes of a request's line and headers.
    pub header_bytes: usize,
    /// Longest wait, when the server stops, for answers that are under way.
    pub grace: Duration,
}

impl ServerLimits {
    /// What suits a server of any size.
    pub const STANDARD: Self = Self {
        connections: 4_096,
        header_wait: Duration::from_secs(75),
        header_bytes: 64 * 1_024,
        grace: Duration::from_secs(5),
    };
}

/// Serves `router` until `stop` is cancelled, then lets answers under way finish.
///
/// HTTP/1.1 without TLS: a proxy in front speaks the rest.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    while let Some((stream, peer, place)) = next(&listener, &places, &stop).await {
        let (router, stop, cut) = (router.clone(), stop.clone(), cut.clone());
        connections.spawn(async move {
            let served = connection(stream, peer, router, limits, stop);
            tokio::select! {
                () = served => (),
                () = cut.cancelled() => (),
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.grace, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut at shutdown");
        cut.cancel();
        connections.wait().await;
    }
}

/// The next connection, once there is a place for it; `None` when the server stops.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let accept = async {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return Some((stream, Peer(peer), place)),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_BACK_OFF).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = accept => accepted,
        () = stop.cancelled() => None,
    }
}

async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    limits: ServerLimits,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(ConnectInfo(peer.0));
        // A router is always ready.
        router.clone().call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_wait)
        .max_buf_size(limits.header_bytes.max(8_192))
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}
