//! Whether a chain goes on after a handler.

/// Whether a chain goes on after a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next handler runs.
    Continue,
    /// The chain ends here: the event is handled.
    Handled,
}
