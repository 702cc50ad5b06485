use std::sync::Arc;

use event_core::{
    prelude::*,
    storage::{Memory, Storage},
    testing::{self, Client, Harness},
};

use crate::fakes::{FakeAccounts, condition, refused};

async fn server_on(storage: Arc<dyn Storage>, options: &str) -> Harness {
    let accounts = FakeAccounts::of(&["romeo@localhost", "juliet@localhost"]);
    let server = testing::host("localhost").module("message").module("presence");
    let server = server.module_with("offline", options).storage(storage);
    server.prepare(accounts.provide()).start().await.unwrap()
}

async fn server(options: &str) -> (Harness, Client) {
    let server = server_on(Arc::new(Memory::new()), options).await;
    let romeo = server.session("romeo@localhost/orchard").await;
    (server, romeo)
}

async fn say(romeo: &Client, body: &str) {
    let message =
        format!("<message type='chat' to='juliet@localhost'><body>{body}</body></message>");
    romeo.send(&message).await;
}

/// A client that connects and becomes available.
async fn come(server: &Harness, resource: &str) -> Client {
    let client = server.session(&format!("juliet@localhost/{resource}")).await;
    client.send("<presence/>").await;
    client
}

fn messages(client: &Client) -> Vec<Element> {
    client.received().into_iter().filter(|element| element.name() == "message").collect()
}

fn bodies(client: &Client) -> Vec<String> {
    let body = |message: &Element| message.child("body", STANZA_NS).unwrap().text().into();
    messages(client).iter().map(body).collect()
}

#[test]
fn stores_in_order_and_stamps() {
    testing::run(async {
        let (server, romeo) = server("").await;
        for body in ["1", "2", "3"] {
            say(&romeo, body).await;
        }
        assert!(romeo.next().is_none(), "the sender must get no error");
        let juliet = come(&server, "balcony").await;
        let received = messages(&juliet);
        assert_eq!(received.len(), 3);
        for (message, body) in received.iter().zip(["1", "2", "3"]) {
            assert_eq!(message.child("body", STANZA_NS).unwrap().text(), body);
            assert_eq!(message.attribute("from").as_deref(), Some("romeo@localhost/orchard"));
            let delay = message.child("delay", "urn:xmpp:delay").unwrap();
            assert_eq!(delay.attribute("from").as_deref(), Some("localhost"));
            assert!(delay.attribute("stamp").unwrap().ends_with('Z'));
        }
        assert!(bodies(&come(&server, "street").await).is_empty(), "a message must be sent once");
    });
}

#[test]
fn survives_a_restart() {
    testing::run(async {
        let storage = Arc::new(Memory::new());
        let before = server_on(storage.clone(), "").await;
        let romeo = before.session("romeo@localhost/orchard").await;
        say(&romeo, "before").await;
        let after = server_on(storage, "").await;
        assert_eq!(bodies(&come(&after, "balcony").await), ["before"]);
    });
}

#[test]
fn a_client_that_wants_no_messages_gets_none() {
    testing::run(async {
        let (server, romeo) = server("").await;
        let juliet = server.session("juliet@localhost/balcony").await;
        juliet.send("<presence><priority>-1</priority></presence>").await;
        say(&romeo, "hi").await;
        assert!(bodies(&juliet).is_empty());
        juliet.send("<presence><priority>1</priority></presence>").await;
        assert_eq!(bodies(&juliet), ["hi"]);
    });
}

#[test]
fn two_clients_at_once_share_one_copy() {
    testing::run(async {
        let (server, romeo) = server("").await;
        for number in 0..200 {
            say(&romeo, &number.to_string()).await;
        }
        let (a, b) = (
            server.session("juliet@localhost/a").await,
            server.session("juliet@localhost/b").await,
        );
        tokio::join!(a.send("<presence/>"), b.send("<presence/>"));
        let (mut of_a, of_b) = (bodies(&a), bodies(&b));
        assert!(of_a.is_empty() || of_b.is_empty(), "{} {}", of_a.len(), of_b.len());
        of_a.extend(of_b);
        let all: Vec<_> = (0..200).map(|number: u32| number.to_string()).collect();
        assert_eq!(of_a, all);
    });
}

#[test]
fn messages_during_the_sending_keep_their_order_and_are_not_left() {
    testing::run(async {
        let (server, romeo) = server("").await;
        for number in 0..200 {
            say(&romeo, &number.to_string()).await;
        }
        let juliet = server.session("juliet@localhost/balcony").await;
        let talk = async {
            for number in 200..400 {
                say(&romeo, &number.to_string()).await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(talk, juliet.send("<presence/>"));
        let all: Vec<_> = (0..400).map(|number: u32| number.to_string()).collect();
        assert_eq!(bodies(&juliet), all);
        assert!(bodies(&come(&server, "street").await).is_empty(), "no message may be left");
    });
}

#[test]
fn nobody_waits_while_a_client_reads_its_messages_slowly() {
    testing::run(async {
        let (server, romeo) = server("").await;
        for number in 0..3 {
            say(&romeo, &number.to_string()).await;
        }
        let juliet = server.session("juliet@localhost/balcony").await;
        juliet.stream.set_stuck(true);
        // More than what is kept apart for a client, so that some are stored, too.
        let padding = " ".repeat(2000);
        let talk = async {
            while !juliet.session.is_available() {
                tokio::task::yield_now().await;
            }
            for number in 3..100 {
                say(&romeo, &format!("{number}{padding}")).await;
                if number == 60 {
                    juliet.stream.set_stuck(false);
                    tokio::task::yield_now().await;
                    juliet.stream.set_stuck(true);
                }
            }
            juliet.stream.set_stuck(false);
        };
        let patience = async {
            for _ in 0..100_000 {
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(juliet.send("<presence/>"), async {
            tokio::select! {
                biased;
                () = talk => {}
                () = patience => panic!("the sender waits for the client"),
            }
        });
        assert!(romeo.next().is_none(), "no message may be refused");
        let got: Vec<u32> =
            bodies(&juliet).iter().map(|body| body.trim().parse().unwrap()).collect();
        assert_eq!(got, (0..100).collect::<Vec<_>>(), "all, once and in order");
        assert!(bodies(&come(&server, "street").await).is_empty(), "no message may be left");
        assert!(juliet.stream.peak_unflushed() < 300_000, "{}", juliet.stream.peak_unflushed());
    });
}

#[test]
fn messages_that_were_not_flushed_are_sent_again() {
    testing::run(async {
        let (server, romeo) = server("").await;
        say(&romeo, "hi").await;
        let lost = server.session("juliet@localhost/lost").await;
        lost.stream.set_lossy(true);
        lost.send("<presence/>").await;
        lost.disconnect().await;
        let deaf = server.session("juliet@localhost/deaf").await;
        deaf.stream.set_capacity(0);
        deaf.send("<presence/>").await;
        deaf.disconnect().await;
        assert_eq!(bodies(&come(&server, "balcony").await), ["hi"]);
    });
}

#[test]
fn is_bounded_by_number_and_by_bytes() {
    testing::run(async {
        let (server, romeo) = server("max_messages = 2\nmax_bytes = 500").await;
        let long = "x".repeat(500);
        say(&romeo, &long).await;
        assert_eq!(condition(&romeo), "service-unavailable");
        say(&romeo, "1").await;
        say(&romeo, "2").await;
        assert!(romeo.next().is_none());
        say(&romeo, "3").await;
        assert_eq!(condition(&romeo), "service-unavailable");
        let juliet = come(&server, "balcony").await;
        assert_eq!(bodies(&juliet), ["1", "2"]);
        juliet.disconnect().await;
        // The number and the bytes of the stored messages are below the limits again.
        for round in 0..3 {
            let body = round.to_string().repeat(300);
            say(&romeo, &body).await;
            assert!(romeo.next().is_none());
            let juliet = come(&server, "balcony").await;
            assert_eq!(bodies(&juliet), [body]);
            juliet.disconnect().await;
        }
    });
}

#[test]
fn stores_messages_with_content() {
    testing::run(async {
        let (server, romeo) = server("").await;
        let body = "<body>hi</body>";
        let state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
        let hint = |name: &str| format!("<{name} xmlns='urn:xmpp:hints'/>");
        let message = |kind: &str, content: &str| {
            format!("<message type='{kind}' to='juliet@localhost'>{content}</message>")
        };
        for (kind, content, is_stored) in [
            ("normal", body.to_owned(), true),
            ("chat", body.to_owned(), true),
            ("normal", "<x xmlns='jabber:x:conference' jid='r@c'/>".to_owned(), true),
            ("chat", format!("{state}{body}"), true),
            ("chat", format!("{state}<thread>1</thread>"), false),
            ("chat", format!("{state}{}", hint("no-store")), false),
            ("chat", format!("{state}{}", hint("store")), true),
            ("chat", format!("{body}{}", hint("no-permanent-store")), true),
            ("headline", body.to_owned(), false),
            ("error", body.to_owned(), false),
            ("chat", String::new(), false),
        ] {
            romeo.send(&message(kind, &content)).await;
            assert!(romeo.next().is_none(), "{kind} {content}");
            let juliet = come(&server, "balcony").await;
            assert_eq!(messages(&juliet).len(), usize::from(is_stored), "{kind} {content}");
            juliet.disconnect().await;
        }
        for (kind, content) in
            [("chat", format!("{body}{}", hint("no-store"))), ("groupchat", body.into())]
        {
            assert_eq!(refused(&romeo, &message(kind, &content)).await, "service-unavailable");
            let juliet = come(&server, "balcony").await;
            assert!(messages(&juliet).is_empty(), "{kind} {content}");
            juliet.disconnect().await;
        }
    });
}

#[test]
fn delay_elements_in_the_name_of_the_host_are_removed() {
    testing::run(async {
        let (server, romeo) = server("").await;
        romeo
            .send(
                "<message to='juliet@localhost'><body>old</body>\
                 <delay xmlns='urn:xmpp:delay' from='localhost' stamp='1999-01-01T00:00:00Z'/>\
                 <delay xmlns='urn:xmpp:delay' from='elsewhere' stamp='1999-01-01T00:00:00Z'/>\
                 </message>",
            )
            .await;
        let juliet = come(&server, "balcony").await;
        let message = messages(&juliet).remove(0);
        let delays = message.children().filter(|child| child.name() == "delay");
        let from: Vec<_> = delays.map(|delay| delay.attribute("from").unwrap()).collect();
        assert_eq!(from, ["elsewhere", "localhost"]);
        assert!(!message.to_string().contains("from='localhost' stamp='1999"));
    });
}

#[test]
fn nothing_is_stored_for_an_account_that_does_not_exist() {
    testing::run(async {
        let (_server, romeo) = server("").await;
        let message = "<message to='nobody@localhost'><body>hi</body></message>";
        assert_eq!(refused(&romeo, message).await, "service-unavailable");
    });
}
