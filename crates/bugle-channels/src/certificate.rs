//! When the certificate of a server ends.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::channels::SetupError;
use crate::roots::Roots;

/// Why it is not known when a certificate ends.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The server shows one that its clients do not believe: it has ended, say, or names another.
    #[error("its certificate is not accepted: {0}")]
    NotAccepted(rustls::Error),
    /// There is no answer.
    #[error("it could not be reached: {0}")]
    Unreachable(String),
}

/// Looks at the certificates that servers show, as a client of theirs.
#[derive(Clone)]
pub struct Certificates {
    connector: TlsConnector,
    limit: Duration,
}

impl Certificates {
    /// Believes `roots` beside the public authorities; gives up after `limit`.
    ///
    /// # Errors
    ///
    /// TLS cannot be used.
    pub fn new(limit: Duration, roots: &Roots) -> Result<Self, SetupError> {
        let config = Arc::new(roots.client_config()?);
        Ok(Self { connector: TlsConnector::from(config), limit })
    }

    /// When the certificate of the server at `url` ends; `None`: it is not reached by HTTPS.
    ///
    /// # Errors
    ///
    /// [`CertificateError`].
    pub async fn end(&self, url: &Url) -> Result<Option<Timestamp>, CertificateError> {
        let (Some(host), true) = (url.host_str(), url.scheme() == "https") else { return Ok(None) };
        let port = url.port_or_known_default().unwrap_or(443);
        match tokio::time::timeout(self.limit, self.shown(host, port)).await {
            Ok(shown) => shown.map(Some),
            Err(_) => Err(CertificateError::Unreachable("no answer in time".to_owned())),
        }
    }

    async fn shown(&self, host: &str, port: u16) -> Result<Timestamp, CertificateError> {
        let unreachable =
            |error: &dyn std::fmt::Display| CertificateError::Unreachable(error.to_string());
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|it| unreachable(&it))?;
        let stream = TcpStream::connect((host, port)).await.map_err(|it| unreachable(&it))?;
        let tls = self.connector.connect(name, stream).await.map_err(|error| {
            let refused = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match refused {
                Some(error @ rustls::Error::InvalidCertificate(_)) => {
                    CertificateError::NotAccepted(error.clone())
                }
                _ => unreachable(&error),
            }
        })?;
        let shown = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let der = shown.ok_or_else(|| unreachable(&"it showed no certificate"))?;
        let (_, certificate) = X509Certificate::from_der(der).map_err(|it| unreachable(&it))?;
        let end = certificate.validity().not_after.timestamp();
        Timestamp::from_second(end).map_err(|it| unreachable(&it))
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("limit", &self.limit).finish_non_exhaustive()
    }
}
