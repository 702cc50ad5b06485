//! Info/query stanzas. After `iq/DEST` at 0 and above, an iq meets the handlers of its payload:
//! `iq/DEST/XMLNS:TAG`, then `iq-get` or `iq-set`, or for an answer those of its id; all in one
//! chain.

use crate::{events::declare::events, protocol::iq::Iq};

events! {
    const IQ;

    /// A local client sends an iq to a full JID. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreIqFull(Iq) = "pre-iq/full",
        "#[hook(\"pre-iq/full\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends an iq to a bare JID, or to the sender's own account. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreIqBare(Iq) = "pre-iq/bare",
        "#[hook(\"pre-iq/bare\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends an iq to a domain. Fired on the sender's host before
    /// the recipient is looked up, for local and remote recipients. `Flow::Handled` blocks the
    /// stanza, an error blocks it and tells the sender; else it is routed.
    PreIqHost(Iq) = "pre-iq/host",
        "#[hook(\"pre-iq/host\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq to a full JID of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Iq`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, a request is answered `service-unavailable`, a result or error is dropped.
    IqFull(Iq) = "iq/full",
        "#[hook(\"iq/full\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq to a bare JID of this server, or to the sender's own account. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Iq`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, a request is answered `service-unavailable`, a result or error is dropped.
    ///
    /// The handlers of `iq/bare/XMLNS:TAG` and its sisters run between those at 0 and those at -1.
    IqBare(Iq) = "iq/bare",
        "#[hook(\"iq/bare\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq to a domain of this server. Fired on the recipient's
    /// host before it is delivered.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Iq`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, a request is answered `service-unavailable`, a result or error is dropped.
    ///
    /// The handlers of `iq/host/XMLNS:TAG` and its sisters run between those at 0 and those at -1.
    IqHost(Iq) = "iq/host",
        "#[hook(\"iq/host\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq to the sender's own account: without `to`, or to its own bare JID; `to` has been
    /// removed. Fired on the user's host, in one chain with `iq/bare`, whose handlers come first
    /// at equal priority. Nobody else's stanzas fire it.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (`&Iq`, returns nothing), -1
    /// delivers. `Flow::Handled` ends the chain, an error ends it and tells the sender. When
    /// nobody stops it, a request is answered `service-unavailable`, a result or error is dropped.
    ///
    /// The handlers of `iq/self/XMLNS:TAG` and its sisters run between those at 0 and those at -1.
    IqSelf(Iq) = "iq/self",
        "#[hook(\"iq/self\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A request with this payload, get or set, to a bare JID, or to the sender's own account. Fired on the
    /// recipient's host after `iq/bare` at 0 and above. A `Reply` or an error answers it; when
    /// nobody does, the sender is answered `service-unavailable`.
    IqBarePayload(Iq) = "iq/bare/XMLNS:TAG",
        "#[hook(\"iq/bare/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A request with this payload, get or set, to a domain of this server. Fired on the
    /// recipient's host after `iq/host` at 0 and above. A `Reply` or an error answers it; when
    /// nobody does, the sender is answered `service-unavailable`.
    IqHostPayload(Iq) = "iq/host/XMLNS:TAG",
        "#[hook(\"iq/host/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A request with this payload, get or set, to the sender's own account, in one step with `/bare`. Fired on the
    /// recipient's host after `iq/self` at 0 and above. A `Reply` or an error answers it; when
    /// nobody does, the sender is answered `service-unavailable`.
    IqSelfPayload(Iq) = "iq/self/XMLNS:TAG",
        "#[hook(\"iq/self/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload, after `iq/bare/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqGetBare(Iq) = "iq-get/bare/XMLNS:TAG",
        "#[hook(\"iq-get/bare/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload, after `iq/host/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqGetHost(Iq) = "iq-get/host/XMLNS:TAG",
        "#[hook(\"iq-get/host/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload, after `iq/self/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqGetSelf(Iq) = "iq-get/self/XMLNS:TAG",
        "#[hook(\"iq-get/self/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload, after `iq/bare/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqSetBare(Iq) = "iq-set/bare/XMLNS:TAG",
        "#[hook(\"iq-set/bare/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload, after `iq/host/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqSetHost(Iq) = "iq-set/host/XMLNS:TAG",
        "#[hook(\"iq-set/host/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload, after `iq/self/XMLNS:TAG`. A `Reply` or an error answers it;
    /// when nobody does, the sender is answered `service-unavailable`.
    IqSetSelf(Iq) = "iq-set/self/XMLNS:TAG",
        "#[hook(\"iq-set/self/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A result with this id, after `iq/bare` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqResultBare(Iq) = "iq-result/bare/ID",
        "#[hook(\"iq-result/bare/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// A result with this id, after `iq/host` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqResultHost(Iq) = "iq-result/host/ID",
        "#[hook(\"iq-result/host/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// A result with this id, after `iq/self` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqResultSelf(Iq) = "iq-result/self/ID",
        "#[hook(\"iq-result/self/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id, after `iq/bare` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqErrorBare(Iq) = "iq-error/bare/ID",
        "#[hook(\"iq-error/bare/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id, after `iq/host` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqErrorHost(Iq) = "iq-error/host/ID",
        "#[hook(\"iq-error/host/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id, after `iq/self` at 0 and above. The id is the sender's choice: compare
    /// `from`. For a request of one's own, `cx.query` is simpler. `Flow::Handled` consumes it; when
    /// nobody does, it is dropped.
    IqErrorSelf(Iq) = "iq-error/self/ID",
        "#[hook(\"iq-error/self/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

}
