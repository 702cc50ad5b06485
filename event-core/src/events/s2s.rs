//! Events of streams to and from other servers (RFC 6120 §4), on the local host of the stream.

use xmpp_xml::Element;

use crate::{events::declare::payload_events, session::session::Session};

payload_events! {
    const S2S;

    /// Another server has opened or restarted a stream, and this server is about to send the stream
    /// features (RFC 6120 §4.3.2). The features are sent in the order in which handlers add them.
    /// No handler can stop this event.
    S2sStreamFeatures {
        /// The stream.
        session: Session,
        /// The features added so far.
        features: Vec<Element>,
    } = "s2s-stream-features",
        "#[hook(\"s2s-stream-features\")]\nfn advertise(event: &mut S2sStreamFeatures) {\n    println!(\"{} features\", event.features.len());\n}";

    /// This server has validated the certificate of another server (RFC 6120 §13.7.2). The
    /// certificate proves the domain when `is_trusted` and `is_match` are true after the last
    /// handler. No handler can stop this event.
    S2sCheckCertificate {
        /// The stream.
        session: Session,
        /// The domain that the other server claims.
        domain: Box<str>,
        /// The certificate chain as DER, beginning with the other server's own certificate. The
        /// chain is empty if the other server sent no certificate.
        chain: Vec<Vec<u8>>,
        /// Whether the chain leads to a trusted authority and is valid now, or the certificate is
        /// one that the config pins for the domain.
        is_trusted: bool,
        /// Whether the certificate is issued for the domain, or pinned for it.
        is_match: bool,
    } = "s2s-check-certificate",
        "#[hook(\"s2s-check-certificate\")]\nfn distrust(event: &mut S2sCheckCertificate) {\n    if &*event.domain == \"forged.example\" {\n        event.is_trusted = false;\n    }\n}";

    /// Another server has proved a domain to this server on a stream, or this server has proved a
    /// domain to the other server. No handler can stop this event.
    S2sAuthenticated {
        /// The stream.
        session: Session,
        /// The domain of the other server.
        domain: Box<str>,
        /// The mechanism: `EXTERNAL` (XEP-0178) or `dialback` (XEP-0220).
        mechanism: &'static str,
    } = "s2s-authenticated",
        "#[hook(\"s2s-authenticated\")]\nfn note(event: &S2sAuthenticated) {\n    println!(\"{} by {}\", event.domain, event.mechanism);\n}";

    /// Another server may now send stanzas on a stream. No handler can stop this event.
    S2sInEstablished {
        /// The stream.
        session: Session,
        /// The domain of the other server.
        domain: Box<str>,
    } = "s2sin-established",
        "#[hook(\"s2sin-established\")]\nfn note(event: &S2sInEstablished) {\n    println!(\"{} may send\", event.domain);\n}";

    /// A stream on which another server sent stanzas has ended. No handler can stop this event.
    S2sInDestroyed {
        /// The stream.
        session: Session,
        /// The domain of the other server.
        domain: Box<str>,
        /// The human-readable reason; `None` when the other server closed the stream.
        error: Option<Box<str>>,
    } = "s2sin-destroyed",
        "#[hook(\"s2sin-destroyed\")]\nfn note(event: &S2sInDestroyed) {\n    println!(\"{}: {:?}\", event.domain, event.error);\n}";

    /// This server may now send stanzas to another server on a stream. No handler can stop this
    /// event.
    S2sOutEstablished {
        /// The stream.
        session: Session,
        /// The domain of the other server.
        domain: Box<str>,
    } = "s2sout-established",
        "#[hook(\"s2sout-established\")]\nfn note(event: &S2sOutEstablished) {\n    println!(\"{} can be reached\", event.domain);\n}";

    /// A stream on which this server sent stanzas to another server has ended. No handler can stop
    /// this event.
    S2sOutDestroyed {
        /// The stream.
        session: Session,
        /// The domain of the other server.
        domain: Box<str>,
        /// The human-readable reason; `None` when this server closed an idle stream.
        error: Option<Box<str>>,
    } = "s2sout-destroyed",
        "#[hook(\"s2sout-destroyed\")]\nfn note(event: &S2sOutDestroyed) {\n    println!(\"{}: {:?}\", event.domain, event.error);\n}";
}
