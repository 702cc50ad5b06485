//! The negotiation of streams between servers: elements in any order authorise no domain that the
//! certificate or the answer to a dialback key does not prove, and what is delivered is from an
//! authorised domain.
//!
//! The first line has the proofs. Each further line begins with the number of a stream (two
//! incoming ones, an outgoing one), and has an element, or a letter for one and its arguments.

use std::{collections::BTreeSet, sync::Arc};

use event_core::{
    BoxFuture, Registry, Session, SessionKind, Stanza, StanzaError,
    jid::DomainPart,
    services::{Federation, KeyQuestion, ServerFederation},
    testing::{self, Client, Harness},
    xml::Element,
};

use crate::{
    nonzas::{index, parse, send, senders},
    script::Script,
};

const DB: &str = "jabber:server:dialback";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// The domains in elements, with their base64.
const DOMAINS: [(&str, &str); 6] = [
    ("b.example", "Yi5leGFtcGxl"),
    ("d.example", "ZC5leGFtcGxl"),
    ("a.example", "YS5leGFtcGxl"),
    ("h.example", "aC5leGFtcGxl"),
    ("B.example", "Qi5leGFtcGxl"),
    ("", "="),
];
/// The hosts of the server. The second one has no module `s2s`.
const HOSTS: [&str; 2] = ["a.example", "h.example"];

/// What is proved. Each bit stands for a domain.
#[derive(Debug, Clone, Copy)]
struct Proofs {
    certificate: u8,
    answers: u8,
    dialback: bool,
}

impl Proofs {
    fn has(mask: u8, domain: &str) -> bool {
        let at = DOMAINS.iter().position(|(name, _)| *name == domain);
        at.is_some_and(|at| mask >> at & 1 == 1)
    }
}

impl Federation for Proofs {
    fn send(&self, _: &Stanza) -> Result<(), StanzaError> {
        Ok(())
    }

    fn proves<'a>(&'a self, _: &'a Session, domain: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move { Self::has(self.certificate, domain) })
    }

    fn allows_dialback(&self, _: &str) -> bool {
        self.dialback
    }

    fn verify<'a>(&'a self, asked: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move {
            match asked.key {
                "lost" => Err(StanzaError::remote_server_timeout()),
                key => Ok(key == "right" && Self::has(self.answers, asked.domain)),
            }
        })
    }

    fn complete_negotiation(&self, _: &Session) {}

    fn fail_negotiation(&self, session: &Session, _: StanzaError) {
        session.close(None);
    }
}

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let mut first = Script(script.until(b'\n'));
    let options = first.byte();
    let proofs =
        Proofs { certificate: first.byte(), answers: first.byte(), dialback: options & 1 == 1 };
    testing::run(async {
        let builder = testing::host("a.example")
            .registry(Registry::new(&[spondee_modules::BUNDLE]).unwrap())
            .module("starttls")
            .module("saslauth")
            .module("dialback")
            .module("s2s")
            .module("message")
            .host("h.example")
            .module("starttls")
            .module("saslauth")
            .module("dialback")
            .module("message")
            .prepare(move |host| host.provide(Arc::new(ServerFederation(Arc::new(proofs)))));
        let server = builder.start().await.unwrap();
        let juliet = server.session("juliet@a.example/x").await;
        // Other servers reach no host without module `s2s`.
        let hidden = server.session("juliet@h.example/x").await;
        let open = |kind, claimed: Option<&str>, at: u8| {
            let stream = server.stream_of(kind, "a.example");
            stream.session.set_claimed_domain(claimed);
            stream.stream.set_encrypted(options >> at & 1 == 1);
            stream
        };
        let streams = [
            open(SessionKind::S2sIn, Some("b.example"), 1),
            open(SessionKind::S2sIn, None, 2),
            open(SessionKind::S2sOut, Some("b.example"), 3),
        ];
        let mut allowed = [const { BTreeSet::new() }; 3];
        let (mut sent_auth, mut sent_key) = (false, false);
        for _ in 0..32 {
            if script.is_done() {
                break;
            }
            let line = script.until(b'\n');
            let at = index(line, 0, 3);
            let stream = &streams[at];
            let Some(element) = element(stream, &line[1.min(line.len())..]) else { continue };
            if stream.closed().is_some() {
                continue;
            }
            if at == 2 {
                let is_valid = is_valid(&element) && sent_key;
                if is_valid || (element.is("success", SASL) && sent_auth) {
                    allowed[at].insert("b.example".to_owned());
                }
            } else {
                allowed[at].extend(asked(stream, &element).filter(|domain| {
                    Proofs::has(proofs.certificate, domain)
                        || is_answered(&proofs, &element, domain)
                }));
            }
            step(&server, stream, &juliet, &element).await;
            assert!(hidden.received().is_empty(), "{element}");
            if at == 2 {
                for answer in stream.received() {
                    sent_auth |= answer.is("auth", SASL);
                    sent_key |= answer.is("result", DB);
                }
                assert!(!stream.session.is_established() || is_usable(&proofs));
            }
            let authorized = stream.session.authorized_domains();
            for domain in authorized {
                assert!(allowed[at].contains(&*domain), "{domain} after {element}: {proofs:?}");
                assert!(!HOSTS.contains(&&*domain), "{domain} is served here: {element}");
            }
        }
    });
}

/// Sends an element. What Juliet receives must be from a domain of the stream.
async fn step(server: &Harness, stream: &Client, juliet: &Client, element: &Element) {
    let before = stream.session.authorized_domains();
    send(server, stream, element).await;
    for domain in senders(juliet) {
        assert!(
            before.iter().any(|known| **known == *domain),
            "{domain} was not proved: {element}"
        );
    }
}

/// Whether an outgoing stream may be used at all.
fn is_usable(proofs: &Proofs) -> bool {
    proofs.dialback || Proofs::has(proofs.certificate, "b.example")
}

/// Whether an element accepts this server's dialback key.
fn is_valid(element: &Element) -> bool {
    element.is("result", DB)
        && element.attribute("type").as_deref() == Some("valid")
        && domain(element, "from").as_deref() == Some("b.example")
        && domain(element, "to").as_deref() == Some("a.example")
}

/// The domains of which an element on an incoming stream may ask for one.
fn asked(stream: &Client, element: &Element) -> impl Iterator<Item = String> {
    let claimed = stream.session.claimed_domain().map(String::from);
    let asked = if !stream.session.is_encrypted() {
        Vec::new()
    } else if element.is("result", DB) {
        let is_here = domain(element, "to").is_some_and(|to| HOSTS.contains(&&*to));
        domain(element, "from").filter(|_| is_here).into_iter().collect()
    } else if element.is("auth", SASL) {
        let all = DOMAINS.map(|(name, _)| name.to_owned());
        claimed.map_or_else(|| all.to_vec(), |claimed| vec![claimed])
    } else {
        Vec::new()
    };
    asked.into_iter().filter(|domain| !HOSTS.contains(&&**domain))
}

/// Whether the answer to the dialback key of an element proves the domain.
fn is_answered(proofs: &Proofs, element: &Element, domain: &str) -> bool {
    element.is("result", DB)
        && proofs.dialback
        && element.text().trim() == "right"
        && Proofs::has(proofs.answers, domain)
}

fn domain(element: &Element, attribute: &str) -> Option<String> {
    let domain = element.attribute(attribute)?;
    DomainPart::new(&domain).ok().map(|domain| domain.as_str().to_owned())
}

/// The element of a line without its first byte.
fn element(stream: &Client, line: &[u8]) -> Option<Element> {
    let domain = |at| DOMAINS[index(line, at, DOMAINS.len())].0;
    let xml = match line.first()? {
        b'r' => {
            let key = ["right", " right ", "wrong", "lost", ""][index(line, 3, 5)];
            let (from, to) = (domain(1), domain(2));
            format!("<result xmlns='{DB}' from='{from}' to='{to}'>{key}</result>")
        }
        b'v' => {
            let kind = ["valid", "invalid", "error"][index(line, 3, 3)];
            let (from, to) = (domain(1), domain(2));
            format!("<result xmlns='{DB}' from='{from}' to='{to}' type='{kind}'/>")
        }
        b'q' => {
            let (from, to) = (domain(1), domain(2));
            format!("<verify xmlns='{DB}' from='{from}' to='{to}' id='i'>key</verify>")
        }
        b'e' => {
            let identity = DOMAINS[index(line, 1, DOMAINS.len())].1;
            format!("<auth xmlns='{SASL}' mechanism='EXTERNAL'>{identity}</auth>")
        }
        b'f' => {
            let offers = index(line, 1, 8);
            let offer = |bit: usize, xml: &str| {
                if offers >> bit & 1 == 1 { xml.to_owned() } else { String::new() }
            };
            let tls = offer(0, &format!("<starttls xmlns='{TLS}'/>"));
            let external =
                format!("<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>");
            let external = offer(1, &external);
            let dialback = offer(2, "<dialback xmlns='urn:xmpp:features:dialback'/>");
            format!("<features xmlns='{STREAMS}'>{tls}{external}{dialback}</features>")
        }
        b't' => format!("<starttls xmlns='{TLS}'/>"),
        b'p' => format!("<proceed xmlns='{TLS}'/>"),
        b's' => format!("<success xmlns='{SASL}'/>"),
        b'x' => format!("<failure xmlns='{SASL}'/>"),
        b'm' => {
            let to = HOSTS[index(line, 2, 2)];
            format!("<message from='x@{}' to='juliet@{to}/x'/>", domain(1))
        }
        _ => String::from_utf8_lossy(line).into_owned(),
    };
    parse(stream, &xml)
}
