use std::sync::Arc;

use event_core::{
    prelude::*,
    storage::{Memory, Storage},
    testing::{self, Client, Harness},
};

use crate::fakes::{FakeAccounts, FakeRosters, condition, refused};

const JULIET: &str = "juliet@localhost";

async fn server_on(storage: Arc<dyn Storage>, options: &str) -> Harness {
    let accounts = FakeAccounts::of(&["romeo@localhost", JULIET]).provide();
    let rosters = FakeRosters(&[("romeo", JULIET), ("juliet", "romeo@localhost")]).provide();
    let server = testing::host("localhost").module("message").module("presence").module("iq");
    let server = server.module("disco").module("offline").module_with("blocking", options);
    let prepare = move |host: &HostContext| {
        accounts(host);
        rosters(host);
    };
    server.storage(storage).prepare(prepare).start().await.unwrap()
}

/// Connects two available clients and takes the stanzas that they have received.
async fn couple() -> (Harness, Client, Client) {
    let server = server_on(Arc::new(Memory::new()), "").await;
    let romeo = server.session("romeo@localhost/orchard").await;
    let juliet = server.session("juliet@localhost/balcony").await;
    for client in [&romeo, &juliet] {
        client.send("<presence/>").await;
    }
    romeo.received();
    juliet.received();
    (server, romeo, juliet)
}

fn set(action: &str, jids: &[&str]) -> String {
    let items: String = jids.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
    format!("<iq type='set' id='1'><{action} xmlns='urn:xmpp:blocking'>{items}</{action}></iq>")
}

async fn change(client: &Client, action: &str, jids: &[&str]) {
    client.send(&set(action, jids)).await;
    let answers = client.received();
    let is_result = |e: &Element| e.attribute("type").as_deref() == Some("result");
    assert!(answers.iter().any(is_result), "{answers:?}");
}

async fn list(client: &Client) -> Vec<String> {
    client.send("<iq type='get' id='2'><blocklist xmlns='urn:xmpp:blocking'/></iq>").await;
    let answer = client.next().unwrap();
    let list = answer.child("blocklist", "urn:xmpp:blocking").unwrap();
    list.children().map(|item| item.attribute("jid").unwrap().into_owned()).collect()
}

fn types(client: &Client) -> Vec<(String, Option<String>)> {
    let kind = |e: &Element| e.attribute("type").map(|kind| kind.into_owned());
    client.received().iter().map(|e| (e.name().to_owned(), kind(e))).collect()
}

#[test]
fn blocks_shows_and_unblocks() {
    testing::run(async {
        let (_server, romeo, _juliet) = couple().await;
        assert!(list(&romeo).await.is_empty());
        change(&romeo, "block", &["Nurse@LOCALHOST", "elsewhere.example", "a@b/c"]).await;
        assert_eq!(list(&romeo).await, ["a@b/c", "elsewhere.example", "nurse@localhost"]);
        change(&romeo, "unblock", &["a@b/c", "not@there"]).await;
        assert_eq!(list(&romeo).await, ["elsewhere.example", "nurse@localhost"]);
        change(&romeo, "unblock", &[]).await;
        assert!(list(&romeo).await.is_empty());
    });
}

#[test]
fn refuses_malformed_requests() {
    testing::run(async {
        let (_server, romeo, _juliet) = couple().await;
        assert_eq!(refused(&romeo, &set("block", &[])).await, "bad-request");
        assert_eq!(refused(&romeo, &set("block", &["a@b", "@"])).await, "jid-malformed");
        for child in ["<item/>", "<x/>", "<item xmlns='urn:x' jid='a@b'/>"] {
            let block = set("block", &["a@b"]).replace("<item jid='a@b'/>", child);
            assert_eq!(refused(&romeo, &block).await, "bad-request", "{child}");
            let unblock = block.replace("block xmlns", "unblock xmlns").replace("</b", "</unb");
            assert_eq!(refused(&romeo, &unblock).await, "bad-request", "{child}");
        }
        assert!(list(&romeo).await.is_empty());
        let other = set("block", &["a@b"]).replace("id=", "to='juliet@localhost' id=");
        assert_eq!(refused(&romeo, &other).await, "service-unavailable");
    });
}

#[test]
fn is_bounded_and_all_or_nothing() {
    testing::run(async {
        let server = server_on(Arc::new(Memory::new()), "max_items = 2").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        assert_eq!(
            refused(&romeo, &set("block", &["a@b", "c@d", "e@f"])).await,
            "policy-violation"
        );
        assert!(list(&romeo).await.is_empty());
        change(&romeo, "block", &["a@b", "c@d"]).await;
        change(&romeo, "block", &["a@b"]).await;
        assert_eq!(refused(&romeo, &set("block", &["e@f"])).await, "policy-violation");
        change(&romeo, "unblock", &["a@b"]).await;
        change(&romeo, "block", &["e@f"]).await;
    });
}

#[test]
fn survives_a_restart() {
    testing::run(async {
        let storage = Arc::new(Memory::new());
        let before = server_on(storage.clone(), "").await;
        let romeo = before.session("romeo@localhost/orchard").await;
        change(&romeo, "block", &[JULIET]).await;
        let after = server_on(storage, "").await;
        let romeo = after.session("romeo@localhost/orchard").await;
        assert_eq!(list(&romeo).await, [JULIET]);
        let juliet = after.session("juliet@localhost/balcony").await;
        let message = "<message to='romeo@localhost/orchard'><body>hi</body></message>";
        assert_eq!(refused(&juliet, message).await, "service-unavailable");
    });
}

#[test]
fn pushes_to_the_clients_that_requested_the_list() {
    testing::run(async {
        let (server, romeo, _juliet) = couple().await;
        let street = server.session("romeo@localhost/street").await;
        let deaf = server.session("romeo@localhost/deaf").await;
        list(&street).await;
        for (action, jids) in [("block", &["a@b"][..]), ("unblock", &["a@b"]), ("unblock", &[])] {
            change(&romeo, action, jids).await;
            let push = street.next().unwrap();
            assert_eq!(push.attribute("type").as_deref(), Some("set"));
            assert_eq!(push.attribute("to").as_deref(), Some("romeo@localhost/street"));
            assert!(push.attribute("from").is_none(), "a push must have no `from`");
            let pushed = push.child(action, "urn:xmpp:blocking").unwrap();
            assert_eq!(pushed.children().count(), jids.len());
            assert!(street.next().is_none());
            assert!(deaf.next().is_none());
        }
    });
}

#[test]
fn nothing_goes_to_the_blocked() {
    testing::run(async {
        let (_server, romeo, juliet) = couple().await;
        change(&romeo, "block", &[JULIET, "elsewhere.example"]).await;
        juliet.received();
        for to in [JULIET, "juliet@localhost/balcony", "elsewhere.example", "x@elsewhere.example"] {
            for stanza in [
                format!("<message to='{to}'><body>hi</body></message>"),
                format!("<presence to='{to}'/>"),
                format!("<presence type='subscribe' to='{to}'/>"),
                format!("<iq type='get' id='3' to='{to}'><x xmlns='urn:x'/></iq>"),
            ] {
                romeo.send(&stanza).await;
                let refused = romeo.next().unwrap();
                let error = refused.child("error", STANZA_NS).unwrap();
                assert_eq!(error.attribute("type").as_deref(), Some("cancel"));
                let stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";
                assert!(error.child("not-acceptable", stanzas).is_some(), "{refused}");
                assert!(error.child("blocked", "urn:xmpp:blocking:errors").is_some(), "{refused}");
            }
            romeo.send(&format!("<iq type='result' id='3' to='{to}'/>")).await;
            assert!(romeo.next().is_none(), "an answer must not be answered");
        }
        assert!(juliet.next().is_none());
    });
}

#[test]
fn nothing_comes_from_the_blocked() {
    testing::run(async {
        let (_server, romeo, juliet) = couple().await;
        change(&romeo, "block", &[JULIET]).await;
        juliet.received();
        for to in ["romeo@localhost", "romeo@localhost/orchard"] {
            for kind in ["chat", "normal"] {
                let message = format!("<message type='{kind}' to='{to}'><body>hi</body></message>");
                assert_eq!(refused(&juliet, &message).await, "service-unavailable");
            }
            for kind in ["get", "set"] {
                let iq = format!("<iq type='{kind}' id='4' to='{to}'><x xmlns='urn:x'/></iq>");
                assert_eq!(refused(&juliet, &iq).await, "service-unavailable");
            }
            for silent in [
                format!("<message type='headline' to='{to}'><body>hi</body></message>"),
                format!("<message type='groupchat' to='{to}'><body>hi</body></message>"),
                format!("<message type='error' to='{to}'><body>hi</body></message>"),
                format!("<iq type='result' id='4' to='{to}'/>"),
                format!("<presence to='{to}'/>"),
                format!("<presence type='probe' to='{to}'/>"),
            ] {
                juliet.send(&silent).await;
                assert!(juliet.next().is_none(), "{silent}");
            }
        }
        assert!(romeo.next().is_none());
        let invite = "<message to='romeo@localhost'><x xmlns='http://jabber.org/protocol/muc#user'>\
                      <invite from='juliet@localhost/balcony'/></x></message>";
        juliet.send(&invite.replace("localhost'><x", "localhost' id='5'><x")).await;
        assert_eq!(condition(&juliet), "service-unavailable");
    });
}

#[test]
fn messages_from_the_blocked_are_not_stored() {
    testing::run(async {
        let (server, romeo, juliet) = couple().await;
        change(&romeo, "block", &[JULIET]).await;
        juliet.received();
        romeo.disconnect().await;
        let message = "<message type='chat' to='romeo@localhost'><body>hi</body></message>";
        assert_eq!(refused(&juliet, message).await, "service-unavailable");
        let romeo = server.session("romeo@localhost/orchard").await;
        romeo.send("<presence/>").await;
        assert!(romeo.received().iter().all(|e| e.name() != "message"));
    });
}

#[test]
fn blocked_contacts_see_the_user_become_unavailable_and_available() {
    testing::run(async {
        for item in [JULIET, "juliet@localhost/balcony", "localhost"] {
            let (_server, romeo, juliet) = couple().await;
            change(&romeo, "block", &[item]).await;
            let presence = juliet.next().unwrap();
            assert_eq!(presence.attribute("type").as_deref(), Some("unavailable"), "{item}");
            let from = presence.attribute("from");
            assert_eq!(from.as_deref(), Some("romeo@localhost/orchard"));
            // Blocking again changes nothing.
            change(&romeo, "block", &[item]).await;
            assert!(juliet.next().is_none(), "{item}");
            change(&romeo, "unblock", &[]).await;
            assert_eq!(types(&juliet), [("presence".to_owned(), None)], "{item}");
        }
    });
}

#[test]
fn strangers_get_no_presence_when_blocked() {
    testing::run(async {
        let (server, romeo, _juliet) = couple().await;
        let nurse = server.session("nurse@localhost/hall").await;
        nurse.send("<presence/>").await;
        nurse.received();
        change(&romeo, "block", &["nurse@localhost"]).await;
        change(&romeo, "unblock", &["nurse@localhost"]).await;
        assert!(nurse.next().is_none());
    });
}

#[test]
fn the_own_account_and_host_cannot_be_blocked() {
    testing::run(async {
        let (server, romeo, _juliet) = couple().await;
        let street = server.session("romeo@localhost/street").await;
        change(&romeo, "block", &["localhost", "romeo@localhost", "romeo@localhost/street"]).await;
        let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        romeo.send(&format!("<iq type='get' id='6' to='localhost'>{info}</iq>")).await;
        let answer = romeo.next().unwrap();
        assert_eq!(answer.attribute("type").as_deref(), Some("result"));
        assert!(answer.to_string().contains("'urn:xmpp:blocking'"));
        romeo.send(&format!("<iq type='get' id='7'>{info}</iq>")).await;
        assert!(romeo.next().unwrap().to_string().contains("'urn:xmpp:blocking'"));
        romeo.send("<message to='romeo@localhost/street'><body>hi</body></message>").await;
        assert_eq!(types(&street), [("message".to_owned(), None)]);
    });
}

/// Stanzas that the server sends for a user fire no `pre-` event.
#[test]
fn stanzas_sent_for_the_user_do_not_reach_blocked_addresses() {
    testing::run(async {
        let (server, romeo, juliet) = couple().await;
        let presence = |kind: &str| {
            ElementBuilder::new("presence", STANZA_NS)
                .attribute("from", "romeo@localhost/orchard")
                .attribute("to", JULIET)
                .attribute("type", kind)
                .build()
        };
        change(&romeo, "block", &[JULIET]).await;
        juliet.received();
        for kind in ["unavailable", "subscribed"] {
            server.send(presence(kind)).await;
            assert!(juliet.next().is_none(), "{kind}");
        }
        // Answers are not checked, such as an error for another server.
        server.send(presence("error")).await;
        assert_eq!(types(&juliet), [("presence".to_owned(), Some("error".to_owned()))]);
        change(&romeo, "unblock", &[JULIET]).await;
        juliet.received();
        server.send(presence("unavailable")).await;
        assert_eq!(types(&juliet).len(), 1);
    });
}

#[test]
fn a_list_is_bounded_in_bytes() {
    testing::run(async {
        let server = server_on(Arc::new(Memory::new()), "max_bytes = 100").await;
        let romeo = server.session("romeo@localhost/orchard").await;
        let long = format!("{}@b", "a".repeat(50));
        romeo.send(&set("block", &[&long])).await;
        romeo.received();
        let other = format!("{}@c", "a".repeat(50));
        assert_eq!(refused(&romeo, &set("block", &[&other])).await, "policy-violation");
        assert_eq!(list(&romeo).await, [long]);
    });
}
