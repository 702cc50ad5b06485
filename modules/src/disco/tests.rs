use event_core::{
    events::{
        AccountDiscoInfo, AccountDiscoInfoNode, AccountDiscoItems, AccountDiscoItemsNode,
        HostDiscoInfoNode, HostDiscoItems, HostDiscoItemsNode, S2sStreamFeatures,
    },
    jid::Jid,
    prelude::*,
    testing::{self, Client, Harness},
    xml::Element,
    xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult, Item},
};

use crate::fakes::{FakeRosters, condition, refused};

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// Has nodes named `there`, and adds features and items to answers.
#[module(name = "disco_nodes", features = ["urn:xmpp:ping"])]
struct Nodes;

fn item(jid: &str) -> Item {
    Item { jid: Jid::new(jid).unwrap(), node: None, name: None }
}

#[hook("host-disco-items")]
fn items_of_host(event: &mut HostDiscoItems) {
    event.items.items.push(item("hooked.example"));
}

#[hook("host-disco-info-node")]
fn info_of_node(event: &mut HostDiscoInfoNode) {
    event.exists |= &*event.node == "there";
}

#[hook("host-disco-items-node")]
fn items_of_node(event: &mut HostDiscoItemsNode) {
    event.exists |= &*event.node == "there";
    event.items.items.push(item("node.example"));
}

#[hook("account-disco-info")]
fn info_of_account(event: &mut AccountDiscoInfo) {
    event.info.features.insert(format!("urn:of:{}", event.account));
}

#[hook("account-disco-items")]
fn items_of_account(event: &mut AccountDiscoItems) {
    event.items.items.push(item(event.from.as_ref().unwrap().as_str()));
}

#[hook("account-disco-info-node")]
fn info_of_account_node(event: &mut AccountDiscoInfoNode) {
    event.exists |= &*event.node == "there";
}

#[hook("account-disco-items-node")]
fn items_of_account_node(event: &mut AccountDiscoItemsNode) {
    event.exists |= &*event.node == "there";
}

/// Only Romeo may see Juliet's presence.
async fn server() -> Harness {
    let options = "items = [{ jid = 'rooms.example.net', name = 'Rooms' }]";
    let builder = testing::host("localhost")
        .module_with("disco", options)
        .module("disco_nodes")
        .host("irc.localhost")
        .host("notlocalhost");
    let rosters = FakeRosters(&[("juliet", "romeo@localhost")]);
    builder.prepare(rosters.provide()).start().await.unwrap()
}

fn get(to: &str, ns: &str, node: Option<&str>) -> String {
    let node = node.map(|node| format!("node='{node}'")).unwrap_or_default();
    format!("<iq type='get' id='d' {to}><query xmlns='{ns}' {node}/></iq>")
}

async fn ask(client: &Client, to: &str, ns: &str, node: Option<&str>) -> Element {
    client.send(&get(to, ns, node)).await;
    let answer = client.next().unwrap();
    assert_eq!(answer.attribute("type").as_deref(), Some("result"), "{answer}");
    answer.first_child().unwrap().to_element()
}

async fn info(client: &Client, to: &str, node: Option<&str>) -> DiscoInfoResult {
    ask(client, to, INFO, node).await.parse_as().unwrap()
}

async fn items(client: &Client, to: &str, node: Option<&str>) -> Vec<String> {
    let result: DiscoItemsResult = ask(client, to, ITEMS, node).await.parse_as().unwrap();
    assert_eq!(result.node.as_deref(), node);
    result.items.iter().map(|item| item.jid.to_string()).collect()
}

#[test]
fn the_host_announces_the_features_of_its_modules() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/orchard").await;
        let info = info(&romeo, "to='localhost'", None).await;
        assert!(info.features.contains("urn:xmpp:ping"));
        assert!(info.features.contains("http://jabber.org/protocol/caps"));
        assert!(!info.features.contains("jabber:iq:version"), "the module is not enabled");
        let identity = &info.identities[0];
        assert_eq!((&*identity.category, &*identity.type_), ("server", "im"));
        let items = items(&romeo, "to='localhost'", None).await;
        assert_eq!(items, ["irc.localhost", "rooms.example.net", "hooked.example"]);
    });
}

/// A client requests the list for the hash that it got.
#[test]
fn the_hash_of_the_stream_features_leads_to_the_same_list() {
    testing::run(async {
        let server = server().await;
        let stranger = server.stream("localhost");
        async fn features(client: &Client) -> Vec<Element> {
            let event = StreamFeatures { session: client.session.clone(), features: Vec::new() };
            client.turn().fire(event).await.event.features
        }
        assert!(features(&stranger).await.is_empty(), "the hash must not be sent before login");
        let romeo = server.session("romeo@localhost/orchard").await;
        let features = features(&romeo).await;
        let c = features.iter().find(|f| f.is("c", "http://jabber.org/protocol/caps")).unwrap();
        assert_eq!(c.attribute("hash").as_deref(), Some("sha-1"));
        let node = format!("{}#{}", c.attribute("node").unwrap(), c.attribute("ver").unwrap());
        let by_hash = info(&romeo, "to='localhost'", Some(&node)).await;
        let plain = info(&romeo, "to='localhost'", None).await;
        assert_eq!(by_hash.node.as_deref(), Some(&*node));
        assert_eq!(by_hash.features, plain.features);
        assert_eq!(by_hash.identities, plain.identities);
        let session = stranger.session.clone();
        let event = S2sStreamFeatures { session, features: Vec::new() };
        let to_servers = server.fire(event).await.event.features;
        assert!(to_servers.iter().eq([c]), "other servers must get the hash");
        let old = get("to='localhost'", INFO, Some(&node.replace('#', "#x")));
        assert_eq!(refused(&romeo, &old).await, "item-not-found");
    });
}

#[test]
fn nodes_exist_if_a_module_says_so() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for to in ["to='localhost'", "", "to='juliet@localhost'"] {
            let there = info(&romeo, to, Some("there")).await;
            assert_eq!(there.node.as_deref(), Some("there"));
            items(&romeo, to, Some("there")).await;
            for ns in [INFO, ITEMS] {
                let missing = get(to, ns, Some("missing"));
                assert_eq!(refused(&romeo, &missing).await, "item-not-found", "{to} {ns}");
                ask(&romeo, to, ns, Some("")).await;
            }
        }
    });
}

#[test]
fn accounts_are_shown_to_their_owners_and_to_subscribers() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for (to, account) in [
            ("", "romeo@localhost"),
            ("to='romeo@localhost'", "romeo@localhost"),
            ("to='juliet@localhost'", "juliet@localhost"),
        ] {
            let info = info(&romeo, to, None).await;
            let identity = &info.identities[0];
            assert_eq!((&*identity.category, &*identity.type_), ("account", "registered"));
            let features: Vec<_> = info.features.iter().map(String::as_str).collect();
            assert_eq!(features, [INFO, ITEMS, &format!("urn:of:{account}")]);
            assert_eq!(items(&romeo, to, None).await, ["romeo@localhost/orchard"]);
        }
    });
}

/// Juliet may not see Romeo's presence, so Romeo's account must look like a missing account.
#[test]
fn strangers_cannot_discover_accounts() {
    testing::run(async {
        let server = server().await;
        let juliet = server.session("juliet@localhost/balcony").await;
        for to in ["to='romeo@localhost'", "to='nobody@localhost'"] {
            for node in [None, Some("there"), Some("missing")] {
                let refusal = refused(&juliet, &get(to, INFO, node)).await;
                assert_eq!(refusal, "service-unavailable", "{to}");
                assert_eq!(items(&juliet, to, node).await, [""; 0], "{to}");
            }
        }
    });
}

#[test]
fn only_get_requests_are_answered() {
    testing::run(async {
        let server = server().await;
        let romeo = server.session("romeo@localhost/orchard").await;
        for to in ["", "to='localhost'", "to='juliet@localhost'"] {
            for ns in [INFO, ITEMS] {
                let set = get(to, ns, None).replace("get", "set");
                assert_eq!(refused(&romeo, &set).await, "service-unavailable");
            }
        }
        romeo.send("<iq type='get' id='i'><items xmlns='http://jabber.org/protocol/disco#items'/></iq>").await;
        assert_eq!(condition(&romeo), "service-unavailable");
    });
}

#[test]
fn a_listed_item_needs_a_jid() {
    testing::run(async {
        for items in ["[{ jid = 'a@@b' }]", "[{ name = 'x' }]", "[{ jid = 'a', nmae = 'x' }]"] {
            let host = testing::host("localhost");
            let started = host.module_with("disco", &format!("items = {items}")).start().await;
            assert!(matches!(started, Err(StartError::Options { .. })), "{items}");
        }
    });
}
