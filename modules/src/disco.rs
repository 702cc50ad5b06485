//! Service Discovery (XEP-0030).

use event_core::{
    prelude::*,
    xmpp_parsers::disco::{
        DiscoInfoQuery, DiscoInfoResult, DiscoItemsQuery, DiscoItemsResult, Identity,
    },
};

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// Tells what the host and its accounts are and can do, from what the modules announce.
#[module(features = ["http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"])]
pub struct Disco {
    /// The name of the host, for people.
    #[serde(default = "default_name")]
    name: String,
}

fn default_name() -> String {
    "Spondee".into()
}

#[hook("iq-get/host/http://jabber.org/protocol/disco#info:query", priority = 10)]
fn host_info(iq: &mut Iq, cx: &Context<Disco>) -> Result<Reply, StanzaError> {
    let DiscoInfoQuery { node } = iq.payload()?;
    no_node(node.as_deref())?;
    Ok(iq.reply_with(DiscoInfoResult {
        node,
        identities: vec![Identity::new("server", "im", "en", cx.name.as_str())],
        features: cx.host().features().into_iter().map(String::from).collect(),
        extensions: Vec::new(),
    }))
}

#[hook("iq-get/host/http://jabber.org/protocol/disco#items:query", priority = 10)]
fn host_items(iq: &mut Iq) -> Result<Reply, StanzaError> {
    let DiscoItemsQuery { node, .. } = iq.payload()?;
    no_node(node.as_deref())?;
    Ok(iq.reply_with(DiscoItemsResult { node, items: Vec::new(), rsm: None }))
}

#[hook("iq-get/self/http://jabber.org/protocol/disco#info:query", priority = 10)]
fn account_info(iq: &mut Iq) -> Result<Reply, StanzaError> {
    let DiscoInfoQuery { node } = iq.payload()?;
    no_node(node.as_deref())?;
    Ok(iq.reply_with(DiscoInfoResult {
        node,
        identities: vec![Identity::new_anonymous::<_, _, String, String>("account", "registered")],
        features: [INFO, ITEMS].into_iter().map(String::from).collect(),
        extensions: Vec::new(),
    }))
}

#[hook("iq-get/self/http://jabber.org/protocol/disco#items:query", priority = 10)]
fn account_items(iq: &mut Iq) -> Result<Reply, StanzaError> {
    let DiscoItemsQuery { node, .. } = iq.payload()?;
    no_node(node.as_deref())?;
    Ok(iq.reply_with(DiscoItemsResult { node, items: Vec::new(), rsm: None }))
}

fn no_node(node: Option<&str>) -> Result<(), StanzaError> {
    match node {
        None | Some("") => Ok(()),
        Some(_) => Err(StanzaError::item_not_found().text("no such node")),
    }
}

#[cfg(test)]
mod tests {
    use event_core::{testing, xmpp_parsers::disco::DiscoInfoResult};

    #[test]
    fn the_host_announces_what_its_modules_do() {
        testing::run(async {
            let server = testing::host("localhost").module("disco").module("ping");
            let server = server.start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
            romeo.send(&format!("<iq type='get' id='d' to='localhost'>{query}</iq>")).await;
            let answer = romeo.next().unwrap();
            let info: DiscoInfoResult = answer.first_child().unwrap().parse_as().unwrap();
            assert!(info.features.contains("urn:xmpp:ping"));
            assert!(!info.features.contains("jabber:iq:version"), "not enabled");
            assert_eq!(info.identities[0].category, "server");

            romeo.send(&format!("<iq type='get' id='d'>{query}</iq>")).await;
            let answer = romeo.next().unwrap();
            let info: DiscoInfoResult = answer.first_child().unwrap().parse_as().unwrap();
            assert_eq!(info.identities[0].category, "account");
        });
    }

    #[test]
    fn an_unknown_node_is_not_found_and_a_stranger_learns_nothing() {
        testing::run(async {
            let server = testing::host("localhost").module("disco").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            for (to, node, condition) in [
                ("localhost", "node='x'", "item-not-found"),
                ("juliet@localhost", "", "service-unavailable"),
            ] {
                let query =
                    format!("<query xmlns='http://jabber.org/protocol/disco#items' {node}/>");
                romeo.send(&format!("<iq type='get' id='d' to='{to}'>{query}</iq>")).await;
                let answer = romeo.next().unwrap();
                let error = answer.first_child().unwrap();
                assert_eq!(error.first_child().unwrap().name(), condition);
            }
        });
    }
}
