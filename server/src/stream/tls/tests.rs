//! Tests with tokio-rustls as the other side, which does not use unbuffered connections.

use std::future::poll_fn;

use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use rustls::{
    ClientConfig, ConnectionTrafficSecrets, RootCertStore, SupportedProtocolVersion,
    crypto::ring as provider,
    pki_types::{PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

/// Performs the handshake of the server.
async fn accept(config: Arc<ServerConfig>, socket: TcpStream) -> io::Result<Box<ServerTls>> {
    let address = socket.peer_addr()?.ip();
    ServerTls::accept(config, socket, &Arc::default(), address, |_| true).await
}

type Client = TlsStream<TcpStream>;

/// A server's configuration, and the roots of a client that trusts the server's certificate.
fn configs() -> (Arc<ServerConfig>, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    (Arc::new(server.with_single_cert(vec![certificate], key).unwrap()), roots)
}

async fn connect(
    server: Arc<ServerConfig>,
    roots: RootCertStore,
    version: &'static SupportedProtocolVersion,
) -> (io::Result<Box<ServerTls>>, io::Result<Client>) {
    let mut client = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.enable_secret_extraction = true;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    tokio::join!(accept(server, accepted), connector.connect(name, socket))
}

async fn pair(version: &'static SupportedProtocolVersion) -> (Box<ServerTls>, Client) {
    let (config, roots) = configs();
    let (server, client) = connect(config, roots, version).await;
    (server.unwrap(), client.unwrap())
}

async fn read(server: &mut ServerTls, into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| {
        server.take_cost();
        server.poll_read(cx, into)
    })
    .await
}

async fn write_all(server: &mut ServerTls, bytes: &[u8]) {
    let mut written = 0;
    while written < bytes.len() {
        written += poll_fn(|cx| server.poll_write(cx, &bytes[written..])).await.unwrap();
    }
    poll_fn(|cx| server.poll_flush(cx)).await.unwrap();
}

#[tokio::test]
async fn both_sides_export_the_same() {
    let (server, client) = pair(&TLS13).await;
    let label = b"EXPORTER-Channel-Binding";
    let theirs = client.get_ref().1.export_keying_material([0; 32], label, Some(b"")).unwrap();
    assert_eq!(server.exporter(), Some(theirs));
    let (server, _client) = pair(&TLS12).await;
    assert_eq!(server.exporter(), None);
}

#[tokio::test]
async fn much_goes_both_ways_at_once() {
    for version in [&TLS12, &TLS13] {
        let (mut server, client) = pair(version).await;
        let (mut from, mut to) = tokio::io::split(client);
        let sent: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
        let ours = async {
            let mut got = Vec::new();
            while got.len() < sent.len() {
                let before = got.len();
                let count = read(&mut server, &mut got).await.unwrap();
                assert_eq!(got.len(), before + count);
                // Sends the received bytes back.
                let bytes = got[before..].to_vec();
                write_all(&mut server, &bytes).await;
            }
            poll_fn(|cx| server.poll_shutdown(cx)).await.unwrap();
            assert_eq!(server.plain.capacity() + server.outgoing.capacity(), 0);
            got
        };
        let theirs = async {
            // The pieces do not match the server's records.
            for piece in sent.chunks(997) {
                to.write_all(piece).await.unwrap();
            }
            to.flush().await.unwrap();
        };
        let back = async {
            let mut back = Vec::new();
            from.read_to_end(&mut back).await.unwrap();
            back
        };
        let (got, (), back) = tokio::join!(ours, theirs, back);
        assert!(got == sent && back == sent);
    }
}

#[tokio::test]
async fn nothing_is_kept_while_nothing_comes() {
    let (mut server, mut client) = pair(&TLS13).await;
    client.write_all(b"hello").await.unwrap();
    client.flush().await.unwrap();
    let mut got = Vec::new();
    read(&mut server, &mut got).await.unwrap();
    assert_eq!(got, b"hello");
    let waits = poll_fn(|cx| Poll::Ready(server.poll_read(cx, &mut got))).await;
    assert!(waits.is_pending());
    let kept = [&server.incoming, &server.plain, &server.outgoing].map(Vec::capacity);
    assert_eq!(kept, [0; 3]);
}

#[tokio::test]
async fn an_end_that_was_announced_is_told_from_one_that_was_not() {
    let (mut server, mut client) = pair(&TLS13).await;
    client.write_all(b"bye").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    assert_eq!(read(&mut server, &mut got).await.unwrap(), 3);
    assert_eq!(read(&mut server, &mut got).await.unwrap(), 0);

    let (mut server, client) = pair(&TLS13).await;
    drop(client);
    assert!(read(&mut server, &mut got).await.is_err());
}

#[tokio::test]
async fn what_is_wrong_is_said_with_an_alert() {
    // The client does not trust the server, and sends an alert.
    let (config, _) = configs();
    let (server, client) = connect(config, RootCertStore::empty(), &TLS13).await;
    let error = server.unwrap_err().to_string();
    assert!(error.contains("UnknownCA"), "{error}");
    assert!(client.is_err());
    // The client names no protocol (ALPN) that the server accepts, and the server sends an alert.
    let (config, roots) = configs();
    let mut config = ServerConfig::clone(&config);
    config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let (server, client) =
        tokio::join!(accept(Arc::new(config), accepted), connector.connect(name, socket),);
    assert!(server.is_err());
    assert!(client.unwrap_err().to_string().contains("NoApplicationProtocol"));
}

#[tokio::test]
async fn what_came_before_an_error_is_read_first() {
    let (mut server, client) = pair(&TLS13).await;
    let (mut socket, mut tls) = client.into_inner();
    io::Write::write_all(&mut tls.writer(), b"hello").unwrap();
    let mut records = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut records).unwrap();
    }
    records.extend([23, 3, 3, 0, 40]);
    records.extend([7; 40]);
    socket.write_all(&records).await.unwrap();
    let mut got = Vec::new();
    assert_eq!(read(&mut server, &mut got).await.unwrap(), 5);
    assert_eq!(got, b"hello");
    assert!(read(&mut server, &mut got).await.is_err());
    assert!(read(&mut server, &mut got).await.is_err());
    assert_eq!(got, b"hello");
}

#[tokio::test]
async fn garbage_ends_it() {
    let (mut server, client) = pair(&TLS13).await;
    let (mut socket, _) = client.into_inner();
    socket.write_all(&[23, 3, 3, 0, 40]).await.unwrap();
    socket.write_all(&[7; 40]).await.unwrap();
    assert!(read(&mut server, &mut Vec::new()).await.is_err());
    // After that, every operation fails.
    assert!(read(&mut server, &mut Vec::new()).await.is_err());
    assert!(poll_fn(|cx| server.poll_write(cx, b"x")).await.is_err());
    assert!(poll_fn(|cx| server.poll_shutdown(cx)).await.is_err());
}

#[tokio::test]
async fn a_handshake_that_is_said_to_be_huge_is_refused() {
    let (config, _) = configs();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let mut hello = vec![22, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF];
    hello.resize(5 + 0x4000, 0);
    socket.write_all(&hello).await.unwrap();
    assert!(accept(config, accepted).await.is_err());
}

/// The socket of a client, and its side of the records.
pub(in crate::stream) struct Records {
    pub(in crate::stream) socket: TcpStream,
    key: LessSafeKey,
    iv: Vec<u8>,
    sequence: u64,
}

impl Records {
    /// Takes over from a TLS client, whose configuration allows the extraction of its secrets.
    pub(in crate::stream) fn of(client: Client) -> Self {
        let (socket, tls) = client.into_inner();
        let (sequence, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
        let (algorithm, key, iv) = match &secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => panic!("another cipher"),
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key.as_ref()).unwrap());
        Self { socket, key, iv: iv.as_ref().to_vec(), sequence }
    }

    /// A record of TLS 1.3 with this content, type and padding.
    pub(in crate::stream) fn record(
        &mut self,
        content: &[u8],
        kind: u8,
        padding: usize,
    ) -> Vec<u8> {
        let mut inner = content.to_vec();
        inner.push(kind);
        inner.resize(inner.len() + padding, 0);
        let length = u16::try_from(inner.len() + self.key.algorithm().tag_len()).unwrap();
        let mut record = vec![23, 3, 3];
        record.extend(length.to_be_bytes());
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.sequence.to_be_bytes());
        nonce.iter_mut().zip(&self.iv).for_each(|(byte, iv)| *byte ^= iv);
        self.sequence += 1;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce, Aad::from(&record), &mut inner).unwrap();
        record.extend(inner);
        record
    }
}

/// Reads until `received` bytes have come, and returns the cost. No poll may cost too much.
async fn cost_until(server: &mut ServerTls, received: usize) -> usize {
    let (mut cost, mut got) = (0, Vec::new());
    while got.len() < received {
        let read = poll_fn(|cx| {
            let read = server.poll_read(cx, &mut got);
            let once = server.take_cost();
            // One read has at most some 700 records.
            assert!(once <= 8 * pool::READ, "{once} bytes in one poll");
            cost += once;
            read
        });
        read.await.unwrap();
    }
    cost
}

#[tokio::test]
async fn padding_and_short_records_cost_what_they_take() {
    for (count, padding, least) in [(100, 16_000, 100 * 16_000), (1000, 0, 1000 * RECORD)] {
        let (mut server, client) = pair(&TLS13).await;
        server.take_cost();
        let mut client = Records::of(client);
        let sent: Vec<u8> = (0..count).flat_map(|_| client.record(b"x", 23, padding)).collect();
        let mut socket = client.socket;
        let sending = async {
            socket.write_all(&sent).await.unwrap();
        };
        let (cost, ()) = tokio::join!(cost_until(&mut server, count), sending);
        assert!(cost >= least, "{count} records of {padding} bytes cost {cost}");
    }
}

#[tokio::test]
async fn a_failure_within_a_record_is_no_panic() {
    // Two changes of keys in one record, which must be the last message of its record.
    for count in [2, 40] {
        let (mut server, client) = pair(&TLS13).await;
        let mut client = Records::of(client);
        let record = client.record(&[24, 0, 0, 1, 0].repeat(count), 22, 0);
        client.socket.write_all(&record).await.unwrap();
        assert!(read(&mut server, &mut Vec::new()).await.is_err());
    }
}

#[tokio::test]
async fn records_without_data_end_it() {
    let (mut server, client) = pair(&TLS13).await;
    let mut client = Records::of(client);
    let records: Vec<u8> = (0..40).flat_map(|_| client.record(b"", 23, 0)).collect();
    client.socket.write_all(&records).await.unwrap();
    assert!(read(&mut server, &mut Vec::new()).await.is_err());
}

#[tokio::test]
async fn new_keys_without_data_end_it() {
    let (mut server, mut client) = pair(&TLS13).await;
    for _ in 0..40 {
        client.get_mut().1.refresh_traffic_keys().unwrap();
    }
    client.write_all(b"x").await.unwrap();
    client.flush().await.unwrap();
    assert!(read(&mut server, &mut Vec::new()).await.is_err());
}

#[tokio::test]
async fn a_handshake_keeps_little_and_takes_few_steps() {
    let (config, _) = configs();
    // The beginning of a hello of 60,000 bytes, in records of one byte or the longest.
    for size in [1, 0x4000] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let message = [vec![1, 0, 0xEA, 0x60], vec![0; 0xEA00]].concat();
        let records = message.chunks(size).flat_map(|piece| {
            let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
            [&[22, 3, 1], &length[..], piece].concat()
        });
        let records: Vec<u8> = records.collect();
        let sending = tokio::spawn(async move {
            let _ = socket.write_all(&records).await;
            socket
        });
        let mut most = 0;
        let reserve = |bytes| {
            most = most.max(bytes);
            true
        };
        let here = listener.local_addr().unwrap().ip();
        let handshakes = Arc::default();
        let server = ServerTls::accept(config.clone(), accepted, &handshakes, here, reserve);
        assert!(server.await.is_err());
        assert!(most <= LONGEST + pool::READ, "{most} bytes were kept");
        drop(sending);
    }
}

#[tokio::test]
async fn a_handshake_that_may_not_keep_more_ends() {
    let (config, _) = configs();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    socket.write_all(&[22, 3, 1, 0x40, 0, 1]).await.unwrap();
    let here = listener.local_addr().unwrap().ip();
    let handshakes = Arc::default();
    let server = ServerTls::accept(config, accepted, &handshakes, here, |bytes| bytes < 6);
    assert_eq!(server.await.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
}
