//! What has gone through the streams, for the metrics.

use event_core::{SessionKind, StanzaKind, Tally, xml::Element};

/// The kinds of streams, as the metrics name them.
pub(crate) const STREAMS: [(SessionKind, &str); 4] = [
    (SessionKind::Client, "c2s"),
    (SessionKind::S2sIn, "s2s-in"),
    (SessionKind::S2sOut, "s2s-out"),
    (SessionKind::Component, "component"),
];

/// What elements are counted as.
pub(crate) const ELEMENTS: [&str; 4] = ["message", "presence", "iq", "other"];

/// What stands behind the [`ELEMENTS`] that came.
const WRITTEN: usize = ELEMENTS.len();
const RECEIVED: usize = WRITTEN + 1;
const SENT: usize = WRITTEN + 2;

/// Counters since the start, by kind of stream.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    client: Counters,
    s2s_in: Counters,
    s2s_out: Counters,
    component: Counters,
}

/// The counters of one kind of stream.
#[derive(Debug)]
pub(crate) struct Counters(Tally);

impl Default for Counters {
    fn default() -> Self {
        Self(Tally::new(SENT + 1))
    }
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
        let counter = match StanzaKind::of(element) {
            Some(StanzaKind::Message) => 0,
            Some(StanzaKind::Presence) => 1,
            Some(StanzaKind::Iq) => 2,
            None => 3,
        };
        self.0.add(counter, 1);
    }

    /// Bytes were read.
    pub(super) fn received(&self, bytes: usize) {
        self.0.add(RECEIVED, bytes as u64);
    }

    /// Bytes were written.
    pub(super) fn sent(&self, bytes: usize) {
        self.0.add(SENT, bytes as u64);
    }

    /// So many elements are about to be written.
    pub(super) fn written(&self, elements: u32) {
        self.0.add(WRITTEN, elements.into());
    }

    /// The elements that came, as [`ELEMENTS`] names them.
    pub(crate) fn elements_received(&self) -> [u64; ELEMENTS.len()] {
        std::array::from_fn(|counter| self.0.sum(counter))
    }

    /// The elements written.
    pub(crate) fn elements_sent(&self) -> u64 {
        self.0.sum(WRITTEN)
    }

    /// The bytes read, without TLS.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.0.sum(RECEIVED)
    }

    /// The bytes written, without TLS.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.0.sum(SENT)
    }
}
