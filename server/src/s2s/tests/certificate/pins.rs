//! Pins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::{END, Issuer, NOW, at, load, params, root};
use crate::config::{Pin, S2s};
use crate::s2s::certificate::{Authorities, Distrust, Judgement};

const PINNED: Judgement = Judgement { trust: Ok(()), is_match: true };

fn self_signed(params: CertificateParams) -> Issuer {
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn pins(domain: &str, pins: Vec<Pin>) -> S2s {
    S2s { pins: BTreeMap::from([(domain.to_owned(), pins)]), ..S2s::default() }
}

fn file(folder: &tempfile::TempDir, name: &str, pem: &str) -> Pin {
    let path = folder.path().join(name);
    std::fs::write(&path, pem).unwrap();
    Pin::File(path)
}

fn fingerprint(der: &[u8]) -> Pin {
    Pin::Fingerprint(Sha256::digest(der).into())
}

fn judge(authorities: &Authorities, chain: &[CertificateDer<'_>], domain: &str) -> Judgement {
    authorities.judge(chain, domain, at(NOW))
}

#[test]
fn a_pin_is_for_its_domain_alone() {
    let folder = tempfile::tempdir().unwrap();
    // A server's own certificate, which is no authority's and is for another name.
    let server = self_signed(params("server", &["other.example"]));
    let chain = [server.der().clone()];
    let key = server.key().public_key_pem();
    let key = pem_content(&key);
    for pin in [file(&folder, "a.pem", &server.pem()), fingerprint(server.der()), fingerprint(&key)]
    {
        let trusted = load(&pins("a.example", vec![pin.clone()])).unwrap();
        assert_eq!(judge(&trusted, &chain, "a.example"), PINNED, "{pin:?}");
        for other in ["b.example", "x.a.example", "other.example", ""] {
            let judgement = judge(&trusted, &chain, other);
            assert_eq!(judgement.trust, Err(Distrust::SelfSigned), "{pin:?} {other}");
        }
        // Its key vouches for nobody, not even for its own domain.
        let issued = params("a", &["a.example", "b.example"]);
        let issued = issued.signed_by(&KeyPair::generate().unwrap(), &server).unwrap();
        let chain = [issued.der().clone(), server.der().clone()];
        let judgement = judge(&trusted, &chain, "b.example");
        assert!(!judgement.is_trusted(), "{pin:?}");
        let judgement = judge(&trusted, &chain, "a.example");
        assert!(matches!(judgement.trust, Err(Distrust::NotPinned(_))), "{judgement:?}");
        assert!(!judgement.is_match);
    }
}

/// The DER in a PEM text.
fn pem_content(pem: &str) -> Vec<u8> {
    use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
    SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[test]
fn authorities_do_not_count_for_a_pinned_domain() {
    let folder = tempfile::tempdir().unwrap();
    let root = root();
    let pinned = self_signed(params("a", &["a.example"]));
    let issued = params("a", &["a.example"]);
    let issued = issued.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
    let Pin::File(ca) = file(&folder, "ca.pem", &root.pem()) else { panic!("not a file") };
    let config = pins("bücher.example", vec![fingerprint(pinned.der())]);
    let mut config = S2s { authorities: Some(ca), ..config };
    config.pins.insert("a.example".to_owned(), vec![fingerprint(pinned.der())]);
    let trusted = load(&config).unwrap();
    // In each spelling of the domain.
    let other = ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example", "bücher.example."];
    for domain in ["a.example", "A.example", "a.example."].iter().chain(&other) {
        assert!(trusted.has_pins(domain), "{domain}");
        assert_eq!(judge(&trusted, &[pinned.der().clone()], domain), PINNED);
        let judgement = judge(&trusted, &[issued.der().clone(), root.der().clone()], domain);
        let text = judgement.reason(&[issued.der().clone()]);
        let Pin::Fingerprint(digest) = fingerprint(issued.der()) else { panic!("no digest") };
        assert!(text.ends_with(&crate::config::fingerprint(&digest)), "{domain}: {text}");
    }
    for domain in ["b.example", "x.a.example", "example"] {
        assert!(!trusted.has_pins(domain), "{domain}");
    }
}

#[test]
fn one_of_several_pins_suffices() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new, other] = ["old", "new", "other"].map(|name| self_signed(params(name, &[])));
    let both = format!("{}{}", old.pem(), new.pem());
    let pem = file(&folder, "both.pem", &both);
    for pins_of in [vec![pem], vec![fingerprint(old.der()), fingerprint(new.der())]] {
        let trusted = load(&pins("a.example", pins_of)).unwrap();
        let is_trusted =
            |of: &Issuer| judge(&trusted, &[of.der().clone()], "a.example").is_trusted();
        assert_eq!([&old, &new, &other].map(is_trusted), [true, true, false]);
    }
}

#[test]
fn a_pin_holds_for_the_time_of_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let server = self_signed(params("a", &["a.example"]));
    let chain = [server.der().clone()];
    let pem = file(&folder, "a.pem", &server.pem());
    let trusted = load(&pins("a.example", vec![pem])).unwrap();
    let trust = |now| trusted.judge(&chain, "a.example", at(now)).trust;
    assert_eq!(trust(END), Ok(()));
    assert_eq!(trust(END + 1), Err(Distrust::Expired(END.cast_signed())));
    assert!(matches!(trust(0), Err(Distrust::NotYetValid(_))));
    assert_eq!(trusted.remarks(at(END)), []);
    let remarks = trusted.remarks(at(END + 1));
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert_eq!(remarks[0].key, "s2s.pins.\"a.example\"");
    let expected = "a.pem: the pinned certificate of a.example expired on 2027-01-01";
    assert!(remarks[0].message.ends_with(expected), "{remarks:?}");
}

#[test]
fn what_is_wrong_with_a_pin_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: PathBuf| load(&pins("a.example", vec![Pin::File(path)])).unwrap_err();
    let text = error(folder.path().join("none.pem"));
    assert!(text.starts_with("s2s.pins.\"a.example\": cannot use "), "{text}");
    assert!(text.contains("none.pem: No such file"), "{text}");
    let key = folder.path().join("key.pem");
    std::fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(error(key).contains("a private key and no certificate"));
}
