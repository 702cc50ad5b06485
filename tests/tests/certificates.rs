//! The certificates of other servers: pins, revocation lists, and what the log says.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{fs, net::TcpListener, process::Stdio};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};
use spondee_tests::{
    federation::{Lab, Peer, Place},
    raw::Raw,
    server::Server,
};

fn fingerprint(pem: &str) -> String {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let digits: Vec<String> =
        Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect();
    format!("sha256:{}", digits.join(":"))
}

/// The end of a stream that is refused at once.
fn refused(from: &str, place: &Place, certificate: (String, String)) {
    let (mut peer, features) = Peer::connect(from, place, Some(certificate));
    assert!(!features.contains("EXTERNAL"), "{features}");
    let is_over = features.contains("</stream:stream>");
    let end = if is_over { features } else { peer.wait("</stream:stream>") };
    assert!(end.contains("<not-authorized "), "{end}");
}

/// The log's line about a refused certificate.
fn wait_refusal(server: &mut Server, domain: &str, reason: &str) -> String {
    let domain = format!("domain=\"{domain}\"");
    server.wait_log(|line| line.contains(&domain) && line.contains(reason))
}

#[test]
fn a_pinned_domain_is_proved_by_its_pins_alone() {
    let (place, other) = (Place::new("one.example"), Place::new("other.example"));
    let mut lab = Lab::external();
    // Its certificate is for another name, and no authority's.
    let pinned = Lab::self_signed("elsewhere.example");
    lab.s2s = format!(
        "dialback = true\npins = {{ \"other.example\" = [\"{}\"] }}",
        fingerprint(&pinned.0)
    );
    let mut server = lab.server(&place, &[&other]);
    Peer::authenticated("other.example", &place, pinned.clone());
    // Neither the authority nor dialback proves it.
    refused("other.example", &place, lab.certificate("other.example"));
    let line = wait_refusal(&mut server, "other.example", "none of the domain's pins");
    for part in [" INFO ", "peer=127.", "direction=\"in\"", "dialback=false", "sha256:"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // Other domains are as before.
    Peer::authenticated("third.example", &place, lab.certificate("third.example"));
    let (_peer, features) = Peer::connect("fourth.example", &place, Some(pinned));
    assert!(!features.contains("EXTERNAL"), "{features}");
    assert!(features.contains("urn:xmpp:features:dialback"), "{features}");
    let line = wait_refusal(&mut server, "fourth.example", "is self-signed");
    assert!(line.contains("dialback=true"), "{line}");

    // Nor is a stanza sent to a server with another certificate.
    let listener = TcpListener::bind(other.s2s).unwrap();
    let mut romeo = Raw::login_at(&server, "romeo", "one.example", "r");
    romeo.send("<message to='a@other.example' id='m1'><body>secret</body></message>");
    let certificate = lab.certificate("other.example");
    let mut asked = Peer::accept(&listener, "other.example", "one.example", &certificate);
    asked.answer("other.example", "one.example", "<dialback xmlns='urn:xmpp:features:dialback'/>");
    let error = romeo.wait("</message>");
    assert!(error.contains("type='error'"), "{error}");
    server.wait_log(|line| {
        line.contains("none of the domain's pins") && line.contains("direction=\"out\"")
    });
    assert!(!asked.wait("</stream:stream>").contains("secret"));
}

#[test]
fn a_refusal_is_told_once_for_a_stream() {
    let place = Place::new("one.example");
    let lab = Lab::external();
    let mut server = lab.server(&place, &[]);
    refused("other.example", &place, lab.certificate("wrong.example"));
    wait_refusal(&mut server, "other.example", "is made out to \\\"wrong.example\\\"");
    refused("last.example", &place, lab.expired("last.example"));
    wait_refusal(&mut server, "last.example", "the certificate expired on 2002-01-01");
    let lines = server.log_so_far().iter().filter(|line| line.contains("does not prove"));
    assert_eq!(lines.count(), 2);
}

#[test]
fn a_reload_applies_revocation_lists_to_new_streams() {
    let place = Place::new("one.example");
    let lab = Lab::external();
    let mut server = lab.server(&place, &[]);
    let (certificate, list) = lab.revoked("other.example");
    let _open = Peer::authenticated("other.example", &place, certificate.clone());
    let config = server.config();
    fs::write(config.with_file_name("list.pem"), list).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[s2s]\n", "[s2s]\ncrls = [\"list.pem\"]\n")).unwrap();
    let reloaded = server.command().arg("reload").stdout(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(reloaded.stdout).unwrap();
    assert!(said.contains("applied: s2s: authorities, pins or crls changed"), "{said}");
    assert!(said.contains("list.pem: the revocation list of "), "{said}");
    assert!(said.contains("expired on 2002-01-01"), "{said}");
    refused("other.example", &place, certificate);
    wait_refusal(&mut server, "other.example", "is revoked");
    // Others of the same authority are as before.
    Peer::authenticated("third.example", &place, lab.certificate("third.example"));
}
