use std::{sync::Arc, time::Duration};

use event_core::{
    events::{StreamFeatures, UserRegistered, UserRegistering},
    prelude::*,
    testing::{self, Client, Harness},
};

use crate::fakes::{FakeAccounts, refused};

/// Refuses some names, and marks sessions that registered.
#[module(name = "register_watch")]
struct Watch;

#[hook("user-registering")]
fn refuse(event: &mut UserRegistering) -> Flow {
    match &*event.username {
        "tybalt" => {
            event.error = Some(StanzaError::forbidden().text("not you"));
            Flow::Handled
        }
        "paris" => Flow::Handled,
        _ => Flow::Continue,
    }
}

#[hook("user-registered")]
fn mark(event: &UserRegistered) {
    if let Some(session) = &event.session {
        assert_eq!((&*event.username, event.source), ("benvolio", "register"));
        session.with_slot(|slot| *slot = Some(Marked));
    }
}

struct Marked;

async fn server(options: &str) -> (Harness, Arc<FakeAccounts>) {
    let accounts = FakeAccounts::of(&["romeo@localhost"]);
    let server = testing::host("localhost")
        .module_with("register", options)
        .module("register_watch")
        .settings(|settings| settings.admins = vec!["boss@localhost".parse().unwrap()]);
    (server.prepare(accounts.provide()).start().await.unwrap(), accounts)
}

fn set(query: &str) -> String {
    format!("<iq type='set' id='s'><query xmlns='jabber:iq:register'>{query}</query></iq>")
}

fn new(username: &str, password: &str) -> String {
    set(&format!("<username>{username}</username><password>{password}</password>"))
}

async fn features(client: &Client) -> Vec<String> {
    let session = client.session.clone();
    let event = StreamFeatures { session: session.clone(), features: Vec::new() };
    let features = client.turn().fire(event).await.event.features;
    features.iter().map(|feature| feature.namespace().to_owned()).collect()
}

#[test]
fn creates_an_account_before_login() {
    testing::run(async {
        let (server, accounts) = server("").await;
        let stranger = server.stream("localhost");
        assert_eq!(features(&stranger).await, ["http://jabber.org/features/iq-register"]);
        let get = "<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>";
        stranger.send(get).await;
        let fields = stranger.next().unwrap().to_string();
        assert!(fields.contains("<username/><password/>"), "{fields}");
        stranger.send(&new("Benvolio", "long enough")).await;
        assert_eq!(stranger.next().unwrap().attribute("type").as_deref(), Some("result"));
        assert_eq!(accounts.password("benvolio@localhost").as_deref(), Some("long enough"));
        assert!(stranger.session.with_slot(|slot: &mut Option<Marked>| slot.is_some()));
        assert!(stranger.closed().is_none(), "the stream must stay open for the login");
    });
}

#[test]
fn refuses_unacceptable_requests() {
    testing::run(async {
        let (server, accounts) = server("attempts = 100").await;
        let stranger = server.stream("localhost");
        let long = "x".repeat(65);
        for (request, condition) in [
            (set(""), "not-acceptable"),
            (set("<username>benvolio</username>"), "not-acceptable"),
            (set("<password>long enough</password>"), "not-acceptable"),
            (new("benvolio", ""), "not-acceptable"),
            (new("benvolio", "short"), "not-acceptable"),
            (new("b", "long enough"), "not-acceptable"),
            (new(&long, "long enough"), "not-acceptable"),
            (new("ben@volio", "long enough"), "not-acceptable"),
            (new("ben volio", "long enough"), "not-acceptable"),
            (new("benvolio", "long<b/>enough"), "bad-request"),
            (set("<username>a</username><username>b</username>"), "bad-request"),
            (set("<remove/>"), "unexpected-request"),
            (new("ROMEO", "long enough"), "conflict"),
            (new("boss", "long enough"), "not-allowed"),
            (new("tybalt", "long enough"), "forbidden"),
            (new("paris", "long enough"), "not-allowed"),
        ] {
            assert_eq!(refused(&stranger, &request).await, condition, "{request}");
        }
        assert!(accounts.password("benvolio@localhost").is_none());
        assert_eq!(accounts.password("romeo@localhost").as_deref(), Some("romeo"));
    });
}

#[test]
fn only_strangers_on_encrypted_streams_register() {
    testing::run(async {
        let (server, _) = server("").await;
        let stranger = server.stream("localhost");
        stranger.stream.set_encrypted(false);
        assert!(features(&stranger).await.is_empty());
        let request = new("benvolio", "long enough");
        assert_eq!(refused(&stranger, &request).await, "policy-violation");
        let user = server.stream("localhost");
        user.authenticate(&"romeo@localhost".parse().unwrap());
        assert!(features(&user).await.is_empty());
        assert_eq!(refused(&user, &request).await, "not-allowed");
    });
}

#[test]
fn the_attempts_of_an_address_are_limited() {
    testing::run(async {
        let (server, accounts) = server("attempts = 2\nperiod_seconds = 60").await;
        for condition in ["conflict", "conflict", "policy-violation"] {
            let stranger = server.stream("localhost");
            assert_eq!(refused(&stranger, &new("romeo", "long enough")).await, condition);
        }
        server.advance(Duration::from_secs(60)).await;
        let stranger = server.stream("localhost");
        stranger.send(&new("benvolio", "long enough")).await;
        assert!(accounts.password("benvolio@localhost").is_some());
    });
}
