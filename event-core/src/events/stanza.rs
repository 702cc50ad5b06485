//! Stanzas on their way: before they are routed, after, and what leads to other servers.

use crate::{
    events::declare::events,
    protocol::stanza::{Message, Presence, Stanza},
};

events! {
    const STANZA;

    /// A local client sends a message to a full JID. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreMessageFull(Message) = "pre-message/full",
        "#[hook(\"pre-message/full\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a message to a bare JID, or to the sender's own account. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreMessageBare(Message) = "pre-message/bare",
        "#[hook(\"pre-message/bare\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a message to a domain. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreMessageHost(Message) = "pre-message/host",
        "#[hook(\"pre-message/host\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a full JID. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PrePresenceFull(Presence) = "pre-presence/full",
        "#[hook(\"pre-presence/full\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a bare JID, or to the sender's own account. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PrePresenceBare(Presence) = "pre-presence/bare",
        "#[hook(\"pre-presence/bare\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a domain. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PrePresenceHost(Presence) = "pre-presence/host",
        "#[hook(\"pre-presence/host\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A message to a full JID of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Message`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the sender is answered `service-unavailable`.
    MessageFull(Message) = "message/full",
        "#[hook(\"message/full\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message to a bare JID of this server, or to the sender's own account. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Message`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the sender is answered `service-unavailable`.
    MessageBare(Message) = "message/bare",
        "#[hook(\"message/bare\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message to a domain of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Message`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the sender is answered `service-unavailable`.
    MessageHost(Message) = "message/host",
        "#[hook(\"message/host\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message to the sender's own account: without `to`, or to its own bare JID; `to` has been
    /// removed. Fired on the user's host, in one chain with `message/bare`, whose handlers come first
    /// at equal priority. Nobody else's stanzas fire it.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Message`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the sender is answered `service-unavailable`.
    MessageSelf(Message) = "message/self",
        "#[hook(\"message/self\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A presence to a full JID of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Presence`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the stanza is dropped.
    PresenceFull(Presence) = "presence/full",
        "#[hook(\"presence/full\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence to a bare JID of this server, or to the sender's own account. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Presence`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the stanza is dropped.
    PresenceBare(Presence) = "presence/bare",
        "#[hook(\"presence/bare\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence to a domain of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Presence`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the stanza is dropped.
    PresenceHost(Presence) = "presence/host",
        "#[hook(\"presence/host\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence to the sender's own account: without `to`, or to its own bare JID; `to` has been
    /// removed. Fired on the user's host, in one chain with `presence/bare`, whose handlers come first
    /// at equal priority. Nobody else's stanzas fire it.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Presence`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, the stanza is dropped.
    PresenceSelf(Presence) = "presence/self",
        "#[hook(\"presence/self\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A client that was unavailable has sent its first available presence (RFC 6121 §4.2). Fired
    /// on the user's host by module `presence`, with the broadcast already on its way. Nothing can
    /// stop it.
    PresenceInitial(Presence) = "presence/initial",
        "#[hook(\"presence/initial\")]\nfn greet(presence: &Presence, cx: &Context<Example>) {\n    println!(\"{:?} on {}\", presence.from(), cx.host().name());\n}";

    /// A message of type `groupchat` to an account. Fired on the recipient's host by module
    /// `message`. `Flow::Handled` means that it was dealt with; when nobody does, the sender is
    /// answered `service-unavailable`.
    MessageBareGroupchat(Message) = "message/bare/groupchat",
        "#[hook(\"message/bare/groupchat\")]\nfn look(message: &mut Message) -> Flow {\n    println!(\"{}\", message.element());\n    Flow::Continue\n}";

    /// A message that cannot be delivered now. Fired on the recipient's host by module `message`.
    /// `Flow::Handled` means that it is kept; when nobody keeps it, the sender is answered
    /// `service-unavailable`.
    MessageOfflineHandle(Message) = "message/offline/handle",
        "#[hook(\"message/offline/handle\")]\nfn keep(message: &mut Message) -> Flow {\n    println!(\"{}\", message.element());\n    Flow::Handled\n}";

    /// A stanza for a domain that is not served here. Fired on the sender's host. `Flow::Handled`
    /// means that it is taken over, an error tells the sender; when nobody takes it, the sender is
    /// answered `remote-server-not-found`.
    RouteRemote(Stanza) = "route/remote",
        "#[hook(\"route/remote\")]\nfn refuse(stanza: &mut Stanza) -> Result<Flow, StanzaError> {\n    println!(\"{:?}\", stanza.to());\n    Err(StanzaError::not_allowed().text(\"no other servers\"))\n}";
}
