//! What a handler says: go on, stop, answer, refuse.

use std::mem::ManuallyDrop;

use crate::{StanzaError, StreamError, xml::Element};

/// Whether a chain goes on after a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The next handler runs.
    Continue,
    /// The chain ends here: the event is dealt with.
    Handled,
}

/// An answer built with `reply` or `reply_with`; returning or sending it sends it.
#[derive(Clone, Debug)]
#[must_use = "an answer is only sent when it is returned or given to `cx.send`"]
pub struct Reply(pub(crate) Element);

impl Reply {
    /// The stanza that answers.
    pub fn element(&self) -> &Element {
        &self.0
    }
}

/// What one handler, and so a chain, came to. Handlers return [`Flow`], [`Reply`], `()` or a
/// `Result` of these; the attribute turns them into this.
#[derive(Debug)]
#[doc(hidden)]
pub enum Outcome {
    Continue,
    Handled,
    Reply(Box<Reply>),
    Error(Box<StanzaError>),
    Stream(Box<StreamError>),
    Panicked,
}

impl Outcome {
    /// What stops a chain; `None` means that it goes on.
    #[inline]
    pub(crate) fn stop(self) -> Option<Self> {
        // `Continue` has nothing to drop, which the compiler does not see: a call for each handler.
        let outcome = ManuallyDrop::new(self);
        if matches!(*outcome, Self::Continue) {
            None
        } else {
            Some(ManuallyDrop::into_inner(outcome))
        }
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Continue
    }
}

impl From<Flow> for Outcome {
    fn from(flow: Flow) -> Self {
        match flow {
            Flow::Continue => Self::Continue,
            Flow::Handled => Self::Handled,
        }
    }
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

impl From<StanzaError> for Outcome {
    fn from(error: StanzaError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<StreamError> for Outcome {
    fn from(error: StreamError) -> Self {
        Self::Stream(Box::new(error))
    }
}

impl<T: Into<Self>, E: Into<Self>> From<Result<T, E>> for Outcome {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => value.into(),
            Err(error) => error.into(),
        }
    }
}
