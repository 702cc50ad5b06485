//! TLS: certificates, the choice among them, and channel binding.
//!
//! Versions 1.2 and 1.3 are offered, with session resumption. The cryptography is ring's, except
//! for X25519. Files are read only when a [`Tls`] is made.

mod certificate;
mod error;
mod exporter;
mod name;
mod peer;
mod provider;
mod self_signed;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};

use crate::config::Config;

pub(crate) use certificate::{Wanted, pem_error};
pub use certificate::{covers, load};
pub use error::TlsError;
pub(crate) use exporter::exporter;
pub(crate) use name::ascii;
pub use name::server_name;
pub use peer::AnyCertificate;
use provider::provider;

/// The protocol (ALPN) of a client when TLS begins with the first byte (XEP-0368).
const ALPN_CLIENT: &[u8] = b"xmpp-client";
/// The protocol (ALPN) of a server when TLS begins with the first byte.
const ALPN_SERVER: &[u8] = b"xmpp-server";

/// The certificates and TLS configurations of all hosts.
#[derive(Clone)]
pub struct Tls {
    clients: Acceptor,
    servers: Acceptor,
    certificates: Arc<Certificates>,
}

/// The configurations of TLS for one kind of peer.
#[derive(Clone)]
struct Acceptor {
    direct: Arc<ServerConfig>,
    starttls: Arc<ServerConfig>,
    hosts: HashMap<String, Arc<ServerConfig>>,
}

/// The certificates, by the name in the handshake.
#[derive(Debug)]
struct Certificates {
    names: Arc<HashMap<String, Arc<CertifiedKey>>>,
    default: Arc<CertifiedKey>,
    made: Option<self_signed::Made>,
}

impl Tls {
    /// Loads the certificates of the config. Hosts without one get a self-signed certificate, which
    /// is kept in the data folder.
    ///
    /// # Errors
    ///
    /// A file cannot be read or has the wrong content, or the certificate cannot be made.
    pub fn load(config: &Config) -> Result<Self, TlsError> {
        let tls = Self::prepare(config)?;
        tls.keep()?;
        Ok(tls)
    }

    /// As [`Tls::load`], but a new certificate is not stored until [`Tls::keep`].
    ///
    /// # Errors
    ///
    /// A file cannot be read or has the wrong content, or the certificate cannot be made.
    pub fn prepare(config: &Config) -> Result<Self, TlsError> {
        let certificates = Arc::new(Certificates::load(config)?);
        let nobody = WebPkiClientVerifier::no_client_auth();
        let mut clients = server_config(nobody, certificates.clone())?;
        clients.ticketer = ring::Ticketer::new()?;
        // A client has one stream, and needs one ticket for the next.
        clients.send_tls13_tickets = 1;
        let mut servers = server_config(AnyCertificate::new(), certificates.clone())?;
        // No resumption: streams of servers last long, and each must send its certificate.
        servers.session_storage = Arc::new(NoServerSessionStorage {});
        servers.send_tls13_tickets = 0;
        Ok(Self {
            clients: Acceptor::new(clients, ALPN_CLIENT, &certificates, config),
            servers: Acceptor::new(servers, ALPN_SERVER, &certificates, config),
            certificates,
        })
    }

    /// Stores a new self-signed certificate in the data folder.
    ///
    /// # Errors
    ///
    /// The data folder cannot be used.
    pub fn keep(&self) -> Result<(), TlsError> {
        self.certificates.made.as_ref().map_or(Ok(()), self_signed::Made::keep)
    }

    /// The configuration for connections of clients that begin with TLS.
    pub fn direct(&self) -> Arc<ServerConfig> {
        self.clients.direct.clone()
    }

    /// The configuration for STARTTLS on a client's stream to `host`. The certificate of `host` is
    /// used if the client names no domain in the handshake.
    pub fn starttls(&self, host: &str) -> Arc<ServerConfig> {
        self.clients.starttls(host)
    }

    /// The configuration for connections of servers that begin with TLS. The handshake asks for a
    /// certificate and accepts any or none. `s2s::certificate` judges it afterwards.
    pub fn server_direct(&self) -> Arc<ServerConfig> {
        self.servers.direct.clone()
    }

    /// The configuration for STARTTLS on a server's stream to `host`, as [`Tls::server_direct`].
    pub fn server_starttls(&self, host: &str) -> Arc<ServerConfig> {
        self.servers.starttls(host)
    }

    /// The configuration for connections to other servers, with the certificate of `host`. The name
    /// for the handshake is the other domain ([`server_name`]). Any certificate of the other side
    /// is accepted; `s2s::certificate` judges it afterwards.
    ///
    /// # Errors
    ///
    /// The TLS library returned an error.
    pub fn connector(&self, host: &str, is_direct: bool) -> Result<Arc<ClientConfig>, TlsError> {
        let alpn = is_direct.then_some(ALPN_SERVER);
        peer::client_config(self.certificates.of(host), alpn).map(Arc::new)
    }

    /// The certificate of a host, with its key.
    pub fn certificate(&self, host: &str) -> Arc<CertifiedKey> {
        self.certificates.of(host)
    }
}

impl Acceptor {
    fn new(
        starttls: ServerConfig,
        alpn: &[u8],
        certificates: &Arc<Certificates>,
        config: &Config,
    ) -> Self {
        let mut direct = starttls.clone();
        // A peer that names no protocol is accepted. A peer that names only other protocols is
        // refused.
        direct.alpn_protocols = vec![alpn.to_vec()];
        let of_host = |name: &str| {
            let mut of_host = starttls.clone();
            of_host.cert_resolver = Arc::new(Certificates {
                names: certificates.names.clone(),
                default: certificates.of(name),
                made: None,
            });
            (name.to_owned(), Arc::new(of_host))
        };
        Self {
            hosts: config.domains().map(of_host).collect(),
            direct: Arc::new(direct),
            starttls: Arc::new(starttls),
        }
    }

    fn starttls(&self, host: &str) -> Arc<ServerConfig> {
        self.hosts.get(host).unwrap_or(&self.starttls).clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("hosts", &self.clients.hosts.keys()).finish_non_exhaustive()
    }
}

impl Certificates {
    fn load(config: &Config) -> Result<Self, TlsError> {
        let shared = config.tls.as_ref().map(load).transpose()?.map(Arc::new);
        let mut names = HashMap::new();
        let mut without = Vec::new();
        let hosts = config.host.iter().map(|(name, host)| (name, &host.tls));
        let components = config.component.iter().map(|(name, component)| (name, &component.tls));
        for (name, files) in hosts.chain(components) {
            match (files, &shared) {
                (Some(files), _) => {
                    names.insert(ascii(name), Arc::new(load(files)?));
                }
                (None, Some(shared)) => {
                    names.insert(ascii(name), shared.clone());
                }
                (None, None) => without.push(ascii(name)),
            }
        }
        let (made, default) = if without.is_empty() {
            (None, shared.or_else(|| names.values().next().cloned()))
        } else {
            let (own, made) = self_signed::load_or_make(&config.data, &without)?;
            let first = own.first().cloned();
            names.extend(without.into_iter().zip(own));
            (made, first)
        };
        // There is always a host.
        let default = default.ok_or(TlsError::NoHost)?;
        Ok(Self { names: Arc::new(names), default, made })
    }

    fn of(&self, host: &str) -> Arc<CertifiedKey> {
        self.names.get(&ascii(host)).unwrap_or(&self.default).clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.names.get(name));
        Some(named.unwrap_or(&self.default).clone())
    }
}

fn server_config(
    peers: Arc<dyn ClientCertVerifier>,
    certificates: Arc<Certificates>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(peers)
        .with_cert_resolver(certificates);
    // The server's order counts: most clients prefer AES-256 only because its key is longer.
    config.ignore_client_order = true;
    Ok(config)
}
