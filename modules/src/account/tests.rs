use std::sync::Arc;

use event_core::{
    StreamCondition,
    testing::{self, Harness},
};

use crate::fakes::{FakeAccounts, refused};

const ROMEO: &str = "romeo@localhost";

async fn server(options: &str) -> (Harness, Arc<FakeAccounts>) {
    let accounts = FakeAccounts::of(&[ROMEO, "juliet@localhost"]);
    let server = testing::host("localhost").module_with("account", options).module("bind");
    (server.prepare(accounts.provide()).start().await.unwrap(), accounts)
}

fn set(to: &str, query: &str) -> String {
    format!("<iq type='set' id='s' {to}><query xmlns='jabber:iq:register'>{query}</query></iq>")
}

fn new_password(username: &str, password: &str) -> String {
    format!("<username>{username}</username><password>{password}</password>")
}

#[test]
fn answers_with_the_username() {
    testing::run(async {
        let (server, _) = server("").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for to in ["", "to='localhost'", "to='romeo@localhost'"] {
            let query = "<query xmlns='jabber:iq:register'/>";
            romeo.send(&format!("<iq type='get' id='g' {to}>{query}</iq>")).await;
            let answer = romeo.next().unwrap().to_string();
            let told = "<registered/><username>romeo</username><password/>";
            assert!(answer.contains("type='result'") && answer.contains(told), "{answer}");
        }
    });
}

#[test]
fn changes_the_password_of_the_sender() {
    testing::run(async {
        let (server, accounts) = server("").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        // A name is compared in its normalised form, like an address.
        for (to, name, password) in [("", "romeo", "one"), ("to='localhost'", "Romeo", "two")] {
            romeo.send(&set(to, &new_password(name, password))).await;
            assert_eq!(romeo.next().unwrap().attribute("type").as_deref(), Some("result"));
            assert_eq!(accounts.password(ROMEO).as_deref(), Some(password));
        }
        assert!(romeo.closed().is_none());
    });
}

#[test]
fn refuses_incomplete_requests_and_other_accounts() {
    testing::run(async {
        let (server, accounts) = server("").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for (to, query, condition) in [
            ("", String::new(), "bad-request"),
            ("", "<username>romeo</username>".into(), "bad-request"),
            ("", "<password>new</password>".into(), "bad-request"),
            ("", new_password("romeo", ""), "bad-request"),
            ("", new_password("juliet", "mine"), "bad-request"),
            ("", new_password("ro@meo", "mine"), "bad-request"),
            ("", new_password("romeo", "a</password><password>b"), "bad-request"),
            ("", new_password("romeo", "one<b/>two"), "bad-request"),
            ("", "<remove/><username>romeo</username>".into(), "bad-request"),
            ("", "<remove/><remove/>".into(), "bad-request"),
            ("to='juliet@localhost'", new_password("juliet", "mine"), "service-unavailable"),
            ("to='juliet@localhost'", "<remove/>".into(), "service-unavailable"),
        ] {
            assert_eq!(refused(&romeo, &set(to, &query)).await, condition, "{to} {query}");
        }
        for account in [ROMEO, "juliet@localhost"] {
            assert_eq!(accounts.password(account), account.split('@').next().map(String::from));
        }
    });
}

#[test]
fn refuses_a_password_on_an_unencrypted_stream() {
    testing::run(async {
        let (server, accounts) = server("").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        romeo.stream.set_encrypted(false);
        let new = set("", &new_password("romeo", "new"));
        assert_eq!(refused(&romeo, &new).await, "not-authorized");
        assert_eq!(accounts.password(ROMEO).as_deref(), Some("romeo"));
    });
}

#[test]
fn removes_the_account_after_the_answer() {
    testing::run(async {
        let (server, accounts) = server("").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        romeo.send(&set("", "<remove/>")).await;
        let received = romeo.received();
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!(received[0].attribute("type").as_deref(), Some("result"));
        let error = romeo.closed().unwrap().unwrap();
        assert_eq!(error.condition(), StreamCondition::NotAuthorized);
        assert_eq!(accounts.password(ROMEO), None);
    });
}

#[test]
fn a_failed_removal_is_reported() {
    testing::run(async {
        let (server, accounts) = server("").await;
        accounts.break_storage();
        let romeo = server.session("romeo@localhost/orchard").await;
        assert_eq!(refused(&romeo, &set("", "<remove/>")).await, "internal-server-error");
        assert_eq!(
            romeo.closed().unwrap().unwrap().condition(),
            StreamCondition::InternalServerError
        );
        assert!(accounts.password(ROMEO).is_some());
    });
}

#[test]
fn each_can_be_disabled() {
    testing::run(async {
        let (server, _) = server("password_change = false\nremoval = false").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for query in [new_password("romeo", "new"), "<remove/>".into()] {
            assert_eq!(refused(&romeo, &set("", &query)).await, "not-allowed");
        }
        assert!(romeo.closed().is_none());
    });
}

#[test]
fn an_account_that_was_removed_binds_no_resource() {
    testing::run(async {
        let (server, _) = server("").await;
        let ghost = server.stream("localhost");
        ghost.authenticate(&"ghost@localhost".parse().unwrap());
        let bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        ghost.send(bind).await;
        let error = ghost.closed().unwrap().unwrap();
        assert_eq!(error.condition(), StreamCondition::NotAuthorized);
        assert!(ghost.session.jid().is_none());
    });
}
