//! Tests the running server with `tokio-xmpp`: logins, messages, queries, lost connections.

use std::str::FromStr;

use spondee_tests::{
    client::{Connector, Online, Tls, authenticate, login, login_by},
    raw::Raw,
    server::{Server, Setup},
};
use tokio_xmpp::{
    IqResponse,
    jid::Jid,
    minidom::Element,
    parsers::{
        disco::DiscoInfoResult,
        message::{Lang, Message, MessageType},
        ping::Ping,
        presence::{Presence, Type},
        stanza::Stanza,
        stanza_error::DefinedCondition,
        time::TimeResult,
        version::{VersionQuery, VersionResult},
    },
};

fn chat(to: &Jid, body: &str) -> Message {
    Message::chat(to.clone()).with_body(Lang::default(), body.into())
}

fn result(answer: IqResponse) -> Element {
    match answer {
        IqResponse::Result(Some(payload)) => payload,
        other => panic!("not a result: {other:?}"),
    }
}

/// Logs both clients in and waits until each has received its own presence.
async fn couple(server: &Server) -> (Online, Online) {
    let mut romeo = login(server, "romeo@localhost/orchard").await;
    let mut juliet = login(server, "juliet@localhost/balcony").await;
    romeo.available().await;
    juliet.available().await;
    (romeo, juliet)
}

#[tokio::test]
async fn logs_in_over_starttls_and_direct_tls_with_each_mechanism() {
    let hosts = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"];
    let server = Server::start();
    for tls in [Tls::Start, Tls::Direct] {
        for mechanism in hosts {
            let connector = Connector::new(&server, tls, mechanism.ends_with("-PLUS"));
            let offered = authenticate(&connector, "romeo@localhost", "romeo", Some(mechanism))
                .await
                .unwrap_or_else(|error| panic!("{tls:?} {mechanism}: {error}"));
            assert!(offered.contains(mechanism), "{offered:?}");
        }
    }
}

#[tokio::test]
async fn offers_only_what_the_host_allows() {
    let setup = Setup { host: "sasl = [\"SCRAM-SHA-256\"]".into(), ..Setup::default() };
    let server = Server::with(&setup);
    let connector = Connector::new(&server, Tls::Start, false);
    let offered = authenticate(&connector, "romeo@localhost", "romeo", None).await;
    let offered: Vec<_> = offered.expect("no login with SCRAM-SHA-256").into_iter().collect();
    assert_eq!(offered, ["SCRAM-SHA-256"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_error() {
    let server = Server::start();
    let connector = Connector::new(&server, Tls::Direct, false);
    for (jid, password) in [("romeo@localhost", "wrong"), ("nobody@localhost", "nobody")] {
        for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"] {
            let refused = authenticate(&connector, jid, password, Some(mechanism)).await;
            let error = refused.expect_err("the login succeeded").to_string();
            assert!(error.contains("not-authorized") || error.contains("NotAuthorized"), "{error}");
        }
    }
}

#[tokio::test]
async fn two_clients_exchange_messages() {
    let server = Server::start();
    let (mut romeo, mut juliet) = couple(&server).await;
    let body = "Ünïcödé & <markup> \u{1f339}";
    for to in [Jid::from(juliet.jid.clone()), Jid::from(juliet.jid.to_bare())] {
        romeo.send(chat(&to, body)).await;
        let message = juliet.message().await;
        assert_eq!(message.from, Some(Jid::from(romeo.jid.clone())));
        assert_eq!(message.bodies.values().next().map(String::as_str), Some(body));
        juliet.send(chat(&message.from.expect("no sender"), "and back")).await;
        assert_eq!(romeo.message().await.from, Some(Jid::from(juliet.jid.clone())));
    }
}

#[tokio::test]
async fn a_message_for_nobody_comes_back_as_an_error() {
    let server = Server::start();
    let (mut romeo, _juliet) = couple(&server).await;
    for to in ["nobody@localhost", "juliet@elsewhere.example"] {
        let to = Jid::new(to).expect("not a JID");
        romeo.send(chat(&to, "?")).await;
        let refused = romeo.message().await;
        assert_eq!((refused.from, refused.type_), (Some(to), MessageType::Error));
    }
}

#[tokio::test]
async fn answers_version_disco_ping_and_time() {
    let server = Server::start();
    let (mut romeo, _juliet) = couple(&server).await;
    let host = Some("localhost");

    let version = VersionResult::try_from(result(romeo.get(host, VersionQuery).await));
    assert_eq!(version.expect("not a version").name, "Spondee");

    let query = Element::from_str("<query xmlns='http://jabber.org/protocol/disco#info'/>");
    let info = result(romeo.get(host, query.expect("not an element")).await);
    let info = DiscoInfoResult::try_from(info).expect("not disco#info");
    for feature in ["urn:xmpp:ping", "urn:xmpp:time", "jabber:iq:version"] {
        assert!(info.features.contains(feature), "no {feature} in {:?}", info.features);
    }

    for to in [host, None] {
        let pong = romeo.get(to, Ping).await;
        assert!(matches!(pong, IqResponse::Result(None)), "{pong:?}");
    }

    let query = Element::from_str("<time xmlns='urn:xmpp:time'/>").expect("not an element");
    TimeResult::try_from(result(romeo.get(host, query).await)).expect("not a time");

    let unknown = Element::from_str("<x xmlns='urn:example:unknown'/>").expect("not an element");
    match romeo.get(host, unknown).await {
        IqResponse::Error(error) => {
            assert_eq!(error.defined_condition, DefinedCondition::ServiceUnavailable);
        }
        other => panic!("not an error: {other:?}"),
    }
}

#[tokio::test]
async fn a_second_login_on_the_same_resource_replaces_the_first() {
    let setup = Setup { host: "allow_plaintext = true".into(), ..Setup::default() };
    let server = Server::with(&setup);
    // The first client is a raw one, because tokio-xmpp would reconnect.
    let mut first = Raw::login(&server, "romeo", "orchard");
    let mut second = login(&server, "romeo@localhost/orchard").await;
    assert_eq!(second.jid.as_str(), "romeo@localhost/orchard");
    let end = first.wait_end();
    assert!(end.contains("<conflict xmlns="), "{end}");
    server.wait_record(
        "resource-unbind\tlocalhost\tromeo@localhost/orchard replaced by a new session",
    );
    second.available().await;
}

#[tokio::test]
async fn a_lost_connection_makes_the_client_unavailable() {
    let server = Server::start();
    let mut orchard = login(&server, "romeo@localhost/orchard").await;
    let mut street =
        login_by(Connector::new(&server, Tls::Direct, false), "romeo@localhost/street").await;
    orchard.available().await;
    street.available().await;
    let gone = Jid::from(street.jid.clone());
    // The socket is dropped without a closing tag or close_notify.
    drop(street);
    loop {
        if let Stanza::Presence(Presence { from, type_: Type::Unavailable, .. }) =
            orchard.stanza().await
        {
            assert_eq!(from, Some(gone));
            break;
        }
    }
    server.wait_record("resource-unbind\tlocalhost\tromeo@localhost/street");
}
