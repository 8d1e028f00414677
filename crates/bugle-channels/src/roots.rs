//! Whom we believe: the public certificate authorities, and those of the operator.

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::channels::SetupError;

/// The operator's own certificate authorities, beside the public ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Reads certificates in PEM; an empty text has none.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self, SetupError> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        all.map(Self).map_err(|_| SetupError::Roots)
    }

    /// For HTTPS.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, SetupError> {
        let public = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        let mut store: RootCertStore = public.collect();
        for root in &self.0 {
            store.add(root.clone()).map_err(|_| SetupError::Roots)?;
        }
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(config)
    }

    /// For a mail server of that name.
    pub(crate) fn smtp(&self, host: &str) -> Result<TlsParameters, SetupError> {
        let mut builder = TlsParameters::builder(host.to_owned());
        for root in &self.0 {
            let root = Certificate::from_der(root.to_vec()).map_err(|_| SetupError::Roots)?;
            builder = builder.add_root_certificate(root);
        }
        builder.build().map_err(|_| SetupError::Roots)
    }
}
