//! Events of a client's session, on the user's host.

use xmpp_xml::Element;

use crate::{
    events::declare::payload_events, protocol::stanza_error::StanzaError, session::session::Session,
};

payload_events! {
    const SESSION;

    /// A client has authenticated (RFC 6120 §6.4.6): `session.user()` is set, `<success/>` has not
    /// been sent and no resource is bound. No handler can stop this event.
    AuthenticationSuccess {
        /// The stream.
        session: Session,
    } = "authentication-success",
        "#[hook(\"authentication-success\")]\nfn count(event: &AuthenticationSuccess) {\n    println!(\"{:?}\", event.session.user());\n}";

    /// A client begins to authenticate with an offered mechanism. `Flow::Handled` refuses the
    /// attempt with `condition` and `text`, and `authentication-failure` fires; otherwise the
    /// exchange begins.
    AuthenticationAttempt {
        /// The stream.
        session: Session,
        /// The SASL mechanism, such as `SCRAM-SHA-256`.
        mechanism: Box<str>,
        /// The SASL condition of a refusal (RFC 6120 §6.5), `not-authorized` by default.
        condition: &'static str,
        /// The human-readable reason of a refusal.
        text: Option<Box<str>>,
    } = "authentication-attempt",
        "#[hook(\"authentication-attempt\")]\nfn slow_down(attempt: &mut AuthenticationAttempt) -> Flow {\n    attempt.condition = \"temporary-auth-failure\";\n    Flow::Handled\n}";

    /// A client has failed to authenticate (RFC 6120 §6.4.5); `<failure/>` has not been sent yet.
    /// No handler can stop this event.
    AuthenticationFailure {
        /// The stream.
        session: Session,
        /// The SASL condition, such as `not-authorized` (RFC 6120 §6.5).
        condition: &'static str,
        /// The human-readable reason.
        text: Option<Box<str>>,
    } = "authentication-failure",
        "#[hook(\"authentication-failure\")]\nfn count(event: &AuthenticationFailure) {\n    println!(\"{:?}: {}\", event.session.peer(), event.condition);\n}";

    /// A client requests a resource (RFC 6120 §7). Handlers may change `resource`. `Flow::Handled`
    /// refuses the request with `error`, or with `not-allowed` when `error` is `None`; otherwise
    /// the resource is bound.
    PreResourceBind {
        /// The stream.
        session: Session,
        /// The requested resource; `None` lets the server choose a resource.
        resource: Option<String>,
        /// The error for the client when a handler refuses the request.
        error: Option<StanzaError>,
    } = "pre-resource-bind",
        "#[hook(\"pre-resource-bind\")]\nfn choose(bind: &mut PreResourceBind) -> Flow {\n    bind.resource = None;\n    Flow::Continue\n}";

    /// A client has bound a resource (RFC 6120 §7): `session.jid()` is set and other entities can
    /// find the session. The result of the bind request has not been sent yet. No handler can stop
    /// this event.
    ResourceBind {
        /// The session.
        session: Session,
    } = "resource-bind",
        "#[hook(\"resource-bind\")]\nfn welcome(bind: &ResourceBind) {\n    println!(\"{:?}\", bind.session.jid());\n}";

    /// A session with a resource has ended, with or without an error, and can no longer be found.
    /// No handler can stop this event.
    ResourceUnbind {
        /// The session.
        session: Session,
        /// The human-readable reason; `None` when the client closed the stream.
        error: Option<Box<str>>,
    } = "resource-unbind",
        "#[hook(\"resource-unbind\")]\nfn note(unbind: &ResourceUnbind) {\n    println!(\"{:?} {:?}\", unbind.session.jid(), unbind.error);\n}";

    /// The stream of a session with a resource has ended. `Flow::Handled` keeps the session without
    /// a stream (`SessionState::Detached`); otherwise the session ends and `resource-unbind` fires.
    PreResourceUnbind {
        /// The session.
        session: Session,
        /// The human-readable reason; `None` when the client closed the stream.
        error: Option<Box<str>>,
    } = "pre-resource-unbind",
        "#[hook(\"pre-resource-unbind\")]\nfn end(_: &mut PreResourceUnbind) -> Flow {\n    Flow::Continue\n}";

    /// A client has opened or restarted a stream, and the server is about to send the stream
    /// features (RFC 6120 §4.3.2). The features are sent in the order in which handlers add them.
    /// `session.user()` and `session.jid()` tell which steps of the negotiation are done. No
    /// handler can stop this event.
    StreamFeatures {
        /// The stream.
        session: Session,
        /// The features added so far.
        features: Vec<Element>,
    } = "stream-features",
        "#[hook(\"stream-features\")]\nfn advertise(event: &mut StreamFeatures) {\n    if event.session.user().is_some() {\n        event.features.push(ElementBuilder::new(\"sub\", \"urn:xmpp:features:pre-approval\").build());\n    }\n}";
}
