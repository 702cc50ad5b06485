//! The properties of a stream that are known after the stream headers.

/// The properties of a stream.
#[derive(Default)]
pub(crate) struct StreamInfo {
    /// The language of the stream (RFC 6120 §4.7.4).
    pub(crate) lang: Option<Box<str>>,
    /// Set for servers and components only.
    pub(crate) remote: Option<Box<Remote>>,
}

/// The properties of a stream of a server or a component.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    /// The id of the stream, chosen by the side that answered the stream header (RFC 6120 §4.7.3).
    pub(crate) stream_id: Option<Box<str>>,
    /// The domain that the other side claims, or that this server expects of the other side.
    pub(crate) claimed: Option<Box<str>>,
    /// The domains that the other side has proved.
    pub(crate) authorized: Vec<Box<str>>,
}
