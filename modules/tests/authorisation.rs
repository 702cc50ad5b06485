//! Who may send as whom, and where it arrives: random hosts, modules, streams, addresses and
//! reloads, compared with a model.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use event_core::{
    BoxFuture, Registry, Secret, Session, SessionKind, Stanza, StanzaError,
    jid::Jid,
    services::{Federation, KeyQuestion, ServerFederation},
    testing::{self, Client, Harness},
};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use sha1::{Digest, Sha1};

/// What a host of the configuration is.
#[derive(Clone, Copy, Debug)]
struct Config {
    /// Whether module `s2s` runs: the host speaks with other servers.
    s2s: bool,
    /// Whether module `message` runs, which delivers to clients.
    message: bool,
}

/// The hosts. `c.example` is served by a component.
type Configs = BTreeMap<&'static str, Config>;

const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example"];
const COMPONENT: &str = "c.example";
const REMOTE: [&str; 2] = ["r.example", "s.example"];

/// A stream as the model sees it.
#[derive(Clone, Debug)]
struct Stream {
    kind: SessionKind,
    host: &'static str,
    /// The full JID of a client; the domain that a server or component has proved.
    proved: String,
}

/// Where a message arrives.
#[derive(Debug, PartialEq)]
enum Arrival {
    /// At the stream with this number.
    Stream(usize),
    /// At another server.
    Remote,
    Nowhere,
}

fn domain(address: &str) -> &str {
    let bare = address.split('/').next().unwrap_or_default();
    bare.rsplit('@').next().unwrap_or_default()
}

/// The model: where a message arrives that `stream` sends, and its `from` there.
fn model<'a>(
    configs: &Configs,
    streams: &'a [Option<Stream>],
    stream: &'a Stream,
    (from, to): (&'a str, &str),
) -> (Arrival, &'a str) {
    let from = if stream.kind == SessionKind::Client { &stream.proved } else { from };
    let is_own = stream.kind == SessionKind::Client || domain(from) == stream.proved;
    let may_send = is_own && stream.kind != SessionKind::S2sOut;
    let is_server = stream.kind == SessionKind::S2sIn;
    let reads = |other: &Stream| match other.kind {
        SessionKind::Client => other.proved == to && configs[other.host].message,
        SessionKind::Component => other.proved == domain(to),
        _ => false,
    };
    let arrival = match configs.get(domain(to)) {
        _ if !may_send => Arrival::Nowhere,
        Some(host) if is_server && !host.s2s => Arrival::Nowhere,
        Some(_) => streams
            .iter()
            .position(|other| other.as_ref().is_some_and(reads))
            .map_or(Arrival::Nowhere, Arrival::Stream),
        None if !is_server && configs[stream.host].s2s => Arrival::Remote,
        None => Arrival::Nowhere,
    };
    (arrival, from)
}

#[derive(Clone, Debug)]
enum Step {
    Open(SessionKind, &'static str, &'static str),
    Reload(Configs),
    /// From the stream with this number, as `from`, to an address or a client's stream.
    Send(usize, &'static str, Result<&'static str, usize>),
}

fn configs() -> impl Strategy<Value = Configs> {
    let config = (any::<bool>(), any::<bool>());
    let config = config.prop_map(|(s2s, message)| Config { s2s, message });
    let host = |name: &'static str| prop::option::of(config.clone().prop_map(move |c| (name, c)));
    HOSTS.map(host).prop_map(|hosts| hosts.into_iter().flatten().collect()).prop_map(
        |mut configs: Configs| {
            // A server has a host.
            configs.entry("a.example").or_insert(Config { s2s: true, message: true });
            configs
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    use SessionKind::{Client, Component, S2sIn, S2sOut};
    let kinds = select(vec![Client, Client, Client, S2sIn, S2sIn, S2sOut, Component]);
    let addresses = select(vec![
        "u@a.example/none",
        "u@b.example/none",
        "a.example",
        "b.example",
        "x@c.example/y",
        "c.example",
        "u@r.example/x",
        "s.example",
    ]);
    let to = prop_oneof![addresses.clone().prop_map(Ok), any::<usize>().prop_map(Err)];
    prop_oneof![
        3 => (kinds, select(HOSTS.to_vec()), select(REMOTE.to_vec()))
            .prop_map(|(kind, host, remote)| {
                Step::Open(kind, if kind == Component { COMPONENT } else { host }, remote)
            }),
        1 => configs().prop_map(Step::Reload),
        8 => (any::<usize>(), addresses, to).prop_map(|(at, from, to)| Step::Send(at, from, to)),
    ]
}

/// Records what is sent to other servers.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<String>>>);

impl Federation for Sent {
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError> {
        let from = stanza.from().map(Jid::to_string).unwrap_or_default();
        // Errors for other servers are no arrivals.
        if !stanza.is_error() {
            self.0.lock().unwrap().push(from);
        }
        Ok(())
    }

    fn proves<'a>(&'a self, _: &'a Session, _: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(false))
    }

    fn allows_dialback(&self, _: &str) -> bool {
        false
    }

    fn verify<'a>(&'a self, _: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(std::future::ready(Ok(false)))
    }

    fn complete_negotiation(&self, _: &Session) {}

    fn fail_negotiation(&self, _: &Session, _: StanzaError) {}
}

fn builder(configs: &Configs, sent: &Sent) -> testing::Builder {
    let mut hosts = configs.iter();
    let (first, config) = hosts.next().unwrap();
    let mut builder = modules(testing::host(first), first, *config);
    for (host, config) in hosts {
        builder = modules(builder.host(host), host, *config);
    }
    let all = ServerFederation(Arc::new(sent.clone()));
    let registry = Registry::new(&[spondee_modules::BUNDLE]).unwrap();
    builder.registry(registry).prepare(move |host| host.provide(Arc::new(all.clone())))
}

fn modules(builder: testing::Builder, host: &str, config: Config) -> testing::Builder {
    let builder = if config.s2s { builder.module("s2s") } else { builder };
    match (host == COMPONENT, config.message) {
        (true, _) => builder
            .settings(|settings| settings.secret = Some(Secret::from("secret".to_owned())))
            .module("component"),
        (false, true) => builder.module("message"),
        (false, false) => builder,
    }
}

/// Opens a stream, unless it is refused.
async fn open(
    server: &Harness,
    number: usize,
    stream: (SessionKind, &'static str, &'static str),
) -> Option<(Client, Stream)> {
    let (kind, host, remote) = stream;
    let (client, proved) = match kind {
        SessionKind::Client if host == COMPONENT => return None,
        SessionKind::Client => {
            let jid = format!("u@{host}/{number}");
            (server.session(&jid).await, jid)
        }
        SessionKind::Component if host != COMPONENT => return None,
        SessionKind::Component => {
            let client = server.stream_of(kind, host);
            let id = client.session.stream_id().unwrap();
            let hash = Sha1::new().chain_update(&*id).chain_update("secret").finalize();
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let ns = "jabber:component:accept";
            client.send(&format!("<handshake xmlns='{ns}'>{hash}</handshake>")).await;
            client.closed().is_none().then_some(())?;
            (client, host.to_owned())
        }
        _ => (server.peer(kind, host, remote), remote.to_owned()),
    };
    client.received();
    Some((client, Stream { kind, host, proved }))
}

/// How many messages arrived.
#[derive(Debug, Default)]
struct Seen {
    clients: usize,
    components: usize,
    remote: usize,
}

async fn run(first: Configs, steps: Vec<Step>, seen: &RefCell<Seen>) {
    let sent = Sent::default();
    let server = builder(&first, &sent).start().await.unwrap();
    let mut configs = first;
    let mut clients: Vec<Client> = Vec::new();
    let mut streams: Vec<Option<Stream>> = Vec::new();
    for step in steps {
        match step {
            Step::Open(_, host, _) if !configs.contains_key(host) => {}
            Step::Open(kind, host, remote) => {
                let opened = open(&server, clients.len(), (kind, host, remote)).await;
                if let Some((client, stream)) = opened {
                    clients.push(client);
                    streams.push(Some(stream));
                }
            }
            Step::Reload(new) => {
                server.reload(builder(&new, &sent)).await.unwrap();
                server.settle().await;
                configs = new;
                // The caller of a reload closes the streams of removed hosts.
                for stream in &mut streams {
                    stream.take_if(|stream| !configs.contains_key(stream.host));
                }
            }
            Step::Send(at, from, to) => {
                let open: Vec<_> = (0..streams.len()).filter(|n| streams[*n].is_some()).collect();
                if open.is_empty() {
                    continue;
                }
                let at = open[at % open.len()];
                let to = to.unwrap_or_else(|other| {
                    let number = open[other % open.len()];
                    let stream = streams[number].as_ref().unwrap();
                    Box::leak(stream.proved.clone().into_boxed_str())
                });
                let stream = streams[at].clone().unwrap();
                let expected = model(&configs, &streams, &stream, (from, to));
                clients[at].send(&format!("<message id='m' from='{from}' to='{to}'/>")).await;
                let mut arrived = (Arrival::Nowhere, String::new());
                for (number, client) in clients.iter().enumerate() {
                    for stanza in client.received() {
                        if stanza.attribute("type").as_deref() != Some("error")
                            && stanza.name() == "message"
                        {
                            let from = stanza.attribute("from").unwrap_or_default().into_owned();
                            assert_eq!(arrived.0, Arrival::Nowhere, "it arrived twice");
                            arrived = (Arrival::Stream(number), from);
                        }
                    }
                }
                for from in std::mem::take(&mut *sent.0.lock().unwrap()) {
                    assert_eq!(arrived.0, Arrival::Nowhere, "it arrived twice");
                    arrived = (Arrival::Remote, from);
                }
                let description = format!("{stream:?} as {from} to {to} with {configs:?}");
                assert_eq!(arrived.0, expected.0, "{description}");
                let mut seen = seen.borrow_mut();
                match arrived.0 {
                    Arrival::Stream(at) if clients[at].session.jid().is_some() => seen.clients += 1,
                    Arrival::Stream(_) => seen.components += 1,
                    Arrival::Remote => seen.remote += 1,
                    Arrival::Nowhere => {}
                }
                if arrived.0 != Arrival::Nowhere {
                    assert_eq!(arrived.1, expected.1, "{description}");
                }
            }
        }
        // What a stream sends against the rules closes it, and so does a reload.
        for (client, stream) in clients.iter().zip(&mut streams) {
            stream.take_if(|_| client.closed().is_some());
        }
    }
}

#[test]
fn stanzas_arrive_where_and_as_the_model_says() {
    let seen = RefCell::default();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let steps = prop::collection::vec(step(), 1..60);
    TestRunner::new(config)
        .run(&(configs(), steps), |(first, steps)| {
            testing::run(run(first, steps, &seen));
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner();
    assert!(seen.clients.min(seen.components).min(seen.remote) >= 10, "{seen:?}");
}
