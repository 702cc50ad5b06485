mod subscriptions;

use event_core::{
    jid::BareJid,
    prelude::*,
    roster::SubscriptionType,
    services::{Direction, Rosters},
    testing::{self, Builder, Client, Harness},
};

use crate::fakes::{FakeAccounts, refused};

const ACCOUNTS: [&str; 4] =
    ["romeo@localhost", "juliet@localhost", "nurse@localhost", "tybalt@localhost"];

fn builder() -> Builder {
    let accounts = FakeAccounts::of(&ACCOUNTS);
    let builder = testing::host("localhost").module("message").module("presence").module("roster");
    builder.prepare(accounts.provide())
}

async fn server() -> Harness {
    builder().start().await.unwrap()
}

/// `from` and `type` of the presence that the client got.
fn seen(client: &Client) -> Vec<(String, String)> {
    let presence = client.received().into_iter().filter(|e| e.name() == "presence");
    presence
        .map(|e| {
            let kind = e.attribute("type").map_or("available".into(), |kind| kind.into_owned());
            (e.attribute("from").unwrap().into_owned(), kind)
        })
        .collect()
}

fn list<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.map(|(from, kind)| (from.into(), kind.into())).into()
}

/// Requests the roster; returns the items as `jid subscription flags`.
async fn roster(client: &Client) -> Vec<String> {
    client.received();
    client.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>").await;
    let answer = client.next().unwrap();
    let query = answer.first_child().unwrap();
    query.children().map(|item| line(&item)).collect()
}

fn line(item: &event_core::xml::Child<'_>) -> String {
    let mut line = item.attribute("jid").unwrap().into_owned();
    for name in ["subscription", "ask", "approved"] {
        if let Some(value) = item.attribute(name) {
            line.push_str(&format!(" {}", if name == "subscription" { &value } else { name }));
        }
    }
    line
}

/// The stanzas that a client got, in order: a push as its item, a presence as `from type`.
fn heard(client: &Client) -> Vec<String> {
    let received = client.received().into_iter();
    received
        .map(|e| match e.name() {
            "iq" => line(&e.first_child().unwrap().first_child().unwrap()),
            _ => {
                let kind = e.attribute("type").map_or("available".into(), |kind| kind.into_owned());
                format!("{} {kind}", e.attribute("from").unwrap())
            }
        })
        .collect()
}

fn condition(client: &Client) -> String {
    let answer = client.next().unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("error"), "{answer}");
    answer.children().last().unwrap().first_child().unwrap().name().to_owned()
}

/// An available client that has requested the roster, and so gets pushes.
async fn online(server: &Harness, jid: &str) -> Client {
    let client = server.session(jid).await;
    roster(&client).await;
    client.send("<presence/>").await;
    client.received();
    client
}

async fn befriend(romeo: &Client, juliet: &Client) {
    for (asks, agrees) in [(romeo, juliet), (juliet, romeo)] {
        let of = |client: &Client| client.session.user().unwrap().to_string();
        asks.send(&format!("<presence type='subscribe' to='{}'/>", of(agrees))).await;
        agrees.send(&format!("<presence type='subscribed' to='{}'/>", of(asks))).await;
    }
    romeo.received();
    juliet.received();
}

const ROMEO: &str = "romeo@localhost/orchard";
const JULIET: &str = "juliet@localhost/balcony";

#[test]
fn own_clients_see_each_other_come_and_go() {
    testing::run(async {
        let server = server().await;
        let (a, b) = ("romeo@localhost/a", "romeo@localhost/b");
        let first = server.session(a).await;
        let second = server.session(b).await;
        first.send("<presence/>").await;
        assert_eq!(seen(&first), list([(a, "available")]), "a client must get its own presence");
        assert!(seen(&second).is_empty(), "an unavailable client must get no presence");
        second.send("<presence/>").await;
        assert_eq!(seen(&first), list([(b, "available")]));
        assert_eq!(seen(&second), list([(b, "available"), (a, "available")]));
        second.send("<presence type='probe' to='romeo@localhost'/>").await;
        assert_eq!(seen(&second), list([(a, "available")]));
        second.send("<presence type='unavailable'/>").await;
        assert_eq!(
            seen(&second),
            list([(b, "unavailable")]),
            "a client must get its own unavailable presence"
        );
        assert_eq!(seen(&first), list([(b, "unavailable")]));
        second.disconnect().await;
        assert!(seen(&first).is_empty(), "a client must become unavailable once");
    });
}

#[test]
fn recipients_of_directed_presence_get_the_end_of_the_client() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session(ROMEO).await;
        let juliet = server.session(JULIET).await;
        let nurse = server.session("nurse@localhost/hall").await;
        for to in [JULIET, "nurse@localhost/hall"] {
            romeo.send(&format!("<presence to='{to}'/>")).await;
        }
        romeo.send("<presence type='unavailable' to='nurse@localhost/hall'/>").await;
        assert_eq!(seen(&nurse).len(), 2);
        romeo.disconnect().await;
        assert_eq!(seen(&juliet), list([(ROMEO, "available"), (ROMEO, "unavailable")]));
        assert!(seen(&nurse).is_empty(), "nurse must get unavailable presence once");
    });
}

#[test]
fn a_contact_with_directed_presence_gets_the_end_once() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        befriend(&romeo, &juliet).await;
        romeo.send(&format!("<presence to='{JULIET}'/>")).await;
        romeo.disconnect().await;
        assert_eq!(seen(&juliet), list([(ROMEO, "available"), (ROMEO, "unavailable")]));
    });
}

#[test]
fn a_wrong_type_or_priority_is_a_bad_request() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session(ROMEO).await;
        for presence in [
            "<presence type='subscribe'/>",
            "<presence type='subscribe' to='romeo@localhost'/>",
            "<presence type='subscribed' to='romeo@localhost/other'/>",
            "<presence type='away'/>",
            "<presence type='away' to='juliet@localhost'/>",
            "<presence type='' to='localhost'/>",
            "<presence><priority>high</priority></presence>",
            "<presence><priority>128</priority></presence>",
            "<presence><priority>-129</priority></presence>",
            "<presence><priority/></presence>",
        ] {
            romeo.send(presence).await;
            assert_eq!(condition(&romeo), "bad-request", "{presence}");
        }
        assert!(romeo.session.presence().is_none());
        assert!(roster(&romeo).await.is_empty());
    });
}

#[test]
fn contacts_see_each_other_come_and_go() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        befriend(&romeo, &juliet).await;
        romeo.disconnect().await;
        assert_eq!(seen(&juliet), list([(ROMEO, "unavailable")]));
        let romeo = server.session(ROMEO).await;
        romeo.send("<presence><status>here</status></presence>").await;
        let probed = romeo.received();
        assert_eq!(probed.len(), 2);
        assert_eq!(probed[1].attribute("from").as_deref(), Some(JULIET));
        assert!(
            probed[1].child("delay", "urn:xmpp:delay").is_some(),
            "the presence must have the time at which it was sent"
        );
        let told = juliet.next().unwrap();
        assert_eq!(told.attribute("to").as_deref(), Some("juliet@localhost"));
        assert_eq!(told.child("status", STANZA_NS).unwrap().text(), "here");
        assert!(told.child("delay", "urn:xmpp:delay").is_none());
        juliet.disconnect().await;
        romeo.received();
        let other = server.session("romeo@localhost/street").await;
        other.send("<presence/>").await;
        assert_eq!(
            seen(&other),
            list([
                ("romeo@localhost/street", "available"),
                (ROMEO, "available"),
                ("juliet@localhost", "unavailable"),
            ])
        );
    });
}

#[test]
fn a_probe_is_answered_only_to_those_who_may_see() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        befriend(&romeo, &juliet).await;
        for (to, expected) in [
            ("juliet@localhost", (JULIET, "available")),
            (JULIET, (JULIET, "available")),
            ("juliet@localhost/gone", ("juliet@localhost/gone", "unavailable")),
            ("localhost", ("localhost", "available")),
        ] {
            romeo.send(&format!("<presence type='probe' to='{to}'/>")).await;
            assert_eq!(seen(&romeo), list([expected]), "{to}");
        }
        juliet.disconnect().await;
        romeo.received();
        romeo.send("<presence type='probe' to='juliet@localhost'/>").await;
        assert_eq!(seen(&romeo), list([("juliet@localhost", "unavailable")]));

        // Strangers get no answer, whether the account exists or not.
        let strangers = ["nurse@localhost", "nobody@localhost"];
        for to in strangers {
            romeo.send(&format!("<presence type='probe' to='{to}'/>")).await;
            assert_eq!(heard(&romeo), Vec::<String>::new());
        }
        // A wrong state of the subscription in the sender's roster is corrected.
        let rosters = server.host().service::<dyn Rosters>().unwrap();
        for to in strangers {
            let contact = BareJid::new(to).unwrap();
            let stanza = ElementBuilder::new("presence", STANZA_NS).build();
            for (direction, kind) in [
                (Direction::Outbound, SubscriptionType::Subscribe),
                (Direction::Inbound, SubscriptionType::Subscribed),
            ] {
                rosters.subscription("romeo", &contact, direction, kind, &stanza).await.unwrap();
            }
            romeo.received();
            romeo.send(&format!("<presence type='probe' to='{to}'/>")).await;
            assert_eq!(heard(&romeo), [format!("{to} unsubscribed"), format!("{to} none")]);
        }
        romeo.send("<presence type='subscribe' to='nurse@localhost'/>").await;
        romeo.received();
        romeo.send("<presence type='probe' to='nurse@localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            ["nurse@localhost unavailable"],
            "a pending request must not be refused"
        );
    });
}

#[test]
fn stored_messages_are_sent_when_a_client_begins_to_take_messages() {
    testing::run(async {
        let server = builder().module("test_broadcasts").start().await.unwrap();
        let romeo = server.session(ROMEO).await;
        let mut order = Vec::new();
        for priority in [-1, 0, 5, -5, 3] {
            romeo.send(&format!("<presence><priority>{priority}</priority></presence>")).await;
            let names = romeo.received().into_iter().map(|e| e.name().to_owned());
            order.push(names.collect::<Vec<_>>().join(" "));
        }
        assert_eq!(
            order,
            ["presence", "presence message", "presence", "presence", "presence message"],
            "the message must follow the presence, unless the priority is negative"
        );
    });
}

/// Sends a message when stored messages would be sent.
#[module(name = "test_broadcasts")]
struct TestBroadcasts;

#[hook("message/offline/broadcast")]
fn announce(event: &mut MessageOfflineBroadcast) -> Flow {
    event.session.send(&ElementBuilder::new("message", STANZA_NS).build());
    Flow::Handled
}

#[test]
fn a_presence_that_is_too_long_is_refused_to_its_sender() {
    testing::run(async {
        let server = server().await;
        let juliet = online(&server, "juliet@localhost/balcony").await;
        juliet.received();
        let romeo = online(&server, "romeo@localhost/orchard").await;
        let long = format!("<status>{}</status>", "x".repeat(9000));
        for to in ["", "to='juliet@localhost'", "to='juliet@localhost/balcony'"] {
            romeo.received();
            let refused = refused(&romeo, &format!("<presence {to}>{long}</presence>")).await;
            assert_eq!(refused, "policy-violation", "{to}");
            assert!(juliet.next().is_none(), "{to}");
        }
    });
}
