//! Namespaces of service discovery, and empty answers for nodes.

use event_core::{
    prelude::*,
    xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult},
};

pub(super) const INFO: &str = "http://jabber.org/protocol/disco#info";
pub(super) const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// The node of a request. An empty node counts as none.
pub(super) fn named(node: &Option<String>) -> Option<&str> {
    node.as_deref().filter(|node| !node.is_empty())
}

pub(super) fn info_of(node: Option<String>) -> DiscoInfoResult {
    DiscoInfoResult {
        node,
        identities: Vec::new(),
        features: Default::default(),
        extensions: Vec::new(),
    }
}

pub(super) fn items_of(node: Option<String>) -> DiscoItemsResult {
    DiscoItemsResult { node, items: Vec::new(), rsm: None }
}

pub(super) fn no_such_node() -> StanzaError {
    StanzaError::item_not_found().text("no such node")
}
