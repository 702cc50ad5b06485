//! The memory that each stage of a stream keeps is what docs/limits.md says.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use event_core::{
    HostConfig, HostSettings, Registry, Runtime, SessionKind, StreamError, prelude::*,
    storage::Memory,
};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use spondee::{
    config::Config,
    stream::{Settings, Streams},
    tls::Tls,
};
use spondee_alloc_tests::{Counting, allocated_bytes, leave_out_this_thread};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

event_core::module_crate!();

/// The connections of one stage.
const CONNECTIONS: usize = 200;

/// What a connection keeps is at most this, if `waiting_bytes` and
/// `unauthenticated_waiting_bytes` count the rest.
const CONNECTION: isize = 16 * 1024;

/// The bytes of a client that no pool counts, in one direction.
const FREE: usize = 4096;

/// Authenticates on `<active/>`, and binds on `<inactive/>`.
#[module(name = "stages")]
struct Stages;

#[hook("stanza/urn:xmpp:csi:0:active")]
fn authenticate(nonza: &mut Nonza, cx: &Context<Stages>) -> Result<Flow, StreamError> {
    let name = format!("a{}", nonza.session.id());
    let account = cx.host().account(&name).ok_or(StreamError::internal_server_error())?;
    nonza.session.set_user(account);
    nonza.session.send_nonza(&ElementBuilder::new("active", "urn:xmpp:csi:0").build());
    Ok(Flow::Handled)
}

#[hook("stanza/urn:xmpp:csi:0:inactive")]
async fn bind(nonza: &mut Nonza, cx: &Context<Stages>) -> Result<Flow, StreamError> {
    let bound = cx.bind(&nonza.session, Some("r")).await;
    bound.map_err(|_| StreamError::not_authorized())?;
    nonza.session.send_nonza(&ElementBuilder::new("inactive", "urn:xmpp:csi:0").build());
    Ok(Flow::Handled)
}

struct Server {
    plain: SocketAddr,
    tls: SocketAddr,
    streams: Arc<Streams>,
}

/// Serves streams on a thread that ends with the process.
fn serve() -> Server {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let data = tempfile::tempdir().unwrap();
            let mut config = Config::default();
            config.data = data.path().to_owned();
            let registry = Registry::new(&[BUNDLE]).unwrap();
            let host = HostConfig {
                name: "localhost".into(),
                modules: vec![("stages".into(), toml::Table::new())],
                settings: HostSettings::default(),
            };
            let storage = Arc::new(Memory::default());
            let modules = Runtime::start(registry, vec![host], storage, |_| {}).await.unwrap();
            let settings = Settings::new(&config, Tls::load(&config).unwrap());
            let streams = Arc::new(Streams::new(Arc::clone(modules.core()), settings));
            let [plain, tls] = [
                TcpListener::bind("127.0.0.1:0").await.unwrap(),
                TcpListener::bind("127.0.0.1:0").await.unwrap(),
            ];
            let server = Server {
                plain: plain.local_addr().unwrap(),
                tls: tls.local_addr().unwrap(),
                streams: Arc::clone(&streams),
            };
            tell.send(server).unwrap();
            let accept = async |listener: TcpListener, direct| loop {
                let (socket, peer) = listener.accept().await.unwrap();
                // The size of a connection permit.
                let guard = [0_u64; 4];
                let streams = Arc::clone(&streams);
                tokio::spawn(streams.serve(socket, peer, SessionKind::Client, direct, guard));
            };
            let plain = accept(plain, false);
            let tls = accept(tls, true);
            let mut both = (std::pin::pin!(plain), std::pin::pin!(tls));
            std::future::poll_fn(|cx| {
                let _ = both.0.as_mut().poll(cx);
                let _ = both.1.as_mut().poll(cx);
                std::task::Poll::<()>::Pending
            })
            .await;
        });
    });
    told.recv().unwrap()
}

trait Socket: Read + Write {}

impl<T: Read + Write> Socket for T {}

/// Reads up to `end`.
fn wait(socket: &mut dyn Socket, end: &str) {
    let (mut read, mut bytes) = (Vec::new(), [0; 4096]);
    while !read.windows(end.len()).any(|part| part == end.as_bytes()) {
        let count = socket.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&bytes[..count]);
    }
}

/// A header of which much is kept, in words that no other stream has.
fn header(number: usize) -> String {
    let prefixes = (0..12).map(|at| format!(" xmlns:p{at}='urn:{number}:{}'", "x".repeat(120)));
    format!(
        "<stream:stream xmlns='jabber:client' to='localhost' version='1.0' \
         xmlns:stream='http://etherx.jabber.org/streams'{}>",
        prefixes.collect::<String>()
    )
}

/// Waits until the server keeps at least and at most so many bytes for each connection. Returns the
/// last number.
fn measure(before: isize, least: usize, most: isize) -> isize {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let each = (allocated_bytes() - before) / CONNECTIONS as isize;
        if (least as isize..=most).contains(&each) || Instant::now() > deadline {
            return each;
        }
        thread::yield_now();
    }
}

type Step = fn(&mut dyn Socket, usize);

fn send_half_a_hello(socket: &mut dyn Socket, _: usize) {
    let mut hello = vec![22, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xFC];
    hello.resize(FREE, 0);
    socket.write_all(&hello).unwrap();
}

fn send_half_a_header(socket: &mut dyn Socket, number: usize) {
    let mut header = header(number);
    header.truncate(header.len() - 1);
    header.push_str(&" ".repeat(FREE - header.len()));
    socket.write_all(header.as_bytes()).unwrap();
}

fn send_header(socket: &mut dyn Socket, number: usize) {
    socket.write_all(header(number).as_bytes()).unwrap();
    wait(socket, "</stream:features>");
}

fn authenticate_client(socket: &mut dyn Socket, number: usize) {
    send_header(socket, number);
    socket.write_all(b"<active xmlns='urn:xmpp:csi:0'/>").unwrap();
    wait(socket, "<active");
}

fn bind_client(socket: &mut dyn Socket, number: usize) {
    authenticate_client(socket, number);
    socket.write_all(b"<inactive xmlns='urn:xmpp:csi:0'/>").unwrap();
    wait(socket, "<inactive");
}

/// What docs/limits.md says, in KiB by the name of the stage: without TLS and with it.
fn documented() -> BTreeMap<String, [Option<isize>; 2]> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [stage, plain, tls] = cells[..] else { return None };
        let kib = |cell: &str| cell.parse().ok();
        Some((stage.to_owned(), [kib(plain), kib(tls)]))
    });
    rows.filter(|(_, kib)| kib.iter().any(Option::is_some)).collect()
}

#[test]
fn each_stage_keeps_what_the_page_says() {
    leave_out_this_thread();
    let server = serve();
    let mut roots = RootCertStore::empty();
    let certificate = server.streams.tls().certificate("localhost");
    roots.add(certificate.end_entity_cert().unwrap().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Arc::new(client);
    let name = ServerName::try_from("localhost").unwrap();
    let secure = |socket: TcpStream| {
        let connection = ClientConnection::new(Arc::clone(&client), name.clone()).unwrap();
        Box::new(StreamOwned::new(connection, socket)) as Box<dyn Socket>
    };
    // The stage, whether it has TLS, the bytes that the server has to keep at least, and how a
    // client reaches the stage.
    let stages: [(&str, bool, usize, Option<Step>); 10] = [
        ("accepted", false, 1, None),
        ("accepted", true, 1, None),
        ("half a handshake", true, FREE, Some(send_half_a_hello)),
        ("half a header", false, FREE, Some(send_half_a_header)),
        ("header read", false, 1, Some(send_header)),
        ("header read", true, 1, Some(send_header)),
        ("authenticated", false, 1, Some(authenticate_client)),
        ("authenticated", true, 1, Some(authenticate_client)),
        ("bound and idle", false, 1, Some(bind_client)),
        ("bound and idle", true, 1, Some(bind_client)),
    ];
    let documented = documented();
    let before = allocated_bytes();
    let mut wrong = Vec::new();
    for (stage, is_tls, least, step) in stages {
        let address = if is_tls { server.tls } else { server.plain };
        let is_secured = is_tls && step.is_some() && stage != "half a handshake";
        let sockets: Vec<Box<dyn Socket>> = (0..CONNECTIONS)
            .map(|number| {
                let socket = TcpStream::connect(address).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let mut socket = if is_secured { secure(socket) } else { Box::new(socket) };
                if let Some(step) = step {
                    step(&mut *socket, number);
                }
                socket
            })
            .collect();
        while server.streams.count() != CONNECTIONS {
            thread::yield_now();
        }
        let said = documented.get(stage).and_then(|kib| kib[usize::from(is_tls)]);
        let said =
            said.unwrap_or_else(|| panic!("docs/limits.md has no number for {stage}")) * 1024;
        assert!(said <= CONNECTION, "{stage}: the page says {said} bytes, the formula has fewer");
        let kept = measure(before, least, said);
        println!("{stage}, {}: {kept} bytes", if is_tls { "TLS" } else { "plain" });
        if kept > said || kept < said / 2 - 1024 {
            wrong.push(format!("{stage} (TLS: {is_tls}) keeps {kept} bytes, the page says {said}"));
        }
        drop(sockets);
        while server.streams.count() != 0 {
            thread::yield_now();
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
