//! What has gone through the streams, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use event_core::{SessionKind, StanzaKind, xml::Element};

/// The kinds of streams, as the metrics name them.
pub(crate) const STREAMS: [(SessionKind, &str); 4] = [
    (SessionKind::Client, "c2s"),
    (SessionKind::S2sIn, "s2s-in"),
    (SessionKind::S2sOut, "s2s-out"),
    (SessionKind::Component, "component"),
];

/// What elements are counted as.
pub(crate) const ELEMENTS: [&str; 4] = ["message", "presence", "iq", "other"];

/// Counters since the start, by kind of stream.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    client: Counters,
    s2s_in: Counters,
    s2s_out: Counters,
    component: Counters,
}

/// The counters of one kind of stream.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    elements: [AtomicU64; ELEMENTS.len()],
    received: AtomicU64,
    sent: AtomicU64,
    written: AtomicU64,
}

impl Traffic {
    pub(crate) fn of(&self, kind: SessionKind) -> &Counters {
        match kind {
            SessionKind::S2sIn => &self.s2s_in,
            SessionKind::S2sOut => &self.s2s_out,
            SessionKind::Component => &self.component,
            // The type is open to kinds that would be clients too.
            _ => &self.client,
        }
    }
}

impl Counters {
    /// An element has come.
    pub(super) fn element(&self, element: &Element) {
        let [message, presence, iq, other] = &self.elements;
        let counter = match StanzaKind::of(element) {
            Some(StanzaKind::Message) => message,
            Some(StanzaKind::Presence) => presence,
            Some(StanzaKind::Iq) => iq,
            None => other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes were read.
    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes were written.
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many elements are about to be written.
    pub(super) fn written(&self, elements: u32) {
        self.written.fetch_add(elements.into(), Ordering::Relaxed);
    }

    /// The elements that came, as [`ELEMENTS`] names them.
    pub(crate) fn elements_received(&self) -> [u64; ELEMENTS.len()] {
        self.elements.each_ref().map(|counter| counter.load(Ordering::Relaxed))
    }

    /// The elements written.
    pub(crate) fn elements_sent(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The bytes read, without TLS.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// The bytes written, without TLS.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}
