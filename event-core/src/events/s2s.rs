//! Streams to and from other servers, on the local host that the stream is for.

use xmpp_xml::Element;

use crate::{events::declare::payload_events, session::session::Session};

payload_events! {
    const S2S;

    /// Another server has opened a stream, or restarted it, and its features are about to be sent
    /// (RFC 6120 §4.3.2), in the order the handlers add them. Nothing can stop it.
    S2sStreamFeatures {
        /// The stream.
        session: Session,
        /// The features so far.
        features: Vec<Element>,
    } = "s2s-stream-features",
        "#[hook(\"s2s-stream-features\")]\nfn advertise(event: &mut S2sStreamFeatures) {\n    println!(\"{} features\", event.features.len());\n}";

    /// The certificate of another server has been judged (RFC 6120 §13.7.2). What handlers set
    /// decides whether it proves the domain. Nothing can stop it.
    S2sCheckCertificate {
        /// The stream.
        session: Session,
        /// The domain that the other side claims.
        domain: Box<str>,
        /// The certificates as DER, the server's own first; empty when it has shown none.
        chain: Vec<Vec<u8>>,
        /// Whether the chain leads to a trusted authority and is valid now.
        is_trusted: bool,
        /// Whether the certificate is made out to the domain.
        is_match: bool,
    } = "s2s-check-certificate",
        "#[hook(\"s2s-check-certificate\")]\nfn distrust(event: &mut S2sCheckCertificate) {\n    if &*event.domain == \"forged.example\" {\n        event.is_trusted = false;\n    }\n}";

    /// Another server has proved a domain on a stream, or this one a domain to the other. Nothing
    /// can stop it.
    S2sAuthenticated {
        /// The stream.
        session: Session,
        /// The domain of the other side.
        domain: Box<str>,
        /// How: `EXTERNAL` (XEP-0178) or `dialback` (XEP-0220).
        mechanism: &'static str,
    } = "s2s-authenticated",
        "#[hook(\"s2s-authenticated\")]\nfn note(event: &S2sAuthenticated) {\n    println!(\"{} by {}\", event.domain, event.mechanism);\n}";

    /// Stanzas from another server may come on a stream. Nothing can stop it.
    S2sInEstablished {
        /// The stream.
        session: Session,
        /// The domain of the other side.
        domain: Box<str>,
    } = "s2sin-established",
        "#[hook(\"s2sin-established\")]\nfn note(event: &S2sInEstablished) {\n    println!(\"{} may send\", event.domain);\n}";

    /// A stream on which stanzas came from another server has ended. Nothing can stop it.
    S2sInDestroyed {
        /// The stream.
        session: Session,
        /// The domain of the other side.
        domain: Box<str>,
        /// Why, for a person, unless the other side closed it.
        error: Option<Box<str>>,
    } = "s2sin-destroyed",
        "#[hook(\"s2sin-destroyed\")]\nfn note(event: &S2sInDestroyed) {\n    println!(\"{}: {:?}\", event.domain, event.error);\n}";

    /// Stanzas for another server may be sent on a stream. Nothing can stop it.
    S2sOutEstablished {
        /// The stream.
        session: Session,
        /// The domain of the other side.
        domain: Box<str>,
    } = "s2sout-established",
        "#[hook(\"s2sout-established\")]\nfn note(event: &S2sOutEstablished) {\n    println!(\"{} can be reached\", event.domain);\n}";

    /// A stream on which stanzas were sent to another server has ended. Nothing can stop it.
    S2sOutDestroyed {
        /// The stream.
        session: Session,
        /// The domain of the other side.
        domain: Box<str>,
        /// Why, for a person, unless it was closed because nothing was to be sent.
        error: Option<Box<str>>,
    } = "s2sout-destroyed",
        "#[hook(\"s2sout-destroyed\")]\nfn note(event: &S2sOutDestroyed) {\n    println!(\"{}: {:?}\", event.domain, event.error);\n}";
}
