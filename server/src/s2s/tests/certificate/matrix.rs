//! Judgements of generated chains and names, compared with OpenSSL's.

use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension,
    ExtendedKeyUsagePurpose as Usage, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use super::names::{DNS, IP, name, with};
use super::revocation::{authority, list, numbered};
use super::{Issuer, NOW, at, authorities, ca, load, params};
use crate::config::S2s;
use crate::tls::ascii;

type Change = fn(&mut CertificateParams);

fn constrained(params: &mut CertificateParams, permitted: &[&str], excluded: &[&str]) {
    let trees = |names: &[&str]| {
        names.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned())).collect()
    };
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: trees(permitted),
        excluded_subtrees: trees(excluded),
    });
}

fn critical(params: &mut CertificateParams) {
    let mut extension =
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

/// What may be wrong with an authority.
const AUTHORITIES: [(&str, Change); 13] = [
    ("ordinary", |_| {}),
    ("no key usage", |ca| ca.key_usages.clear()),
    ("CA:FALSE", |ca| ca.is_ca = IsCa::ExplicitNoCa),
    ("no basic constraints", |ca| ca.is_ca = IsCa::NoCa),
    ("no keyCertSign", |ca| ca.key_usages = vec![KeyUsagePurpose::DigitalSignature]),
    ("expired", |ca| ca.not_after = date_time_ymd(2026, 3, 1)),
    ("not yet valid", |ca| ca.not_before = date_time_ymd(2026, 12, 1)),
    ("path length 0", |ca| ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0))),
    ("permits a.example", |ca| constrained(ca, &["a.example"], &[])),
    ("permits b.example", |ca| constrained(ca, &["b.example"], &[])),
    ("excludes a.example", |ca| constrained(ca, &[], &["a.example"])),
    ("for code", |ca| ca.extended_key_usages = vec![Usage::CodeSigning]),
    ("for clients", |ca| ca.extended_key_usages = vec![Usage::ClientAuth]),
];

/// What may be wrong with the certificate of a server.
const SERVERS: [(&str, Change); 13] = [
    ("ordinary", |_| {}),
    ("expired", |params| params.not_after = date_time_ymd(2026, 3, 1)),
    ("not yet valid", |params| params.not_before = date_time_ymd(2026, 12, 1)),
    ("for servers", |params| params.extended_key_usages = vec![Usage::ServerAuth]),
    ("for clients", |params| params.extended_key_usages = vec![Usage::ClientAuth]),
    ("for code", |params| params.extended_key_usages = vec![Usage::CodeSigning]),
    ("for anything", |params| params.extended_key_usages = vec![Usage::Any]),
    ("CA:TRUE", |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
    ("CA:FALSE", |params| params.is_ca = IsCa::ExplicitNoCa),
    ("digitalSignature", |p| p.key_usages = vec![KeyUsagePurpose::DigitalSignature]),
    ("keyAgreement", |params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
    ("cRLSign", |params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
    ("unknown critical extension", critical),
];

/// How the chain leads from the server to the root.
const SHAPES: [&str; 5] = ["direct", "between", "between, not sent", "between twice", "forged"];

/// The reason for a difference from OpenSSL, and the cases that it explains.
type Difference = (&'static str, fn(&Case) -> bool);

const DIFFERENCES: &[Difference] = &[
    ("anyExtendedKeyUsage allows each usage (RFC 5280 section 4.2.1.12)", |case| {
        case.server == "for anything"
    }),
    ("an authority's certificate is a server's only if it is among the authorities", |case| {
        case.server == "CA:TRUE"
    }),
    (
        "a key usage without basic constraints makes no authority (RFC 5280 section 4.2.1.9)",
        |case| case.root == "no basic constraints",
    ),
    ("a server is a client too, so its usage may differ from its authority's", |case| {
        case.root == "for clients" && case.server == "for servers"
    }),
];

struct Case {
    root: &'static str,
    server: &'static str,
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn write(folder: &Path, name: &str, certificates: &[CertificateDer<'_>]) {
    let pem = |der: &CertificateDer<'_>| {
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        let lines: Vec<&str> = (0..encoded.len())
            .step_by(64)
            .map(|at| &encoded[at..encoded.len().min(at + 64)])
            .collect();
        let lines = lines.join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    };
    let text: String = certificates.iter().map(pem).collect();
    std::fs::write(folder.join(name), text).unwrap();
}

/// Whether OpenSSL accepts leaf.pem, for servers or for clients, as Spondee does.
fn openssl(folder: &Path, more: &[&str]) -> bool {
    let now = NOW.to_string();
    ["sslserver", "sslclient"].iter().any(|purpose| {
        let command = [
            &["verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-partial_chain"][..],
            &["-attime", &now, "-purpose", purpose, "-CAfile", "ca.pem"],
            more,
            &["leaf.pem"],
        ];
        let mut openssl = Command::new("openssl");
        openssl.args(command.concat()).current_dir(folder);
        openssl.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    })
}

#[test]
#[ignore = "needs the command openssl and takes a minute"]
fn chains_are_judged_as_openssl_judges_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut used = vec![0; DIFFERENCES.len()];
    let mut count = 0;
    let mut wrong = Vec::new();
    for (root_name, change) in AUTHORITIES {
        let mut root_params = ca("root");
        change(&mut root_params);
        let root = CertifiedIssuer::self_signed(root_params, key()).unwrap();
        let trusted = authorities(folder, &root.pem());
        for (between_name, change) in AUTHORITIES {
            let mut params = ca("between");
            change(&mut params);
            let between = CertifiedIssuer::signed_by(params, key(), &root).unwrap();
            let mut second = ca("second");
            change(&mut second);
            let second = CertifiedIssuer::signed_by(second, key(), &between).unwrap();
            for (server, change) in SERVERS {
                // One thing at a time, or two of the authorities.
                if server != "ordinary" && between_name != "ordinary" {
                    continue;
                }
                for shape in SHAPES {
                    if (shape == "direct" || shape == "forged") && between_name != "ordinary" {
                        continue;
                    }
                    let case = Case { root: root_name, server };
                    let chain = chain(shape, change, &root, &between, &second);
                    let ours = trusted.as_ref().is_ok_and(|trusted| {
                        trusted.judge(&chain, "a.example", at(NOW)).is_trusted()
                    });
                    write(folder, "leaf.pem", &chain[..1]);
                    write(folder, "sent.pem", &chain[1..]);
                    let theirs = openssl(
                        folder,
                        match chain.len() {
                            1 => &[],
                            _ => &["-untrusted", "sent.pem"],
                        },
                    );
                    count += 1;
                    let excuse = DIFFERENCES.iter().position(|(_, is_it)| is_it(&case));
                    match excuse {
                        Some(at) if ours != theirs => used[at] += 1,
                        _ if ours != theirs => wrong.push(format!(
                            "root {root_name}, {shape} {between_name}, server {server}: ours \
                             {ours}, OpenSSL's {theirs}"
                        )),
                        _ => {}
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    for ((reason, _), used) in DIFFERENCES.iter().zip(used) {
        assert!(used > 0, "there is no such difference: {reason}");
    }
}

fn chain(
    shape: &str,
    change: Change,
    root: &Issuer,
    between: &Issuer,
    second: &Issuer,
) -> Vec<CertificateDer<'static>> {
    let mut params = params("server", &["a.example"]);
    change(&mut params);
    let (issuer, sent): (_, &[&Issuer]) = match shape {
        "direct" | "forged" => (root, &[]),
        "between" => (between, &[between]),
        "between, not sent" => (between, &[]),
        _ => (second, &[second, between]),
    };
    let mut leaf = params.signed_by(&key(), issuer).unwrap().der().to_vec();
    if shape == "forged" {
        // Another serial number, or whatever else is there.
        let at = leaf.len() / 2;
        leaf[at] ^= 1;
    }
    let sent = sent.iter().map(|issuer| issuer.der().clone());
    std::iter::once(CertificateDer::from(leaf)).chain(sent).collect()
}

/// As [`Difference`], by the name in the certificate and the domain.
type OtherName = (&'static str, fn(&str, &str) -> bool);

const OTHER_NAMES: &[OtherName] = &[
    ("the dot of the root is no part of the domain", |_, domain| domain == "a.example."),
    ("no domain has a wildcard", |_, domain| domain.starts_with('*')),
    ("a wildcard is a whole label (RFC 9525 section 6.3)", |name, _| {
        ["b*.a.example", "*b.a.example"].contains(&name)
    }),
    ("a label begins with a letter or a digit (RFC 1123 section 2.1)", |name, _| {
        name == "-a.example"
    }),
    ("the common name never counts (RFC 9525 section 2)", |name, _| name.starts_with("IP ")),
];

#[test]
#[ignore = "needs the command openssl"]
fn names_are_judged_as_openssl_judges_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = super::root();
    let trusted = authorities(folder, &root.pem()).unwrap();
    let names = [
        "a.example",
        "A.EXAMPLE",
        "a.example.",
        "*.a.example",
        "*.example",
        "*",
        "*.",
        "*.*.example",
        "b*.a.example",
        "*b.a.example",
        "b.*.example",
        "xn--bcher-kva.example",
        "*.xn--bcher-kva.example",
        "xn--*.example",
        "xn--bcher-kva.*.example",
        ".a.example",
        "a..example",
        "-a.example",
        "a_b.example",
        "_a.example",
        "192.0.2.1",
        "*.0.2.1",
        "localhost",
        "",
        " a.example",
        "a.example ",
        "a.example\0",
    ];
    let domains = [
        "a.example",
        "A.example",
        "a.example.",
        "b.a.example",
        "bb.a.example",
        "c.b.a.example",
        "example",
        "bücher.example",
        "x.bücher.example",
        "xn--bcher-kva.a.example",
        "-a.example",
        "a_b.example",
        "_a.example",
        "192.0.2.1",
        "[2001:db8::1]",
        "localhost",
        "*.a.example",
        "*.example",
        "*",
    ];
    let mut rows: Vec<(String, Vec<u8>)> =
        names.iter().map(|text| ((*text).to_owned(), name(DNS, text))).collect();
    rows.push(("IP 192.0.2.1".to_owned(), name(IP, [192, 0, 2, 1])));
    rows.push(("IP 192.0.2.0/24".to_owned(), name(IP, [192, 0, 2, 0, 255, 255, 255, 0])));
    let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    rows.push(("IP 2001:db8::1".to_owned(), name(IP, v6)));
    let mut used = vec![0; OTHER_NAMES.len()];
    let mut wrong = Vec::new();
    for (row, name) in rows {
        let chain = [super::issued(&with(&[name]), &root)];
        write(folder, "leaf.pem", &chain);
        for domain in domains {
            let judgement = trusted.judge(&chain, domain, at(NOW));
            let ours = judgement.is_trusted() && judgement.is_match;
            let ascii = ascii(domain);
            let asked = ascii.trim_start_matches('[').trim_end_matches(']');
            let is_address = asked.parse::<std::net::IpAddr>().is_ok();
            let option = if is_address { "-verify_ip" } else { "-verify_hostname" };
            let theirs = openssl(folder, &[option, asked]);
            let excuse = OTHER_NAMES.iter().position(|(_, is_it)| is_it(&row, domain));
            match excuse {
                Some(at) if ours != theirs => used[at] += 1,
                _ if ours != theirs => {
                    wrong.push(format!("{row:?} {domain:?}: ours {ours}, OpenSSL's {theirs}"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    for ((reason, _), used) in OTHER_NAMES.iter().zip(used) {
        assert!(used > 0, "there is no such difference: {reason}");
    }
}

#[test]
#[ignore = "needs the command openssl"]
fn lists_are_read_as_openssl_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = CertifiedIssuer::self_signed(authority("root"), key()).unwrap();
    let other = CertifiedIssuer::self_signed(authority("root"), key()).unwrap();
    let leaf = numbered(params("a", &["a.example"]), 7);
    let chain = [leaf.signed_by(&key(), &root).unwrap().der().clone()];
    write(folder, "leaf.pem", &chain);
    let (ca, crl) = (folder.join("ca.pem"), folder.join("list.pem"));
    std::fs::write(&ca, root.pem()).unwrap();
    for (list, is_revoked) in [
        (list(&root, 9, &[7]), true),
        (list(&root, 9, &[8]), false),
        (list(&root, 9, &[]), false),
        (list(&other, 9, &[]), true),
    ] {
        std::fs::write(&crl, list).unwrap();
        let config =
            S2s { authorities: Some(ca.clone()), crls: vec![crl.clone()], ..S2s::default() };
        let ours = load(&config).unwrap().judge(&chain, "a.example", at(NOW)).is_trusted();
        let theirs = openssl(folder, &["-crl_check", "-CRLfile", "list.pem"]);
        assert_eq!([ours, theirs], [!is_revoked; 2]);
    }
}
