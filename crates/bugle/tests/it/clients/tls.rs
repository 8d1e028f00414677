//! TLS in front of a world, for clients that refuse `http://`: as a proxy does it in real life.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bugle_app::tasks::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Takes TLS connections on loopback and passes on what is in them.
pub(super) struct Proxy {
    /// `https://127.0.0.1:PORT`.
    pub(super) url: String,
    /// The certificate that a client must trust.
    pub(super) authority: PathBuf,
    tasks: Tasks,
}

impl Proxy {
    pub(super) async fn start(target: &str, folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let authority = folder.join("authority.pem");
        std::fs::write(&authority, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let target = target.trim_start_matches("http://").to_owned();
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

    pub(super) async fn stop(self) {
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
