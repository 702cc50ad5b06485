//! The result of one handler, or of a chain that the handler stopped.

use std::{
    mem::ManuallyDrop,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    dispatch::flow::Flow,
    protocol::{reply::Reply, stanza_error::StanzaError, stream_error::StreamError},
    util::future::BoxFuture,
};

/// The kinds of events: each kind has its own set of results that handlers may return.
#[doc(hidden)]
pub mod kind {
    #[derive(Debug)]
    pub enum Notification {}
    #[derive(Debug)]
    pub enum Collect {}
    #[derive(Debug)]
    pub enum Chain {}
    #[derive(Debug)]
    pub enum Veto {}
    #[derive(Debug)]
    pub enum Answer {}
    #[derive(Debug)]
    pub enum Stream {}
    /// The kind of an event whose `#[event]` is refused: its handlers may return anything.
    #[derive(Debug)]
    pub enum Unknown {}
}

/// Implemented for the results that the handlers of events of kind `K` may return.
#[diagnostic::on_unimplemented(
    message = "a handler of this event cannot return `{Self}`",
    label = "not a decision of this kind of event"
)]
#[doc(hidden)]
pub trait ReturnOf<K> {
    fn outcome(self) -> Outcome;
}

macro_rules! returns {
    ($($kind:ident: $($decision:ty),*;)*) => {$($(
        impl ReturnOf<kind::$kind> for $decision {
            fn outcome(self) -> Outcome {
                Outcome::from(self)
            }
        }
    )*)*};
}

returns! {
    Notification: ();
    Collect: ();
    Chain: (), Flow, Result<(), StanzaError>, Result<Flow, StanzaError>;
    Veto: (), Flow;
    Answer: (), Flow, Reply, Result<(), StanzaError>, Result<Flow, StanzaError>, Result<Reply, StanzaError>;
    Stream: (), Flow, Result<(), StreamError>, Result<Flow, StreamError>;
}

impl<T> ReturnOf<kind::Unknown> for T {
    fn outcome(self) -> Outcome {
        Outcome::Continue
    }
}

/// The result of one handler, or of a chain that the handler stopped. Handlers return [`Flow`],
/// [`Reply`], `()` or a `Result` of these; the expansion of `#[hook]` converts the result.
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
    /// The outcome if it stops a chain; `None` if the chain goes on.
    #[inline]
    pub(crate) fn stop(self) -> Option<Self> {
        // `Continue` has nothing to drop. The compiler does not see this and would call drop for
        // each handler.
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

/// The result of a handler.
#[doc(hidden)]
pub trait Decision: Into<Outcome> + 'static {
    /// Whether a handler with this result always ends the chain.
    const ALWAYS_ANSWERS: bool;

    fn pending(future: BoxFuture<'_, Self>) -> Pending<'_>;
}

/// Declares [`Pending`], the future of any async handler without another box around it.
macro_rules! pending {
    ($($variant:ident($decision:ty) $always_answers:literal;)*) => {
        /// The future of an async handler, whose result becomes an [`Outcome`].
        #[doc(hidden)]
        #[allow(missing_debug_implementations, reason = "a future has nothing to show")]
        pub enum Pending<'a> {
            $($variant(BoxFuture<'a, $decision>),)*
        }

        impl Future for Pending<'_> {
            type Output = Outcome;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
                match self.get_mut() {
                    $(Self::$variant(future) => future.as_mut().poll(cx).map(Outcome::from),)*
                }
            }
        }

        $(impl Decision for $decision {
            const ALWAYS_ANSWERS: bool = $always_answers;

            fn pending(future: BoxFuture<'_, Self>) -> Pending<'_> {
                Pending::$variant(future)
            }
        })*
    };
}

pending! {
    Unit(()) false;
    Flow(Flow) false;
    Reply(Reply) true;
    UnitOrError(Result<(), StanzaError>) false;
    FlowOrError(Result<Flow, StanzaError>) false;
    ReplyOrError(Result<Reply, StanzaError>) true;
    UnitOrStreamError(Result<(), StreamError>) false;
    FlowOrStreamError(Result<Flow, StreamError>) false;
    Outcome(Outcome) false;
}
