//! Rosters and presence over sockets: `tokio-xmpp` clients subscribe to each other and keep their
//! rosters over a restart; a raw client sends invalid requests.

#![expect(clippy::expect_used, reason = "a test that cannot continue has failed")]

use std::str::FromStr;

use spondee_tests::{
    client::{Online, login},
    raw::Raw,
    server::{Server, Setup},
};
use tokio_xmpp::{
    IqRequest, IqResponse,
    jid::{BareJid, Jid},
    minidom::Element,
    parsers::{
        presence::{Presence, Show, Type},
        roster::{Ask, Item, Roster, Subscription},
        stanza::Stanza,
    },
};

fn server() -> Server {
    Server::with(&Setup { host: "allow_plaintext = true".into(), ..Setup::default() })
}

/// Requests the roster. From then on, the server sends pushes.
async fn roster(client: &mut Online) -> Roster {
    let query = Element::from_str("<query xmlns='jabber:iq:roster'/>").expect("not an element");
    match client.get(None, query).await {
        IqResponse::Result(Some(roster)) => Roster::try_from(roster).expect("not a roster"),
        other => panic!("no roster: {other:?}"),
    }
}

/// The next roster push.
async fn push(client: &mut Online) -> Item {
    loop {
        if let Stanza::Iq(iq) = client.stanza().await
            && let tokio_xmpp::parsers::iq::Iq::Set { payload, .. } = iq
        {
            let roster = Roster::try_from(payload).expect("not a push");
            return roster.items.into_iter().next().expect("no item");
        }
    }
}

/// The next presence from an address.
async fn presence(client: &mut Online, from: &Jid) -> Presence {
    loop {
        if let Stanza::Presence(presence) = client.stanza().await
            && presence.from.as_ref() == Some(from)
        {
            return presence;
        }
    }
}

async fn send(client: &mut Online, kind: Type, to: &Online) {
    client.send(Presence::new(kind).with_to(to.jid.to_bare())).await;
}

/// Subscribes both clients to each other.
async fn befriend(romeo: &mut Online, juliet: &mut Online) {
    let (romeo_bare, juliet_bare) =
        (Jid::from(romeo.jid.to_bare()), Jid::from(juliet.jid.to_bare()));
    send(romeo, Type::Subscribe, juliet).await;
    assert_eq!(presence(juliet, &romeo_bare).await.type_, Type::Subscribe);
    send(juliet, Type::Subscribed, romeo).await;
    send(juliet, Type::Subscribe, romeo).await;
    loop {
        if presence(romeo, &juliet_bare).await.type_ == Type::Subscribe {
            break;
        }
    }
    send(romeo, Type::Subscribed, juliet).await;
    for client in [romeo, juliet] {
        loop {
            if push(client).await.subscription == Subscription::Both {
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_users_subscribe_and_see_each_others_presence() {
    let server = server();
    let mut romeo = login(&server, "romeo@localhost/orchard").await;
    let mut juliet = login(&server, "juliet@localhost/balcony").await;
    for client in [&mut romeo, &mut juliet] {
        assert!(roster(client).await.items.is_empty());
        client.available().await;
    }
    send(&mut romeo, Type::Subscribe, &juliet).await;
    let asked = push(&mut romeo).await;
    assert_eq!((asked.subscription, asked.ask), (Subscription::None, Ask::Subscribe));
    let (from_romeo, from_juliet) = (Jid::from(romeo.jid.to_bare()), Jid::from(juliet.jid.clone()));
    assert_eq!(presence(&mut juliet, &from_romeo).await.type_, Type::Subscribe);
    send(&mut juliet, Type::Subscribed, &romeo).await;
    assert_eq!(push(&mut romeo).await.subscription, Subscription::To);
    assert_eq!(push(&mut juliet).await.subscription, Subscription::From);
    assert_eq!(presence(&mut romeo, &from_juliet).await.type_, Type::None);

    juliet.send(Presence::available().with_show(Show::Away)).await;
    assert_eq!(presence(&mut romeo, &from_juliet).await.show, Some(Show::Away));
    // The socket is dropped without a closing tag.
    drop(juliet);
    assert_eq!(presence(&mut romeo, &from_juliet).await.type_, Type::Unavailable);

    let mut juliet = login(&server, "juliet@localhost/balcony").await;
    roster(&mut juliet).await;
    juliet.available().await;
    assert_eq!(presence(&mut romeo, &from_juliet).await.type_, Type::None);
    send(&mut romeo, Type::Unsubscribe, &juliet).await;
    assert_eq!(push(&mut romeo).await.subscription, Subscription::None);
    assert_eq!(presence(&mut romeo, &from_juliet).await.type_, Type::Unavailable);
    assert_eq!(push(&mut juliet).await.subscription, Subscription::None);
}

#[tokio::test]
async fn a_restart_keeps_contacts_and_requests() {
    let mut server = server();
    {
        let mut romeo = login(&server, "romeo@localhost/orchard").await;
        let mut juliet = login(&server, "juliet@localhost/balcony").await;
        for client in [&mut romeo, &mut juliet] {
            roster(client).await;
            client.available().await;
        }
        befriend(&mut romeo, &mut juliet).await;
        let nurse =
            Presence::new(Type::Subscribe).with_to(BareJid::new("nurse@localhost").unwrap());
        romeo.send(nurse.clone()).await;
        assert_eq!(push(&mut romeo).await.ask, Ask::Subscribe);
        let item = Element::from_str(
            "<query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='Capulet'>\
             <group>Verona</group></item></query>",
        );
        let stored = romeo.client.send_iq(None, IqRequest::Set(item.unwrap())).await;
        assert!(matches!(stored.await, Ok(IqResponse::Result(_))));
    }
    // The server is killed. Acknowledged changes are on the disk.
    server.signal("KILL");
    server.wait();
    server.restart();

    let mut romeo = login(&server, "romeo@localhost/orchard").await;
    let kept = roster(&mut romeo).await;
    let lines: Vec<_> = kept
        .items
        .iter()
        .map(|item| {
            (item.jid.to_string(), item.name.clone(), item.subscription.clone(), item.groups.len())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("juliet@localhost".into(), Some("Capulet".into()), Subscription::Both, 1),
            ("nurse@localhost".into(), None, Subscription::None, 0),
        ]
    );
    let mut nurse = login(&server, "nurse@localhost/hall").await;
    nurse.available().await;
    let asked = presence(&mut nurse, &Jid::from(romeo.jid.to_bare())).await;
    assert_eq!(asked.type_, Type::Subscribe);
}

#[test]
fn changes_from_two_clients_at_once_lose_nothing() {
    const EACH: usize = 60;
    let server = server();
    let mut clients = [Raw::login(&server, "romeo", "a"), Raw::login(&server, "romeo", "b")];
    for (client, name) in clients.iter_mut().zip(["a", "b"]) {
        let sets: String = (0..EACH)
            .map(|number| {
                format!(
                    "<iq type='set' id='{name}{number}'><query xmlns='jabber:iq:roster'>\
                     <item jid='{name}{number}@localhost'/></query></iq>"
                )
            })
            .collect();
        client.send(&sets);
    }
    for (client, name) in clients.iter_mut().zip(["a", "b"]) {
        let answers = client.wait(&format!("id='{name}{}'", EACH - 1));
        assert!(!answers.contains("type='error'"), "{answers}");
    }
    let [mut first, _] = clients;
    first.send("<iq type='get' id='all'><query xmlns='jabber:iq:roster'/></iq>");
    first.wait("id='all'");
    let roster = first.wait("</iq>");
    assert_eq!(roster.matches("<item ").count(), 2 * EACH, "{roster}");
    assert!(roster.contains(&format!("ver='{}'", 2 * EACH)), "{roster}");
}

#[test]
fn malformed_requests_are_refused_and_the_stream_stays_open() {
    let server = server();
    let mut romeo = Raw::login(&server, "romeo", "orchard");
    let mut juliet = Raw::login(&server, "juliet", "balcony");
    juliet.send("<presence/>");
    juliet.wait("/>");
    let query = |items: &str| format!("<query xmlns='jabber:iq:roster'>{items}</query>");
    let mut refused = |stanza: &str, condition: &str| {
        romeo.send(stanza);
        let answer = romeo.wait("</error>");
        assert!(answer.contains(&format!("<{condition} ")), "{stanza}: {answer}");
    };
    for (items, condition) in [
        ("", "bad-request"),
        ("<item jid='a@b'/><item jid='c@d'/>", "bad-request"),
        ("<item jid='@'/>", "bad-request"),
        ("<item jid='romeo@localhost'/>", "not-allowed"),
        ("<item jid='nurse@localhost' subscription='remove'/>", "item-not-found"),
    ] {
        refused(&format!("<iq type='set' id='1'>{}</iq>", query(items)), condition);
    }
    let push = query("<item jid='evil@localhost' subscription='both'/>");
    for to in ["juliet@localhost", "juliet@localhost/balcony"] {
        refused(&format!("<iq type='set' id='1' to='{to}'>{push}</iq>"), "forbidden");
    }
    for presence in [
        "<presence type='subscribed' to='romeo@localhost/x'/>",
        "<presence type='nonsense' to='juliet@localhost'/>",
        "<presence><priority>1e3</priority></presence>",
    ] {
        refused(presence, "bad-request");
    }
    // The server replaces a forged sender.
    romeo.send("<presence type='subscribe' from='nurse@localhost' to='juliet@localhost'/>");
    let request = juliet.wait("to='juliet@localhost'") + &juliet.wait("/>");
    assert!(!request.contains("nurse") && !request.contains("evil"), "{request}");
    juliet.send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    juliet.wait("id='r'");
    let roster = juliet.wait("</iq>");
    assert!(!roster.contains("nurse"), "{roster}");
}
