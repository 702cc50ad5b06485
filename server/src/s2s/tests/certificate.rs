use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose as Usage, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, OtherNameValue, SanType, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use crate::config::S2s;
use crate::s2s::certificate::{Authorities, Distrust, Judgement};

const XMPP_ADDR: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 5];

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn root() -> Issuer {
    CertifiedIssuer::self_signed(ca("root"), KeyPair::generate().unwrap()).unwrap()
}

fn issued(params: &CertificateParams, by: &Issuer) -> CertificateDer<'static> {
    params.signed_by(&KeyPair::generate().unwrap(), by).unwrap().der().clone()
}

fn authorities(folder: &Path, pem: &str) -> Authorities {
    let file = folder.join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    Authorities::load(&S2s { authorities: Some(file), ..S2s::default() }).unwrap()
}

/// A time at which the certificates of [`params`] are valid, in seconds since 1970.
const NOW: u64 = 1_790_000_000;

fn judge_at(root: &Issuer, chain: &[CertificateDer<'_>], domain: &str, now: u64) -> Judgement {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
    authorities(folder.path(), &root.pem()).judge(chain, domain, now)
}

fn judge(root: &Issuer, chain: &[CertificateDer<'_>], domain: &str) -> Judgement {
    judge_at(root, chain, domain, NOW)
}

fn is_match(root: &Issuer, params: &CertificateParams, domain: &str) -> bool {
    let judgement = judge(root, &[issued(params, root)], domain);
    assert_eq!(judgement.trust, Ok(()));
    judgement.is_match
}

#[test]
fn a_certificate_is_for_the_names_in_it() {
    let root = root();
    let plain = params("other.example", &["a.example", "xn--bcher-kva.example", "192.0.2.1"]);
    for domain in ["a.example", "A.example", "bücher.example", "xn--bcher-kva.example", "192.0.2.1"]
    {
        assert!(is_match(&root, &plain, domain), "{domain}");
    }
    // Neither the common name nor a part of a name counts.
    for domain in ["other.example", "b.a.example", "example", "xa.example", "192.0.2.2", "", "."] {
        assert!(!is_match(&root, &plain, domain), "{domain}");
    }
}

#[test]
fn a_star_stands_for_one_label() {
    let root = root();
    let wild = params("wild", &["*.a.example"]);
    assert!(is_match(&root, &wild, "b.a.example"));
    for domain in ["a.example", "c.b.a.example", "b.example", "*.example"] {
        assert!(!is_match(&root, &wild, domain), "{domain}");
    }
    for part in ["b*.a.example", "x.*.example"] {
        let wild = params("wild", &[part]);
        assert!(!is_match(&root, &wild, "bx.a.example") && !is_match(&root, &wild, "x.a.example"));
    }
}

fn xmpp_address(address: &str) -> CertificateParams {
    let mut params = params("xmpp", &[]);
    let value = OtherNameValue::Utf8String(address.to_owned());
    params.subject_alt_names = vec![SanType::OtherName((XMPP_ADDR.to_vec(), value))];
    params
}

#[test]
fn names_of_xmpp_count() {
    let root = root();
    assert!(is_match(&root, &xmpp_address("bücher.example"), "bücher.example"));
    assert!(is_match(&root, &xmpp_address("A.example"), "a.example"));
    assert!(!is_match(&root, &xmpp_address("user@a.example"), "a.example"));
    assert!(!is_match(&root, &xmpp_address("*.example"), "a.example"));
    // SRV-ID: rcgen has no IA5String for it, so the test writes the extension byte by byte.
    let service = |service: &str| {
        let value = [&[0x16, u8::try_from(service.len()).unwrap()], service.as_bytes()].concat();
        let mut content = vec![0x06, 8, 0x2b, 6, 1, 5, 5, 7, 8, 7];
        content.extend([&[0xa0, u8::try_from(value.len()).unwrap()][..], &value].concat());
        let name = [&[0xa0, u8::try_from(content.len()).unwrap()][..], &content].concat();
        let names = [&[0x30, u8::try_from(name.len()).unwrap()][..], &name].concat();
        let mut params = params("srv", &[]);
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
        params
    };
    assert!(is_match(&root, &service("_xmpp-server.a.example"), "a.example"));
    assert!(!is_match(&root, &service("_xmpp-client.a.example"), "a.example"));
    assert!(!is_match(&root, &service("_xmpp-server.b.a.example"), "a.example"));
}

#[test]
fn a_limit_of_an_authority_cannot_be_stepped_over() {
    let root = root();
    let mut limited = ca("limited");
    let subtree = GeneralSubtree::DnsName("own.example".to_owned());
    limited.name_constraints =
        Some(NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: vec![] });
    let limited = CertifiedIssuer::signed_by(limited, KeyPair::generate().unwrap(), &root).unwrap();
    let chain = |params| [issued(&params, &limited), limited.der().clone()];
    let own = judge(&root, &chain(params("x", &["own.example"])), "own.example");
    assert_eq!(own, Judgement { trust: Ok(()), is_match: true });
    let other = judge(&root, &chain(params("x", &["a.example"])), "a.example");
    assert!(matches!(other.trust, Err(Distrust::Invalid(_))), "{other:?}");
    let address = judge(&root, &chain(xmpp_address("a.example")), "a.example");
    assert!(!address.is_match, "{address:?}");
}

#[test]
fn a_certificate_holds_for_its_time() {
    let root = root();
    let chain = [issued(&params("a", &["a.example"]), &root)];
    let trust = |now| judge_at(&root, &chain, "a.example", now).trust;
    assert_eq!(trust(NOW), Ok(()));
    assert_eq!(trust(1_760_000_000), Err(Distrust::NotYetValid));
    assert_eq!(trust(1_800_000_000), Err(Distrust::Expired));
    assert_eq!(trust(0), Err(Distrust::NotYetValid));
    // The name matches even if the certificate has expired.
    assert!(judge_at(&root, &chain, "a.example", 1_800_000_000).is_match);
}

#[test]
fn a_chain_leads_to_an_authority() {
    let root = root();
    let middle =
        CertifiedIssuer::signed_by(ca("middle"), KeyPair::generate().unwrap(), &root).unwrap();
    let leaf = issued(&params("a", &["a.example"]), &middle);
    let trust = |chain: &[CertificateDer<'_>]| judge(&root, chain, "a.example").trust;
    assert_eq!(trust(&[leaf.clone(), middle.der().clone()]), Ok(()));
    assert_eq!(trust(&[leaf.clone(), middle.der().clone(), root.der().clone()]), Ok(()));
    assert_eq!(trust(&[leaf]), Err(Distrust::UnknownAuthority));
    let stranger = self::root();
    let other = issued(&params("a", &["a.example"]), &stranger);
    // The other authority has the name of ours and another key.
    assert!(trust(&[other.clone(), stranger.der().clone()]).is_err());
    assert!(trust(&[other]).is_err());
    assert_eq!(trust(&[]), Err(Distrust::Missing));
    assert!(matches!(trust(&[CertificateDer::from(vec![1, 2, 3])]), Err(Distrust::Invalid(_))));
}

#[test]
fn one_that_vouches_for_itself_must_be_among_the_authorities() {
    let root = root();
    let mut authority = ca("a");
    authority.subject_alt_names = params("a", &["a.example"]).subject_alt_names;
    for own in [params("a", &["a.example"]), authority] {
        let own = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
        let chain = [own.der().clone()];
        let judgement = judge(&root, &chain, "a.example");
        assert_eq!(judgement, Judgement { trust: Err(Distrust::SelfSigned), is_match: true });
        assert_eq!(judge(&own, &chain, "a.example"), Judgement { trust: Ok(()), is_match: true });
        assert_eq!(judge_at(&own, &chain, "", 1_800_000_000).trust, Err(Distrust::Expired));
    }
}

#[test]
fn the_usage_may_be_a_clients_or_a_servers() {
    let root = root();
    let trust = |usages: &[Usage]| {
        let mut params = params("a", &["a.example"]);
        params.extended_key_usages = usages.to_vec();
        judge(&root, &[issued(&params, &root)], "a.example").trust
    };
    assert_eq!(trust(&[]), Ok(()));
    assert_eq!(trust(&[Usage::ClientAuth]), Ok(()));
    assert_eq!(trust(&[Usage::ServerAuth]), Ok(()));
    assert_eq!(trust(&[Usage::CodeSigning, Usage::ClientAuth]), Ok(()));
    assert_eq!(trust(&[Usage::CodeSigning]), Err(Distrust::Usage));
}

#[test]
fn what_is_wrong_with_the_authorities_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let error = |content: Option<&str>| {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let config = S2s { authorities: Some(file.clone()), ..S2s::default() };
        Authorities::load(&config).unwrap_err().to_string()
    };
    assert!(error(None).contains("ca.pem: No such file"));
    assert!(error(Some("nothing")).ends_with("ca.pem: the file has no certificate (expected PEM)"));
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(error(Some(junk)).ends_with("ca.pem: the file has a certificate that cannot be used"));
}
