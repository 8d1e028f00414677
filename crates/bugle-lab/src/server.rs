//! A small HTTP server on loopback that can also do what a good one never does: take a request and
//! drop the connection.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::lab::Lab;

/// More of a request is not read.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped")]
pub(crate) struct Dropped;

/// An answer.
pub(crate) type Answered = Response<Full<Bytes>>;

/// What a handler returns.
pub(crate) type Handled = Result<Answered, Dropped>;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Counts the connections of this server, from 1.
    pub(crate) connection: u64,
}

/// Serves connections until the lab stops.
pub(crate) async fn serve<F, W>(lab: Lab, listener: TcpListener, handle: F)
where
    F: Fn(Lab, Request) -> W + Copy + Send + Sync + 'static,
    W: Future<Output = Handled> + Send + 'static,
{
    let stop = lab.stop_token();
    let mut connection = 0;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connection += 1;
                let serving = serve_one(lab.clone(), stream, connection, handle);
                let stop = stop.clone();
                lab.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => (),
                        () = serving => (),
                    }
                });
            }
            Err(error) => tracing::debug!(%error, "simulated provider could not accept"),
        }
    }
}

async fn serve_one<F, W>(lab: Lab, stream: TcpStream, connection: u64, handle: F)
where
    F: Fn(Lab, Request) -> W + Copy + Send + Sync + 'static,
    W: Future<Output = Handled> + Send + 'static,
{
    // Small answers leave at once; the option only saves time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let lab = lab.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MAX_REQUEST_BYTES).collect().await;
            let Ok(body) = body else { return Err(Dropped) };
            let request = Request {
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body: body.to_bytes(),
                connection,
            };
            handle(lab, request).await
        }
    });
    // An error is a connection that was dropped, by them or on purpose.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An answer with a body.
pub(crate) fn answer(status: u16, content_type: &'static str, body: String) -> Answered {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let value = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(http::header::CONTENT_TYPE, value);
    response
}

/// An answer that asks to be left alone for some seconds.
pub(crate) fn with_retry_after(mut response: Answered, retry_after_s: Option<u32>) -> Answered {
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(http::header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Reads a form, or a query.
pub(crate) fn form(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// The first value of that name.
pub(crate) fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Never answers.
pub(crate) async fn hang() -> Handled {
    let never: Infallible = std::future::pending().await;
    match never {}
}
