//! Tests SASL with the `sasl` crate as the client: every mechanism, with and without channel
//! binding, over TLS.
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, Mac};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use sasl::{
    client::{Mechanism, mechanisms::Scram},
    common::{
        ChannelBinding, Password,
        scram::{DeriveError, ScramProvider, Sha1, Sha256},
    },
};
use sha2::Digest;
use spondee_tests::{TIMEOUT, client::tls_config, raw::header, server::Server};

/// The library implements SCRAM up to SHA-256, but accepts other hashes.
struct Sha512;

impl ScramProvider for Sha512 {
    type Secret = sasl::secret::Pbkdf2Sha256;

    fn name() -> &'static str {
        "SHA-512"
    }

    fn hash(data: &[u8]) -> Vec<u8> {
        sha2::Sha512::digest(data).to_vec()
    }

    fn hmac(data: &[u8], key: &[u8]) -> Result<Vec<u8>, hmac::digest::InvalidLength> {
        let mut mac = <Hmac<sha2::Sha512>>::new_from_slice(key)?;
        mac.update(data);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    fn derive(password: &Password, salt: &[u8], iterations: u32) -> Result<Vec<u8>, DeriveError> {
        let Password::Plain(password) = password else { panic!("the password must be plain text") };
        let mut salted = vec![0; 64];
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password.as_bytes(), salt, iterations, &mut salted);
        Ok(salted)
    }
}

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// A TLS stream, after the features were received.
struct Secure {
    stream: StreamOwned<ClientConnection, TcpStream>,
    features: String,
}

impl Secure {
    fn open(server: &Server) -> Self {
        let config = tls_config(server.roots(), true);
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect(server.c2s_tls).unwrap();
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        let mut secure =
            Self { stream: StreamOwned::new(connection, tcp), features: String::new() };
        secure.send(&header("localhost"));
        secure.features = secure.wait("</stream:features>");
        assert_eq!(secure.stream.conn.alpn_protocol(), Some(&b"xmpp-client"[..]));
        secure
    }

    fn exporter(&self) -> Vec<u8> {
        let label = b"EXPORTER-Channel-Binding";
        self.stream.conn.export_keying_material(vec![0; 32], label, Some(&[])).unwrap()
    }

    fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
        self.stream.flush().unwrap();
    }

    fn wait(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            text.push(char::from(byte[0]));
        }
        text
    }

    /// Reads the next element of the exchange and returns its name and decoded text.
    fn step(&mut self) -> (String, Vec<u8>) {
        let mut text = self.wait(">");
        let name = text[1..].split([' ', '>', '/']).next().unwrap().to_owned();
        if !text.ends_with("/>") {
            text.push_str(&self.wait(&format!("</{name}>")));
        }
        let content = text.split('>').nth(1).unwrap_or_default().split('<').next().unwrap();
        (
            name,
            if content.is_empty() || content == "=" {
                Vec::new()
            } else {
                BASE64.decode(content).unwrap_or_default()
            },
        )
    }

    fn begin(&mut self, mechanism: &mut dyn Mechanism, name: &str) {
        let initial = BASE64.encode(mechanism.initial());
        self.send(&format!("<auth xmlns='{SASL}' mechanism='{name}'>{initial}</auth>"));
    }

    fn respond(&mut self, mechanism: &mut dyn Mechanism, data: &[u8]) -> Result<(), String> {
        let response = mechanism.response(data).map_err(|error| error.to_string())?;
        let response = BASE64.encode(response);
        self.send(&format!("<response xmlns='{SASL}'>{response}</response>"));
        Ok(())
    }

    /// Runs a mechanism to its end. `Ok` when both server and client succeed.
    fn run(&mut self, mechanism: &mut dyn Mechanism, name: &str) -> Result<(), String> {
        self.begin(mechanism, name);
        loop {
            match self.step() {
                (element, data) if element == "challenge" => self.respond(mechanism, &data)?,
                (element, data) if element == "success" => {
                    return mechanism.success(&data).map_err(|error| error.to_string());
                }
                (element, _) => return Err(element),
            }
        }
    }
}

fn client(hash: &str, password: &str, binding: ChannelBinding) -> Box<dyn Mechanism> {
    match hash {
        "SHA-1" => Box::new(Scram::<Sha1>::new("romeo", password, binding).unwrap()),
        "SHA-256" => Box::new(Scram::<Sha256>::new("romeo", password, binding).unwrap()),
        _ => Box::new(Scram::<Sha512>::new("romeo", password, binding).unwrap()),
    }
}

#[test]
fn scram_succeeds_with_each_hash_with_and_without_channel_binding() {
    let server = Server::start();
    for hash in ["SHA-1", "SHA-256", "SHA-512"] {
        let mut plain = Secure::open(&server);
        for name in [format!("SCRAM-{hash}"), format!("SCRAM-{hash}-PLUS")] {
            assert!(
                plain.features.contains(&format!("<mechanism>{name}</mechanism>")),
                "{}",
                plain.features
            );
        }
        let name = format!("SCRAM-{hash}");
        plain.run(&mut *client(hash, "romeo", ChannelBinding::None), &name).unwrap();

        let mut bound = Secure::open(&server);
        let binding = ChannelBinding::TlsExporter(bound.exporter());
        bound.run(&mut *client(hash, "romeo", binding), &format!("{name}-PLUS")).unwrap();

        let mut wrong = Secure::open(&server);
        let binding = ChannelBinding::TlsExporter(wrong.exporter());
        let refused = wrong.run(&mut *client(hash, "wrong", binding), &format!("{name}-PLUS"));
        assert_eq!(refused.unwrap_err(), "failure");
    }
}

#[test]
fn an_exchange_that_a_password_change_overtakes_fails() {
    let server = Server::start();
    let mut secure = Secure::open(&server);
    let mut client = client("SHA-256", "romeo", ChannelBinding::None);
    secure.begin(&mut *client, "SCRAM-SHA-256");
    let (element, challenge) = secure.step();
    assert_eq!(element, "challenge");
    let mut command = server.command();
    command.args(["user", "passwd", "romeo@localhost", "--password-stdin"]);
    let mut passwd = command.stdin(Stdio::piped()).spawn().unwrap();
    passwd.stdin.take().unwrap().write_all(b"new\n").unwrap();
    assert!(passwd.wait().unwrap().success());
    secure.respond(&mut *client, &challenge).unwrap();
    assert_eq!(secure.step().0, "failure");
}

#[test]
fn channel_binding_data_of_another_connection_is_refused() {
    let server = Server::start();
    let (mut here, there) = (Secure::open(&server), Secure::open(&server));
    let binding = ChannelBinding::TlsExporter(there.exporter());
    let refused = here.run(&mut *client("SHA-256", "romeo", binding), "SCRAM-SHA-256-PLUS");
    assert_eq!(refused.unwrap_err(), "failure");
}

#[test]
fn a_channel_binding_downgrade_is_refused() {
    let server = Server::start();
    let mut secure = Secure::open(&server);
    // The client supports channel binding, but an attacker removed the -PLUS mechanisms.
    let mut client = client("SHA-256", "romeo", ChannelBinding::Unsupported);
    assert_eq!(secure.run(&mut *client, "SCRAM-SHA-256").unwrap_err(), "failure");
}

#[test]
fn failures_have_the_conditions_of_the_rfc() {
    let server = Server::start();
    for (element, condition) in [
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NOPE'/>", "invalid-mechanism"),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>!</auth>",
            "incorrect-encoding",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AAAA</auth>",
            "malformed-request",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHdyb25n</auth>",
            "not-authorized",
        ),
        // Romeo authenticates to act as juliet.
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>anVsaWV0QGxvY2FsaG9zdAByb21lbwByb21lbw==</auth>",
            "invalid-authzid",
        ),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1yb21lbw==</auth>",
            "malformed-request",
        ),
        ("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "aborted"),
    ] {
        let mut secure = Secure::open(&server);
        secure.send(element);
        let failure = secure.wait("</failure>");
        assert!(failure.contains(&format!("<{condition}")), "{condition} for {element}: {failure}");
    }
}

#[test]
fn no_mechanism_is_offered_before_tls() {
    let server = Server::start();
    let mut raw = spondee_tests::raw::Raw::connect(&server);
    raw.send(&header("localhost"));
    let features = raw.wait("</stream:features>");
    assert!(features.contains("<required/>") && !features.contains("mechanism"), "{features}");
    raw.send(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHJvbWVv</auth>",
    );
    let failure = raw.wait("</failure>");
    assert!(failure.contains("<encryption-required"), "{failure}");
}
