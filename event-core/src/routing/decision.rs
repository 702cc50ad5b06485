//! What a handler decided, for tests and traces.

/// A handler stopped a chain.

#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The handler, as `module::function`.
    pub handler: String,
    /// The event it answers.
    pub event: &'static str,
    /// What it decided.
    pub kind: DecisionKind,
}

/// How a handler stopped a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecisionKind {
    /// `Flow::Handled`.
    Handled,
    /// It answered.
    Replied,
    /// It refused.
    Refused,
    /// It closed the stream.
    ClosedStream,
    /// It panicked.
    Panicked,
}
