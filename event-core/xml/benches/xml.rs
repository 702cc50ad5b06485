//! Measures the work on the bytes of a stanza: find the end, parse, and change the addresses.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use xmpp_xml::{Element, Framer, NamespaceScope, STANZA_NS, XmlLimits};

/// A message of 180 bytes, as a chat client sends one.
const CHAT: &str = "<message to='juliet@capulet.example/balcony' type='chat' id='b4a1c0de-17'><body>Wherefore art thou, Romeo?</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>";

/// A message of 400 bytes, with the elements of several extensions.
const RICH: &str = "<message to='juliet@capulet.example/balcony' type='chat' id='b4a1c0de-17' xml:lang='en'><body>Deny thy father &amp; refuse thy name</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='b4a1c0de-17'/><replace xmlns='urn:xmpp:message-correct:0' id='b4a1c0de-16'/></message>";

fn stanzas(c: &mut Criterion) {
    let (scope, limits) = (NamespaceScope::new(STANZA_NS), XmlLimits::UNBOUNDED);
    for (name, xml) in [("chat", CHAT), ("rich", RICH)] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(xml.len() as u64));
        group.bench_function("frame", |b| {
            // The framer expects a stream header first.
            let stream = format!("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>{xml}");
            let mut framer = Framer::new();
            let header = framer.next(stream.as_bytes(), &limits).unwrap().unwrap().length();
            let (_, stanza) = stream.as_bytes().split_at(header);
            b.iter(|| framer.next(black_box(stanza), &limits).unwrap().unwrap().length());
        });
        group.bench_function("parse", |b| {
            b.iter(|| Element::parse(black_box(xml.as_bytes()), &scope, &limits).unwrap());
        });
        let element = Element::parse(xml.as_bytes(), &scope, &limits).unwrap();
        let changes = [
            ("from", Some("romeo@montague.example/orchard")),
            ("to", Some("juliet@capulet.example/balcony")),
        ];
        group.bench_function("set_attributes", |b| {
            b.iter_batched(
                || element.clone(),
                |mut element| {
                    element.set_attributes(black_box(&changes));
                    element
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, stanzas);
criterion_main!(benches);
