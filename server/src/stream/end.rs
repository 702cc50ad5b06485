//! How a stream ends.

use std::{
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

use event_core::{
    StreamError,
    xml::{Element, STREAM_NS},
};

use super::wakes::WakeBatch;

/// How a stream ends.
#[derive(Debug)]
pub(super) enum End {
    /// The other side closed it.
    Closed,
    /// The connection ended without the stream having been closed.
    Lost(Option<io::Error>),
    /// What the other side did must not be, or what we do failed.
    Error(StreamError),
    /// The other side ended it with an error.
    Refused(Refusal),
    /// It was closed from elsewhere, which has been written already.
    Ordered,
    /// Nothing more can be said.
    Silent(&'static str),
}

/// The stream error that the other side sent, as text.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    pub(super) fn of(error: &Element) -> Self {
        /// More is not meant for a person.
        const TEXT: usize = 200;
        debug_assert!(error.is("error", STREAM_NS));
        let condition = error.children().find(|child| child.name() != "text");
        let condition = condition.map_or("undefined-condition", |child| child.name());
        let text = error.children().find(|child| child.name() == "text");
        let text = text.map(|text| text.text().chars().take(TEXT).collect::<String>());
        let text = text.map(|text| format!(": {text}")).unwrap_or_default();
        Self(format!("the other side ended the stream with {condition}{text}"))
    }
}

impl From<StreamError> for End {
    fn from(error: StreamError) -> Self {
        Self::Error(error)
    }
}

/// Runs `task`; `None` when it panicked.
// No `async fn`: its future would have room for the task twice.
pub(super) fn contained<T>(
    mut task: Pin<Box<impl Future<Output = T>>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| {
        let _batch = WakeBatch::begin();
        match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Some),
            Err(_) => {
                tracing::error!("a stream's task panicked; only that stream ends");
                Poll::Ready(None)
            }
        }
    })
}
