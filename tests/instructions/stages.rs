//! The stages of a stanza's way through the server, which `measure.py` runs under callgrind.
//!
//! Usage: `stages [STAGE ROUNDS]`. Without arguments, prints the stages.
//!
//! Only instructions within [`measured`] are counted.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::{
    hint::black_box,
    io::{Read, Write},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use event_core::{
    from_stamp,
    jid::BareJid,
    prelude::*,
    roster::SubscriptionType,
    services::{Direction, Rosters},
    testing::{self, bare::Bare},
    xml::{Element, Framer, NamespaceScope, STANZA_NS, XmlLimits},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    pki_types::{PrivateKeyDer, ServerName},
};

/// A message of 186 bytes, as a chat client sends it.
const CHAT: &str = "<message to='juliet@localhost/balcony' type='chat' id='b4a1c0de-17'><body>Wherefore art thou, Romeo? Deny thy name</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>";

const IQ: &str = "<iq from='romeo@localhost/orchard' to='localhost' id='b4a1c0de-18' type='get'><query xmlns='jabber:iq:version'/></iq>";

const ROMEO: &str = "romeo@localhost/orchard";

/// The number of rounds before counting begins, so that one-time work is not counted.
const WARM_UP: usize = 100;

type Stage = (&'static str, fn(usize));

const STAGES: &[Stage] = &[
    ("frame", frame),
    ("parse", parse),
    ("parse-first", parse_first),
    ("route", route),
    ("fire", fire),
    ("deliver", deliver),
    ("presence", presence),
    ("reply", reply),
    ("set-attribute", set_attribute),
    ("tls", tls),
];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let stage = |name: &str| STAGES.iter().find(|stage| stage.0 == name);
    match arguments.as_slice() {
        [name, rounds] if let Some((_, run)) = stage(name) => run(rounds.parse().unwrap()),
        _ => STAGES.iter().for_each(|(name, _)| println!("{name}")),
    }
}

/// callgrind counts the instructions within this function, which it finds by name.
#[inline(never)]
fn measured(rounds: usize, work: &mut impl FnMut()) {
    (0..rounds).for_each(|_| work());
}

fn measure(rounds: usize, mut work: impl FnMut()) {
    (0..WARM_UP).for_each(|_| work());
    measured(rounds, &mut work);
}

fn frame(rounds: usize) {
    let stream = format!(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>{CHAT}"
    );
    let mut framer = Framer::new();
    let header = framer.next(stream.as_bytes(), &XmlLimits::UNBOUNDED).unwrap().unwrap().length();
    let (_, stanza) = stream.as_bytes().split_at(header);
    measure(rounds, || {
        let frame = framer.next(black_box(stanza), &XmlLimits::UNBOUNDED).unwrap().unwrap();
        assert_eq!(frame.length(), CHAT.len());
    });
}

fn chat() -> Element {
    Element::parse(CHAT.as_bytes(), &NamespaceScope::new(STANZA_NS), &XmlLimits::UNBOUNDED).unwrap()
}

/// Parses a stanza of another server.
fn parse(rounds: usize) {
    let scope = NamespaceScope::new(STANZA_NS);
    measure(rounds, || {
        let bytes = black_box(CHAT.as_bytes());
        black_box(Element::parse(bytes, &scope, &XmlLimits::UNBOUNDED).unwrap());
    });
}

/// Parses a client's stanza that is followed by the next one, which replaces `frame` and `parse`.
fn parse_first(rounds: usize) {
    let scope = NamespaceScope::new(STANZA_NS);
    let stream = CHAT.repeat(2);
    measure(rounds, || {
        let text = black_box(stream.as_str());
        let first =
            Element::parse_first(text, &scope, &XmlLimits::UNBOUNDED, Some(&from_stamp(ROMEO)));
        assert_eq!(black_box(first).unwrap().1, CHAT.len());
    });
}

/// Routes a message from one client's stream to another client's queue, through the handlers of the
/// bundled modules.
fn route(rounds: usize) {
    testing::run(async {
        let server = testing::host("localhost");
        let server = spondee_modules::BUNDLE
            .defaults
            .iter()
            .fold(server, |server, name| server.module(name));
        let server = server.start().await.unwrap();
        let juliet = server.session("juliet@localhost/balcony").await;
        let romeo = server.session(ROMEO).await;
        let scope = NamespaceScope::new(STANZA_NS);
        let stamp = from_stamp(ROMEO);
        let stanza = Element::parse_stamped(CHAT.as_bytes(), &scope, &XmlLimits::UNBOUNDED, &stamp);
        let stanza = stanza.unwrap();
        measure(rounds, || {
            let stanza = black_box(&stanza).clone();
            ready(server.core().turn(&romeo.session).receive(stanza)).unwrap();
        });
        assert_eq!(juliet.received().len(), WARM_UP + rounds);
    });
}

/// The output of a future that is ready at the first poll.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a measured future is not ready at the first poll"),
    }
}

/// A module with empty handlers.
#[module]
struct Empty;

macro_rules! empty {
    ($($event:literal: $($function:ident)*;)*) => {$($(
        #[hook($event, priority = 10)]
        #[inline(never)]
        fn $function(_: &mut Message) -> Flow {
            Flow::Continue
        }
    )*)*};
}

empty! {
    "pre-message/full": a b c d e;
    "message/full": f g h i j;
}

fn fire(rounds: usize) {
    testing::run(async {
        let server = testing::host("localhost").module("empty").start().await.unwrap();
        let bare = Bare::new(&server);
        let mut message = bare.message(CHAT);
        measure(rounds, || {
            let message = black_box(&mut message);
            assert!(bare.fire_pre_message(message) && bare.fire_message(message));
        });
    });
}

/// Delivers to the queue of a test stream, which copies the stanza as the server's queue does.
fn deliver(rounds: usize) {
    testing::run(async {
        let server = testing::host("localhost").start().await.unwrap();
        let juliet = server.session("juliet@localhost/balcony").await;
        let stanza = chat();
        measure(rounds, || assert!(juliet.session.send(black_box(&stanza))));
    });
}

/// Broadcasts a client's presence to a thousand contacts with one online client each, through the
/// handlers of the bundled modules.
fn presence(rounds: usize) {
    const CONTACTS: usize = 1000;
    testing::run(async {
        let server = testing::host("localhost");
        let server = spondee_modules::BUNDLE
            .defaults
            .iter()
            .fold(server, |server, name| server.module(name));
        let server = server.start().await.unwrap();
        let rosters = server.host().service::<dyn Rosters>().unwrap();
        let romeo = server.session(ROMEO).await;
        let mut contacts = Vec::new();
        for i in 0..CONTACTS {
            let contact = BareJid::new(&format!("contact{i}@localhost")).unwrap();
            let client = server.session(&format!("{contact}/phone")).await;
            client.send("<presence/>").await;
            for (direction, kind) in [
                (Direction::Inbound, SubscriptionType::Subscribe),
                (Direction::Outbound, SubscriptionType::Subscribed),
            ] {
                let stanza = ElementBuilder::new("presence", STANZA_NS).build();
                rosters.subscription("romeo", &contact, direction, kind, &stanza).await.unwrap();
            }
            contacts.push(client);
        }
        let xml = "<presence id='b4a1c0de-19'><status>at work</status></presence>";
        let scope = NamespaceScope::new(STANZA_NS);
        let stamp = from_stamp(ROMEO);
        let stanza = Element::parse_stamped(xml.as_bytes(), &scope, &XmlLimits::UNBOUNDED, &stamp);
        let stanza = stanza.unwrap();
        romeo.send(xml).await;
        contacts.iter().for_each(|contact| drop(contact.received()));
        let broadcasts = rounds.div_ceil(CONTACTS);
        measured(broadcasts, &mut || {
            let stanza = black_box(&stanza).clone();
            ready(server.core().turn(&romeo.session).receive(stanza)).unwrap();
        });
        contacts.iter().for_each(|contact| assert_eq!(contact.received().len(), broadcasts));
    });
}

fn reply(rounds: usize) {
    testing::run(async {
        let server = testing::host("localhost").start().await.unwrap();
        let iq = Bare::new(&server).iq(IQ);
        measure(rounds, || {
            let _ = black_box(black_box(&iq).reply());
        });
    });
}

fn set_attribute(rounds: usize) {
    let stanza = chat();
    measure(rounds, || {
        let mut stanza = black_box(&stanza).clone();
        stanza.set_attribute("from", Some(ROMEO));
        black_box(stanza);
    });
}

/// Encrypts ten stanzas in one TLS record, from the server to a client.
fn tls(rounds: usize) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let server = ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![certificate], key).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();

    let mut wire = Vec::new();
    while client.is_handshaking() || server.is_handshaking() {
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().unwrap();
        wire.clear();
    }

    let stanzas = CHAT.repeat(10);
    let mut read = vec![0; stanzas.len()];
    measure(rounds, || {
        server.writer().write_all(black_box(stanzas.as_bytes())).unwrap();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets().unwrap();
        client.reader().read_exact(&mut read).unwrap();
        wire.clear();
    });
    assert_eq!(read, stanzas.as_bytes());
}
