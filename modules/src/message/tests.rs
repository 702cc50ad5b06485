use event_core::{
    prelude::*,
    testing::{self, Client, Harness},
};

use super::DeliveryPause;
use crate::fakes::{FakeAccounts, condition};

/// Takes messages with a `keep` element, as a module for offline messages does.
#[module]
struct Keeper;

#[hook("message/offline/handle")]
fn keep(message: &mut Message) -> Flow {
    match message.child("keep", "urn:test:keep") {
        Some(_) => Flow::Handled,
        None => Flow::Continue,
    }
}

#[hook("message/bare/groupchat")]
fn take(message: &mut Message) -> Flow {
    keep(message)
}

const ALL: [&str; 5] = ["normal", "chat", "groupchat", "headline", "error"];

async fn server() -> (Harness, Client) {
    let accounts = FakeAccounts::of(&["romeo@localhost", "juliet@localhost"]);
    let server = testing::host("localhost").module("message").module("presence").module("keeper");
    let server = server.prepare(accounts.provide()).start().await.unwrap();
    let romeo = server.session("romeo@localhost/orchard").await;
    (server, romeo)
}

/// A client that is available with a priority.
async fn client(server: &Harness, resource: &str, priority: i8) -> Client {
    let client = server.session(&format!("juliet@localhost/{resource}")).await;
    client.send(&format!("<presence><priority>{priority}</priority></presence>")).await;
    client
}

fn bodies(client: &Client) -> Vec<String> {
    let received = client.received().into_iter().filter(|e| e.name() == "message");
    received.map(|message| message.first_child().unwrap().text().into_owned()).collect()
}

/// The result of sending a message.
#[derive(Debug, PartialEq)]
enum Fate {
    /// The clients with these indices got the message.
    Reached(Vec<usize>),
    Refused,
    /// A module took the message.
    Taken,
    Ignored,
}

use Fate::{Ignored, Reached, Refused, Taken};

/// Sends two messages of each type: one with a body, and one with a `keep` element.
async fn fates(romeo: &Client, to: &str, clients: &[&Client]) -> Vec<(&'static str, Fate)> {
    let mut fates = Vec::new();
    for kind in ALL {
        let fate = |content: &'static str| async move {
            clients.iter().for_each(|client| drop(client.received()));
            romeo.received();
            let to = if to.is_empty() { String::new() } else { format!("to='{to}'") };
            romeo.send(&format!("<message type='{kind}' {to}>{content}</message>")).await;
            let seen = clients.iter().map(|client| bodies(client).len());
            let reached: Vec<_> =
                seen.enumerate().filter(|(_, n)| *n > 0).map(|(i, _)| i).collect();
            if !reached.is_empty() {
                return Reached(reached);
            }
            match romeo.received().iter().find(|e| e.name() == "message") {
                None => Ignored,
                Some(answer) => {
                    assert_eq!(answer.attribute("type").as_deref(), Some("error"), "{answer}");
                    let error = answer.child("error", STANZA_NS).unwrap();
                    assert_eq!(error.first_child().unwrap().name(), "service-unavailable");
                    Refused
                }
            }
        };
        let plain = fate("<body>hi</body>").await;
        let kept = fate("<keep xmlns='urn:test:keep'/>").await;
        let is_taken = plain == Refused && kept == Ignored;
        fates.push((kind, if is_taken { Taken } else { plain }));
    }
    fates
}

fn table(fates: [Fate; 5]) -> Vec<(&'static str, Fate)> {
    ALL.into_iter().zip(fates).collect()
}

#[test]
fn to_an_account_that_does_not_exist() {
    testing::run(async {
        let (_server, romeo) = server().await;
        let bare = fates(&romeo, "nobody@localhost", &[]).await;
        assert_eq!(bare, table([Refused, Refused, Refused, Ignored, Ignored]));
        let full = fates(&romeo, "nobody@localhost/x", &[]).await;
        assert_eq!(full, table([Refused, Refused, Refused, Ignored, Ignored]));
    });
}

#[test]
fn to_the_host() {
    testing::run(async {
        let (_server, romeo) = server().await;
        for to in ["localhost", "localhost/x"] {
            let fates = fates(&romeo, to, &[]).await;
            assert_eq!(fates, table([Refused, Refused, Refused, Refused, Ignored]));
        }
    });
}

#[test]
fn without_a_client() {
    testing::run(async {
        let (_server, romeo) = server().await;
        let bare = fates(&romeo, "juliet@localhost", &[]).await;
        assert_eq!(bare, table([Taken, Taken, Taken, Ignored, Ignored]));
        let full = fates(&romeo, "juliet@localhost/x", &[]).await;
        assert_eq!(full, table([Refused, Taken, Refused, Ignored, Ignored]));
    });
}

#[test]
fn with_clients_that_are_not_available_or_want_none() {
    testing::run(async {
        let (server, romeo) = server().await;
        let connected = server.session("juliet@localhost/connected").await;
        let negative = client(&server, "negative", -1).await;
        let clients = [&connected, &negative];
        let bare = fates(&romeo, "juliet@localhost", &clients).await;
        assert_eq!(bare, table([Taken, Taken, Taken, Ignored, Ignored]));
        let gone = fates(&romeo, "juliet@localhost/gone", &clients).await;
        assert_eq!(gone, table([Refused, Taken, Refused, Ignored, Ignored]));
        for (to, index) in [("juliet@localhost/connected", 0), ("juliet@localhost/negative", 1)] {
            let full = fates(&romeo, to, &clients).await;
            assert_eq!(full, table([(); 5].map(|()| Reached(vec![index]))), "{to}");
        }
    });
}

#[test]
fn with_one_client() {
    testing::run(async {
        let (server, romeo) = server().await;
        let negative = client(&server, "negative", -1).await;
        let one = client(&server, "one", 0).await;
        let clients = [&negative, &one];
        let first = || Reached(vec![1]);
        let bare = fates(&romeo, "juliet@localhost", &clients).await;
        assert_eq!(bare, table([first(), first(), Taken, first(), Ignored]));
        let gone = fates(&romeo, "juliet@localhost/gone", &clients).await;
        assert_eq!(gone, table([Refused, first(), Refused, Ignored, Ignored]));
        let full = fates(&romeo, "juliet@localhost/one", &clients).await;
        assert_eq!(full, table([first(), first(), first(), first(), first()]));
    });
}

#[test]
fn with_several_clients() {
    testing::run(async {
        let (server, romeo) = server().await;
        let (a, b) = (client(&server, "a", 5).await, client(&server, "b", 5).await);
        let low = client(&server, "low", 1).await;
        let never = client(&server, "never", -1).await;
        let clients = [&a, &b, &low, &never];
        let highest = || Reached(vec![0, 1]);
        let bare = fates(&romeo, "juliet@localhost", &clients).await;
        assert_eq!(bare, table([highest(), highest(), Taken, Reached(vec![0, 1, 2]), Ignored]));
        let gone = fates(&romeo, "juliet@localhost/gone", &clients).await;
        assert_eq!(gone, table([Refused, highest(), Refused, Ignored, Ignored]));
        let full = fates(&romeo, "juliet@localhost/low", &clients).await;
        assert_eq!(full, table([(); 5].map(|()| Reached(vec![2]))));
    });
}

#[test]
fn to_oneself() {
    testing::run(async {
        let (server, romeo) = server().await;
        let street = server.session("romeo@localhost/street").await;
        street.send("<presence/>").await;
        for to in ["", "romeo@localhost"] {
            let fates = fates(&romeo, to, &[&street]).await;
            let reached = || Reached(vec![0]);
            assert_eq!(fates, table([reached(), reached(), Taken, reached(), Ignored]), "{to}");
        }
    });
}

#[test]
fn a_client_that_does_not_read_is_passed_over() {
    testing::run(async {
        let (server, romeo) = server().await;
        let deaf = client(&server, "deaf", 9).await;
        let low = client(&server, "low", 1).await;
        deaf.received();
        deaf.stream.set_capacity(0);
        for to in ["juliet@localhost", "juliet@localhost/deaf"] {
            romeo
                .send(&format!("<message type='chat' to='{to}'><body>{to}</body></message>"))
                .await;
            assert_eq!(bodies(&low), [to]);
        }
    });
}

#[test]
fn an_empty_error_is_dropped_and_an_unknown_type_is_normal() {
    testing::run(async {
        let (server, romeo) = server().await;
        let juliet = client(&server, "balcony", 0).await;
        juliet.received();
        romeo.send("<message type='error' to='juliet@localhost/balcony'/>").await;
        assert!(juliet.next().is_none());
        romeo.send("<message type='shout' to='juliet@localhost'><body>hi</body></message>").await;
        assert_eq!(bodies(&juliet), ["hi"]);
        romeo.send("<message type='shout' to='nobody@localhost'><body>hi</body></message>").await;
        assert_eq!(condition(&romeo), "service-unavailable");
    });
}

#[test]
fn messages_wait_for_stored_ones() {
    testing::run(async {
        let (server, romeo) = server().await;
        let juliet = client(&server, "balcony", 0).await;
        juliet.received();
        for to in ["juliet@localhost", "juliet@localhost/balcony"] {
            let pause = DeliveryPause::new(&juliet.session);
            let message = format!("<message type='chat' to='{to}'><body>{to}</body></message>");
            romeo.send(&message).await;
            assert!(juliet.next().is_none(), "stored messages must be sent first");
            drop(pause);
            assert_eq!(bodies(&juliet), [to]);
        }
    });
}
