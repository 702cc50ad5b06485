mod matrix;
mod names;
mod pins;
mod revocation;

use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose as Usage, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use crate::config::S2s;
use crate::s2s::certificate::{Authorities, Distrust, Judgement};

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

fn authorities(folder: &Path, pem: &str) -> Result<Authorities, String> {
    let file = folder.join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    load(&S2s { authorities: Some(file), ..S2s::default() })
}

/// Loads the authorities, or returns the first error and its remedy.
fn load(config: &S2s) -> Result<Authorities, String> {
    Authorities::load(config).map_err(|errors| {
        let first = errors.first().unwrap();
        format!("{}: {first}; {}", first.key(), first.help())
    })
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The time at which the certificates of [`params`] begin, one at which they are valid, and their
/// last second, in seconds since 1970.
const BEGIN: u64 = 1_767_225_600;
const NOW: u64 = 1_790_000_000;
const END: u64 = 1_798_761_600;

fn judge_at(root: &Issuer, chain: &[CertificateDer<'_>], domain: &str, now: u64) -> Judgement {
    let folder = tempfile::tempdir().unwrap();
    authorities(folder.path(), &root.pem()).unwrap().judge(chain, domain, at(now))
}

fn judge(root: &Issuer, chain: &[CertificateDer<'_>], domain: &str) -> Judgement {
    judge_at(root, chain, domain, NOW)
}

#[test]
fn a_limit_of_an_authority_cannot_be_stepped_over() {
    let root = root();
    let mut limited = ca("limited");
    let subtree = GeneralSubtree::DnsName("own.example".to_owned());
    let constraints =
        Some(NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: vec![] });
    limited.name_constraints = constraints.clone();
    let limited = CertifiedIssuer::signed_by(limited, KeyPair::generate().unwrap(), &root).unwrap();
    let chain = |params| [issued(&params, &limited), limited.der().clone()];
    let own = judge(&root, &chain(params("x", &["own.example"])), "own.example");
    assert_eq!(own, Judgement { trust: Ok(()), is_match: true });
    let other = judge(&root, &chain(params("x", &["a.example"])), "a.example");
    assert!(matches!(other.trust, Err(Distrust::Invalid(_))), "{other:?}");
    let address = names::other_name(names::XMPP_ADDR, names::UTF8, "a.example");
    let address = judge(&root, &chain(names::with(&[address])), "a.example");
    assert!(!address.is_match, "{address:?}");
    // Nor by the certificate of the authority itself.
    let mut own = params("own", &["a.example"]);
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    own.name_constraints = constraints;
    let own = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
    let judgement = judge(&own, &[own.der().clone()], "a.example");
    assert_eq!(judgement.trust, Err(Distrust::SelfSigned));
}

#[test]
fn a_certificate_holds_for_its_time() {
    let root = root();
    let chain = [issued(&params("a", &["a.example"]), &root)];
    let trust = |now| judge_at(&root, &chain, "a.example", now).trust;
    assert_eq!(trust(NOW), Ok(()));
    assert_eq!(trust(BEGIN), Ok(()));
    assert_eq!(trust(BEGIN - 1), Err(Distrust::NotYetValid(BEGIN.cast_signed())));
    assert_eq!(trust(END), Ok(()));
    assert_eq!(trust(END + 1), Err(Distrust::Expired(END.cast_signed())));
    assert_eq!(trust(0), Err(Distrust::NotYetValid(BEGIN.cast_signed())));
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
    assert!(matches!(trust(&[other]), Err(Distrust::Invalid(_))));
    assert_eq!(trust(&[stranger.der().clone()]), Err(Distrust::SelfSigned));
    assert_eq!(trust(&[]), Err(Distrust::Missing));
    assert!(matches!(trust(&[CertificateDer::from(vec![1, 2, 3])]), Err(Distrust::Invalid(_))));
}

#[test]
fn one_that_vouches_for_itself_must_be_among_the_authorities() {
    let root = root();
    let own = |params| CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let of_server = own(params("a", &["a.example"]));
    // As `openssl req -x509` makes it.
    let mut authority = params("a", &["a.example"]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = own(authority);
    for own in [&of_server, &authority] {
        let judgement = judge(&root, &[own.der().clone()], "a.example");
        assert_eq!(judgement, Judgement { trust: Err(Distrust::SelfSigned), is_match: true });
    }
    let chain = [authority.der().clone()];
    let judgement = judge(&authority, &chain, "a.example");
    assert_eq!(judgement, Judgement { trust: Ok(()), is_match: true });
    assert!(!judge(&authority, &chain, "b.example").is_match);
    let expired = judge_at(&authority, &chain, "", END + 1);
    assert_eq!(expired.trust, Err(Distrust::Expired(END.cast_signed())));
}

#[test]
fn only_authorities_are_among_the_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = params("a", &["a.example", "b.example"]);
        change(&mut params);
        let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        // A file with an authority before it.
        authorities(folder.path(), &format!("{}{}", root().pem(), own.pem())).err()
    };
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let text = refused(&|params| params.is_ca = is_ca).unwrap();
        let path = folder.path().join("ca.pem");
        let expected = format!(
            "s2s.authorities: {}: the certificate of \"CN=a\" is not an authority's (its basic \
             constraints have no cA); leave it out; to trust a server's certificate for its own \
             domain, pin it: [s2s.pins] \"a.example\" = [\"ca.pem\"]",
            path.display()
        );
        assert_eq!(text, expected);
    }
    let ca = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    assert_eq!(refused(&ca), None);
    let text = refused(&|params| {
        ca(params);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    });
    assert!(text.unwrap().contains("has no keyCertSign"));
    let text = refused(&|params| {
        ca(params);
        params.extended_key_usages = vec![Usage::CodeSigning];
    });
    assert!(text.unwrap().contains("is not for TLS"));
}

#[test]
fn an_authority_holds_for_its_time_and_depth() {
    let key = || KeyPair::generate().unwrap();
    let issued = |root: CertificateParams| {
        let root = CertifiedIssuer::self_signed(root, key()).unwrap();
        let middle = CertifiedIssuer::signed_by(ca("middle"), key(), &root).unwrap();
        let leaf = issued(&params("a", &["a.example"]), &middle);
        judge(&root, &[leaf, middle.der().clone()], "a.example").trust
    };
    assert_eq!(issued(ca("root")), Ok(()));
    let mut old = ca("root");
    old.not_after = date_time_ymd(2026, 3, 1);
    let trust = issued(old);
    assert!(matches!(trust, Err(Distrust::AuthorityExpired(_))), "{trust:?}");
    assert!(trust.unwrap_err().to_string().ends_with("expired on 2026-03-01"));
    let mut young = ca("root");
    young.not_before = date_time_ymd(2026, 12, 1);
    assert!(matches!(issued(young), Err(Distrust::AuthorityNotYetValid(_))));
    let mut short = ca("root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    assert!(matches!(issued(short), Err(Distrust::Invalid(_))));
}

#[test]
fn an_expired_authority_of_the_config_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = root();
    let authorities = authorities(folder.path(), &root.pem()).unwrap();
    assert_eq!(authorities.remarks(at(END)), []);
    let remarks = authorities.remarks(at(END + 1));
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert_eq!(remarks[0].message, "the authority \"CN=root\" expired on 2027-01-01");
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
    let trust = |usages: &[KeyUsagePurpose]| {
        let mut params = params("a", &["a.example"]);
        params.key_usages = usages.to_vec();
        judge(&root, &[issued(&params, &root)], "a.example").trust
    };
    assert_eq!(trust(&[KeyUsagePurpose::DigitalSignature]), Ok(()));
    assert_eq!(trust(&[KeyUsagePurpose::CrlSign]), Err(Distrust::Usage));
}

#[test]
fn what_is_wrong_with_the_authorities_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let error = |content: Option<&str>| {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        load(&S2s { authorities: Some(file.clone()), ..S2s::default() }).unwrap_err()
    };
    assert!(error(None).contains("ca.pem: No such file"));
    assert!(error(Some("nothing")).contains("ca.pem: the file has no certificate (expected PEM)"));
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(error(Some(junk)).contains("the certificate of an unknown subject cannot be used"));
}
