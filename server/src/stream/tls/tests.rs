//! Tests with tokio-rustls as the other side, which does not use unbuffered connections.

use std::future::poll_fn;

use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;

type Client = TlsStream<TcpStream>;

/// A server's configuration, and the roots of a client that trusts the server's certificate.
fn configs() -> (Arc<ServerConfig>, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    (Arc::new(server.with_single_cert(vec![certificate], key).unwrap()), roots)
}

async fn connect(
    server: Arc<ServerConfig>,
    roots: RootCertStore,
    version: &'static SupportedProtocolVersion,
) -> (io::Result<ServerTls>, io::Result<Client>) {
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    tokio::join!(ServerTls::accept(server, accepted), connector.connect(name, socket))
}

async fn pair(version: &'static SupportedProtocolVersion) -> (ServerTls, Client) {
    let (config, roots) = configs();
    let (server, client) = connect(config, roots, version).await;
    (server.unwrap(), client.unwrap())
}

async fn read(server: &mut ServerTls, into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|cx| server.poll_read(cx, into)).await
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
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let (server, client) = tokio::join!(
        ServerTls::accept(Arc::new(config), accepted),
        connector.connect(name, socket),
    );
    assert!(server.is_err());
    assert!(client.unwrap_err().to_string().contains("NoApplicationProtocol"));
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
    assert!(ServerTls::accept(config, accepted).await.is_err());
}
