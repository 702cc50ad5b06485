//! Tests the negotiation of streams to and from other servers, with the harness.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use event_core::{
    BoxFuture, Registry, Session, SessionKind, Stanza, StanzaError,
    services::{Federation, KeyCheck, KeyQuestion},
    testing::{self, Client, Harness},
};

/// A fake of the server's service. It records all calls.
#[derive(Default)]
struct FakeFederation {
    proves: AtomicBool,
    dialback: AtomicBool,
    calls: Mutex<Vec<String>>,
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
        Box::pin(async move { self.proves.load(Ordering::Relaxed) && domain == "b.example" })
    }

    fn allows_dialback(&self) -> bool {
        self.dialback.load(Ordering::Relaxed)
    }

    fn verify<'a>(&'a self, question: KeyQuestion<'a>) -> BoxFuture<'a, Result<bool, StanzaError>> {
        Box::pin(async move { Ok(question.key == "right") })
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
    let builder = host().module("starttls").module("saslauth");
    let server = builder.module("dialback").module("s2s").start().await.unwrap();
    let fake = Arc::new(FakeFederation::default());
    server.core().host("a.example").unwrap().provide::<dyn Federation>(fake.clone());
    (server, fake)
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
        let server = host().module("s2s").module("message").start().await.unwrap();
        let fake = Arc::new(FakeFederation::default());
        server.core().host("a.example").unwrap().provide::<dyn Federation>(fake.clone());
        let romeo = server.session("romeo@a.example/r").await;
        romeo.send("<message to='j@b.example' id='m1'/>").await;
        assert_eq!(fake.take_calls(), ["send m1"]);
        assert!(romeo.next().is_none());
        romeo.send("<message to='j@b.example' id='full'/>").await;
        let error = romeo.next().unwrap();
        assert!(error.to_string().contains("<resource-constraint "), "{error}");
    });
}
