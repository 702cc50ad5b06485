//! Events of iq stanzas. The chain of a request runs the handlers of `iq/DEST` at priority 0 and
//! above, of `iq/DEST/XMLNS:TAG`, of `iq-get` or `iq-set` with the payload, and of `iq/DEST` at
//! priority -1. The chain of an answer runs the handlers of `iq/DEST` at priority 0 and above, of
//! `iq-result` or `iq-error` with the id, and of `iq/DEST` at priority -1.

use crate::{events::declare::events, protocol::iq::Iq};

events! {
    const IQ;

    /// A local client sends an iq to a full JID. Fired on the sender's host before the recipient is
    /// looked up, for local and remote recipients. `Flow::Handled` drops the stanza; an error drops
    /// the stanza and is returned to the sender; otherwise the stanza is routed.
    PreIqFull(Iq) = "pre-iq/full",
        "#[hook(\"pre-iq/full\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends an iq to a bare JID, or to the sender's own account. Fired on the
    /// sender's host before the recipient is looked up, for local and remote recipients.
    /// `Flow::Handled` drops the stanza; an error drops the stanza and is returned to the sender;
    /// otherwise the stanza is routed.
    PreIqBare(Iq) = "pre-iq/bare",
        "#[hook(\"pre-iq/bare\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A local client sends an iq to a domain. Fired on the sender's host before the recipient is
    /// looked up, for local and remote recipients. `Flow::Handled` drops the stanza; an error drops
    /// the stanza and is returned to the sender; otherwise the stanza is routed.
    PreIqHost(Iq) = "pre-iq/host",
        "#[hook(\"pre-iq/host\")]\nfn check(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq is addressed to a full JID of this server. Fired on the recipient's host before the
    /// delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Iq`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, a request is answered with
    /// `service-unavailable`, and a result or an error is dropped.
    IqFull(Iq) = "iq/full",
        "#[hook(\"iq/full\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq is addressed to a bare JID of this server, or to the sender's own account. Fired on
    /// the recipient's host before the delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Iq`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, a request is answered with
    /// `service-unavailable`, and a result or an error is dropped.
    ///
    /// The handlers for payloads and ids (`iq/bare/XMLNS:TAG`, `iq-get/bare/XMLNS:TAG` and so on)
    /// run between the handlers at priority 0 and those at -1.
    IqBare(Iq) = "iq/bare",
        "#[hook(\"iq/bare\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq is addressed to a domain of this server. Fired on the recipient's host before the
    /// delivery.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Iq`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, a request is answered with
    /// `service-unavailable`, and a result or an error is dropped.
    ///
    /// The handlers for payloads and ids (`iq/host/XMLNS:TAG`, `iq-get/host/XMLNS:TAG` and so on)
    /// run between the handlers at priority 0 and those at -1.
    IqHost(Iq) = "iq/host",
        "#[hook(\"iq/host\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// An iq is addressed to the sender's own account: without `to`, or to the sender's own bare
    /// JID. `to` has been removed. Fired on the user's host, in one chain with `iq/bare`, whose
    /// handlers run first at equal priority. Stanzas of other senders never fire this event.
    ///
    /// Priorities: 1000 and more filter, 1 to 999 process, 0 observes (takes `&Iq`, returns
    /// nothing), -1 delivers. `Flow::Handled` ends the chain; an error ends the chain and is
    /// returned to the sender. When no handler ends the chain, a request is answered with
    /// `service-unavailable`, and a result or an error is dropped.
    ///
    /// The handlers for payloads and ids (`iq/self/XMLNS:TAG`, `iq-get/self/XMLNS:TAG` and so on)
    /// run between the handlers at priority 0 and those at -1.
    IqSelf(Iq) = "iq/self",
        "#[hook(\"iq/self\", priority = 10)]\nfn tidy(iq: &mut Iq) -> Flow {\n    Flow::Continue\n}";

    /// A get or set request with this payload is addressed to a bare JID, or to the sender's own
    /// account. Fired on the recipient's host after `iq/bare` at priority 0 and above. A `Reply` or
    /// an error answers the request; otherwise the sender is answered with `service-unavailable`.
    IqBarePayload(Iq) = "iq/bare/XMLNS:TAG",
        "#[hook(\"iq/bare/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get or set request with this payload is addressed to a domain of this server. Fired on the
    /// recipient's host after `iq/host` at priority 0 and above. A `Reply` or an error answers the
    /// request; otherwise the sender is answered with `service-unavailable`.
    IqHostPayload(Iq) = "iq/host/XMLNS:TAG",
        "#[hook(\"iq/host/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get or set request with this payload is addressed to the sender's own account, in one
    /// chain with `iq/bare/XMLNS:TAG`. Fired on the recipient's host after `iq/self` at priority 0
    /// and above. A `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqSelfPayload(Iq) = "iq/self/XMLNS:TAG",
        "#[hook(\"iq/self/jabber:iq:last:query\")]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload. Fired on the recipient's host after `iq/bare/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqGetBare(Iq) = "iq-get/bare/XMLNS:TAG",
        "#[hook(\"iq-get/bare/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload. Fired on the recipient's host after `iq/host/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqGetHost(Iq) = "iq-get/host/XMLNS:TAG",
        "#[hook(\"iq-get/host/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A get request with this payload. Fired on the recipient's host after `iq/self/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqGetSelf(Iq) = "iq-get/self/XMLNS:TAG",
        "#[hook(\"iq-get/self/jabber:iq:version:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload. Fired on the recipient's host after `iq/bare/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqSetBare(Iq) = "iq-set/bare/XMLNS:TAG",
        "#[hook(\"iq-set/bare/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload. Fired on the recipient's host after `iq/host/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqSetHost(Iq) = "iq-set/host/XMLNS:TAG",
        "#[hook(\"iq-set/host/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A set request with this payload. Fired on the recipient's host after `iq/self/XMLNS:TAG`. A
    /// `Reply` or an error answers the request; otherwise the sender is answered with
    /// `service-unavailable`.
    IqSetSelf(Iq) = "iq-set/self/XMLNS:TAG",
        "#[hook(\"iq-set/self/jabber:iq:private:query\", priority = 10)]\nfn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {\n    Ok(iq.reply())\n}";

    /// A result with this id. Fired on the recipient's host after `iq/bare` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the result; otherwise the result is dropped.
    IqResultBare(Iq) = "iq-result/bare/ID",
        "#[hook(\"iq-result/bare/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// A result with this id. Fired on the recipient's host after `iq/host` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the result; otherwise the result is dropped.
    IqResultHost(Iq) = "iq-result/host/ID",
        "#[hook(\"iq-result/host/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// A result with this id. Fired on the recipient's host after `iq/self` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the result; otherwise the result is dropped.
    IqResultSelf(Iq) = "iq-result/self/ID",
        "#[hook(\"iq-result/self/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id. Fired on the recipient's host after `iq/bare` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the error; otherwise the error is dropped.
    IqErrorBare(Iq) = "iq-error/bare/ID",
        "#[hook(\"iq-error/bare/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id. Fired on the recipient's host after `iq/host` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the error; otherwise the error is dropped.
    IqErrorHost(Iq) = "iq-error/host/ID",
        "#[hook(\"iq-error/host/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

    /// An error with this id. Fired on the recipient's host after `iq/self` at priority 0 and
    /// above. Any sender can use this id: compare `from`. For the module's own requests `cx.query`
    /// is simpler. `Flow::Handled` consumes the error; otherwise the error is dropped.
    IqErrorSelf(Iq) = "iq-error/self/ID",
        "#[hook(\"iq-error/self/probe-1\")]\nfn consume(iq: &Iq) -> Flow {\n    println!(\"{:?}\", iq.from());\n    Flow::Handled\n}";

}
