//! Messages between clients: offline messages, restarts, blocking.
#![expect(clippy::expect_used, reason = "a test that cannot continue has failed")]

use std::str::FromStr;

use spondee_tests::{
    client::{Online, login},
    raw::{self, Raw},
    server::{Server, Setup},
};
use tokio_xmpp::{
    IqRequest, IqResponse,
    jid::Jid,
    minidom::Element,
    parsers::{
        delay::Delay,
        message::{Lang, Message, MessageType},
        ping::Ping,
    },
};

fn plaintext() -> Setup {
    Setup { host: "allow_plaintext = true".into(), ..Setup::default() }
}

fn chat(to: &str, body: &str) -> Message {
    Message::chat(Jid::new(to).expect("not a JID")).with_body(Lang::default(), body.into())
}

fn body(message: &Message) -> &str {
    message.bodies.values().next().map(String::as_str).unwrap_or_default()
}

/// Sends a ping and waits for its answer, which means that earlier stanzas have been handled.
/// Returns the input before the answer.
fn sync(raw: &mut Raw) -> String {
    raw.send("<iq type='get' id='sync' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
    let before = raw.wait("id='sync'");
    raw.wait(">");
    before
}

fn say(raw: &mut Raw, to: &str, body: &str) {
    raw.send(&format!("<message type='chat' to='{to}'><body>{body}</body></message>"));
}

/// The numbers in the bodies, in the order of arrival.
fn numbers(received: &str) -> Vec<u32> {
    let bodies = received.split("<body>").skip(1);
    bodies.filter_map(|rest| rest.split("</body>").next()?.parse().ok()).collect()
}

#[tokio::test]
async fn an_offline_message_is_delivered_with_its_delay() {
    let server = Server::start();
    let mut romeo = login(&server, "romeo@localhost/orchard").await;
    for text in ["first", "second"] {
        romeo.send(chat("juliet@localhost", text)).await;
    }
    // The answer to a ping means that the messages are stored.
    assert!(matches!(romeo.get(Some("localhost"), Ping).await, IqResponse::Result(None)));
    let mut juliet = login(&server, "juliet@localhost/balcony").await;
    juliet.available().await;
    for text in ["first", "second"] {
        let message = juliet.message().await;
        assert_eq!(body(&message), text);
        assert_eq!(message.from, Some(Jid::from(romeo.jid.clone())));
        let delay = message.payloads.into_iter().find_map(|payload| Delay::try_from(payload).ok());
        assert_eq!(delay.expect("no delay").from, Some(Jid::new("localhost").expect("not a JID")));
    }
    romeo.send(chat("juliet@localhost", "third")).await;
    let message = juliet.message().await;
    assert_eq!(body(&message), "third");
    assert!(message.payloads.is_empty(), "an online message has a delay");
}

#[test]
fn acknowledged_messages_survive_a_restart_and_a_crash() {
    let mut server = Server::with(&plaintext());
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for (number, signal) in [(1, "TERM"), (2, "KILL")] {
        say(&mut romeo, "juliet@localhost", &number.to_string());
        sync(&mut romeo);
        server.signal(signal);
        server.wait();
        server.restart();
        romeo = Raw::login(&server, "romeo", "orchard");
    }
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    assert_eq!(numbers(&sync(&mut juliet)), [1, 2]);
    // Delivered messages are deleted.
    server.signal("TERM");
    server.wait();
    server.restart();
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    assert!(numbers(&sync(&mut juliet)).is_empty());
}

/// More messages are sent than the queue of a stream holds, so that delivery waits for the client
/// to read.
#[test]
fn many_offline_messages_arrive_in_order_while_more_are_sent() {
    const EACH: u32 = 400;
    let server = Server::with(&plaintext());
    let padding = "x".repeat(4000);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut send = |range: std::ops::Range<u32>, padding: &str| {
        for number in range {
            romeo.send(&format!(
                "<message type='chat' to='juliet@localhost'><body>{number}</body>\
                 <x xmlns='urn:test:padding'>{padding}</x></message>"
            ));
        }
        sync(&mut romeo)
    };
    let refused = send(0..EACH, &padding);
    assert!(!refused.contains("<error"), "{refused:.500}");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    std::thread::scope(|scope| {
        scope.spawn(|| send(EACH..2 * EACH, ""));
        juliet.send("<presence/>");
        let received = juliet.wait(&format!("<body>{}</body>", 2 * EACH - 1));
        assert_eq!(numbers(&received), (0..2 * EACH).collect::<Vec<_>>());
    });
    let mut street = Raw::login(&server, "juliet", "street");
    street.send("<presence/>");
    assert!(numbers(&sync(&mut street)).is_empty(), "a message is still stored");
}

#[test]
fn two_clients_that_come_online_at_once_share_one_copy() {
    let server = Server::with(&plaintext());
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut clients: Vec<_> =
        ["a", "b"].map(|resource| Raw::login(&server, "juliet", resource)).into();
    for round in 0..20 {
        for number in 0..5 {
            say(&mut romeo, "juliet@localhost", &number.to_string());
        }
        sync(&mut romeo);
        clients.iter_mut().for_each(|client| client.send("<presence/>"));
        let got: Vec<_> = clients.iter_mut().map(|client| numbers(&sync(client))).collect();
        let all: Vec<_> = (0..5).collect();
        assert!(got == [all.clone(), vec![]] || got == [vec![], all], "round {round}: {got:?}");
        clients.iter_mut().for_each(|client| client.send("<presence type='unavailable'/>"));
        clients.iter_mut().for_each(|client| drop(sync(client)));
    }
}

#[test]
fn a_full_offline_store_refuses_messages_and_keeps_the_stored_ones() {
    let mut setup = plaintext();
    setup.tables = "[host.\"localhost\".module.offline]\nmax_messages = 3".into();
    let server = Server::with(&setup);
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    for number in 0..5 {
        say(&mut romeo, "juliet@localhost", &number.to_string());
    }
    let refused = sync(&mut romeo);
    assert_eq!(refused.matches("<service-unavailable").count(), 2, "{refused}");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    assert_eq!(numbers(&sync(&mut juliet)), [0, 1, 2]);
}

#[test]
fn a_blocked_contact_cannot_request_a_subscription() {
    let server = Server::with(&plaintext());
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    romeo.send("<presence/>");
    romeo.send(
        "<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'>\
         <item jid='juliet@localhost'/></block></iq>",
    );
    sync(&mut romeo);
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence type='subscribe' to='romeo@localhost'/>");
    assert!(!sync(&mut juliet).contains("error"));
    assert!(!sync(&mut romeo).contains("subscribe"));
    // The request was not stored either.
    let mut street = Raw::login(&server, "romeo", "street");
    street.send("<presence/>");
    assert!(!sync(&mut street).contains("subscribe"));
}

async fn set(client: &mut Online, xml: &str) -> IqResponse {
    let payload = Element::from_str(xml).expect("not an element");
    client.client.send_iq(None, IqRequest::Set(payload)).await.await.expect("no answer")
}

#[tokio::test]
async fn a_blocked_contact_gets_an_error_until_unblocked() {
    let server = Server::start();
    let mut romeo = login(&server, "romeo@localhost/orchard").await;
    let mut juliet = login(&server, "juliet@localhost/balcony").await;
    romeo.available().await;
    juliet.available().await;
    let change = |action: &str| {
        format!("<{action} xmlns='urn:xmpp:blocking'><item jid='juliet@localhost'/></{action}>")
    };
    assert!(matches!(set(&mut romeo, &change("block")).await, IqResponse::Result(_)));
    juliet.send(chat("romeo@localhost", "please?")).await;
    assert_eq!(juliet.message().await.type_, MessageType::Error);
    romeo.send(chat("juliet@localhost", "no")).await;
    let refused = romeo.message().await;
    assert_eq!(refused.type_, MessageType::Error);
    let xml = String::from(&Element::from(refused));
    assert!(xml.contains("not-acceptable") && xml.contains("urn:xmpp:blocking:errors"), "{xml}");
    assert!(matches!(set(&mut romeo, &change("unblock")).await, IqResponse::Result(_)));
    juliet.send(chat("romeo@localhost", "again")).await;
    assert_eq!(body(&romeo.message().await), "again");
}

/// RFC 6120 §8.1.5 and §4.8.2.
#[test]
fn a_message_has_the_language_of_its_senders_stream() {
    let server = Server::with(&plaintext());
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    let german = raw::header("localhost").replace(" to=", " xml:lang='de' to=");
    // The second header leaves the namespace to each stanza.
    let bare = "<stream to='localhost' version='1.0' xml:lang='de' \
                xmlns='http://etherx.jabber.org/streams'>";
    for (header, declared) in [(german.as_str(), ""), (bare, " xmlns='jabber:client'")] {
        let mut romeo = Raw::login_with(&server, "romeo", header, declared);
        romeo.send(&format!(
            "<message{declared} to='juliet@localhost/balcony'><body>Guten Tag</body></message>\
             <message{declared} to='juliet@localhost/balcony' xml:lang='en'><body>Hi</body></message>"
        ));
        for lang in ["de", "en"] {
            let message = juliet.wait("</message>");
            assert_eq!(message.matches("xml:lang=").count(), 1, "{message}");
            assert!(message.contains(&format!("xml:lang='{lang}'")), "{message}");
            assert!(!message.contains("xmlns="), "{message}");
        }
    }
    let mut nurse = Raw::login(&server, "nurse", "r");
    nurse.send("<message to='juliet@localhost/balcony'><body>Hi</body></message>");
    assert!(!juliet.wait("</message>").contains("xml:lang="));
}
