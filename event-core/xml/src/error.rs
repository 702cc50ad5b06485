//! What can be wrong with the XML of a stream, as the stream errors of RFC 6120 section 4.9.3.

/// Why bytes from a peer were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A rule of XML 1.0 or of its namespaces is broken.
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// Well-formed, but a feature RFC 6120 section 11.1 forbids.
    #[error("restricted XML: {0}")]
    RestrictedXml(&'static str),
    /// A prefix that nothing declares, or that may not be used there.
    #[error("bad namespace prefix")]
    BadNamespacePrefix,
    /// The stream header, or a stanza, is in a namespace that does not belong there.
    #[error("invalid namespace")]
    InvalidNamespace,
    /// Well-formed, but not what the protocol has at this place.
    #[error("invalid XML: {0}")]
    InvalidXml(&'static str),
    /// Another encoding than UTF-8 is declared, or the bytes are not UTF-8.
    #[error("unsupported encoding")]
    UnsupportedEncoding,
    /// More bytes than a frame may have.
    #[error("stanza too large")]
    TooLarge,
    /// More nested elements than a frame may have.
    #[error("elements nested too deeply")]
    TooDeep,
    /// More attributes than an element may have.
    #[error("too many attributes")]
    TooManyAttributes,
}

impl XmlError {
    /// The stream error condition (RFC 6120 section 4.9.3) to close the stream with.
    #[must_use]
    pub fn condition(&self) -> &'static str {
        match self {
            Self::NotWellFormed(_) => "not-well-formed",
            Self::RestrictedXml(_) => "restricted-xml",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::InvalidNamespace => "invalid-namespace",
            Self::InvalidXml(_) => "invalid-xml",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::TooLarge | Self::TooDeep | Self::TooManyAttributes => "policy-violation",
        }
    }
}

/// Why an element could not become a typed payload, or a payload an element.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// There is no child element.
    #[error("there is no payload")]
    Missing,
    /// The element has another name or namespace than the type.
    #[error("the element is not of this type")]
    Mismatch,
    /// The element is of the type, but its content breaks the type's schema.
    #[error("{0}")]
    Invalid(#[source] xso::error::Error),
    /// The payload wrote something that is not XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

impl From<xso::error::Error> for PayloadError {
    fn from(error: xso::error::Error) -> Self {
        match error {
            xso::error::Error::TypeMismatch => Self::Mismatch,
            other => Self::Invalid(other),
        }
    }
}
