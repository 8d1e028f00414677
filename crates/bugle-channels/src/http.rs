//! One HTTP exchange with a provider: bounded in time and size, no redirects, no proxy, and a
//! request that starts too late is not sent.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as PooledClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use crate::channels::SetupError;
use crate::guard::{Blocked, TargetGuard};
use crate::roots::Roots;

/// Shorter than the shortest keep-alive in common use (Node.js, 5 s), so that a request hardly
/// ever meets a connection that the other side is just closing.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// Connections kept to one host.
const POOL_PER_HOST: usize = 512;
/// More of an answer is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What came of an exchange.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The other side answered.
    Answered(Answer),
    /// Nothing of the message has left us.
    NotSent(String),
    /// The target may not be connected to. Nothing has left us.
    Blocked,
    /// The time to send had passed. Nothing has left us.
    TooLate,
    /// It may have been taken.
    CutOff(String),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After`, as it was sent.
    pub(crate) retry_after: Option<String>,
    /// As far as it was read.
    pub(crate) body: Bytes,
}

/// Limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The body does not begin to leave after this.
    pub(crate) send_by: Instant,
    /// For all of it.
    pub(crate) total: Duration,
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pool: PooledClient<HttpsConnector<HttpConnector<Resolver>>, TimedBody>,
}

impl Client {
    /// Makes a pool. With a `guard`, names that resolve to forbidden addresses are refused.
    pub(crate) fn new(
        guard: Option<TargetGuard>,
        connect: Duration,
        roots: &Roots,
    ) -> Result<Self, SetupError> {
        let mut http = HttpConnector::new_with_resolver(Resolver(guard.map(Arc::new)));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(connect));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(roots.client_config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let pool = PooledClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_PER_HOST)
            .build(connector);
        Ok(Self { pool })
    }

    /// Sends `request` once and reads the answer.
    pub(crate) async fn exchange(&self, request: Request<Bytes>, bounds: Bounds) -> Reply {
        let left = Arc::new(AtomicBool::new(false));
        let request = request.map(|data| TimedBody::new(data, bounds.send_by, Arc::clone(&left)));
        let exchange = async {
            let response = self.pool.request(request).await?;
            Ok(read(response).await)
        };
        match tokio::time::timeout(bounds.total, exchange).await {
            Ok(Ok(answer)) => Reply::Answered(answer),
            Ok(Err(error)) => classify(&error, left.load(Ordering::Relaxed)),
            Err(_) if left.load(Ordering::Relaxed) => Reply::CutOff("no answer in time".to_owned()),
            Err(_) => Reply::NotSent("no connection in time".to_owned()),
        }
    }
}

async fn read(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    Answer {
        status: head.status.as_u16(),
        retry_after: retry_after(&head.headers),
        // The status decides. An answer that breaks off after it is not worth a second message.
        body: body.map(http_body_util::Collected::to_bytes).unwrap_or_default(),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<String> {
    headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn classify(error: &hyper_util::client::legacy::Error, left: bool) -> Reply {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if cause.is::<TooLate>() {
        return Reply::TooLate;
    }
    if cause.is::<Blocked>() {
        return Reply::Blocked;
    }
    // The innermost cause says most: "connection refused", "connection reset".
    let text = cause.to_string();
    if left { Reply::CutOff(text) } else { Reply::NotSent(text) }
}

/// The time to send had passed.
#[derive(Debug, thiserror::Error)]
#[error("too late to send")]
struct TooLate;

/// A body that refuses to leave after its time, and says whether it left.
///
/// Asked for only when the connection stands and the head is written, in the same turn in which
/// both go to the socket: nothing that can wait lies between this check and the write. A head
/// without its body is no message to anybody.
#[derive(Debug)]
struct TimedBody {
    data: Bytes,
    send_by: Instant,
    left: Arc<AtomicBool>,
}

impl TimedBody {
    fn new(data: Bytes, send_by: Instant, left: Arc<AtomicBool>) -> Self {
        Self { data, send_by, left }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        if self.data.is_empty() {
            return Poll::Ready(None);
        }
        if Instant::now() >= self.send_by {
            return Poll::Ready(Some(Err(TooLate)));
        }
        self.left.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.data)))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.len() as u64)
    }
}

/// Resolves names, and leaves out what may not be connected to.
#[derive(Clone, Debug)]
struct Resolver(Option<Arc<TargetGuard>>);

type Resolved =
    Pin<Box<dyn Future<Output = Result<std::vec::IntoIter<SocketAddr>, ResolveError>> + Send>>;

#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("the name could not be resolved")]
    Name(#[source] std::io::Error),
    #[error("the name leads to no permitted address")]
    Blocked(#[source] Blocked),
}

impl tower::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Resolved;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolved {
        let guard = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let all = found.map_err(ResolveError::Name)?;
            let permitted = |address: &SocketAddr| {
                guard.as_ref().is_none_or(|guard| guard.permits(address.ip()))
            };
            let left: Vec<SocketAddr> = all.filter(permitted).collect();
            if left.is_empty() { Err(ResolveError::Blocked(Blocked)) } else { Ok(left.into_iter()) }
        })
    }
}
