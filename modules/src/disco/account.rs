//! Service discovery of accounts, which the server answers for their owners.

use event_core::{
    events::{AccountDiscoInfo, AccountDiscoInfoNode, AccountDiscoItems, AccountDiscoItemsNode},
    prelude::*,
    xmpp_parsers::disco::{DiscoInfoQuery, DiscoItemsQuery, Identity},
};

use super::{
    Disco,
    nodes::{INFO, ITEMS, info_of, items_of, named, no_such_node},
};
use crate::lookup;

/// XEP-0030 §8: users who may not see the account's presence get the same error as for a missing
/// account.
#[hook("iq-get/bare/http://jabber.org/protocol/disco#info:query", priority = 10)]
async fn info(iq: &mut Iq, cx: &Context<Disco>) -> Result<Reply, StanzaError> {
    let DiscoInfoQuery { node } = iq.payload()?;
    if !lookup::may_see(iq, cx.host()).await? {
        return Err(StanzaError::service_unavailable());
    }
    let (account, from) = (lookup::account(iq)?, iq.from().cloned());
    let mut info = info_of(node.clone());
    info.features = [INFO, ITEMS].into_iter().map(String::from).collect();
    let Some(node) = named(&node) else {
        let identity = Identity::new_anonymous::<_, _, &str, &str>("account", "registered");
        info.identities.push(identity);
        let event = AccountDiscoInfo { account, from, info };
        return Ok(iq.reply_with(cx.fire(event).await.event.info));
    };
    let event = AccountDiscoInfoNode { account, from, node: node.into(), exists: false, info };
    let AccountDiscoInfoNode { exists, info, .. } = cx.fire(event).await.event;
    if exists { Ok(iq.reply_with(info)) } else { Err(no_such_node()) }
}

/// XEP-0030 §8: users who may not see the account's presence get no items.
#[hook("iq-get/bare/http://jabber.org/protocol/disco#items:query", priority = 10)]
async fn items(iq: &mut Iq, cx: &Context<Disco>) -> Result<Reply, StanzaError> {
    let DiscoItemsQuery { node, .. } = iq.payload()?;
    let items = items_of(node.clone());
    if !lookup::may_see(iq, cx.host()).await? {
        return Ok(iq.reply_with(items));
    }
    let (account, from) = (lookup::account(iq)?, iq.from().cloned());
    let Some(node) = named(&node) else {
        let event = AccountDiscoItems { account, from, items };
        return Ok(iq.reply_with(cx.fire(event).await.event.items));
    };
    let event = AccountDiscoItemsNode { account, from, node: node.into(), exists: false, items };
    let AccountDiscoItemsNode { exists, items, .. } = cx.fire(event).await.event;
    if exists { Ok(iq.reply_with(items)) } else { Err(no_such_node()) }
}
