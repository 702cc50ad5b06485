//! The tests run in memory, with the bundled modules, because these deliver messages.

use event_core::testing::{self, Client, Harness};

const GET: &str = "<iq type='get' id='1'><note xmlns='urn:example:sticky-note:0'/></iq>";

fn set(text: &str) -> String {
    format!("<iq type='set' id='2'><note xmlns='urn:example:sticky-note:0'>{text}</note></iq>")
}

async fn server(options: &str) -> Harness {
    let host = testing::host("localhost").bundle(spondee_modules::BUNDLE);
    host.module_with("sticky_note", options).start().await.unwrap()
}

/// The texts of the messages that a client has received.
fn messages(client: &Client) -> Vec<String> {
    let received = client.received();
    let messages = received.iter().filter(|element| element.name() == "message");
    messages.filter_map(|message| Some(message.first_child()?.text().into_owned())).collect()
}

#[test]
fn clients_are_shown_the_note_when_it_changes_and_when_they_come_online() {
    testing::run(async {
        let server = server("").await;
        let desktop = server.session("romeo@localhost/desktop").await;
        desktop.send("<presence/>").await;
        assert!(messages(&desktop).is_empty());
        desktop.send(&set("Meet Juliet")).await;
        assert_eq!(messages(&desktop), ["Meet Juliet"]);
        let phone = server.session("romeo@localhost/phone").await;
        phone.send("<presence/>").await;
        assert_eq!(messages(&phone), ["Meet Juliet"]);
    });
}

#[test]
fn an_account_reads_its_own_note() {
    testing::run(async {
        let server = server("").await;
        let romeo = server.session("romeo@localhost/desktop").await;
        romeo.send(&set("Meet Juliet")).await;
        assert_eq!(romeo.next().unwrap().attribute("type").unwrap(), "result");
        romeo.send(GET).await;
        assert_eq!(romeo.next().unwrap().first_child().unwrap().text(), "Meet Juliet");
        let juliet = server.session("juliet@localhost/balcony").await;
        juliet.send(GET).await;
        assert_eq!(condition(&juliet), "item-not-found");
    });
}

#[test]
fn a_long_note_is_refused() {
    testing::run(async {
        let server = server("max_bytes = 4").await;
        let romeo = server.session("romeo@localhost/desktop").await;
        romeo.send(&set("five!")).await;
        assert_eq!(condition(&romeo), "policy-violation");
    });
}

/// The condition of the error that a client has received.
fn condition(client: &Client) -> String {
    let answer = client.next().unwrap();
    let error = answer.child("error", "jabber:client").unwrap();
    error.first_child().unwrap().name().to_owned()
}
