//! Stanzas from other servers and components: allowed addresses, and errors.

use std::{cell::Cell, sync::Arc};

use event_core::{
    BoxFuture, SessionKind,
    prelude::*,
    services::{Federation, KeyQuestion},
    testing,
};

use crate::{attribute, note, noted};

thread_local! {
    /// The id of the last request to another server.
    static QUESTION: Cell<Option<String>> = const { Cell::new(None) };
}

/// Notes the stanzas for the module's host and for other servers.
#[module(name = "borders")]
struct Borders;

#[hook("message/bare")]
fn seen(message: &Message, cx: &Context<Borders>) {
    note(format!("{} on {}", attribute(message.element(), "from"), cx.host().name()));
}

#[hook("message/bare", priority = -1)]
fn deliver(message: &mut Message) -> Result<Flow, StanzaError> {
    match message.id().as_deref() {
        Some("refused") => Err(StanzaError::not_acceptable()),
        _ => Ok(Flow::Handled),
    }
}

#[hook("pre-message/bare")]
fn pre(_: &mut Message) -> Flow {
    note("a pre-event");
    Flow::Continue
}

#[hook("route/remote", priority = -1)]
fn leaves(stanza: &mut Stanza, cx: &Context<Borders>) -> Flow {
    let element = stanza.element();
    let (from, to) = (attribute(element, "from"), attribute(element, "to"));
    let error = element.child("error", STANZA_NS);
    let condition = error.and_then(|error| error.first_child());
    let what = condition.map_or(element.name(), |condition| condition.name());
    note(format!("{what} from {from} to {to} leaves {}", cx.host().name()));
    QUESTION.set(element.attribute("id").map(Into::into));
    Flow::Handled
}

#[hook("stanza/jabber:server:dialback:result")]
fn dialback(_: &mut Nonza, cx: &Context<Borders>) -> Flow {
    note(format!("a key for {}", cx.host().name()));
    Flow::Handled
}

#[hook("stanza/jabber:component:accept:handshake")]
fn handshake(_: &mut Nonza) -> Flow {
    note("a handshake");
    Flow::Handled
}

#[hook("message/host", priority = 10)]
async fn ask(_: &mut Message, cx: &Context<Borders>) -> Flow {
    let query = ElementBuilder::new("query", "jabber:iq:version").build();
    let iq = ElementBuilder::new("iq", STANZA_NS).attribute("type", "get");
    let iq = iq.attribute("to", "b.example").child(&query).build();
    note(if cx.query(iq).await.is_ok() { "answered" } else { "not answered" });
    Flow::Handled
}

#[hook("component-disconnected")]
fn component_gone(event: &ComponentDisconnected) {
    note(format!("component gone: {:?}", event.error));
}

#[hook("s2sin-destroyed")]
fn stream_gone(event: &S2sInDestroyed) {
    note(format!("{} gone", event.domain));
}

/// A server with three hosts, of which `closed.localhost` exchanges no stanzas with other servers.
async fn server() -> testing::Harness {
    let server = testing::host("localhost").module("borders");
    let server = server.host("other.localhost").module("borders");
    let server = server.host("closed.localhost").module("borders").prepare(|host| {
        if host.name() != "closed.localhost" {
            host.provide::<dyn Federation>(Arc::new(Nobody));
        }
    });
    server.start().await.unwrap()
}

/// Federation without other servers.
struct Nobody;

impl Federation for Nobody {
    fn send(&self, _: &Stanza) -> Result<(), StanzaError> {
        Err(StanzaError::remote_server_not_found())
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

/// The condition that the stream was closed with.
fn closed(client: &testing::Client) -> Option<&'static str> {
    client.closed().flatten().map(|error| error.condition().as_str())
}

const SERVER: (SessionKind, &str) = (SessionKind::S2sIn, "b.example");
const OUT: (SessionKind, &str) = (SessionKind::S2sOut, "b.example");
const COMPONENT: (SessionKind, &str) = (SessionKind::Component, "other.localhost");

#[test]
fn a_stanza_with_a_wrong_address_closes_the_stream() {
    testing::run(async {
        let server = server().await;
        for ((kind, domain), stanza, condition) in [
            (SERVER, "<message to='romeo@localhost'/>", "improper-addressing"),
            (SERVER, "<message from='' to='romeo@localhost'/>", "improper-addressing"),
            (SERVER, "<message from='@' to='romeo@localhost'/>", "improper-addressing"),
            (SERVER, "<message from='a@b.example'/>", "improper-addressing"),
            (SERVER, "<message from='a@b.example' to=''/>", "improper-addressing"),
            (SERVER, "<message from='a@localhost' to='romeo@localhost'/>", "invalid-from"),
            (SERVER, "<message from='a@x.b.example' to='romeo@localhost'/>", "invalid-from"),
            (
                SERVER,
                "<iq from='a@c.example' to='localhost' type='result' id='1'/>",
                "invalid-from",
            ),
            (SERVER, "<message from='a@b.example' to='romeo@c.example'/>", "host-unknown"),
            (SERVER, "<message from='a@b.example' to='romeo@closed.localhost'/>", "host-unknown"),
            (SERVER, "<iq from='b.example' to='closed.localhost'/>", "host-unknown"),
            (OUT, "<message from='a@b.example' to='romeo@localhost'/>", "not-authorized"),
            (OUT, "<iq from='b.example' to='localhost' type='result' id='1'/>", "not-authorized"),
            (COMPONENT, "<message to='romeo@localhost'/>", "invalid-from"),
            (COMPONENT, "<message from='@' to='romeo@localhost'/>", "invalid-from"),
            (COMPONENT, "<message from='localhost' to='romeo@localhost'/>", "invalid-from"),
        ] {
            let host = if kind == SessionKind::Component { domain } else { "localhost" };
            let peer = server.peer(kind, host, domain);
            peer.send(stanza).await;
            assert_eq!(closed(&peer), Some(condition), "{kind:?} {stanza}");
        }
        assert_eq!(noted(), [""; 0]);
    });
}

#[test]
fn no_peer_may_claim_a_domain_that_is_served_here() {
    testing::run(async {
        let server = server().await;
        for (kind, host, domain, is_allowed) in [
            (SessionKind::S2sIn, "localhost", "b.example", true),
            (SessionKind::S2sIn, "localhost", "localhost", false),
            (SessionKind::S2sIn, "localhost", "closed.localhost", false),
            (SessionKind::S2sOut, "localhost", "other.localhost", false),
            (SessionKind::Component, "other.localhost", "other.localhost", true),
            (SessionKind::Component, "other.localhost", "localhost", false),
            (SessionKind::Component, "other.localhost", "b.example", false),
        ] {
            let peer = server.stream_of(kind, host);
            let authorized = server.core().authorize(&peer.session, domain);
            assert_eq!(authorized.is_ok(), is_allowed, "{kind:?} {domain}");
            assert_eq!(peer.session.is_authorized(domain), is_allowed, "{kind:?} {domain}");
        }
        // A reload adds a host whose domain another server has proved.
        let peer = server.peer(SessionKind::S2sIn, "localhost", "b.example");
        let hosts = testing::host("localhost").module("borders").host("b.example");
        server.reload(hosts.module("borders")).await.unwrap();
        peer.send("<message from='a@b.example' to='romeo@localhost'/>").await;
        assert_eq!(closed(&peer), Some("invalid-from"));
    });
}

#[test]
fn nothing_is_routed_before_a_domain_is_proved() {
    testing::run(async {
        let server = server().await;
        for kind in [SessionKind::S2sIn, SessionKind::S2sOut, SessionKind::Component] {
            for stanza in [
                "<message from='a@other.localhost' to='romeo@localhost'/>",
                "<presence from='a@other.localhost' to='romeo@other.localhost'/>",
                "<iq type='get' id='1'><q xmlns='urn:q'/></iq>",
                "<iq/>",
            ] {
                let peer = server.stream_of(kind, "other.localhost");
                peer.send(stanza).await;
                assert_eq!(closed(&peer), Some("not-authorized"), "{kind:?} {stanza}");
            }
        }
        assert_eq!(noted(), [""; 0]);
    });
}

#[test]
fn errors_come_from_the_address_of_the_stanza() {
    testing::run(async {
        let server = server().await;
        // The stream is to localhost and may be used for every host of this server.
        let peer = server.peer(SessionKind::S2sIn, "localhost", "b.example");
        peer.send("<message from='a@b.example' to='x@other.localhost' id='refused'/>").await;
        peer.send("<iq from='a@b.example' to='other.localhost' id='1'/>").await;
        peer.send("<iq from='a@b.example' to='other.localhost' id='1' type='get'/>").await;
        peer.send("<message from='a@b.example' to='@localhost' id='1'/>").await;
        peer.send("<message from='a@b.example' to='x@localhost' type='error'/>").await;
        assert_eq!(peer.received().len(), 0);
        assert_eq!(closed(&peer), None);
        assert_eq!(
            noted(),
            [
                "a@b.example on other.localhost",
                "not-acceptable from x@other.localhost to a@b.example leaves other.localhost",
                "bad-request from other.localhost to a@b.example leaves other.localhost",
                "bad-request from other.localhost to a@b.example leaves other.localhost",
                "jid-malformed from localhost to a@b.example leaves localhost",
            ]
        );
    });
}

#[test]
fn a_component_gets_its_stanza_without_an_address_back() {
    testing::run(async {
        let server = server().await;
        let component = server.peer(SessionKind::Component, "other.localhost", "other.localhost");
        component.send("<message from='c@other.localhost' id='1'/>").await;
        component.send("<message from='c@other.localhost' to='a@b.example' id='1'/>").await;
        assert_eq!(closed(&component), None);
        // The error is addressed to the component's own host, whose modules deliver it.
        assert_eq!(
            noted(),
            [
                "other.localhost on other.localhost",
                "message from c@other.localhost to a@b.example leaves other.localhost",
            ]
        );
    });
}

#[test]
fn other_elements_go_to_the_host_in_their_to_attribute() {
    testing::run(async {
        let server = server().await;
        let peer = server.stream_of(SessionKind::S2sIn, "localhost");
        for to in ["to='other.localhost'", "to='elsewhere.example'", "to='closed.localhost'", ""] {
            peer.send(&format!("<result xmlns='jabber:server:dialback' {to}>k</result>")).await;
        }
        assert_eq!(
            noted(),
            [
                "a key for other.localhost",
                "a key for localhost",
                "a key for localhost",
                "a key for localhost"
            ]
        );
        let component = server.stream_of(SessionKind::Component, "localhost");
        component.send("<handshake/>").await;
        assert_eq!(noted(), ["a handshake"]);
        // On a server's stream the element is in another namespace, so another event fires.
        peer.send("<handshake/>").await;
        assert_eq!(closed(&peer), Some("unsupported-stanza-type"));
    });
}

#[test]
fn only_the_queried_domain_can_answer_a_query() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/orchard").await;
        let forger = server.peer(SessionKind::S2sIn, "localhost", "c.example");
        let stranger = server.stream("localhost");
        let right = server.peer(SessionKind::S2sIn, "localhost", "b.example");
        let asking = romeo.send("<message to='localhost'/>");
        let answering = async {
            let id = loop {
                tokio::task::yield_now().await;
                if let Some(id) = QUESTION.take() {
                    break id;
                }
            };
            let answer = format!("<iq type='result' from='b.example' to='localhost' id='{id}'/>");
            forger.send(&answer).await;
            assert_eq!(closed(&forger), Some("invalid-from"));
            stranger.send(&answer).await;
            assert_eq!(closed(&stranger), Some("not-authorized"));
            note("forged");
            right.send(&answer).await;
            assert_eq!(closed(&right), None);
        };
        tokio::join!(asking, answering);
        assert_eq!(noted().split_off(1), ["forged", "answered"]);
    });
}

#[test]
fn the_end_of_a_stream_fires_an_event_for_each_proved_domain() {
    testing::run(async {
        let server = server().await;
        let peer = server.peer(SessionKind::S2sIn, "localhost", "b.example");
        let authorize = |domain| server.core().authorize(&peer.session, domain).ok();
        assert_eq!(["c.example", "b.example"].map(authorize), [Some(true), Some(false)]);
        peer.disconnect().await;
        peer.disconnect().await;
        assert_eq!(noted(), ["b.example gone", "c.example gone"]);
        server.stream_of(SessionKind::Component, "other.localhost").disconnect().await;
        assert_eq!(noted(), [""; 0]);
        server
            .peer(SessionKind::Component, "other.localhost", "other.localhost")
            .disconnect()
            .await;
        assert_eq!(noted(), ["component gone: Some(\"connection lost\")"]);
    });
}
