//! TLS in front of a server, as a proxy does it in real life: of a world, for clients that refuse
//! `http://`; of a simulated provider, for one with a certificate of its own.

use std::sync::Arc;

use bugle_app::tasks::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Takes TLS connections on loopback and passes on what is in them.
pub(crate) struct Proxy {
    /// `https://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// The certificate that a client must trust, in PEM.
    pub(crate) authority: String,
    tasks: Tasks,
}

impl Proxy {
    /// In front of `target`, a URL or an address.
    pub(crate) fn start(target: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let authority = made.cert.pem();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let target = target.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let tasks = Tasks::new();
        let (stop, spawn) = (tasks.stop_token(), tasks.clone());
        tasks.once(async move {
            loop {
                let (stream, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    () = stop.cancelled() => return,
                };
                let (acceptor, target, stop) = (acceptor.clone(), target.clone(), stop.clone());
                spawn.once(async move {
                    tokio::select! {
                        () = pass_on(acceptor, stream, &target) => (),
                        () = stop.cancelled() => (),
                    }
                });
            }
        });
        Self { url, authority, tasks }
    }

    pub(crate) async fn stop(self) {
        self.tasks.stop().await;
    }
}

/// A connection that breaks is its client's to notice.
async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, target: &str) {
    if let Ok(mut inner) = acceptor.accept(stream).await
        && let Ok(mut outer) = TcpStream::connect(target).await
    {
        drop(tokio::io::copy_bidirectional(&mut inner, &mut outer).await);
    }
}
