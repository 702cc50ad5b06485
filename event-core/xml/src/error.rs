//! Errors of reading, which map to the stream errors of RFC 6120 section 4.9.3.

/// The reason why bytes from a peer were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The bytes break a rule of XML 1.0 or of Namespaces in XML.
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// The XML is well-formed, but uses a feature that RFC 6120 section 11.1 forbids.
    #[error("restricted XML: {0}")]
    RestrictedXml(&'static str),
    /// A prefix is not declared, or must not be used at this place.
    #[error("bad namespace prefix")]
    BadNamespacePrefix,
    /// The stream header or a root element has a namespace that is not allowed at this place.
    #[error("invalid namespace")]
    InvalidNamespace,
    /// The XML is well-formed, but not what RFC 6120 section 4 requires at this place.
    #[error("invalid XML: {0}")]
    InvalidXml(&'static str),
    /// The declared encoding is not UTF-8, or the bytes are not UTF-8 (RFC 6120 section 11.6).
    #[error("unsupported encoding")]
    UnsupportedEncoding,
    /// A frame has more bytes than [`XmlLimits::max_stanza`](crate::XmlLimits::max_stanza).
    #[error("stanza too large")]
    TooLarge,
    /// A name or a namespace has more than 1,024 bytes.
    #[error("name too long")]
    NameTooLong,
    /// Elements are nested deeper than [`XmlLimits::max_depth`](crate::XmlLimits::max_depth).
    #[error("elements nested too deeply")]
    TooDeep,
    /// There are more attributes or prefixes than
    /// [`XmlLimits::max_attributes`](crate::XmlLimits::max_attributes).
    #[error("too many attributes")]
    TooManyAttributes,
}

impl XmlError {
    /// The condition (RFC 6120 section 4.9.3) of the stream error that closes the stream.
    #[must_use]
    pub fn condition(&self) -> &'static str {
        match self {
            Self::NotWellFormed(_) => "not-well-formed",
            Self::RestrictedXml(_) => "restricted-xml",
            Self::BadNamespacePrefix => "bad-namespace-prefix",
            Self::InvalidNamespace => "invalid-namespace",
            Self::InvalidXml(_) => "invalid-xml",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::TooLarge | Self::NameTooLong | Self::TooDeep | Self::TooManyAttributes => {
                "policy-violation"
            }
        }
    }
}

/// The reason why an element could not be converted into a payload type, or back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// There is no child element.
    #[error("there is no payload")]
    Missing,
    /// The element does not have the name and namespace of the type.
    #[error("the element is not of this type")]
    Mismatch,
    /// The element has the name of the type, but its content breaks the type's schema.
    #[error("{0}")]
    Invalid(#[source] xso::error::Error),
    /// The payload cannot be written as XML.
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
