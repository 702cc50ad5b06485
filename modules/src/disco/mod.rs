//! Service Discovery (XEP-0030), and Entity Capabilities of the server (XEP-0115).

mod account;
mod caps;
mod nodes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_core::{
    events::{HostDiscoInfoNode, HostDiscoItems, HostDiscoItemsNode, S2sStreamFeatures},
    jid::Jid,
    prelude::*,
    serde::Deserialize,
    xmpp_parsers::disco::{DiscoInfoQuery, DiscoInfoResult, DiscoItemsQuery, Item},
};

use self::{
    caps::{Announced, Capabilities},
    nodes::{info_of, items_of, named, no_such_node},
};

/// Answers service discovery for the host and its accounts, with the features of the modules.
#[module(
    state = Announced,
    features = [
        "http://jabber.org/protocol/caps",
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
    ],
    fires = [
        events::AccountDiscoInfo,
        events::AccountDiscoItems,
        events::AccountDiscoInfoNode,
        events::AccountDiscoItemsNode,
        events::HostDiscoItems,
        events::HostDiscoInfoNode,
        events::HostDiscoItemsNode,
    ]
)]
pub struct Disco {
    /// The name of the host, for users.
    #[option(default = "Spondee")]
    name: String,
    /// Additional items of the host, as `{ jid = "rooms.example.net", name = "Rooms" }`; `name` is
    /// optional. The server's hosts below the host's domain are always items.
    #[serde(default)]
    items: Vec<ConfiguredItem>,
}

/// An item in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfiguredItem {
    jid: Jid,
    name: Option<String>,
}

impl ModuleState<Disco> for Announced {
    async fn start(_: &HostContext, _: &Disco) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

#[hook("stream-features")]
fn offer(event: &mut StreamFeatures, cx: &Context<Disco>) {
    if event.session.user().is_some() {
        event.features.push(announced(cx).to_element());
    }
}

#[hook("s2s-stream-features")]
fn offer_server(event: &mut S2sStreamFeatures, cx: &Context<Disco>) {
    event.features.push(announced(cx).to_element());
}

/// The current capabilities of the host.
fn announced(cx: &Context<Disco>) -> Arc<Capabilities> {
    cx.state().capabilities(&cx.name, cx.features())
}

#[hook("iq-get/host/http://jabber.org/protocol/disco#info:query", priority = 10)]
async fn host_info(iq: &mut Iq, cx: &Context<Disco>) -> Result<Reply, StanzaError> {
    let DiscoInfoQuery { node } = iq.payload()?;
    let announced = announced(cx);
    let Some(requested) = named(&node).filter(|node| *node != announced.node) else {
        return Ok(iq.reply_with(DiscoInfoResult { node, ..announced.info.clone() }));
    };
    let event = HostDiscoInfoNode {
        from: iq.from().cloned(),
        node: requested.into(),
        exists: false,
        info: info_of(node.clone()),
    };
    let HostDiscoInfoNode { exists, info, .. } = cx.fire(event).await.event;
    if exists { Ok(iq.reply_with(info)) } else { Err(no_such_node()) }
}

#[hook("iq-get/host/http://jabber.org/protocol/disco#items:query", priority = 10)]
async fn host_items(iq: &mut Iq, cx: &Context<Disco>) -> Result<Reply, StanzaError> {
    let DiscoItemsQuery { node, .. } = iq.payload()?;
    let (from, items) = (iq.from().cloned(), items_of(node.clone()));
    let Some(node) = named(&node) else {
        let mut event = HostDiscoItems { from, items };
        event.items.items.extend(below(cx).chain(configured(cx)));
        return Ok(iq.reply_with(cx.fire(event).await.event.items));
    };
    let event = HostDiscoItemsNode { from, node: node.into(), exists: false, items };
    let HostDiscoItemsNode { exists, items, .. } = cx.fire(event).await.event;
    if exists { Ok(iq.reply_with(items)) } else { Err(no_such_node()) }
}

/// The hosts of this server whose domain is below the domain of this host.
fn below(cx: &Context<Disco>) -> impl Iterator<Item = Item> + use<> {
    let suffix = format!(".{}", cx.host().name());
    let hosts = cx.hosts().into_iter();
    hosts.filter(move |other| other.name().ends_with(&suffix)).map(|other| Item {
        jid: other.jid().clone(),
        node: None,
        name: None,
    })
}

fn configured(options: &Disco) -> impl Iterator<Item = Item> {
    let items = options.items.iter().cloned();
    items.map(|ConfiguredItem { jid, name }| Item { jid, node: None, name })
}
