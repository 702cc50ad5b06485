//! Stanza errors (RFC 6120 §8.3).

use xmpp_xml::{Element, ElementBuilder, STANZA_NS};

/// The namespace of the stanza error conditions.
pub const NS_STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// How the sender may react to a stanza error (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// Retry after providing credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Proceed: the condition was only a warning.
    Continue,
    /// Retry after changing the stanza.
    Modify,
    /// Retry after waiting.
    Wait,
}

impl ErrorType {
    /// The value of the `type` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Cancel => "cancel",
            Self::Continue => "continue",
            Self::Modify => "modify",
            Self::Wait => "wait",
        }
    }
}

macro_rules! stanza_conditions {
    ($($variant:ident $constructor:ident $name:literal $type:ident;)*) => {
        /// A defined condition of a stanza error (RFC 6120 §8.3.3).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Condition {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Condition {
            /// The element name of the condition.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The error type that the RFC associates with the condition.
            pub const fn default_type(self) -> ErrorType {
                match self { $(Self::$variant => ErrorType::$type,)* }
            }
        }

        impl StanzaError {
            $(#[doc = concat!("`", $name, "`, with the error type that the RFC associates.")]
            pub const fn $constructor() -> Self {
                Self::new(Condition::$variant)
            })*
        }
    };
}

stanza_conditions! {
    BadRequest bad_request "bad-request" Modify;
    Conflict conflict "conflict" Cancel;
    FeatureNotImplemented feature_not_implemented "feature-not-implemented" Cancel;
    Forbidden forbidden "forbidden" Auth;
    Gone gone "gone" Cancel;
    InternalServerError internal_server_error "internal-server-error" Cancel;
    ItemNotFound item_not_found "item-not-found" Cancel;
    JidMalformed jid_malformed "jid-malformed" Modify;
    NotAcceptable not_acceptable "not-acceptable" Modify;
    NotAllowed not_allowed "not-allowed" Cancel;
    NotAuthorized not_authorized "not-authorized" Auth;
    PolicyViolation policy_violation "policy-violation" Modify;
    RecipientUnavailable recipient_unavailable "recipient-unavailable" Wait;
    Redirect redirect "redirect" Modify;
    RegistrationRequired registration_required "registration-required" Auth;
    RemoteServerNotFound remote_server_not_found "remote-server-not-found" Cancel;
    RemoteServerTimeout remote_server_timeout "remote-server-timeout" Wait;
    ResourceConstraint resource_constraint "resource-constraint" Wait;
    ServiceUnavailable service_unavailable "service-unavailable" Cancel;
    SubscriptionRequired subscription_required "subscription-required" Auth;
    UndefinedCondition undefined_condition "undefined-condition" Modify;
    UnexpectedRequest unexpected_request "unexpected-request" Wait;
}

/// The content of an answer of type `error` (RFC 6120 §8.3).
///
/// ```
/// use event_core::StanzaError;
/// let error = StanzaError::item_not_found().text("no such room");
/// assert_eq!(error.condition().as_str(), "item-not-found");
/// ```
#[derive(Clone, Debug)]
#[must_use = "an error only refuses a stanza when the handler returns it: `return Err(…)`"]
pub struct StanzaError {
    condition: Condition,
    kind: ErrorType,
    text: Option<Box<str>>,
    application: Option<Box<Element>>,
}

impl StanzaError {
    /// An error with the type that the RFC associates with `condition`.
    pub const fn new(condition: Condition) -> Self {
        Self { condition, kind: condition.default_type(), text: None, application: None }
    }

    /// Sets the human-readable text.
    pub fn text(mut self, text: impl Into<Box<str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Replaces the error type.
    pub fn with_type(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// Adds an application-specific condition (RFC 6120 §8.3.4).
    pub fn with_application(mut self, element: Element) -> Self {
        self.application = Some(Box::new(element));
        self
    }

    /// The defined condition.
    pub const fn condition(&self) -> Condition {
        self.condition
    }

    /// The `<error/>` element.
    pub fn to_element(&self) -> Element {
        let condition = ElementBuilder::new(self.condition.as_str(), NS_STANZAS).build();
        let mut error = ElementBuilder::new("error", STANZA_NS)
            .attribute("type", self.kind.as_str())
            .child(&condition);
        if let Some(text) = &self.text {
            error = error.child(&ElementBuilder::new("text", NS_STANZAS).text(text).build());
        }
        if let Some(application) = &self.application {
            error = error.child(application);
        }
        error.build()
    }
}

impl std::fmt::Display for StanzaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.condition.as_str())?;
        match &self.text {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StanzaError {}

/// Converts into `bad-request`: a payload that cannot be parsed is a mistake of the sender.
impl From<xmpp_xml::PayloadError> for StanzaError {
    fn from(error: xmpp_xml::PayloadError) -> Self {
        Self::bad_request().text(error.to_string())
    }
}
