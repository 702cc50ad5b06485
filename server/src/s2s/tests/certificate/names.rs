//! Which names of a certificate count (RFC 6120 sections 13.7.1.2 and 13.7.2.1, RFC 9525).

use rcgen::{CertificateParams, CustomExtension, DnType};

use super::{issued, judge, params, root};

pub(super) const XMPP_ADDR: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 5];
pub(super) const DNS_SRV: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 7];
const UPN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
/// The tags of UTF8String and IA5String.
pub(super) const UTF8: u8 = 0x0c;
pub(super) const IA5: u8 = 0x16;
/// The tags of the kinds of names (RFC 5280 section 4.2.1.6).
const MAIL: u8 = 0x81;
pub(super) const DNS: u8 = 0x82;
const URI: u8 = 0x86;
pub(super) const IP: u8 = 0x87;

/// A value in DER. All of the tests are shorter than 128 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[tag, length], content].concat()
}

/// An `otherName` of a kind, with a string of a type.
pub(super) fn other_name(kind: &[u8], string: u8, text: &str) -> Vec<u8> {
    let value = der(0xa0, &der(string, text.as_bytes()));
    der(0xa0, &[der(6, kind), value].concat())
}

/// Another name.
pub(super) fn name(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    der(tag, content.as_ref())
}

/// A certificate with these names, byte by byte: rcgen refuses some. Its common name is a.example.
pub(super) fn with(names: &[Vec<u8>]) -> CertificateParams {
    let mut params = params("a.example", &[]);
    if !names.is_empty() {
        let names = der(0x30, &names.concat());
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
    }
    params
}

#[test]
fn the_identifiers_of_the_specifications_count_and_no_others() {
    /// A title, the identifier, and the domains that it proves and does not prove.
    type Row<'a> = (&'a str, Vec<u8>, &'a [&'a str], &'a [&'a str]);
    let root = root();
    let xmpp = |text| other_name(XMPP_ADDR, UTF8, text);
    let srv = |text| other_name(DNS_SRV, IA5, text);
    let dns = |text: &str| name(DNS, text);
    #[rustfmt::skip]
    let table: &[Row<'_>] = &[
        ("DNS-ID", dns("a.example"),
            &["a.example", "A.example", "a.example."],
            &["b.a.example", "example", "xa.example", "", "."]),
        ("DNS-ID in capitals", dns("A.EXAMPLE"), &["a.example"], &["b.example"]),
        ("DNS-ID, internationalized", dns("xn--bcher-kva.example"),
            &["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"],
            &["bucher.example", "xn--bcher.example"]),
        ("DNS-ID with a wildcard", dns("*.a.example"),
            &["b.a.example", "bücher.a.example"],
            &["a.example", "c.b.a.example", "b.example", "*.example"]),
        ("DNS-ID with a wildcard in a label", dns("b*.a.example"), &[], &["bx.a.example"]),
        ("DNS-ID with a wildcard in the middle", dns("x.*.example"), &[], &["x.a.example"]),
        ("DNS-ID that is a wildcard", dns("*"), &[], &["a.example", "localhost"]),
        ("DNS-ID with NUL", dns("a.example\0.b.example"), &[], &["a.example", "b.example"]),
        ("IP-ID", name(IP, [192, 0, 2, 1]), &["192.0.2.1"], &["192.0.2.2", "a.example"]),
        ("IP-ID, version 6", name(IP, [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            &["[2001:db8::1]"], &["[2001:db8::2]"]),
        ("an address as DNS-ID", dns("192.0.2.1"), &[], &["192.0.2.1"]),
        ("XmppAddr", xmpp("a.example"),
            &["a.example", "A.example", "a.example."], &["b.a.example", "b.example"]),
        ("XmppAddr, internationalized", xmpp("bücher.example"),
            &["bücher.example", "xn--bcher-kva.example"], &["bucher.example"]),
        ("XmppAddr of an account", xmpp("user@a.example"), &[], &["a.example"]),
        ("XmppAddr with a resource", xmpp("a.example/x"), &[], &["a.example"]),
        ("XmppAddr with a wildcard", xmpp("*.a.example"), &[], &["b.a.example", "a.example"]),
        ("XmppAddr with NUL", xmpp("a.example\0.b"), &[], &["a.example"]),
        ("XmppAddr of the wrong type", other_name(XMPP_ADDR, IA5, "a.example"),
            &[], &["a.example"]),
        ("SRV-ID", srv("_xmpp-server.a.example"),
            &["a.example", "A.example", "a.example."], &["b.a.example", "b.example", "example"]),
        ("SRV-ID in capitals", srv("_XMPP-Server.A.EXAMPLE"), &["a.example"], &["b.example"]),
        ("SRV-ID, internationalized", srv("_xmpp-server.xn--bcher-kva.example"),
            &["bücher.example"], &["bucher.example"]),
        ("SRV-ID with a wildcard", srv("_xmpp-server.*.a.example"),
            &["b.a.example"], &["a.example", "c.b.a.example"]),
        ("SRV-ID with a wildcard below the top", srv("_xmpp-server.*.example"),
            &[], &["a.example"]),
        ("SRV-ID with a wildcard in a label", srv("_xmpp-server.b*.a.example"),
            &[], &["bx.a.example"]),
        ("SRV-ID of clients", srv("_xmpp-client.a.example"), &[], &["a.example"]),
        ("SRV-ID of another service", srv("_imap.a.example"), &[], &["a.example"]),
        ("SRV-ID without a service", srv("a.example"), &[], &["a.example", "example"]),
        ("SRV-ID with a protocol", srv("_xmpp-server._tcp.a.example"), &[], &["a.example"]),
        ("SRV-ID of the wrong type", other_name(DNS_SRV, UTF8, "_xmpp-server.a.example"),
            &[], &["a.example"]),
        ("another otherName", other_name(UPN, UTF8, "a.example"), &[], &["a.example"]),
        ("URI-ID", name(URI, "xmpp:a.example"), &[], &["a.example"]),
        ("an address of mail", name(MAIL, "x@a.example"), &[], &["a.example"]),
    ];
    for (row, name, matching, others) in table {
        let chain = [issued(&with(std::slice::from_ref(name)), &root)];
        let is_match = |domain: &str| judge(&root, &chain, domain).is_match;
        for domain in *matching {
            assert!(is_match(domain), "{row}: {domain:?}");
        }
        for domain in *others {
            assert!(!is_match(domain), "{row}: {domain:?}");
        }
    }
}

#[test]
fn the_common_name_never_counts() {
    let root = root();
    let uri = [name(URI, "xmpp:b.example")];
    for names in [&[][..], &uri] {
        let mut params = with(names);
        params.distinguished_name.push(DnType::CommonName, "a.example");
        let judgement = judge(&root, &[issued(&params, &root)], "a.example");
        assert_eq!((judgement.trust, judgement.is_match), (Ok(()), false));
    }
}

#[test]
fn a_refusal_names_what_the_certificate_is_for() {
    let root = root();
    let reason = |names: &[Vec<u8>]| {
        let chain = [issued(&with(names), &root)];
        judge(&root, &chain, "c.example").reason(&chain)
    };
    let names = [
        name(DNS, "a.example"),
        other_name(XMPP_ADDR, UTF8, "b.example\n"),
        other_name(DNS_SRV, IA5, "_xmpp-server.d.example"),
        name(IP, [192, 0, 2, 1]),
    ];
    assert_eq!(
        reason(&names),
        "the certificate is made out to \"a.example\", XmppAddr \"b.example\\n\", SRVName \
         \"_xmpp-server.d.example\", 192.0.2.1"
    );
    assert_eq!(reason(&[]), "the certificate is made out to no domain");
    let many: Vec<_> = (0..12).map(|i| name(DNS, format!("{i}.x"))).collect();
    assert!(reason(&many).ends_with("\"6.x\", \"7.x\" and 4 more"), "{}", reason(&many));
}
