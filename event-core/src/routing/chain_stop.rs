//! The stop of a chain by a handler, as reported to tests and traces.

/// The stop of a chain by a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainStop {
    /// The handler, as `module::function`.
    pub handler: String,
    /// The name of the handler's event.
    pub event: &'static str,
    /// How the handler stopped the chain.
    pub kind: StopKind,
}

/// How a handler stopped a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopKind {
    /// The handler returned `Flow::Handled`.
    Handled,
    /// The handler returned an answer.
    Replied,
    /// The handler returned a stanza error.
    Refused,
    /// The handler returned a stream error.
    ClosedStream,
    /// The handler panicked.
    Panicked,
}
