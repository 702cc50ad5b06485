//! The server's side of TLS with a scripted peer: the server delivers what the records contain, in
//! order, and says how the connection ended.
//!
//! The first byte chooses between bytes that are sent as they are, instead of a handshake, and a
//! handshake with TLS 1.3, after which the script makes the records: fragments, padding, key
//! updates, alerts, and others.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, LazyLock, Mutex},
};

use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk},
};
use rustls::{
    ClientConfig, ClientConnection, KeyLog, RootCertStore, ServerConfig,
    crypto::ring as provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use spondee::{config::Config, stream::testing::Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};

use crate::script::Script;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const DATA: u8 = 23;
/// The sum of the padding that a server must take.
const PADDING: usize = 512;

static SERVER: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spondee.toml");
    let text = "tls = { certificate = 'server.pem', key = 'server.key' }";
    let config = Config::parse(&file, text).unwrap();
    spondee::tls::Tls::prepare(&config).unwrap().direct()
});

thread_local! {
    /// One runtime for all runs, because the server's cryptography has a thread of its own.
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().build().unwrap();
}

/// What the peer's records say.
#[derive(Default)]
struct Said {
    data: Vec<u8>,
    /// The length of `data` when the first record came that a server may refuse.
    doubtful_from: Option<usize>,
    is_closed: bool,
}

impl Said {
    fn doubt(&mut self) {
        self.doubtful_from.get_or_insert(self.data.len());
    }

    fn say(&mut self, data: &[u8]) {
        if !self.is_closed {
            self.data.extend_from_slice(data);
        }
    }
}

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let (theirs, ours) = tokio::io::duplex(32 * 1024);
            match script.bool() {
                true => raw(script, theirs, ours).await,
                false => scripted(script, theirs, ours).await,
            }
        })
    });
}

/// Sends bytes that are not the handshake of a client that knows the server's key.
async fn raw(mut script: Script<'_>, theirs: DuplexStream, ours: DuplexStream) {
    let client = async move {
        let (mut from, mut to) = tokio::io::split(theirs);
        let writing = async move {
            for piece in script.pieces(script.0) {
                if to.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let _ = to.shutdown().await;
        };
        let mut answer = Vec::new();
        let (_, ()) = tokio::join!(from.read_to_end(&mut answer), writing);
    };
    let (accepted, ()) = tokio::join!(
        async {
            // Dropped at once, so that the client sees the end.
            Tls::accept(Arc::clone(&SERVER), ours).await.map(drop)
        },
        client
    );
    assert!(accepted.is_err(), "a handshake without keys succeeds");
}

/// What the server has received, and whether the end was announced; `None` if the handshake failed.
async fn serve(ours: DuplexStream) -> Option<(Vec<u8>, bool)> {
    let mut got = Vec::new();
    // Records that arrive with the end of the handshake are read with it.
    let mut tls = Tls::accept(Arc::clone(&SERVER), ours).await.ok()?;
    loop {
        let before = got.len();
        match tls.read(&mut got).await {
            Ok(0) => {
                assert_eq!(got.len(), before);
                let _ = tls.shutdown().await;
                return Some((got, true));
            }
            Ok(count) => {
                assert_eq!(got.len(), before + count);
                if tls.write_all(&got[before..]).await.is_err() {
                    return Some((got, false));
                }
            }
            Err(_) => {
                // After an error nothing more is received.
                assert!(tls.read(&mut got).await.is_err());
                assert_eq!(got.len(), before);
                return Some((got, false));
            }
        }
    }
}

async fn scripted(mut script: Script<'_>, theirs: DuplexStream, ours: DuplexStream) {
    let client = async {
        let (mut from, mut to) = tokio::io::split(theirs);
        let (send, receive) = handshake(&mut script, &mut from, &mut to).await;
        let mut answer = Vec::new();
        let (said, _) = tokio::join!(talk(&mut script, send, to), from.read_to_end(&mut answer));
        (said, echo(receive, &answer))
    };
    let (served, (said, echo)) = tokio::join!(serve(ours), client);
    let Some((got, is_closed)) = served else {
        assert!(said.doubtful_from.is_some(), "a sound handshake fails");
        return;
    };
    assert!(said.data.starts_with(&got), "data that nobody sent, or a gap");
    assert!(got.starts_with(&echo), "the server sent other data");
    match said.doubtful_from {
        Some(sure) => assert!(got.len() >= sure, "{} of {sure} bytes", got.len()),
        None => {
            assert_eq!(got.len(), said.data.len(), "not all data arrived");
            assert_eq!(is_closed, said.is_closed, "the end");
            assert!(!is_closed || echo == got, "{} of {} bytes sent", echo.len(), got.len());
        }
    }
}

/// Makes records until the end of the script.
async fn talk(script: &mut Script<'_>, mut keys: Keys, mut to: WriteHalf<DuplexStream>) -> Said {
    let mut said = Said::default();
    let mut padding = 0;
    // Several records may be sent as one piece.
    let mut records = Vec::new();
    while !script.is_done() {
        match script.byte() % 10 {
            0 => {
                let length = usize::from(script.byte()) << (script.byte() % 8);
                let data = vec![script.byte(); length.min(16_384)];
                records.extend(keys.seal(DATA, &data, 0));
                said.say(&data);
            }
            1 => {
                let (data, zeros) = (script.text(100), usize::from(script.byte()));
                padding += zeros;
                if padding > PADDING {
                    said.doubt();
                }
                records.extend(keys.seal(DATA, data.as_bytes(), zeros));
                said.say(data.as_bytes());
            }
            2 => {
                if said.is_closed {
                    continue;
                }
                let request = script.byte();
                if request > 1 {
                    said.doubt();
                }
                records.extend(keys.seal(HANDSHAKE, &[24, 0, 0, 1, request], 0));
                keys.update();
            }
            3 => {
                let (level, description) = (script.byte(), script.byte());
                records.extend(keys.seal(ALERT, &[level, description], 0));
                match (level, description) {
                    // `close_notify`
                    (1, 0) => said.is_closed = true,
                    _ => said.doubt(),
                }
            }
            4 => records.extend(keys.seal(script.byte(), &[], 0)),
            5 => {
                // Anything within a record.
                let kind = script.byte();
                let content = script.text(40);
                said.doubt();
                records.extend(keys.seal(kind, content.as_bytes(), 0));
            }
            6 => {
                said.doubt();
                let length = usize::from(script.byte());
                records.extend(script.take(length));
            }
            7 => {
                // A record that was changed on its way.
                said.doubt();
                let mut record = keys.seal(DATA, b"changed", 0);
                // The version in the header counts for nothing (RFC 8446 §5.1).
                let at = 3 + usize::from(script.byte()) % (record.len() - 3);
                record[at] ^= script.byte() | 1;
                records.extend(record);
            }
            8 => {
                let pieces = script.pieces(&records);
                for piece in pieces {
                    if to.write_all(piece).await.is_err() {
                        return said;
                    }
                    tokio::task::yield_now().await;
                }
                records.clear();
            }
            _ => {
                // The end of the record is missing.
                let record = keys.seal(DATA, b"half", 0);
                let length = usize::from(script.byte()) % record.len();
                records.extend(&record[..length]);
                break;
            }
        }
        if matches!(records.len(), 64_000..) {
            break;
        }
    }
    let _ = to.write_all(&records).await;
    let _ = to.shutdown().await;
    said
}

/// Performs the handshake, in pieces, and returns the keys of both directions.
async fn handshake(
    script: &mut Script<'_>,
    from: &mut ReadHalf<DuplexStream>,
    to: &mut WriteHalf<DuplexStream>,
) -> (Keys, Keys) {
    let secrets = Arc::new(Secrets::default());
    let mut config = ClientConfig::clone(&CLIENT);
    config.key_log = Arc::clone(&secrets) as Arc<dyn KeyLog>;
    let name = ServerName::try_from("localhost").unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records).unwrap();
        }
        for piece in script.pieces(&records) {
            to.write_all(piece).await.expect("the server takes the handshake");
            tokio::task::yield_now().await;
        }
        if !tls.is_handshaking() {
            break;
        }
        let count = from.read(&mut buffer).await.unwrap();
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            tls.read_tls(&mut rest).unwrap();
            tls.process_new_packets().expect("the server's handshake is sound");
        }
    }
    let secret = |label| secrets.0.lock().unwrap().remove(label).expect(label);
    (Keys::new(secret("CLIENT_TRAFFIC_SECRET_0")), Keys::new(secret("SERVER_TRAFFIC_SECRET_0")))
}

/// The data in the server's records.
fn echo(mut keys: Keys, mut records: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some((header, rest)) = records.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let Some((record, rest)) = rest.split_at_checked(length) else { break };
        records = rest;
        let (kind, content) = keys.open(*header, record);
        match kind {
            DATA => data.extend(content),
            HANDSHAKE if content.first() == Some(&24) => keys.update(),
            // Session tickets, and alerts.
            HANDSHAKE | ALERT => {}
            kind => panic!("a record of type {kind}"),
        }
    }
    data
}

/// The keys of one direction (RFC 8446 §7.3).
struct Keys {
    secret: Vec<u8>,
    key: LessSafeKey,
    nonce: [u8; 12],
    sequence: u64,
}

impl Keys {
    fn new(secret: Vec<u8>) -> Self {
        let key = UnboundKey::new(&AES_128_GCM, &expand(&secret, "key", 16)).unwrap();
        let nonce = expand(&secret, "iv", 12).try_into().unwrap();
        Self { secret, key: LessSafeKey::new(key), nonce, sequence: 0 }
    }

    fn update(&mut self) {
        *self = Self::new(expand(&self.secret, "traffic upd", 32));
    }

    fn next_nonce(&mut self) -> Nonce {
        let mut nonce = self.nonce;
        let sequence = self.sequence.to_be_bytes();
        nonce[4..].iter_mut().zip(sequence).for_each(|(byte, other)| *byte ^= other);
        self.sequence += 1;
        Nonce::assume_unique_for_key(nonce)
    }

    /// A record (RFC 8446 §5.2).
    fn seal(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let mut inner = [content, &[kind]].concat();
        inner.resize(inner.len() + padding, 0);
        let length = u16::try_from(inner.len() + AES_128_GCM.tag_len()).unwrap().to_be_bytes();
        let header = [DATA, 3, 3, length[0], length[1]];
        let nonce = self.next_nonce();
        self.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut inner).unwrap();
        [&header[..], &inner].concat()
    }

    fn open(&mut self, header: [u8; 5], record: &[u8]) -> (u8, Vec<u8>) {
        let mut record = record.to_vec();
        let nonce = self.next_nonce();
        let opened = self.key.open_in_place(nonce, Aad::from(header), &mut record);
        let inner = opened.expect("the server's record is sound");
        let at = inner.iter().rposition(|byte| *byte != 0).expect("a record has a type");
        (inner[at], inner[..at].to_vec())
    }
}

/// HKDF-Expand-Label (RFC 8446 §7.1).
fn expand(secret: &[u8], label: &str, length: u8) -> Vec<u8> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let label = format!("tls13 {label}");
    let info = [&[0, length, label.len() as u8], label.as_bytes(), &[0]].concat();
    let mut out = vec![0; length.into()];
    let prk = Prk::new_less_safe(HKDF_SHA256, secret);
    prk.expand(&[&info], Length(length.into())).unwrap().fill(&mut out).unwrap();
    out
}

/// The secrets of a connection, by their labels.
#[derive(Debug, Default)]
struct Secrets(Mutex<HashMap<String, Vec<u8>>>);

impl KeyLog for Secrets {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        self.0.lock().unwrap().insert(label.to_owned(), secret.to_vec());
    }
}

static CLIENT: LazyLock<ClientConfig> = LazyLock::new(|| {
    let mut provider = provider::default_provider();
    provider.cipher_suites = vec![provider::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let pem = include_str!("../fixtures/server.pem");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
});
