//! A plain file server, as anybody may put before the files of the status page.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use bugle_app::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves a folder on loopback until the tasks end; gives where.
///
/// # Errors
///
/// No port can be had.
pub(super) async fn serve(folder: PathBuf, tasks: &Tasks) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, connections) = (tasks.stop_token(), tasks.clone());
    tasks.once(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (folder, stop) = (folder.clone(), stop.clone());
            connections.once(async move {
                let answer = service_fn(move |request| answer(folder.clone(), request));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer);
                tokio::select! {
                    () = stop.cancelled() => (),
                    // A reader who goes away is gone.
                    _ = serving => (),
                }
            });
        }
    });
    Ok(address)
}

async fn answer(
    folder: PathBuf,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = match request.uri().path().trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let plain = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let found = if plain { tokio::fs::read(folder.join(name)).await.ok() } else { None };
    let (status, body) = match found {
        Some(file) => (StatusCode::OK, Bytes::from(file)),
        None => (StatusCode::NOT_FOUND, Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}
