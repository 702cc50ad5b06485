//! Tests streams over real sockets, with a module that uses all that streams offer to handlers.

use std::{sync::Arc, time::Duration};

use event_core::{
    Bundle, HostConfig, HostSettings, Registry, Runtime, SessionKind, StreamError, prelude::*,
    storage::Memory, xml::STANZA_NS,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Connection, Settings, Streams,
    tls::tests::Records,
    wire::{Opening, Wire},
};
use crate::{
    config::{Config, Limits},
    tls::Tls,
};

/// Logs a client in on `<active/>`. Sends the client a request on `<inactive/>`.
#[module]
pub(crate) struct Probe {
    /// For the tests of options.
    #[serde(default)]
    #[allow(dead_code, reason = "the tests use only the name and the type")]
    noisy: bool,
}

#[hook("stanza/urn:xmpp:csi:0:active")]
async fn log_in(nonza: &mut Nonza, cx: &Context<Probe>) -> Result<Flow, StreamError> {
    let account = cx.host().account("anna").ok_or(StreamError::internal_server_error())?;
    nonza.session.set_user(account);
    let bound = cx.bind(&nonza.session, Some("r")).await;
    bound.map_err(|_| StreamError::not_authorized())?;
    nonza.session.send_nonza(&ElementBuilder::new("bound", "urn:xmpp:csi:0").build());
    Ok(Flow::Handled)
}

#[hook("stanza/urn:xmpp:csi:0:inactive")]
async fn ask(nonza: &mut Nonza, cx: &Context<Probe>) -> Flow {
    let Some(jid) = nonza.session.jid() else { return Flow::Continue };
    let ping = ElementBuilder::new("ping", "urn:xmpp:ping").build();
    let iq = ElementBuilder::new("iq", STANZA_NS)
        .attribute("type", "get")
        .attribute("to", jid.as_str())
        .child(&ping);
    let name = if cx.query(iq.build()).await.is_ok() { "answered" } else { "failed" };
    nonza.session.send_nonza(&ElementBuilder::new(name, "urn:xmpp:csi:0").build());
    Flow::Handled
}

#[hook("stanza/urn:xmpp:sm:3:r")]
fn restart(nonza: &mut Nonza) -> Flow {
    nonza.session.send_nonza(&ElementBuilder::new("a", "urn:xmpp:sm:3").build());
    nonza.session.restart();
    Flow::Handled
}

#[hook("stanza/urn:xmpp:sm:3:a")]
fn bug(_: &mut Nonza) -> Flow {
    panic!("the test asked for a panic")
}

#[hook("stanza/urn:xmpp:sm:3:enable")]
fn flood(nonza: &mut Nonza) -> Flow {
    let element = ElementBuilder::new("enabled", "urn:xmpp:sm:3").text(&"x".repeat(10_000)).build();
    while nonza.session.send_nonza(&element) {}
    Flow::Handled
}

#[hook("iq/full", priority = -1)]
fn deliver(iq: &mut Iq, cx: &Context<Probe>) -> Flow {
    if let Some(jid) = iq.to().and_then(|to| to.clone().try_into_full().ok()) {
        cx.deliver(&jid, iq.element().clone());
    }
    Flow::Handled
}

struct Server {
    streams: Arc<Streams>,
    listener: TcpListener,
    _modules: Arc<Runtime>,
    _data: tempfile::TempDir,
}

async fn server(limits: Limits) -> Server {
    let data = tempfile::tempdir().unwrap();
    let config = Config { data: data.path().to_owned(), limits, ..Config::default() };
    let registry = Registry::new(&[Bundle::new("spondee")]).unwrap();
    let host = HostConfig {
        name: "localhost".into(),
        modules: vec![("probe".into(), toml::Table::new())],
        settings: HostSettings::default(),
    };
    let storage = Arc::new(Memory::default());
    let modules = Runtime::start(registry, vec![host], storage, |_| {}).await.unwrap();
    let core = Arc::clone(modules.core());
    let streams = Streams::new(core, Settings::new(&config, Tls::load(&config).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Server { streams: Arc::new(streams), listener, _modules: modules, _data: data }
}

struct Client {
    socket: TcpStream,
    read: String,
}

const OPEN: &str = "<stream:stream xmlns='jabber:client' to='localhost' version='1.0' \
                    xmlns:stream='http://etherx.jabber.org/streams'>";

impl Server {
    async fn connect(&self) -> Client {
        let socket = TcpStream::connect(self.listener.local_addr().unwrap()).await.unwrap();
        let (accepted, peer) = self.listener.accept().await.unwrap();
        let streams = Arc::clone(&self.streams);
        tokio::spawn(streams.serve(accepted, peer, SessionKind::Client, false, ()));
        Client { socket, read: String::new() }
    }

    async fn wait_for(&self, count: usize) {
        while self.streams.count() != count {
            tokio::task::yield_now().await;
        }
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to and including `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            if let Some(at) = self.read.find(end) {
                let rest = self.read.split_off(at + end.len());
                return std::mem::replace(&mut self.read, rest);
            }
            let read = tokio::time::timeout(Duration::from_secs(5), self.socket.read(&mut bytes));
            match read.await.expect("no answer within 5 seconds") {
                Ok(count @ 1..) => {
                    self.read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
                }
                _ => panic!("the stream ended after {:?}", self.read),
            }
        }
    }

    async fn open(&mut self) {
        self.send(OPEN).await;
        self.until("</stream:features>").await;
    }
}

#[tokio::test]
async fn an_answer_reaches_the_handler_that_waits_and_the_rest_keeps_its_order() {
    let server = server(Limits::default()).await;
    let mut client = server.connect().await;
    client.open().await;
    client.send("<active xmlns='urn:xmpp:csi:0'/>").await;
    client.until("<bound xmlns='urn:xmpp:csi:0'/>").await;
    client.send("<inactive xmlns='urn:xmpp:csi:0'/>").await;
    let ping = client.until("</iq>").await;
    let id = ping.split("id='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    // Another request comes before the answer that the handler waits for.
    client.send("<iq type='get' id='later'><x xmlns='urn:x'/></iq>").await;
    client.send(&format!("<iq type='result' to='localhost' id='{id}'/>")).await;
    let answered = client.until("<answered xmlns='urn:xmpp:csi:0'/>").await;
    assert!(!answered.contains("later"), "{answered}");
    assert!(client.until("</iq>").await.contains("id='later'"));
    // Each element is counted once, even if it was read ahead.
    let traffic = server.streams.traffic.of(SessionKind::Client);
    assert_eq!(traffic.elements_received(), [0, 0, 2, 2]);
    client.send("</stream:stream>").await;
    client.until("</stream:stream>").await;
    drop(client);
    server.wait_for(0).await;
    assert!(server.streams.core().host("localhost").unwrap().sessions().is_empty());
}

#[tokio::test]
async fn a_restart_is_carried_out_after_what_was_written() {
    let server = server(Limits::default()).await;
    let mut client = server.connect().await;
    client.open().await;
    client.send(&format!("<r xmlns='urn:xmpp:sm:3'/>{OPEN}")).await;
    let text = client.until("</stream:features>").await;
    assert!(text.starts_with("<a xmlns='urn:xmpp:sm:3'/><?xml "), "{text}");
    client.send("<r xmlns='urn:xmpp:sm:3'/>").await;
    client.until("<a xmlns='urn:xmpp:sm:3'/>").await;
    client.send(&OPEN.replace("localhost", "other.example")).await;
    let text = client.until("</stream:stream>").await;
    assert!(text.starts_with("<?xml ") && text.contains("<host-unknown "), "{text}");
}

#[tokio::test]
async fn a_bug_in_a_handler_ends_one_stream_only() {
    let server = server(Limits::default()).await;
    let (mut one, mut other) = (server.connect().await, server.connect().await);
    one.open().await;
    other.open().await;
    one.send("<a xmlns='urn:xmpp:sm:3'/>").await;
    assert!(one.until("</stream:stream>").await.contains("<internal-server-error "));
    other.send("<r xmlns='urn:xmpp:sm:3'/>").await;
    other.until("<a xmlns='urn:xmpp:sm:3'/>").await;
}

#[tokio::test]
async fn a_full_queue_ends_the_stream() {
    let server = server(Limits { queue_bytes: 100_000, ..Limits::default() }).await;
    let mut client = server.connect().await;
    client.open().await;
    client.send("<enable xmlns='urn:xmpp:sm:3'/>").await;
    let text = client.until("</stream:stream>").await;
    assert!(text.contains("<policy-violation ") && text.len() < 100_000, "{}", text.len());
    drop(client);
    server.wait_for(0).await;
}

#[tokio::test]
async fn who_does_not_log_in_is_closed() {
    let server = server(Limits { authentication_seconds: 1, ..Limits::default() }).await;
    let (mut silent, mut open) = (server.connect().await, server.connect().await);
    open.open().await;
    assert!(silent.until("</stream:stream>").await.contains("<connection-timeout "));
    assert!(open.until("</stream:stream>").await.contains("<connection-timeout "));
    drop((silent, open));
    server.wait_for(0).await;
}

#[tokio::test]
async fn a_stream_that_waits_is_small() {
    let server = server(Limits::default()).await;
    let socket = TcpStream::connect(server.listener.local_addr().unwrap()).await.unwrap();
    let peer = socket.peer_addr().unwrap();
    let task = Arc::clone(&server.streams).serve(socket, peer, SessionKind::Client, false, ());
    assert!(size_of_val(&task) < 1024, "{}", size_of_val(&task));
}

#[tokio::test]
async fn all_streams_are_closed_at_the_end() {
    let server = server(Limits::default()).await;
    let (mut early, mut open) = (server.connect().await, server.connect().await);
    open.open().await;
    let streams = Arc::clone(&server.streams);
    let closing = tokio::spawn(async move {
        streams.close_all(StreamError::system_shutdown(), Duration::from_secs(5)).await;
    });
    for client in [&mut early, &mut open] {
        let text = client.until("</stream:stream>").await;
        assert!(text.contains("<system-shutdown "), "{text}");
    }
    drop((early, open));
    closing.await.unwrap();
    assert_eq!(server.streams.count(), 0);
}

#[tokio::test]
async fn what_a_slow_reader_has_taken_over_tls_does_not_wait_any_more() {
    let limits = Limits { queue_bytes: 256 * 1024, ..Limits::default() };
    let server = server(limits).await;
    let address = server.listener.local_addr().unwrap();
    let (socket, accepted) = tokio::join!(TcpStream::connect(address), server.listener.accept());
    let (socket, (accepted, peer)) = (socket.unwrap(), accepted.unwrap());
    // The kernel's buffers are smaller than the bytes in flight below.
    SockRef::from(&socket).set_recv_buffer_size(16 * 1024).unwrap();
    SockRef::from(&accepted).set_send_buffer_size(16 * 1024).unwrap();
    let streams = Arc::clone(&server.streams);
    tokio::spawn(streams.serve(accepted, peer, SessionKind::Client, true, ()));
    let mut client = secure(&server, socket).await;
    client.write_all(OPEN.as_bytes()).await.unwrap();
    let mut bytes = [0; 8192];
    while !bytes.windows(8).any(|end| end == b"features") {
        assert_ne!(client.read(&mut bytes).await.unwrap(), 0);
    }
    let wire = server.streams.open().iter().next().unwrap().0.clone();
    let (mut sent, mut read) = (0, 0);
    while read < 4 << 20 {
        while sent - read < 192 * 1024 {
            assert!(wire.write(&[b' '; 4096]), "the queue is full: {sent} bytes sent, {read} read");
            sent += 4096;
        }
        read += client.read(&mut bytes).await.unwrap();
    }
}

#[tokio::test]
async fn padding_is_a_flood_too() {
    let limits = Limits {
        bytes_per_second: 20_000,
        burst_seconds: 1,
        flood_seconds: 1,
        ..Limits::default()
    };
    let server = server(limits).await;
    let address = server.listener.local_addr().unwrap();
    let (socket, accepted) = tokio::join!(TcpStream::connect(address), server.listener.accept());
    let (accepted, peer) = accepted.unwrap();
    let streams = Arc::clone(&server.streams);
    tokio::spawn(streams.serve(accepted, peer, SessionKind::Client, true, ()));
    let client = secure(&server, socket.unwrap()).await;
    let mut client = Records::of(client);
    let records: Vec<u8> = (0..10).flat_map(|_| client.record(b"", 23, 16_000)).collect();
    client.socket.write_all(&records).await.unwrap();
    // The server cannot read all of it in this time, and ends the stream.
    let ended = tokio::time::timeout(Duration::from_secs(20), server.wait_for(0));
    ended.await.expect("the stream is still open");
}

/// Performs the handshake of a client that trusts the server.
async fn secure(server: &Server, socket: TcpStream) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = server.streams.tls().certificate("localhost");
    roots.add(certificate.end_entity_cert().unwrap().clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.enable_secret_extraction = true;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
}

/// Bounds the memory of a connection.
#[tokio::test]
async fn what_waits_is_small() {
    let server = server(Limits::default()).await;
    let address = server.listener.local_addr().unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(address), server.listener.accept());
    let (socket, peer) = accepted.unwrap();
    // The size of a connection permit.
    let guard = [0_u64; 4];
    let streams = &server.streams;
    let task = Arc::clone(streams).serve(socket, peer, SessionKind::Client, false, guard);
    // With the header that tokio adds, the task takes two units of 128 bytes.
    assert!(size_of_val(&task) <= 152, "the task: {}", size_of_val(&task));
    assert!(size_of::<Connection>() <= 368, "the connection: {}", size_of::<Connection>());
    assert!(size_of::<Wire>() <= 224, "the writing side: {}", size_of::<Wire>());
    // This future is allocated for each read. Above 1,032 bytes, threads wait for the allocator.
    let wire = streams.wire(SessionKind::Client, peer, Opening::Answer, false);
    let mut connection = Connection::new(Arc::clone(streams), wire, client.unwrap().into());
    let work = connection.process();
    assert!(size_of_val(&work) <= 1024, "the future: {}", size_of_val(&work));
}
