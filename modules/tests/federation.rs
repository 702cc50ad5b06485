//! Tests the negotiation of streams to and from other servers, with the harness.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use event_core::{
    BoxFuture, Registry, Session, SessionKind, Stanza, StanzaError,
    services::{Federation, KeyCheck, KeyQuestion, ServerFederation},
    testing::{self, Client, Harness},
};

/// A fake of the server's service. It records all calls.
#[derive(Default)]
struct FakeFederation {
    proves: AtomicBool,
    dialback: AtomicBool,
    calls: Mutex<Vec<String>>,
}

/// Records that the check of a key has ended without an answer.
struct Withdrawn<'a>(&'a FakeFederation);

impl Drop for Withdrawn<'_> {
    fn drop(&mut self) {
        self.0.record("withdrawn");
    }
}

impl FakeFederation {
    fn record(&self, what: impl Into<String>) {
        self.calls.lock().unwrap().push(what.into());
    }

    fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

impl Federation for FakeFederation {
    fn send(&self, stanza: &Stanza) -> Result<(), StanzaError> {
        self.record(format!("send {}", stanza.id().unwrap_or_default()));
        match stanza.id().as_deref() {
            Some("full") => Err(StanzaError::resource_constraint()),
            _ => Ok(()),
        }
    }

    fn proves<'a>(&'a self, _: &'a Session, domain: &'a str) -> BoxFuture<'a, bool> {
        let is_proved = ["a.example", "b.example", "closed.example"].contains(&domain);
        Box::pin(async move { self.proves.load(Ordering::Relaxed) && is_proved })
    }

    fn allows_dialback(&self, _: &str) -> bool {
        self.dialback.load(Ordering::Relaxed)
    }

    fn verify<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move {
            if question.key == "slow" {
                let _withdrawn = Withdrawn(self);
                std::future::pending::<()>().await;
            }
            Ok(question.key == "right")
        })
    }

    fn complete_negotiation(&self, _: &Session) {
        self.record("established");
    }

    fn fail_negotiation(&self, session: &Session, error: StanzaError) {
        self.record(format!("refused {error}"));
        session.close(None);
    }
}

/// Makes a builder of a host whose registry has the bundled modules.
fn host() -> testing::Builder {
    testing::host("a.example").registry(Registry::new(&[spondee_modules::BUNDLE]).unwrap())
}

async fn server() -> (Harness, Arc<FakeFederation>) {
    let fake = Arc::new(FakeFederation::default());
    let all = ServerFederation(fake.clone());
    let builder = host().module("starttls").module("saslauth").module("dialback").module("s2s");
    let builder = builder.host("closed.example").module("starttls").module("saslauth");
    let builder =
        builder.module("dialback").prepare(move |host| host.provide(Arc::new(all.clone())));
    (builder.start().await.unwrap(), fake)
}

fn closed(stream: &Client) -> Option<&'static str> {
    stream.closed().flatten().map(|error| error.condition().as_str())
}

fn out(server: &Harness) -> Client {
    let stream = server.stream_of(SessionKind::S2sOut, "a.example");
    stream.session.set_claimed_domain(Some("b.example"));
    stream
}

fn features(children: &str) -> String {
    format!("<features xmlns='http://etherx.jabber.org/streams'>{children}</features>")
}

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const EXTERNAL: &str = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                        <mechanism>EXTERNAL</mechanism></mechanisms>";

#[test]
fn external_on_an_outgoing_stream() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.proves.store(true, Ordering::Relaxed);
        let stream = out(&server);
        stream.stream.set_encrypted(false);
        stream.send(&features(STARTTLS)).await;
        assert_eq!(stream.next().unwrap().name(), "starttls");
        stream.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
        assert!(stream.session.is_encrypted());
        stream.send(&features(EXTERNAL)).await;
        let auth = stream.next().unwrap();
        assert_eq!((auth.name(), &*auth.text()), ("auth", "YS5leGFtcGxl"));
        stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
        assert!(stream.session.is_authorized("b.example"));
        assert!(fake.take_calls().is_empty());
        stream.send(&features("")).await;
        assert_eq!(fake.take_calls(), ["established"]);
    });
}

#[test]
fn reasons_to_end_an_outgoing_stream() {
    testing::run(async {
        let (server, fake) = server().await;
        // The other server offers no TLS.
        let stream = out(&server);
        stream.stream.set_encrypted(false);
        stream.send(&features(EXTERNAL)).await;
        assert!(fake.take_calls().concat().contains("does not support TLS"));
        // The certificate does not prove the name.
        let stream = out(&server);
        stream.send(&features(EXTERNAL)).await;
        assert!(fake.take_calls().concat().contains("certificate"));
        assert!(stream.next().is_none());
        // The other server offers no usable mechanism, or the mechanism fails.
        fake.proves.store(true, Ordering::Relaxed);
        let stream = out(&server);
        stream.send(&features("")).await;
        assert!(fake.take_calls().concat().contains("no mechanism"));
        let stream = out(&server);
        stream.send(&features(EXTERNAL)).await;
        stream.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
        assert!(fake.take_calls().concat().contains("does not accept"));
    });
}

#[test]
fn a_success_that_was_not_asked_for_authenticates_nobody() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.dialback.store(true, Ordering::Relaxed);
        let stream = out(&server);
        // EXTERNAL is not offered, so dialback is begun.
        stream.send(&features("")).await;
        assert_eq!(stream.next().unwrap().name(), "result");
        stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
        assert!(!stream.session.is_established());
    });
}

#[test]
fn dialback_on_an_outgoing_stream() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.dialback.store(true, Ordering::Relaxed);
        for (answer, outcome) in [
            ("type='valid'/>", "established"),
            ("type='invalid'/>", "refused"),
            ("type='error'><error><item-not-found/></error></db:result>", "item-not-found"),
        ] {
            let stream = out(&server);
            // EXTERNAL is tried first, and dialback after the failure of EXTERNAL.
            stream.send(&features(EXTERNAL)).await;
            assert_eq!(stream.next().unwrap().name(), "auth");
            stream.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
            let result = stream.next().unwrap();
            assert_eq!(result.name(), "result");
            assert_eq!(result.text().len(), 64);
            let answer = format!(
                "<db:result xmlns:db='jabber:server:dialback' from='b.example' to='a.example' {answer}"
            );
            stream.send(&answer).await;
            let calls = fake.take_calls().concat();
            assert!(calls.contains(outcome), "{answer}: {calls}");
        }
    });
}

#[test]
fn a_key_question_is_sent_and_answered() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.dialback.store(true, Ordering::Relaxed);
        let stream = out(&server);
        let (check, answer) = KeyCheck::new("their-stream", "abc");
        stream.session.with_slot(|slot| *slot = Some(check));
        stream.send(&features("")).await;
        let question = stream.next().unwrap();
        assert_eq!((question.name(), &*question.text()), ("verify", "abc"));
        assert_eq!(question.attribute("id").as_deref(), Some("their-stream"));
        let answer_with = |id: &str| {
            format!(
                "<db:verify xmlns:db='jabber:server:dialback' from='b.example' to='a.example' \
                 id='{id}' type='valid'/>"
            )
        };
        stream.send(&answer_with("their-stream")).await;
        assert_eq!(answer.await, Ok(true));
    });
}

#[test]
fn stanzas_for_other_servers_go_to_the_service() {
    testing::run(async {
        let fake = Arc::new(FakeFederation::default());
        let all = ServerFederation(fake.clone());
        let builder = host().module("s2s").module("message");
        let builder = builder.prepare(move |host| host.provide(Arc::new(all.clone())));
        let server = builder.start().await.unwrap();
        let romeo = server.session("romeo@a.example/r").await;
        romeo.send("<message to='j@b.example' id='m1'/>").await;
        assert_eq!(fake.take_calls(), ["send m1"]);
        assert!(romeo.next().is_none());
        romeo.send("<message to='j@b.example' id='full'/>").await;
        let error = romeo.next().unwrap();
        assert!(error.to_string().contains("<resource-constraint "), "{error}");
    });
}

const AUTH: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>";

fn key(from: &str, to: &str, key: &str) -> String {
    format!(
        "<db:result xmlns:db='jabber:server:dialback' from='{from}' to='{to}'>{key}</db:result>"
    )
}

/// Every way to prove a domain, for a domain that is served here.
#[test]
fn no_mechanism_proves_a_domain_that_is_served_here() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.proves.store(true, Ordering::Relaxed);
        fake.dialback.store(true, Ordering::Relaxed);
        for (domain, identity) in
            [("a.example", "YS5leGFtcGxl"), ("closed.example", "Y2xvc2VkLmV4YW1wbGU=")]
        {
            // EXTERNAL without and with a `from` in the stream header.
            for claimed in [None, Some(domain)] {
                let stream = server.stream_of(SessionKind::S2sIn, "a.example");
                stream.session.set_claimed_domain(claimed);
                stream.send(&format!("{AUTH}{identity}</auth>")).await;
                assert_eq!(closed(&stream), Some("invalid-from"), "{domain} {claimed:?}");
                assert!(stream.received().is_empty() && !stream.session.is_established());
            }
            for key in [key(domain, "a.example", "right"), key(domain, "a.example", "slow")] {
                let stream = server.stream_of(SessionKind::S2sIn, "a.example");
                stream.send(&key).await;
                server.settle().await;
                let answer = stream.next().unwrap().to_string();
                assert!(answer.contains("type='error'"), "{answer}");
                assert!(!stream.session.is_established());
            }
            // A stream to the domain, which a reload has added.
            let stream = out(&server);
            stream.session.set_claimed_domain(Some(domain));
            stream.send(&features(EXTERNAL)).await;
            stream.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>").await;
            assert_eq!(closed(&stream), Some("invalid-from"), "{domain}");
            assert!(!stream.session.is_established());
        }
        let stream = server.stream_of(SessionKind::S2sIn, "a.example");
        stream.send(&format!("{AUTH}Yi5leGFtcGxl</auth>")).await;
        assert_eq!(stream.next().unwrap().name(), "success");
        assert!(stream.session.is_authorized("b.example"));
        // The server of this domain runs, so it is tried again at once.
        assert_eq!(fake.take_calls(), ["established"]);
    });
}

#[test]
fn a_host_without_the_module_is_not_reached_over_a_stream_to_another() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.dialback.store(true, Ordering::Relaxed);
        let stream = server.stream_of(SessionKind::S2sIn, "a.example");
        let question = key("b.example", "closed.example", "k").replace("result", "verify");
        for element in [key("b.example", "closed.example", "right"), question] {
            stream.send(&element).await;
            server.settle().await;
            let answer = stream.next().unwrap().to_string();
            assert!(answer.contains("<item-not-found "), "{answer}");
        }
        let stream = server.peer(SessionKind::S2sIn, "a.example", "b.example");
        stream.send("<message from='x@b.example' to='y@closed.example'/>").await;
        assert_eq!(closed(&stream), Some("host-unknown"));
        // Nor does it reach others.
        let romeo = server.session("romeo@closed.example/r").await;
        romeo.send("<message to='j@b.example' id='m1'/>").await;
        assert!(romeo.next().unwrap().to_string().contains("<remote-server-not-found "));
        assert_eq!(fake.take_calls(), [""; 0]);
    });
}

#[test]
fn the_check_of_a_key_ends_with_the_stream() {
    testing::run(async {
        let (server, fake) = server().await;
        fake.dialback.store(true, Ordering::Relaxed);
        let stream = server.stream_of(SessionKind::S2sIn, "a.example");
        stream.send(&key("b.example", "a.example", "slow")).await;
        server.settle().await;
        assert_eq!(fake.take_calls(), [""; 0]);
        stream.disconnect().await;
        server.settle().await;
        assert_eq!(fake.take_calls(), ["withdrawn"]);
    });
}
