//! Several servers that connect to each other by routes and share a private certificate authority,
//! and scripted peers.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer,
    KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
};
use rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
};

use crate::{
    TIMEOUT,
    server::{Server, command},
};

/// The settings and certificates that the servers of a test share.
#[derive(Debug)]
pub struct Lab {
    issuer: Issuer<'static, KeyPair>,
    authority: String,
    /// Lines for `[s2s]` of every server.
    pub s2s: String,
}

/// The declaration of the dialback namespace in stream headers.
const DIALBACK: &str = "jabber:server:dialback";

impl Lab {
    /// A private authority, and servers that use SASL EXTERNAL.
    pub fn external() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), authority, s2s: String::new() }
    }

    /// Servers that do not trust each other's authority, and use dialback.
    pub fn dialback() -> Self {
        let mut lab = Self::external();
        lab.authority = Self::external().authority;
        lab.s2s = "dialback = true".into();
        lab
    }

    /// A certificate of the authority: the chain and the key, as PEM.
    pub fn certificate(&self, name: &str) -> (String, String) {
        self.certificate_with(name, |_| {})
    }

    fn certificate_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// An expired certificate.
    pub fn expired(&self, name: &str) -> (String, String) {
        self.certificate_with(name, |params| {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }

    /// A certificate of the authority, and the list (PEM) with which the authority revokes it.
    pub fn revoked(&self, name: &str) -> ((String, String), String) {
        let serial = SerialNumber::from(7_u64);
        let certificate =
            self.certificate_with(name, |params| params.serial_number = Some(serial.clone()));
        let revoked = RevokedCertParams {
            serial_number: serial,
            revocation_time: rcgen::date_time_ymd(2001, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2001, 1, 1),
            next_update: rcgen::date_time_ymd(2002, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        (certificate, list.signed_by(&self.issuer).unwrap().pem().unwrap())
    }

    /// A self-signed certificate.
    pub fn self_signed(name: &str) -> (String, String) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Starts a server for a domain, with routes to the other domains.
    pub fn server(&self, place: &Place, others: &[&Place]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (chain, key) = self.certificate(place.domain);
        fs::write(path.join("ca.pem"), &self.authority).unwrap();
        fs::write(path.join("chain.pem"), chain).unwrap();
        fs::write(path.join("key.pem"), key).unwrap();
        let listen = |kind: &str, address: String| {
            format!("[[listen]]\nkind = \"{kind}\"\naddress = \"{address}\"\n")
        };
        let routes: String = others
            .iter()
            .map(|other| format!("{:?} = \"{}\"\n", other.domain, other.s2s))
            .collect();
        let config = format!(
            "data = \"data\"\n{}{}{}\
             [tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n\
             [host.{domain:?}]\nmodules = [\"+recorder\"]\nallow_plaintext = true\n\
             [host.{domain:?}.module.recorder]\nfile = {records:?}\n\
             [s2s]\nauthorities = \"ca.pem\"\ndns = \"127.0.0.1:1\"\n{}\n[s2s.routes]\n{routes}",
            listen("c2s", "127.0.0.1:0".into()),
            listen("c2s-tls", "127.0.0.1:0".into()),
            listen("s2s", place.s2s.to_string()),
            self.s2s,
            domain = place.domain,
            records = path.join("records"),
        );
        fs::write(path.join("records"), "").unwrap();
        fs::write(path.join("spondee.toml"), config).unwrap();
        accounts(path, place.domain);
        Server::run(folder)
    }
}

fn accounts(folder: &Path, domain: &str) {
    let list = folder.join("accounts.csv");
    let lines = crate::server::ACCOUNTS.map(|name| format!("{name}@{domain},{name}\n"));
    fs::write(&list, lines.concat()).unwrap();
    let imported = command(folder).args(["user", "import"]).arg(&list).output().unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
}

/// A domain and the address of its server port.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The domain.
    pub domain: &'static str,
    /// The address in the loopback network. No other place uses it.
    pub s2s: SocketAddr,
}

impl Place {
    /// Reserves an unused address.
    pub fn new(domain: &'static str) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let [.., high, low] = std::process::id().to_be_bytes();
        let ip = Ipv4Addr::new(127, high | 1, low, NEXT.fetch_add(1, Ordering::Relaxed));
        Self { domain, s2s: (ip, 5269).into() }
    }
}

trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// A scripted peer of a stream between servers.
pub struct Peer {
    wire: Box<dyn Wire>,
    pending: String,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({:?})", self.pending)
    }
}

/// The header of a stream between servers.
pub fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='{DIALBACK}' \
         xmlns:stream='http://etherx.jabber.org/streams' from='{from}' to='{to}' version='1.0'>"
    )
}

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";

impl Peer {
    /// Connects to a server and opens a stream over TLS, with or without a certificate. Returns the
    /// features.
    pub fn connect(
        from: &str,
        place: &Place,
        certificate: Option<(String, String)>,
    ) -> (Self, String) {
        let mut tcp = TcpStream::connect(place.s2s).unwrap();
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut plain = Self { wire: Box::new(tcp.try_clone().unwrap()), pending: String::new() };
        plain.send(&header(from, place.domain));
        plain.wait("</stream:features>");
        plain.send(&format!("<starttls xmlns='{TLS}'/>"));
        plain.wait("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody));
        let config = match certificate {
            Some(certificate) => {
                let (chain, key) = der(&certificate);
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from(place.domain).unwrap();
        let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
        tls.complete_io(&mut tcp).unwrap();
        let mut peer = Self { wire: Box::new(StreamOwned::new(tls, tcp)), pending: String::new() };
        peer.send(&header(from, place.domain));
        let features = peer.wait_any(&["</stream:features>", "</stream:stream>"]);
        (peer, features)
    }

    /// Connects as [`Peer::connect`] and authenticates with SASL EXTERNAL.
    pub fn authenticated(from: &str, place: &Place, certificate: (String, String)) -> Self {
        let (mut peer, features) = Self::connect(from, place, Some(certificate));
        assert!(features.contains("EXTERNAL"), "{features}");
        peer.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
        peer.wait("<success");
        peer.send(&header(from, place.domain));
        peer.wait("</stream:features>");
        peer
    }

    /// Accepts a server's connection to `listener`, answers its header, and negotiates TLS, up to the
    /// server's second header.
    pub fn accept(
        listener: &TcpListener,
        from: &str,
        to: &str,
        certificate: &(String, String),
    ) -> Self {
        let (mut tcp, _) = listener.accept().unwrap();
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut plain = Self { wire: Box::new(tcp.try_clone().unwrap()), pending: String::new() };
        plain.answer(from, to, &format!("<starttls xmlns='{TLS}'><required/></starttls>"));
        plain.wait("<starttls");
        plain.wait(">");
        plain.send(&format!("<proceed xmlns='{TLS}'/>"));
        let (chain, key) = der(certificate);
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        tls.complete_io(&mut tcp).unwrap();
        Self { wire: Box::new(StreamOwned::new(tls, tcp)), pending: String::new() }
    }

    /// Waits for a stream header and answers with a header and these features.
    pub fn answer(&mut self, from: &str, to: &str, features: &str) {
        self.wait("<stream:stream ");
        self.wait(">");
        let header = header(from, to).replace("version='1.0'>", "id='the-id' version='1.0'>");
        self.send(&format!("{header}<stream:features>{features}</stream:features>"));
    }

    /// Sends text. A closed connection is no failure, because its input can still be read.
    pub fn send(&mut self, text: &str) {
        let sent = self.wire.write_all(text.as_bytes()).and_then(|()| self.wire.flush());
        if let Err(error) = sent {
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
        }
    }

    /// Reads until `end`, and returns the text up to and including `end`.
    pub fn wait(&mut self, end: &str) -> String {
        self.wait_any(&[end])
    }

    /// Reads until one of `ends`, and returns the text up to and including it.
    pub fn wait_any(&mut self, ends: &[&str]) -> String {
        loop {
            let found = ends.iter().find_map(|end| Some(self.pending.find(end)? + end.len()));
            if let Some(at) = found {
                let rest = self.pending.split_off(at);
                return std::mem::replace(&mut self.pending, rest);
            }
            let mut buffer = [0; 4096];
            match self.wire.read(&mut buffer) {
                Ok(length @ 1..) => {
                    self.pending.push_str(&String::from_utf8_lossy(&buffer[..length]));
                }
                end => panic!("{end:?}: none of {ends:?} in: {}", self.pending),
            }
        }
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn der((chain, key): &(String, String)) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    use rustls::pki_types::pem::PemObject;
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>();
    (chain.unwrap(), PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
}

/// Accepts any certificate, because these tests do not check the server's certificate.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
