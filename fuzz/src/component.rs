//! The handshake of components (XEP-0114): elements in any order authorise a stream only after the
//! proof of the host's secret, one stream for each host at a time, and what is delivered is from
//! that host.
//!
//! Each line begins with the number of a stream (two of `irc.localhost`, one of `mix.localhost`),
//! and has an element, or a letter for one and its arguments.

use event_core::{
    Registry, SessionKind,
    testing::{self, Client, Harness},
    xml::{Element, STANZA_NS},
};
use sha1::{Digest, Sha1};

use crate::{
    nonzas::{index, parse, send, senders},
    script::Script,
};

/// The host of each stream, and its secret.
const HOSTS: [(&str, &str); 3] =
    [("irc.localhost", "one"), ("irc.localhost", "one"), ("mix.localhost", "two")];

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    testing::run(async {
        let mut builder = testing::host("localhost")
            .registry(Registry::new(&[spondee_modules::BUNDLE]).unwrap())
            .module("message");
        for (host, secret) in &HOSTS[1..] {
            builder = builder
                .host(host)
                .module("component")
                .settings(|settings| settings.secret = Some((*secret).to_owned().into()));
        }
        let server = builder.start().await.unwrap();
        let romeo = server.session("romeo@localhost/x").await;
        let open = |at: usize| server.stream_of(SessionKind::Component, HOSTS[at].0);
        let mut streams = [0, 1, 2].map(open);
        for _ in 0..32 {
            if script.is_done() {
                break;
            }
            let line = script.until(b'\n');
            let at = index(line, 0, 3);
            let line = &line[1.min(line.len())..];
            if line.first() == Some(&b'd') {
                streams[at].disconnect().await;
                streams[at] = open(at);
                continue;
            }
            let Some(element) = element(&streams, at, line) else { continue };
            if streams[at].closed().is_none() {
                step(&server, &streams, at, &romeo, &element).await;
            }
        }
    });
}

async fn step(server: &Harness, streams: &[Client; 3], at: usize, romeo: &Client, sent: &Element) {
    let (stream, (host, secret)) = (&streams[at], HOSTS[at]);
    let was_authorized = stream.session.is_authorized(host);
    let id = stream.session.stream_id().unwrap();
    let is_proof =
        sent.is("handshake", STANZA_NS) && sent.text().to_ascii_lowercase() == proof(&id, secret);
    send(server, stream, sent).await;
    for domain in senders(romeo) {
        assert!(was_authorized && domain == host, "{domain} on the stream of {host}: {sent}");
    }
    if stream.session.is_established() {
        assert!(was_authorized || is_proof, "authorised by {sent}");
        assert_eq!(stream.session.authorized_domains(), [host.into()]);
    }
    let is_served = |other: &&Client| other.session.is_authorized(host) && other.closed().is_none();
    assert!(streams.iter().filter(is_served).count() <= 1, "two components: {sent}");
}

fn proof(id: &str, secret: &str) -> String {
    let digest = Sha1::digest(format!("{id}{secret}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn element(streams: &[Client; 3], at: usize, line: &[u8]) -> Option<Element> {
    let stream = &streams[at];
    let xml = match line.first()? {
        b'h' => {
            let id = streams[(at + index(line, 1, 3)) % 3].session.stream_id()?;
            let proof = proof(&id, ["one", "two", ""][index(line, 2, 3)]);
            let proof = match index(line, 3, 4) {
                0 => proof,
                1 => proof.to_uppercase(),
                2 => format!(" {proof}"),
                _ => proof.get(..39)?.to_owned(),
            };
            format!("<handshake>{proof}</handshake>")
        }
        b'm' => {
            let from =
                ["irc.localhost", "mix.localhost", "localhost", "IRC.localhost", "b.example"];
            let from = from[index(line, 1, 5)];
            format!("<message from='x@{from}' to='romeo@localhost/x'/>")
        }
        _ => String::from_utf8_lossy(line).into_owned(),
    };
    parse(stream, &xml)
}
