//! What is known of the other side of a stream.

/// What is known of a stream.

#[derive(Default)]
pub(crate) struct About {
    pub(crate) lang: Option<Box<str>>,
    /// Not of a client's.
    pub(crate) remote: Option<Box<Remote>>,
}

/// What a stream to a server or a component is about.
#[derive(Debug, Default)]
pub(crate) struct Remote {
    /// The id of the stream, which the answering side chose.
    pub(crate) stream_id: Option<Box<str>>,
    /// The domain that the other side says it is, or is to be.
    pub(crate) claimed: Option<Box<str>>,
    /// The domains that it has proved.
    pub(crate) authorized: Vec<Box<str>>,
}
