//! The life of a client's session, on the user's host.

use xmpp_xml::Element;

use crate::{
    events::declare::payload_events, protocol::stanza_error::StanzaError, session::session::Session,
};

payload_events! {
    const SESSION;

    /// A client has authenticated (RFC 6120 §6.4.6): `session.user()` is known, `<success/>` is
    /// not yet sent and no resource is bound. Nothing can stop it.
    AuthenticationSuccess {
        /// The stream.
        session: Session,
    } = "authentication-success",
        "#[hook(\"authentication-success\")]\nfn count(event: &AuthenticationSuccess) {\n    println!(\"{:?}\", event.session.user());\n}";

    /// A client begins to authenticate with a mechanism that is offered. A handler that returns
    /// `Flow::Handled` refuses the attempt, with the condition and the text it sets; then
    /// `authentication-failure` follows.
    AuthenticationAttempt {
        /// The stream.
        session: Session,
        /// The SASL mechanism, such as `SCRAM-SHA-256`.
        mechanism: Box<str>,
        /// The SASL condition of a refusal (RFC 6120 §6.5): `not-authorized` unless set.
        condition: &'static str,
        /// Why it is refused, for a person.
        text: Option<Box<str>>,
    } = "authentication-attempt",
        "#[hook(\"authentication-attempt\")]\nfn slow_down(attempt: &mut AuthenticationAttempt) -> Flow {\n    attempt.condition = \"temporary-auth-failure\";\n    Flow::Handled\n}";

    /// A client failed to authenticate (RFC 6120 §6.4.5); `<failure/>` is not yet sent. Nothing
    /// can stop it.
    AuthenticationFailure {
        /// The stream.
        session: Session,
        /// The SASL condition, such as `not-authorized` (RFC 6120 §6.5).
        condition: &'static str,
        /// Why, for a person.
        text: Option<Box<str>>,
    } = "authentication-failure",
        "#[hook(\"authentication-failure\")]\nfn count(event: &AuthenticationFailure) {\n    println!(\"{:?}: {}\", event.session.peer(), event.condition);\n}";

    /// A client asks for a resource (RFC 6120 §7). Handlers may choose another one; one that
    /// returns `Flow::Handled` refuses, with the error that it sets or else `not-allowed`.
    PreResourceBind {
        /// The stream.
        session: Session,
        /// What was asked for; none means that the server chooses.
        resource: Option<String>,
        /// What the client is told.
        error: Option<StanzaError>,
    } = "pre-resource-bind",
        "#[hook(\"pre-resource-bind\")]\nfn choose(bind: &mut PreResourceBind) -> Flow {\n    bind.resource = None;\n    Flow::Continue\n}";

    /// A client has bound a resource (RFC 6120 §7): `session.jid()` is known and the session can
    /// be found; the bind result is not yet sent. Nothing can stop it.
    ResourceBind {
        /// The session.
        session: Session,
    } = "resource-bind",
        "#[hook(\"resource-bind\")]\nfn welcome(bind: &ResourceBind) {\n    println!(\"{:?}\", bind.session.jid());\n}";

    /// A session with a resource has ended, in good order or not: it can no longer be found.
    /// Nothing can stop it.
    ResourceUnbind {
        /// The session.
        session: Session,
        /// Why the client is gone, for a person, unless it left by itself.
        error: Option<Box<str>>,
    } = "resource-unbind",
        "#[hook(\"resource-unbind\")]\nfn note(unbind: &ResourceUnbind) {\n    println!(\"{:?} {:?}\", unbind.session.jid(), unbind.error);\n}";

    /// The stream of a session with a resource has ended. A handler that returns
    /// `Flow::Handled` keeps the session, detached from any stream; else it ends and
    /// `resource-unbind` fires.
    PreResourceUnbind {
        /// The session.
        session: Session,
        /// Why the stream ended, for a person, unless the client closed it.
        error: Option<Box<str>>,
    } = "pre-resource-unbind",
        "#[hook(\"pre-resource-unbind\")]\nfn let_go(_: &mut PreResourceUnbind) -> Flow {\n    Flow::Continue\n}";

    /// A stream has been opened or restarted and its features are about to be sent
    /// (RFC 6120 §4.3.2), in the order the handlers add them. `session.user()` and
    /// `session.jid()` tell how far the stream is. Nothing can stop it.
    StreamFeatures {
        /// The stream.
        session: Session,
        /// The features so far.
        features: Vec<Element>,
    } = "stream-features",
        "#[hook(\"stream-features\")]\nfn advertise(event: &mut StreamFeatures) {\n    if event.session.user().is_some() {\n        event.features.push(ElementBuilder::new(\"sub\", \"urn:xmpp:features:pre-approval\").build());\n    }\n}";
}
