//! TLS for the servers: a certificate of their own, made when the server is made.

use rcgen::CertifiedKey;
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A certificate with what is needed to use it.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) certificate_pem: String,
}

/// Why a certificate could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It could not be made.
    #[error("failed to make a certificate for {domain:?}")]
    Certificate {
        /// The name that it was for.
        domain: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// It could not be used.
    #[error("failed to set up TLS")]
    Setup(#[from] rustls::Error),
}

impl Tls {
    /// Makes a self-signed certificate for `domain`, `localhost` and 127.0.0.1.
    pub(crate) fn new(domain: &str) -> Result<Self, TlsError> {
        let names = [domain, "localhost", "127.0.0.1"].map(str::to_owned);
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)
            .map_err(|source| TlsError::Certificate {
                domain: domain.to_owned(),
                source,
            })?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate_pem: cert.pem(),
        })
    }
}
