//! Elements that are not routed: on a stream without a resource, or not stanzas at all.

use crate::{
    events::declare::events,
    protocol::{
        iq::Iq,
        nonza::Nonza,
        stanza::{Message, Presence},
    },
};

events! {
    const STREAM;

    /// An iq request with this payload on a stream without a bound resource; resource binding is
    /// one. Fired on the stream's host. A `Reply` or an error answers it, `Flow::Handled` consumes
    /// it; when nobody does, the stream is closed with `not-authorized`.
    StanzaIq(Iq) = "stanza/iq/XMLNS:TAG",
        "#[hook(\"stanza/iq/jabber:iq:register:query\")]\nfn register(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    println!(\"{}\", iq.element());\n    Err(StanzaError::not_allowed())\n}";

    /// A message on a stream without a bound resource. Fired on the stream's host. `Flow::Handled`
    /// consumes it; else the stream is closed with `not-authorized`.
    StanzaMessage(Message) = "stanza/message",
        "#[hook(\"stanza/message\")]\nfn swallow(_: &mut Message) -> Flow {\n    Flow::Handled\n}";

    /// A presence on a stream without a bound resource. Fired on the stream's host. `Flow::Handled`
    /// consumes it; else the stream is closed with `not-authorized`.
    StanzaPresence(Presence) = "stanza/presence",
        "#[hook(\"stanza/presence\")]\nfn swallow(_: &mut Presence) -> Flow {\n    Flow::Handled\n}";

    /// An element that is not a stanza, on any stream: STARTTLS, SASL, stream management. Fired on
    /// the stream's host. `Flow::Handled` consumes it, a `StreamError` closes the stream with it;
    /// when nobody does, the stream is closed with `unsupported-stanza-type`.
    StanzaElement(Nonza) = "stanza/XMLNS:TAG",
        "#[hook(\"stanza/urn:xmpp:csi:0:active\")]\nfn active(nonza: &mut Nonza) -> Result<Flow, StreamError> {\n    println!(\"{:?}\", nonza.session);\n    Ok(Flow::Handled)\n}";
}
