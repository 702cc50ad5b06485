//! Certificate revocation lists.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use super::{Issuer, NOW, at, ca, load, params};
use crate::config::S2s;
use crate::s2s::certificate::Distrust;

/// An authority that may sign lists.
pub(super) fn authority(name: &str) -> CertificateParams {
    let mut params = ca(name);
    params.key_usages.push(KeyUsagePurpose::CrlSign);
    params
}

fn root() -> Issuer {
    CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap()
}

pub(super) fn numbered(mut params: CertificateParams, serial: u64) -> CertificateParams {
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

/// A list of an authority, made at the first day of a month of 2026 and for that month.
pub(super) fn list(issuer: &Issuer, month: u8, serials: &[u64]) -> String {
    let revoked = serials.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 1, 2),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, month, 1),
        next_update: date_time_ymd(2026, month + 1, 1),
        crl_number: SerialNumber::from(u64::from(month)),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().pem().unwrap()
}

struct Lab {
    folder: tempfile::TempDir,
    root: Issuer,
    middle: Issuer,
}

impl Lab {
    fn new() -> Self {
        let root = root();
        let middle = numbered(authority("middle"), 50);
        let key = KeyPair::generate().unwrap();
        let middle = CertifiedIssuer::signed_by(middle, key, &root).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), root, middle }
    }

    fn config(&self, lists: &[String]) -> S2s {
        let write = |name: String, text: &str| {
            let path = self.folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let crls = lists.iter().enumerate().map(|(at, list)| write(format!("{at}.crl"), list));
        S2s {
            crls: crls.collect(),
            authorities: Some(write("ca.pem".to_owned(), &self.root.pem())),
            ..S2s::default()
        }
    }

    /// The chain of a certificate of the authority in the middle.
    fn chain(&self, serial: u64) -> [CertificateDer<'static>; 2] {
        let leaf = numbered(params("a", &["a.example"]), serial);
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &self.middle).unwrap();
        [leaf.der().clone(), self.middle.der().clone()]
    }

    fn trust(&self, lists: &[String], serial: u64) -> Result<(), Distrust> {
        let trusted = load(&self.config(lists)).unwrap();
        trusted.judge(&self.chain(serial), "a.example", at(NOW)).trust
    }
}

#[test]
fn what_a_list_has_is_refused() {
    let lab = Lab::new();
    let lists = [list(&lab.middle, 9, &[7, 8])];
    assert_eq!(lab.trust(&lists, 7), Err(Distrust::Revoked));
    assert_eq!(lab.trust(&lists, 9), Ok(()));
    // No list of the authority: nothing is known, and nothing is refused.
    let lists = [list(&root(), 9, &[7])];
    assert!(lab.trust(&lists, 7).is_err(), "a list with the name of the root and another key");
    assert_eq!(lab.trust(&[list(&lab.root, 9, &[7])], 7), Ok(()));
    assert_eq!(lab.trust(&[], 7), Ok(()));
}

#[test]
fn a_revoked_authority_vouches_for_nobody() {
    let lab = Lab::new();
    assert_eq!(lab.trust(&[list(&lab.root, 9, &[50])], 7), Err(Distrust::Revoked));
}

#[test]
fn lists_may_share_a_file_and_the_newest_counts() {
    let lab = Lab::new();
    let (old, new) = (list(&lab.middle, 8, &[]), list(&lab.middle, 9, &[7]));
    for lists in [
        vec![old.clone(), new.clone()],
        vec![new.clone(), old.clone()],
        vec![format!("{old}{new}")],
        vec![format!("{new}{}{old}", lab.root.pem())],
    ] {
        assert_eq!(lab.trust(&lists, 7), Err(Distrust::Revoked), "{lists:?}");
    }
}

#[test]
fn an_expired_list_is_used_and_told() {
    let lab = Lab::new();
    let lists = [list(&lab.middle, 3, &[7])];
    assert_eq!(lab.trust(&lists, 7), Err(Distrust::Revoked));
    assert_eq!(lab.trust(&lists, 9), Ok(()));
    let remarks = load(&lab.config(&lists)).unwrap().remarks(at(NOW));
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert_eq!(remarks[0].key, "s2s.crls");
    let expected = "0.crl: the revocation list of \"CN=middle\" expired on 2026-04-01";
    assert!(remarks[0].message.ends_with(expected), "{remarks:?}");
    assert_eq!(load(&lab.config(&[list(&lab.middle, 9, &[])])).unwrap().remarks(at(NOW)), []);
}

#[test]
fn what_is_wrong_with_a_list_is_said() {
    let lab = Lab::new();
    let error = |text: &str| load(&lab.config(&[text.to_owned()])).unwrap_err();
    let text = error("nothing");
    assert!(text.starts_with("s2s.crls: "), "{text}");
    assert!(text.contains("0.crl: the file has no revocation list (expected PEM)"), "{text}");
    assert!(error(&lab.root.pem()).contains("has no revocation list"));
    let junk = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    assert!(error(junk).contains("the revocation list cannot be used: "));
    assert!(error("-----BEGIN X509 CRL-----\n!").contains("is damaged"));
    let mut config = lab.config(&[]);
    config.crls = vec![lab.folder.path().join("none.crl")];
    assert!(load(&config).unwrap_err().contains("none.crl: No such file"));
}

#[test]
fn lists_of_an_authority_that_may_not_sign_them_refuse_its_certificates() {
    let mut lab = Lab::new();
    let key = KeyPair::generate().unwrap();
    let silent = CertifiedIssuer::signed_by(ca("middle"), key, &lab.root).unwrap();
    let mut params = ca("middle");
    params.key_usages.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::from_pem(&silent.key().serialize_pem()).unwrap();
    let signer = CertifiedIssuer::self_signed(params, key).unwrap();
    let lists = [list(&signer, 9, &[])];
    lab.middle = silent;
    assert!(matches!(lab.trust(&lists, 7), Err(Distrust::Invalid(_))));
}
