//! Tests handshakes in memory, with rustls as the client.

use std::fs;
use std::path::Path;

use rustls::pki_types::ServerName;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore,
    ServerConnection, SupportedProtocolVersion,
};

use super::*;

fn config(folder: &Path, text: &str) -> Config {
    Config::parse(&folder.join("spondee.toml"), text).unwrap()
}

struct Connected {
    client: ClientConnection,
    server: ServerConnection,
}

fn client(
    trusted: &CertifiedKey,
    version: &'static SupportedProtocolVersion,
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.end_entity_cert()?.clone().into_owned())?;
    // AES-256 is first, as in most clients.
    let provider = ring::default_provider();
    Ok(ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn connect(
    server: Arc<ServerConfig>,
    trusted: &CertifiedKey,
    name: &str,
    alpn: &[&str],
    version: &'static SupportedProtocolVersion,
) -> Result<Connected, rustls::Error> {
    let mut config = client(trusted, version)?;
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    handshake(Arc::new(config), server, name)
}

fn handshake(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
) -> Result<Connected, rustls::Error> {
    let mut client = ClientConnection::new(client, name)?;
    let mut server = ServerConnection::new(server)?;
    let mut bytes = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
        bytes.clear();
    }
    Ok(Connected { client, server })
}

const TLS12: &SupportedProtocolVersion = &rustls::version::TLS12;
const TLS13: &SupportedProtocolVersion = &rustls::version::TLS13;

#[test]
fn a_self_signed_certificate_is_made_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[host.\"a.example\"]\n[host.\"bücher.example\"]\n[component.\"10.0.0.1\"]";
    let first = Tls::load(&config(folder.path(), text)).unwrap();
    let certificate = first.certificate("a.example");
    for host in ["a.example", "bücher.example", "xn--bcher-kva.example", "10.0.0.1"] {
        assert!(covers(&certificate, host), "{host}");
    }
    assert!(!covers(&certificate, "b.example"));
    let again = Tls::load(&config(folder.path(), text)).unwrap();
    assert_eq!(again.certificate("a.example").cert, certificate.cert);
    let fewer = Tls::load(&config(folder.path(), "[host.\"a.example\"]")).unwrap();
    assert_eq!(fewer.certificate("a.example").cert, certificate.cert);
    let other = Tls::load(&config(folder.path(), "[host.\"b.example\"]")).unwrap();
    assert_ne!(other.certificate("b.example").cert, certificate.cert);
    let more = format!("{text}\n[component.\"irc.c.example\"]");
    let more = Tls::load(&config(folder.path(), &more)).unwrap();
    assert_eq!(more.certificate("a.example").cert, certificate.cert, "clients may trust it");
    assert!(covers(&more.certificate("irc.c.example"), "irc.c.example"));
    let again = config(folder.path(), "[host.\"a.example\"]\n[host.\"irc.c.example\"]");
    let again = Tls::load(&again).unwrap();
    let component = |tls: &Tls| tls.certificate("irc.c.example").cert.clone();
    assert_eq!(component(&again), component(&more));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = fs::metadata(folder.path().join("data/self-signed.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn every_host_shows_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // Two configs make self-signed certificates, which are loaded as files below.
    for name in ["one", "two"] {
        let made = config(folder.path(), &format!("data = \"{name}\"\n[host.\"{name}.example\"]"));
        Tls::load(&made).unwrap();
    }
    let files = |name: &str| {
        format!("certificate = \"{name}/self-signed.pem\"\nkey = \"{name}/self-signed.key\"\n")
    };
    let text = format!(
        "[tls]\n{}[host.\"one.example\"]\n[host.\"two.example\".tls]\n{}",
        files("one"),
        files("two")
    );
    let tls = Tls::load(&config(folder.path(), &text)).unwrap();
    assert!(!folder.path().join("data").exists());
    for host in ["one.example", "two.example"] {
        let certificate = tls.certificate(host);
        assert!(covers(&certificate, host));
        for version in [TLS12, TLS13] {
            connect(tls.direct(), &certificate, host, &[], version).unwrap();
            connect(tls.starttls("one.example"), &certificate, host, &[], version).unwrap();
        }
    }
    // A client that names an unknown host gets the stream's host, or the default.
    let other = |server| {
        let connected = connect(server, &tls.certificate("two.example"), "x.example", &[], TLS13);
        format!("{:?}", connected.map(drop).unwrap_err())
    };
    assert!(other(tls.starttls("two.example")).contains("NotValidForName"));
    assert!(other(tls.direct()).contains("UnknownIssuer"));
}

#[test]
fn each_stream_of_a_client_brings_a_ticket_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(&config(folder.path(), "")).unwrap();
    for version in [TLS12, TLS13] {
        let client = Arc::new(client(&tls.certificate("localhost"), version).unwrap());
        let kinds = [(); 3].map(|()| {
            let name = ServerName::try_from("localhost").unwrap();
            let connected = handshake(client.clone(), tls.starttls("localhost"), name).unwrap();
            connected.server.handshake_kind().unwrap()
        });
        use HandshakeKind::{Full, Resumed};
        assert_eq!(kinds, [Full, Resumed, Resumed], "{version:?}");
    }
}

#[test]
fn the_suite_is_the_cheap_one() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(&config(folder.path(), "[host.\"a.example\"]")).unwrap();
    let certificate = tls.certificate("a.example");
    let server = tls.starttls("a.example");
    for (version, chosen) in [
        (TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (TLS13, CipherSuite::TLS13_AES_128_GCM_SHA256),
    ] {
        let connected = connect(server.clone(), &certificate, "a.example", &[], version).unwrap();
        assert_eq!(connected.client.negotiated_cipher_suite().unwrap().suite(), chosen);
    }
}

#[test]
fn direct_tls_takes_xmpp_clients_only() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::load(&config(folder.path(), "")).unwrap();
    let certificate = tls.certificate("localhost");
    let alpn = |names: &[&str]| connect(tls.direct(), &certificate, "localhost", names, TLS13);
    assert_eq!(alpn(&["xmpp-client"]).unwrap().server.alpn_protocol(), Some(ALPN_CLIENT));
    assert_eq!(alpn(&[]).unwrap().server.alpn_protocol(), None);
    assert!(alpn(&["http/1.1"]).is_err());
    let starttls = tls.starttls("localhost");
    connect(starttls, &certificate, "localhost", &["xmpp-client"], TLS13).unwrap();
}

#[test]
fn what_is_wrong_with_files_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        Tls::load(&config(folder.path(), &format!("data = \"{name}\""))).unwrap();
    }
    fs::write(folder.path().join("empty.pem"), "nothing to see\n").unwrap();
    fs::write(folder.path().join("bad.pem"), "-----BEGIN PRIVATE KEY-----\n!!!\n").unwrap();
    let error = |certificate: &str, key: &str| {
        let text = format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"");
        Tls::load(&config(folder.path(), &text)).unwrap_err().to_string()
    };
    let (one, key) = ("one/self-signed.pem", "one/self-signed.key");
    assert!(
        error("none.pem", key).contains("none.pem: No such file"),
        "{}",
        error("none.pem", key)
    );
    assert!(error(one, "none.key").contains("none.key: No such file"));
    assert!(
        error("empty.pem", key).ends_with("empty.pem: the file has no certificate (expected PEM)")
    );
    assert!(
        error(one, "empty.pem").ends_with("empty.pem: the file has no private key (expected PEM)")
    );
    assert!(error(one, "bad.pem").ends_with("bad.pem: the private key in the file is damaged"));
    let mixed = error(one, "two/self-signed.key");
    assert!(mixed.contains("two/self-signed.key cannot be used with the certificate"), "{mixed}");
    assert!(mixed.ends_with("self-signed.pem: it is the key of another certificate"), "{mixed}");
    let binary = [0x30, 0x82, 0xff, 0x00];
    let modern =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES,00\n\nAAAA\n\
               -----END RSA PRIVATE KEY-----\n";
    let request = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let cases: [(&[u8], &str, &str); 5] = [
        (modern.as_bytes(), "are certificate and key swapped?", "is encrypted"),
        (old.as_bytes(), "are certificate and key swapped?", "is encrypted"),
        (request.as_bytes(), "a request for a certificate", "has no private key"),
        (ssh.as_bytes(), "are certificate and key swapped?", "a key for SSH"),
        (&binary, "openssl x509 -in FILE -out NEW", "openssl pkey -in FILE -out NEW"),
    ];
    for (content, of_certificate, of_key) in cases {
        fs::write(folder.path().join("odd.pem"), content).unwrap();
        let (said, expected) = (error("odd.pem", key), of_certificate);
        assert!(said.contains(expected), "{expected:?}: {said}");
        let (said, expected) = (error(one, "odd.pem"), of_key);
        assert!(said.contains(expected), "{expected:?}: {said}");
    }
    assert!(error(key, one).contains("swapped"), "{}", error(key, one));
    assert!(error(one, one).contains("swapped"), "{}", error(one, one));
}

#[test]
fn servers_show_their_certificates_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let text = format!("data = \"{name}\"\n[host.\"{name}.example\"]");
        Tls::load(&config(folder.path(), &text)).unwrap();
    }
    let load = |name: &str| {
        let text = format!("data = \"{name}\"\n[host.\"{name}.example\"]");
        Tls::load(&config(folder.path(), &text)).unwrap()
    };
    let (one, two) = (load("one"), load("two"));
    let meet = |server: Arc<ServerConfig>, is_direct| {
        let client = one.connector("one.example", is_direct).unwrap();
        handshake(client, server, server_name("two.example").unwrap()).unwrap()
    };
    let shown = |tls: &Tls, host: &str| Some(tls.certificate(host).cert.clone());
    let direct = meet(two.server_direct(), true);
    assert_eq!(direct.server.alpn_protocol(), Some(ALPN_SERVER));
    for connected in [direct, meet(two.server_starttls("two.example"), false)] {
        let seen =
            |all: Option<&[rustls::pki_types::CertificateDer<'static>]>| all.map(<[_]>::to_vec);
        assert_eq!(seen(connected.server.peer_certificates()), shown(&one, "one.example"));
        assert_eq!(seen(connected.client.peer_certificates()), shown(&two, "two.example"));
    }
    // Clients are not asked for a certificate, and their port refuses servers.
    let client = meet(two.starttls("two.example"), false);
    assert_eq!(client.server.peer_certificates(), None);
    let client = one.connector("one.example", true).unwrap();
    assert!(handshake(client, two.direct(), server_name("two.example").unwrap()).is_err());
}

#[test]
fn x25519_agrees_with_rings_and_refuses_what_is_no_key() {
    let ours = provider().kx_groups.clone();
    let ours = ours.iter().find(|group| group.name() == NamedGroup::X25519).unwrap();
    let (here, there) = (ours.start().unwrap(), ring::kx_group::X25519.start().unwrap());
    let (to_there, to_here) = (here.pub_key().to_vec(), there.pub_key().to_vec());
    let (here, there) = (here.complete(&to_here).unwrap(), there.complete(&to_there).unwrap());
    assert_eq!(here.secret_bytes(), there.secret_bytes());
    // RFC 7748 §6.1: with a point of small order, the secret would be all zeros.
    let mut small = [0; 32];
    for garbage in [&[][..], &[7; 31], &[7; 33], &small.clone()] {
        assert!(ours.start().unwrap().complete(garbage).is_err(), "{garbage:?}");
    }
    small[0] = 1;
    assert!(ours.start().unwrap().complete(&small).is_err());
}
