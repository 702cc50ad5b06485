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
    /// The other side closed the stream.
    Closed,
    /// The connection ended before the stream was closed.
    Lost(Option<io::Error>),
    /// The other side broke the protocol, or this side failed.
    Error(StreamError),
    /// The other side ended the stream with a stream error.
    Refused(Refusal),
    /// The server or a handler closed the stream. The closing tag is queued already.
    Ordered,
    /// No more bytes can be written.
    Silent(&'static str),
}

/// The stream error that the other side sent, as text.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    pub(super) fn of(error: &Element) -> Self {
        /// The longest text that is kept.
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

/// Runs `task`. `None` if the task panicked.
// Not an `async fn`, whose future would hold the task twice.
pub(super) fn contained<T>(
    mut task: Pin<Box<impl Future<Output = T>>>,
) -> impl Future<Output = Option<T>> {
    poll_fn(move |cx| {
        let _batch = WakeBatch::begin();
        match poll_contained(|| task.as_mut().poll(cx)) {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    })
}

/// Polls. `None` if `poll` panicked.
pub(super) fn poll_contained<T>(poll: impl FnOnce() -> Poll<T>) -> Option<Poll<T>> {
    let polled = catch_unwind(AssertUnwindSafe(poll));
    if polled.is_err() {
        tracing::error!("a stream's task panicked; only that stream ends");
    }
    polled.ok()
}
