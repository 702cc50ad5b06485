//! Delivery of messages (RFC 6121 §8.5).

use event_core::{Session, jid::Jid, prelude::*, services::Accounts};

/// Delivers messages to the clients they are addressed to.
#[module(name = "message")]
#[derive(Debug)]
pub struct MessageDelivery;

/// RFC 6121 §5.2.2; what is not one of these counts as `normal`.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Normal,
    Groupchat,
    Headline,
    Error,
}

fn kind(message: &Message) -> Kind {
    match message.type_().as_deref() {
        Some("groupchat") => Kind::Groupchat,
        Some("headline") => Kind::Headline,
        Some("error") => Kind::Error,
        _ => Kind::Normal,
    }
}

#[hook("message/full", priority = -1)]
async fn deliver_to_client(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    let session = match message.to().map(Jid::try_as_full) {
        Some(Ok(full)) => cx.host().sessions().find(full),
        _ => None,
    };
    if session.is_some_and(|session| session.send(message.element())) {
        return Ok(Flow::Handled);
    }
    // RFC 6121 §8.5.3.2.1: as if it went to the bare JID, but a headline is dropped.
    if kind(message) == Kind::Headline {
        return Ok(Flow::Handled);
    }
    deliver(message, cx).await
}

#[hook("message/bare", priority = -1)]
async fn deliver_to_account(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    deliver(message, cx).await
}

async fn deliver(
    message: &mut Message,
    cx: &Context<MessageDelivery>,
) -> Result<Flow, StanzaError> {
    let account = message.to().or(message.from()).map(Jid::to_bare);
    let account = account.ok_or_else(StanzaError::service_unavailable)?;
    let username = account.node().ok_or_else(StanzaError::service_unavailable)?;
    let mut clients = available(cx.host(), username.as_str());
    match kind(message) {
        Kind::Error => return Ok(Flow::Handled),
        Kind::Groupchat => return Err(StanzaError::service_unavailable()),
        Kind::Headline => {
            for (_, client) in clients {
                client.send(message.element());
            }
            return Ok(Flow::Handled);
        }
        Kind::Normal => {}
    }
    // The clients that share the highest priority; if none of them takes it, the next.
    clients.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    for same in clients.chunk_by(|(a, _), (b, _)| a == b) {
        let taken = same.iter().filter(|(_, client)| client.send(message.element())).count();
        if taken > 0 {
            return Ok(Flow::Handled);
        }
    }
    let exists = match cx.host().service::<dyn Accounts>() {
        Some(accounts) => accounts.exists(&account).await?,
        None => false,
    };
    if exists {
        let kept = cx.host().fire_stanza::<events::MessageOfflineHandle>(message).await?;
        if kept == Flow::Handled {
            return Ok(Flow::Handled);
        }
    }
    Err(StanzaError::service_unavailable())
}

/// The clients that take messages to the bare JID: available, with no negative priority.
fn available(host: &Host, username: &str) -> Vec<(i8, Session)> {
    let mut clients = Vec::new();
    host.sessions().each(username, |session| {
        if let Some(presence) = session.presence().filter(|presence| presence.priority >= 0) {
            clients.push((presence.priority, session.clone()));
        }
    });
    clients
}

#[cfg(test)]
mod tests {
    use event_core::testing::{self, Client, Harness};

    async fn server() -> Harness {
        testing::host("localhost").module("message").module("presence").start().await.unwrap()
    }

    /// A client that is available with a priority.
    async fn client(server: &Harness, jid: &str, priority: i8) -> Client {
        let client = server.session(jid).await;
        client.send(&format!("<presence><priority>{priority}</priority></presence>")).await;
        client.received();
        client
    }

    fn bodies(client: &Client) -> Vec<String> {
        let received = client.received().into_iter().filter(|e| e.name() == "message");
        received.map(|message| message.first_child().unwrap().text().into_owned()).collect()
    }

    #[test]
    fn goes_to_the_client_addressed_even_when_it_is_not_available() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            romeo.send("<message to='juliet@localhost/balcony'><body>hi</body></message>").await;
            assert_eq!(bodies(&juliet), ["hi"]);
        });
    }

    #[test]
    fn goes_to_all_clients_that_share_the_highest_priority() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let (a, b) = (
                client(&server, "juliet@localhost/a", 5).await,
                client(&server, "juliet@localhost/b", 5).await,
            );
            let low = client(&server, "juliet@localhost/low", 1).await;
            let never = client(&server, "juliet@localhost/never", -1).await;
            for client in [&a, &b, &low, &never] {
                client.received();
            }
            romeo.send("<message to='juliet@localhost'><body>hi</body></message>").await;
            // The resource is gone: as if it went to the bare JID.
            romeo.send("<message to='juliet@localhost/gone'><body>there</body></message>").await;
            assert_eq!(bodies(&a), ["hi", "there"]);
            assert_eq!(bodies(&b), ["hi", "there"]);
            assert!(bodies(&low).is_empty());
            assert!(bodies(&never).is_empty());
        });
    }

    #[test]
    fn a_headline_goes_to_every_client_and_a_groupchat_to_none() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let high = client(&server, "juliet@localhost/high", 5).await;
            let low = client(&server, "juliet@localhost/low", 0).await;
            for client in [&high, &low] {
                client.received();
            }
            for kind in ["headline", "groupchat"] {
                romeo
                    .send(&format!(
                        "<message type='{kind}' to='juliet@localhost'><body>{kind}</body></message>"
                    ))
                    .await;
            }
            assert_eq!(bodies(&high), ["headline"]);
            assert_eq!(bodies(&low), ["headline"]);
            let refused = romeo.next().unwrap();
            assert_eq!(refused.attribute("type").as_deref(), Some("error"));
        });
    }

    #[test]
    fn what_nobody_takes_is_refused_unless_it_is_an_error() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            for to in ["nobody@localhost", "nobody@localhost/x", "localhost"] {
                romeo.send(&format!("<message to='{to}'><body>?</body></message>")).await;
                let refused = romeo.next().unwrap();
                assert_eq!(refused.attribute("type").as_deref(), Some("error"), "{to}");
                assert_eq!(refused.attribute("from").as_deref(), Some(to));
                romeo
                    .send(&format!("<message type='error' to='{to}'><body>?</body></message>"))
                    .await;
                assert!(romeo.next().is_none(), "{to}");
            }
        });
    }
}
