//! The names of domains in handshakes and certificates.

use rustls::pki_types::ServerName;

/// The name for the handshake with a domain's server: the domain, not the server's name in DNS
/// (XEP-0368). `None` if the domain is neither a DNS name nor an address.
pub fn server_name(domain: &str) -> Option<ServerName<'static>> {
    let ascii = ascii(domain);
    let name = ascii.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(name).ok().map(|name| name.to_owned())
}

/// A host's name in the ASCII form of DNS, handshakes and certificates.
pub(crate) fn ascii(host: &str) -> String {
    idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_owned())
}
