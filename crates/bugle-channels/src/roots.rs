//! Whom we believe: the public certificate authorities, and those of the operator.

use std::fmt;

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::channels::SetupError;

/// The operator's own certificate authorities, beside the public ones.
#[derive(Clone, Default)]
pub struct Roots(Vec<CertificateDer<'static>>);

/// What was given is not a list of certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RootsError {
    /// It holds none.
    #[error("has no certificate: a PEM file has a block BEGIN CERTIFICATE for each")]
    Empty,
    /// A block can't be read.
    #[error("is not PEM")]
    NotPem,
    /// A block is no certificate.
    #[error("has a block that is not a certificate (number {number})")]
    NotACertificate {
        /// Which, from 1.
        number: usize,
    },
}

impl Roots {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    ///
    /// [`RootsError`] where there is none, or one that can't be used.
    pub fn parse(pem: &[u8]) -> Result<Self, RootsError> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let all = all.map_err(|_| RootsError::NotPem)?;
        if all.is_empty() {
            return Err(RootsError::Empty);
        }
        let mut store = RootCertStore::empty();
        for (index, root) in all.iter().enumerate() {
            let number = index + 1;
            store.add(root.clone()).map_err(|_| RootsError::NotACertificate { number })?;
        }
        Ok(Self(all))
    }

    /// For HTTPS.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, SetupError> {
        let public = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        let mut store: RootCertStore = public.collect();
        for root in &self.0 {
            store.add(root.clone())?;
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
            let root = Certificate::from_der(root.to_vec()).map_err(SetupError::MailTls)?;
            builder = builder.add_root_certificate(root);
        }
        builder.build().map_err(SetupError::MailTls)
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({} certificates)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said() {
        let block = |inside: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n")
        };
        let read = |pem: &str| Roots::parse(pem.as_bytes()).map(drop);
        assert_eq!(read(""), Err(RootsError::Empty));
        assert_eq!(read("to be done"), Err(RootsError::Empty));
        assert_eq!(read(&block("?")), Err(RootsError::NotPem));
        assert_eq!(read(&block("AAAA")), Err(RootsError::NotACertificate { number: 1 }));
    }
}
