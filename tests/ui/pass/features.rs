//! Features that are no namespaces of elements.

use event_core::prelude::*;

/// Announces.
#[module(features = [
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/muc#stable_id",
    "http://jabber.org/protocol/pubsub#publish-options",
    "jabber:iq:version",
    "msgoffline",
    "muc_passwordprotected",
    "storage:bookmarks",
    "urn:xmpp:bookmarks:1#compat",
    "urn:xmpp:mam:2#extended",
    "urn:xmpp:sid:0",
    "vcard-temp",
])]
pub struct Announcer;

fn main() {}
