//! Stream errors (RFC 6120 §4.9).

use xmpp_xml::{ElementBuilder, XmlError};

/// The namespace of the stream error conditions.
pub const NS_STREAMS: &str = "urn:ietf:params:xml:ns:xmpp-streams";

macro_rules! stream_conditions {
    ($($variant:ident $constructor:ident $name:literal;)*) => {
        /// A defined condition of a stream error (RFC 6120 §4.9.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum StreamCondition {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl StreamCondition {
            /// The element name of the condition.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl StreamError {
            $(#[doc = concat!("`", $name, "`")]
            pub const fn $constructor() -> Self {
                Self::new(StreamCondition::$variant)
            })*
        }
    };
}

stream_conditions! {
    BadFormat bad_format "bad-format";
    BadNamespacePrefix bad_namespace_prefix "bad-namespace-prefix";
    Conflict conflict "conflict";
    ConnectionTimeout connection_timeout "connection-timeout";
    HostGone host_gone "host-gone";
    HostUnknown host_unknown "host-unknown";
    ImproperAddressing improper_addressing "improper-addressing";
    InternalServerError internal_server_error "internal-server-error";
    InvalidFrom invalid_from "invalid-from";
    InvalidNamespace invalid_namespace "invalid-namespace";
    InvalidXml invalid_xml "invalid-xml";
    NotAuthorized not_authorized "not-authorized";
    NotWellFormed not_well_formed "not-well-formed";
    PolicyViolation policy_violation "policy-violation";
    RemoteConnectionFailed remote_connection_failed "remote-connection-failed";
    Reset reset "reset";
    ResourceConstraint resource_constraint "resource-constraint";
    RestrictedXml restricted_xml "restricted-xml";
    SeeOtherHost see_other_host "see-other-host";
    SystemShutdown system_shutdown "system-shutdown";
    UndefinedCondition undefined_condition "undefined-condition";
    UnsupportedEncoding unsupported_encoding "unsupported-encoding";
    UnsupportedFeature unsupported_feature "unsupported-feature";
    UnsupportedStanzaType unsupported_stanza_type "unsupported-stanza-type";
    UnsupportedVersion unsupported_version "unsupported-version";
}

/// An error that ends a stream (RFC 6120 §4.9).
///
/// ```
/// let error = event_core::StreamError::not_authorized().text("log in first");
/// assert_eq!(error.condition().as_str(), "not-authorized");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an error only ends a stream when the handler returns it: `return Err(…)`"]
pub struct StreamError {
    condition: StreamCondition,
    text: Option<Box<str>>,
}

impl StreamError {
    /// An error with a defined condition and no text.
    pub const fn new(condition: StreamCondition) -> Self {
        Self { condition, text: None }
    }

    /// Sets the human-readable text.
    pub fn text(mut self, text: impl Into<Box<str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The defined condition.
    pub const fn condition(&self) -> StreamCondition {
        self.condition
    }

    /// The `<stream:error/>` as text. The stream's header declares the prefix `stream`.
    pub fn to_xml(&self) -> String {
        let mut xml = format!("<stream:error><{} xmlns='{NS_STREAMS}'/>", self.condition.as_str());
        if let Some(text) = &self.text {
            let text = ElementBuilder::new("text", NS_STREAMS).text(text).build();
            xml.push_str(&text.to_string());
        }
        xml.push_str("</stream:error>");
        xml
    }
}

impl std::fmt::Display for StreamError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.condition.as_str())?;
        match &self.text {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StreamError {}

impl From<XmlError> for StreamError {
    fn from(error: XmlError) -> Self {
        let condition = match error {
            XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
            XmlError::RestrictedXml(_) => StreamCondition::RestrictedXml,
            XmlError::BadNamespacePrefix => StreamCondition::BadNamespacePrefix,
            XmlError::InvalidNamespace => StreamCondition::InvalidNamespace,
            XmlError::InvalidXml(_) => StreamCondition::InvalidXml,
            XmlError::UnsupportedEncoding => StreamCondition::UnsupportedEncoding,
            XmlError::TooLarge
            | XmlError::NameTooLong
            | XmlError::TooDeep
            | XmlError::TooManyAttributes => StreamCondition::PolicyViolation,
        };
        Self::new(condition).text(error.to_string())
    }
}
