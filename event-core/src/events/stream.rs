//! Events of elements that are not routed: stanzas on a stream without a bound resource, and
//! elements that are not stanzas.

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

    /// An iq request with this payload arrives on a stream without a bound resource, such as the
    /// request to bind a resource. Fired on the stream's host. A `Reply` or an error answers the
    /// request, `Flow::Handled` consumes the request; otherwise the stream is closed with
    /// `not-authorized`.
    StanzaIq(Iq) = "stanza/iq/XMLNS:TAG",
        "#[hook(\"stanza/iq/jabber:iq:register:query\")]\nfn register(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    println!(\"{}\", iq.element());\n    Err(StanzaError::not_allowed())\n}";

    /// A message arrives on a stream without a bound resource. Fired on the stream's host.
    /// `Flow::Handled` consumes the message; otherwise the stream is closed with `not-authorized`.
    StanzaMessage(Message) = "stanza/message",
        "#[hook(\"stanza/message\")]\nfn consume(_: &mut Message) -> Flow {\n    Flow::Handled\n}";

    /// A presence arrives on a stream without a bound resource. Fired on the stream's host.
    /// `Flow::Handled` consumes the presence; otherwise the stream is closed with `not-authorized`.
    StanzaPresence(Presence) = "stanza/presence",
        "#[hook(\"stanza/presence\")]\nfn consume(_: &mut Presence) -> Flow {\n    Flow::Handled\n}";

    /// An element that is not a stanza arrives on a stream, for example an element of STARTTLS,
    /// SASL or stream management. Fired on the stream's host. `Flow::Handled` consumes the element,
    /// a `StreamError` closes the stream; otherwise the stream is closed with
    /// `unsupported-stanza-type`.
    StanzaElement(Nonza) = "stanza/XMLNS:TAG",
        "#[hook(\"stanza/urn:xmpp:csi:0:active\")]\nfn active(nonza: &mut Nonza) -> Result<Flow, StreamError> {\n    println!(\"{:?}\", nonza.session);\n    Ok(Flow::Handled)\n}";
}
