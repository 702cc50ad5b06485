//! Events of messages and presences: before routing, after routing, and for remote recipients.

use crate::{
    events::declare::events,
    protocol::stanza::{Message, Presence, Stanza},
};

events! {
    const STANZA;

    /// A local client sends a message to a full JID. Fired on the sender's host before the
    /// recipient is looked up, for local and remote recipients. `Flow::Handled` drops the stanza;
    /// an error drops the stanza and is returned to the sender; otherwise the stanza is routed.
    PreMessageFull(Message) = "pre-message/full",
        "#[hook(\"pre-message/full\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a message to a bare JID, or to the sender's own account. Fired on the
    /// sender's host before the recipient is looked up, for local and remote recipients.
    /// `Flow::Handled` drops the stanza; an error drops the stanza and is returned to the sender;
    /// otherwise the stanza is routed.
    PreMessageBare(Message) = "pre-message/bare",
        "#[hook(\"pre-message/bare\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a message to a domain. Fired on the sender's host before the recipient
    /// is looked up, for local and remote recipients. `Flow::Handled` drops the stanza; an error
    /// drops the stanza and is returned to the sender; otherwise the stanza is routed.
    PreMessageHost(Message) = "pre-message/host",
        "#[hook(\"pre-message/host\")]\nfn check(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a full JID. Fired on the sender's host before the
    /// recipient is looked up, for local and remote recipients. `Flow::Handled` drops the stanza;
    /// an error drops the stanza and is returned to the sender; otherwise the stanza is routed.
    PrePresenceFull(Presence) = "pre-presence/full",
        "#[hook(\"pre-presence/full\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a bare JID, or to the sender's own account. Fired on the
    /// sender's host before the recipient is looked up, for local and remote recipients.
    /// `Flow::Handled` drops the stanza; an error drops the stanza and is returned to the sender;
    /// otherwise the stanza is routed.
    PrePresenceBare(Presence) = "pre-presence/bare",
        "#[hook(\"pre-presence/bare\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends a presence to a domain. Fired on the sender's host before the recipient
    /// is looked up, for local and remote recipients. `Flow::Handled` drops the stanza; an error
    /// drops the stanza and is returned to the sender; otherwise the stanza is routed.
    PrePresenceHost(Presence) = "pre-presence/host",
        "#[hook(\"pre-presence/host\")]\nfn check(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A message is addressed to a full JID of this server. Fired on the recipient's host before
    /// the delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Message`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the sender is answered with
    /// `service-unavailable`.
    MessageFull(Message) = "message/full",
        "#[hook(\"message/full\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message is addressed to a bare JID of this server, or to the sender's own account. Fired
    /// on the recipient's host before the delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Message`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the sender is answered with
    /// `service-unavailable`.
    MessageBare(Message) = "message/bare",
        "#[hook(\"message/bare\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message is addressed to a domain of this server. Fired on the recipient's host before the
    /// delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Message`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the sender is answered with
    /// `service-unavailable`.
    MessageHost(Message) = "message/host",
        "#[hook(\"message/host\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A message is addressed to the sender's own account: without `to`, or to the sender's own
    /// bare JID. `to` has been removed. Fired on the user's host, in one chain with `message/bare`,
    /// whose handlers run first at equal priority. Stanzas of other senders never fire this event.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Message`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the sender is answered with
    /// `service-unavailable`.
    MessageSelf(Message) = "message/self",
        "#[hook(\"message/self\", priority = 10)]\nfn tidy(message: &mut Message) -> Flow {\n    Flow::Continue\n}";

    /// A presence is addressed to a full JID of this server. Fired on the recipient's host before
    /// the delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Presence`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the stanza is dropped.
    PresenceFull(Presence) = "presence/full",
        "#[hook(\"presence/full\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence is addressed to a bare JID of this server, or to the sender's own account. Fired
    /// on the recipient's host before the delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Presence`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the stanza is dropped.
    PresenceBare(Presence) = "presence/bare",
        "#[hook(\"presence/bare\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence is addressed to a domain of this server. Fired on the recipient's host before the
    /// delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Presence`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the stanza is dropped.
    PresenceHost(Presence) = "presence/host",
        "#[hook(\"presence/host\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// A presence is addressed to the sender's own account: without `to`, or to the sender's own
    /// bare JID. `to` has been removed. Fired on the user's host, in one chain with
    /// `presence/bare`, whose handlers run first at equal priority. Stanzas of other senders never
    /// fire this event.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Presence`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, the stanza is dropped.
    PresenceSelf(Presence) = "presence/self",
        "#[hook(\"presence/self\", priority = 10)]\nfn tidy(presence: &mut Presence) -> Flow {\n    Flow::Continue\n}";

    /// An unavailable client has sent its first available presence (RFC 6121 §4.2). Fired on the
    /// user's host by module `presence`, after the broadcast to the contacts is queued. No
    /// handler can stop this event.
    PresenceInitial(Presence) = "presence/initial",
        "#[hook(\"presence/initial\")]\nfn greet(presence: &Presence, cx: &Context<Example>) {\n    println!(\"{:?} on {}\", presence.from(), cx.host().name());\n}";

    /// A message of type `groupchat` is addressed to an account. Fired on the recipient's host by
    /// module `message`. `Flow::Handled` consumes the message; otherwise the sender is answered
    /// with `service-unavailable`.
    MessageBareGroupchat(Message) = "message/bare/groupchat",
        "#[hook(\"message/bare/groupchat\")]\nfn look(message: &mut Message) -> Flow {\n    println!(\"{}\", message.element());\n    Flow::Continue\n}";

    /// A message cannot be delivered now. Fired on the recipient's host by module `message`.
    /// `Flow::Handled` says that the handler has stored the message; otherwise the sender is
    /// answered with `service-unavailable`.
    MessageOfflineHandle(Message) = "message/offline/handle",
        "#[hook(\"message/offline/handle\")]\nfn keep(message: &mut Message) -> Flow {\n    println!(\"{}\", message.element());\n    Flow::Handled\n}";

    /// A stanza is addressed to a domain that this server does not serve. Fired on the sender's
    /// host. `Flow::Handled` says that the handler sends the stanza; an error is returned to the
    /// sender; otherwise the sender is answered with `remote-server-not-found`.
    RouteRemote(Stanza) = "route/remote",
        "#[hook(\"route/remote\")]\nfn refuse(stanza: &mut Stanza) -> Result<Flow, StanzaError> {\n    println!(\"{:?}\", stanza.to());\n    Err(StanzaError::not_allowed().text(\"no other servers\"))\n}";
}
