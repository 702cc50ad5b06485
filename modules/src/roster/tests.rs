use std::sync::Arc;

use event_core::{
    jid::BareJid,
    prelude::*,
    roster::RosterItem,
    services::Rosters,
    storage::Memory,
    testing::{self, Builder, Client, Harness},
};

use super::{
    contacts::Contacts,
    limits::RosterLimits,
    record::{NS, SCHEMA},
};

fn builder(options: &str) -> Builder {
    testing::host("localhost").module_with("roster", options)
}

async fn server() -> Harness {
    builder("").start().await.unwrap()
}

async fn get(client: &Client, ver: Option<&str>) -> Element {
    let ver = ver.map(|ver| format!("ver='{ver}'")).unwrap_or_default();
    client.send(&format!("<iq type='get' id='get'><query xmlns='{NS}' {ver}/></iq>")).await;
    let answer = client.next().unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"), "{answer}");
    answer
}

/// Sends a roster set with these items.
async fn ask(client: &Client, items: &str) {
    client.send(&format!("<iq type='set' id='set'><query xmlns='{NS}'>{items}</query></iq>")).await;
}

/// Changes the roster. The client must get the result before any push.
async fn set(client: &Client, item: &str) {
    ask(client, item).await;
    let answer = client.next().unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"), "{answer}");
}

fn condition(client: &Client) -> String {
    let answer = client.next().unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("error"), "{answer}");
    answer.children().last().unwrap().first_child().unwrap().name().to_owned()
}

/// The version and the items of a roster or a push, as XML.
fn items(iq: &Element) -> (String, Vec<String>) {
    let query = iq.child("query", NS).unwrap();
    let ver = query.attribute("ver").unwrap().into_owned();
    let items = query.children().map(|item| String::from_utf8(item.xml().to_vec()).unwrap());
    (ver, items.collect())
}

fn pushes(client: &Client) -> Vec<(String, Vec<String>)> {
    let received = client.received();
    for push in &received {
        assert_eq!(push.attribute("type").as_deref(), Some("set"), "{push}");
        assert_eq!(push.attribute("from"), None, "a push must have no 'from'");
    }
    received.iter().map(items).collect()
}

fn limits(contacts: usize) -> RosterLimits {
    RosterLimits {
        contacts,
        bytes: 1 << 20,
        name: 10,
        groups: 1,
        requests: 1,
        requests_per_domain: 1,
        requests_bytes: 10_000,
    }
}

const NURSE: &str = "<item jid='nurse@localhost' subscription='none'/>";

#[test]
fn a_contact_is_added_changed_and_removed() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/a").await;
        let other = server.session("romeo@localhost/b").await;
        let uninterested = server.session("romeo@localhost/c").await;
        for client in [&romeo, &other] {
            assert_eq!(items(&get(client, None).await), ("0".into(), vec![]));
        }
        // The subscription in a set is ignored.
        set(&romeo, "<item jid='Nurse@localhost' subscription='both' ask='subscribe'/>").await;
        let added = [("1".to_owned(), vec![NURSE.to_owned()])];
        assert_eq!(pushes(&romeo), added);
        assert_eq!(pushes(&other), added);

        set(
            &romeo,
            "<item jid='nurse@localhost' name='A &amp; B'><group>Ü</group><group>A</group></item>",
        )
        .await;
        let item = "<item jid='nurse@localhost' name='A &amp; B' subscription='none'>\
                    <group>A</group><group>Ü</group></item>";
        assert_eq!(pushes(&other), [("2".into(), vec![item.into()])]);
        romeo.received();
        assert_eq!(items(&get(&romeo, None).await), ("2".into(), vec![item.into()]));

        set(&romeo, "<item jid='nurse@localhost' subscription='remove'/>").await;
        let removed = "<item jid='nurse@localhost' subscription='remove'/>";
        assert_eq!(pushes(&other), [("3".into(), vec![removed.into()])]);
        assert_eq!(pushes(&romeo), [("3".into(), vec![removed.into()])]);
        assert_eq!(items(&get(&romeo, None).await), ("3".into(), vec![]));
        assert!(uninterested.next().is_none(), "a client without a roster must get no push");
    });
}

#[test]
fn invalid_sets_are_refused_and_change_nothing() {
    testing::run(async {
        let options = "max_contacts = 2\nmax_name = 8\nmax_groups = 2";
        let server = builder(options).start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        get(&romeo, None).await;
        for item in [NURSE, "<item jid='transport.example'/>"] {
            set(&romeo, item).await;
            romeo.received();
        }
        for (items, expected) in [
            ("", "bad-request"),
            ("<item jid='a@b'/><item jid='c@d'/>", "bad-request"),
            ("<contact jid='a@b'/>", "bad-request"),
            ("<item xmlns='urn:x' jid='a@b'/>", "bad-request"),
            ("<item/>", "bad-request"),
            ("<item jid=''/>", "bad-request"),
            ("<item jid='a@b@c'/>", "bad-request"),
            ("<item jid='a@b/c'/>", "bad-request"),
            ("<item jid='romeo@localhost'/>", "not-allowed"),
            ("<item jid='a@b' subscription='remove'/>", "item-not-found"),
            ("<item jid='nurse@localhost' name='123456789'/>", "not-acceptable"),
            ("<item jid='nurse@localhost'><group/></item>", "not-acceptable"),
            ("<item jid='nurse@localhost'><group>123456789</group></item>", "not-acceptable"),
            ("<item jid='nurse@localhost'><group>a</group><group>a</group></item>", "bad-request"),
            (
                "<item jid='nurse@localhost'><group>a</group><group>b</group><group>c</group></item>",
                "not-acceptable",
            ),
            ("<item jid='third@localhost'/>", "resource-constraint"),
        ] {
            ask(&romeo, items).await;
            assert_eq!(condition(&romeo), expected, "{items}");
        }
        let long = format!("<item jid='{0}@{0}.{0}.{0}.example'/>", "a".repeat(1000));
        ask(&romeo, &long).await;
        assert_eq!(romeo.next().unwrap().attribute("type").as_deref(), Some("error"));
        assert!(romeo.next().is_none(), "nothing may be pushed");
        let (ver, left) = items(&get(&romeo, None).await);
        assert_eq!((ver.as_str(), left.len()), ("2", 2));
        // In a full roster, contacts can be changed. After a removal, a contact can be added.
        for item in [
            "<item jid='nurse@localhost' name='12345678'/>",
            "<item jid='nurse@localhost' subscription='remove'/>",
            "<item jid='third@localhost'/>",
        ] {
            set(&romeo, item).await;
            romeo.received();
        }
    });
}

#[test]
fn only_the_owner_accesses_a_roster_and_only_the_server_pushes() {
    testing::run(async {
        let server =
            testing::host("localhost").module("iq").module("roster").start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        let mallory = server.session("mallory@localhost/b").await;
        for kind in ["get", "set"] {
            let item = if kind == "set" { NURSE } else { "" };
            for to in ["romeo@localhost", "nobody@localhost"] {
                let query = format!("<query xmlns='{NS}'>{item}</query>");
                mallory.send(&format!("<iq type='{kind}' id='1' to='{to}'>{query}</iq>")).await;
                assert_eq!(condition(&mallory), "forbidden", "{kind} {to}");
            }
        }
        let push = format!(
            "<iq type='set' id='1' to='romeo@localhost/a'><query xmlns='{NS}'>{NURSE}</query></iq>"
        );
        mallory.send(&push).await;
        assert_eq!(condition(&mallory), "forbidden");
        assert!(romeo.next().is_none(), "a stranger's push was delivered");
        assert_eq!(items(&get(&romeo, None).await).1, Vec::<String>::new());
    });
}

#[test]
fn a_client_with_a_version_gets_the_changes_since() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/a").await;
        for name in ["a", "b", "c"] {
            set(&romeo, &format!("<item jid='{name}@localhost'/>")).await;
        }
        set(&romeo, "<item jid='a@localhost' subscription='remove'/>").await;
        set(&romeo, "<item jid='b@localhost' name='B'/>").await;

        let same = get(&romeo, Some("5")).await;
        assert!(same.first_child().is_none(), "no changes: {same}");
        assert!(romeo.next().is_none());

        let old = get(&romeo, Some("3")).await;
        assert!(old.first_child().is_none(), "{old}");
        let missed = pushes(&romeo);
        assert_eq!(
            missed,
            [
                ("4".into(), vec!["<item jid='a@localhost' subscription='remove'/>".into()]),
                ("5".into(), vec!["<item jid='b@localhost' name='B' subscription='none'/>".into()]),
            ]
        );
        for ver in ["", "6", "-1", "x"] {
            assert_eq!(items(&get(&romeo, Some(ver)).await).1.len(), 2, "{ver:?}");
        }
    });
}

#[test]
fn a_client_offline_for_too_many_removals_gets_the_whole_roster() {
    testing::run(async {
        let storage = Arc::new(Memory::new());
        let server = builder("").storage(storage.clone()).start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        set(&romeo, NURSE).await;
        for number in 0..101 {
            let jid = format!("c{number}@localhost");
            set(&romeo, &format!("<item jid='{jid}'/>")).await;
            set(&romeo, &format!("<item jid='{jid}' subscription='remove'/>")).await;
        }
        // The first removal, version 3, is no longer stored.
        assert!(get(&romeo, Some("203")).await.first_child().is_none());
        assert!(get(&romeo, Some("201")).await.first_child().is_none());
        assert_eq!(pushes(&romeo).len(), 2 - 1, "only the removal must be pushed");
        for ver in ["1", "2"] {
            assert_eq!(items(&get(&romeo, Some(ver)).await), ("203".into(), vec![NURSE.into()]));
        }
        drop(romeo);
        let server = builder("").storage(storage).start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        assert_eq!(items(&get(&romeo, Some("2")).await), ("203".into(), vec![NURSE.into()]));
        assert!(get(&romeo, Some("203")).await.first_child().is_none());
    });
}

#[test]
fn a_restart_keeps_the_roster() {
    testing::run(async {
        let storage = Arc::new(Memory::new());
        let server = builder("").storage(storage.clone()).start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        let juliet = server.session("juliet@localhost/a").await;
        set(&romeo, "<item jid='nurse@localhost' name='N'><group>x</group></item>").await;
        set(&juliet, "<item jid='transport.example'/>").await;
        let before = get(&romeo, None).await;
        let server = builder("").storage(storage).start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        assert_eq!(items(&get(&romeo, None).await), items(&before));
    });
}

#[test]
fn the_features_are_offered_after_authentication() {
    testing::run(async {
        let server = server().await;
        let client = server.stream("localhost");
        let features = |session: &Session| {
            let session = session.clone();
            server.fire(StreamFeatures { session, features: Vec::new() })
        };
        assert!(features(&client.session).await.event.features.is_empty());
        client.authenticate(&BareJid::new("romeo@localhost").unwrap());
        let offered = features(&client.session).await.event.features;
        let offered: Vec<_> = offered.iter().map(Element::namespace).collect();
        assert_eq!(offered, ["urn:xmpp:features:rosterver", "urn:xmpp:features:pre-approval"]);
    });
}

#[test]
fn only_rosters_of_users_online_stay_in_memory() {
    testing::run(async {
        let server = server().await;
        let host = server.context();
        let store = host.store(&SCHEMA).await.unwrap();
        let limits = limits(1);
        let contacts = Contacts::new(&host, store, limits);
        let romeo = server.session("romeo@localhost/a").await;
        let second = server.session("romeo@localhost/b").await;
        for name in ["romeo", "juliet", "nobody"] {
            contacts.roster(name).await.unwrap();
        }
        assert_eq!(contacts.in_memory(), 1);
        let before = contacts.roster("romeo").await.unwrap();
        assert!(
            Arc::ptr_eq(&before, &contacts.roster("romeo").await.unwrap()),
            "must be read once"
        );
        romeo.disconnect().await;
        drop(contacts.enter("romeo"));
        assert_eq!(contacts.in_memory(), 1, "the other client is still online");
        second.disconnect().await;
        drop(contacts.enter("romeo"));
        assert_eq!(contacts.in_memory(), 0);
    });
}

#[test]
fn changes_at_the_same_time_lose_nothing() {
    testing::run(async {
        let server = server().await;
        let host = server.context();
        let store = host.store(&SCHEMA).await.unwrap();
        let limits = limits(100);
        let contacts = Arc::new(Contacts::new(&host, store, limits));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..100 {
            let contacts = Arc::clone(&contacts);
            tasks.spawn(async move {
                let jid = BareJid::new(&format!("c{number}@localhost")).unwrap();
                let entry = contacts.enter("romeo");
                let lock = entry.lock().await;
                let apply = |_: Option<&RosterItem>| Ok(Some(RosterItem::new(jid.clone())));
                // During this yield, other tasks wait for the lock.
                tokio::task::yield_now().await;
                lock.change(&jid, apply, || ()).await.unwrap();
            });
        }
        tasks.join_all().await;
        assert_eq!(contacts.roster("romeo").await.unwrap().items().count(), 100);
        assert_eq!(contacts.in_memory(), 0);
    });
}

mod events {
    use super::*;

    /// Adds a contact to every roster, and sends a message for each removal.
    #[module(name = "test_groups")]
    struct TestGroups;

    #[hook("roster-load")]
    fn share(event: &mut RosterLoad) {
        event.roster.insert(RosterItem::new(BareJid::new("shared@localhost").unwrap()));
    }

    #[hook("roster-item-removed")]
    fn tell(removed: &RosterItemRemoved, cx: &Context<TestGroups>) {
        let text = format!("{} {}", removed.username, removed.session.is_some());
        let message = ElementBuilder::new("message", STANZA_NS)
            .attribute("to", "watcher@localhost/a")
            .attribute("id", &text)
            .child(&ElementBuilder::new("body", STANZA_NS).text(removed.item.jid.as_str()).build());
        cx.send(message.build());
    }

    #[test]
    fn contacts_of_another_module_are_shown_but_have_no_version() {
        testing::run(async {
            let server = builder("").module("test_groups").start().await.unwrap();
            let romeo = server.session("romeo@localhost/a").await;
            set(&romeo, NURSE).await;
            for ver in [None, Some("1")] {
                assert_eq!(items(&get(&romeo, ver).await).1.len(), 2);
            }
        });
    }

    #[test]
    fn each_removal_fires_an_event() {
        testing::run(async {
            let server = builder("").module("message").module("test_groups").start().await.unwrap();
            let watcher = server.session("watcher@localhost/a").await;
            let romeo = server.session("romeo@localhost/a").await;
            for jid in ["a@localhost", "b@localhost"] {
                set(&romeo, &format!("<item jid='{jid}'/>")).await;
            }
            set(&romeo, "<item jid='a@localhost' subscription='remove'/>").await;
            let told = |client: &Client| -> Vec<_> {
                let told = client.received().into_iter();
                told.map(|e| {
                    (
                        e.attribute("id").unwrap().into_owned(),
                        e.first_child().unwrap().text().into_owned(),
                    )
                })
                .collect()
            };
            assert_eq!(told(&watcher), [("romeo true".into(), "a@localhost".into())]);
            romeo.disconnect().await;
            server.fire(UserDeleted { username: "romeo".into() }).await;
            let gone = ["b@localhost", "shared@localhost"];
            assert_eq!(told(&watcher), gone.map(|jid| ("romeo false".into(), jid.into())));
        });
    }
}

#[test]
fn a_roster_is_bounded_in_bytes() {
    testing::run(async {
        let builder = testing::host("localhost").module_with("roster", "max_bytes = 5000");
        let server = builder.start().await.unwrap();
        let romeo = server.session("romeo@localhost/a").await;
        let set = |number: u32, name: &str| {
            format!(
                "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>\
                 <item jid='c{number}@localhost' name='{name}'/></query></iq>"
            )
        };
        let mut kept = 0;
        loop {
            romeo.send(&set(kept, &"&amp;".repeat(200))).await;
            let answer = romeo.received().remove(0);
            if answer.attribute("type").as_deref() == Some("error") {
                let error = answer.child("error", STANZA_NS).unwrap();
                assert_eq!(error.first_child().unwrap().name(), "resource-constraint");
                break;
            }
            kept += 1;
        }
        assert_eq!(kept, 3, "the size counts as it is written");
        romeo.send(&set(0, "short")).await;
        assert_eq!(romeo.received().remove(0).attribute("type").as_deref(), Some("result"));
        romeo.send("<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>").await;
        assert!(romeo.next().unwrap().as_bytes().len() < 5000);
    });
}

#[test]
fn changes_that_are_long_together_come_as_one_answer() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/a").await;
        for number in 0..80 {
            let set = format!(
                "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>\
                 <item jid='c{number}@localhost' name='{}'/></query></iq>",
                "x".repeat(1000)
            );
            romeo.send(&set).await;
        }
        romeo.received();
        for (known, count) in [(1, 1), (70, 11)] {
            let query = format!("<query xmlns='jabber:iq:roster' ver='{known}'/>");
            romeo.send(&format!("<iq type='get' id='g'>{query}</iq>")).await;
            assert_eq!(romeo.received().len(), count, "since {known}");
        }
    });
}
