//! Whether a certificate is for a domain (RFC 6120 sections 13.7.1.2 and 13.7.2.1, RFC 9525).
//!
//! | In the certificate | Matches |
//! |---|---|
//! | DNS-ID `example.org` (`dNSName`) | the domain |
//! | DNS-ID `*.example.org` | domains with one label more |
//! | SRV-ID `_xmpp-server.example.org` (`id-on-dnsSRV`, RFC 4985) | as the DNS-ID of its domain |
//! | XmppAddr `example.org` (`id-on-xmppAddr`) | the domain, with no wildcard |
//! | `iPAddress` | a domain that is an address |
//! | SRV-ID of another service, XmppAddr with a local part or resource | nothing |
//! | `uniformResourceIdentifier`, `rfc822Name`, `directoryName`, other `otherName` | nothing |
//! | the common name of the subject | nothing, whatever else the certificate has |

use std::net::IpAddr;

use jid::DomainPart;
use rustls::pki_types::ServerName;
use webpki::EndEntityCert;
use x509_parser::asn1_rs::{Any, Class, FromDer, Oid, Tag, oid};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::tls::ascii;

/// `id-on-xmppAddr` (RFC 6120 section 13.7.1.4).
const XMPP_ADDR: Oid<'_> = oid!(1.3.6.1.5.5.7.8.5);
/// `id-on-dnsSRV` (RFC 4985).
const DNS_SRV: Oid<'_> = oid!(1.3.6.1.5.5.7.8.7);
const SERVICE: &str = "_xmpp-server";
/// How many names of a certificate, and how many characters of each, a message has.
const SHOWN: (usize, usize) = (8, 100);

/// A domain in the ASCII form of DNS, without the dot of the root.
pub(super) fn canonical(domain: &str) -> String {
    ascii(domain.strip_suffix('.').unwrap_or(domain))
}

/// Matches DNS-IDs and addresses.
pub(super) fn names_dns(end: &EndEntityCert<'_>, domain: &str) -> bool {
    let ascii = canonical(domain);
    let name = ascii.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(name).is_ok_and(|name| end.verify_is_valid_for_subject_name(&name).is_ok())
}

/// Matches the names of XMPP: SRV-IDs and XmppAddrs.
pub(super) fn names_xmpp(certificate: &X509Certificate<'_>, domain: &str) -> bool {
    general(certificate).iter().any(|name| match name {
        GeneralName::OtherName(kind, value) if *kind == XMPP_ADDR => {
            text(value, Tag::Utf8String).is_some_and(|address| is_same(address, domain))
        }
        GeneralName::OtherName(kind, value) if *kind == DNS_SRV => text(value, Tag::Ia5String)
            .and_then(|service| service.split_once('.'))
            .filter(|(service, _)| service.eq_ignore_ascii_case(SERVICE))
            .is_some_and(|(_, named)| covers(named, domain)),
        _ => false,
    })
}

/// The names of a certificate, for a message.
pub(super) fn described(certificate: &X509Certificate<'_>) -> String {
    let shown = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(quoted(name)),
        GeneralName::OtherName(kind, value) if *kind == XMPP_ADDR => {
            text(value, Tag::Utf8String).map(|name| format!("XmppAddr {}", quoted(name)))
        }
        GeneralName::OtherName(kind, value) if *kind == DNS_SRV => {
            text(value, Tag::Ia5String).map(|name| format!("SRVName {}", quoted(name)))
        }
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = address.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    };
    let all: Vec<String> = general(certificate).iter().filter_map(shown).collect();
    match all.get(..SHOWN.0) {
        Some(first) if all.len() > SHOWN.0 => {
            format!("{} and {} more", first.join(", "), all.len() - SHOWN.0)
        }
        _ if all.is_empty() => "no domain".to_owned(),
        _ => all.join(", "),
    }
}

fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(SHOWN.1).collect::<String>())
}

fn general<'a>(certificate: &'a X509Certificate<'_>) -> &'a [GeneralName<'a>] {
    match certificate.subject_alternative_name() {
        Ok(Some(names)) => &names.value.general_names,
        _ => &[],
    }
}

/// Whether the domain of a SRV-ID covers a domain. A `*` is the whole first label (RFC 9525 section
/// 6.3).
fn covers(named: &str, domain: &str) -> bool {
    match named.strip_prefix("*.") {
        Some(above) => {
            let domain = canonical(domain);
            // Not below a whole top-level domain, as for DNS-IDs.
            let is_deep = above.contains('.');
            is_deep && domain.split_once('.').is_some_and(|(_, rest)| is_same(above, rest))
        }
        None => is_same(named, domain),
    }
}

fn is_same(named: &str, domain: &str) -> bool {
    DomainPart::new(named).is_ok_and(|named| ascii(&named) == canonical(domain))
}

/// The text of an `otherName`: a string of this kind within `[0] EXPLICIT`.
fn text(value: &[u8], kind: Tag) -> Option<&str> {
    let (_, outer) = Any::from_der(value).ok()?;
    if outer.class() != Class::ContextSpecific || outer.tag() != Tag(0) {
        return None;
    }
    let (_, inner) = Any::from_der(outer.data).ok()?;
    let is_text = inner.class() == Class::Universal && inner.tag() == kind;
    is_text.then(|| std::str::from_utf8(inner.data).ok()).flatten()
}
