//! Counts the elements and bytes of streams, for the metrics.

use event_core::{SessionKind, StanzaKind, Tally, xml::Element};

/// The kinds of streams and their names in the metrics.
pub(crate) const STREAMS: [(SessionKind, &str); 4] = [
    (SessionKind::Client, "c2s"),
    (SessionKind::S2sIn, "s2s-in"),
    (SessionKind::S2sOut, "s2s-out"),
    (SessionKind::Component, "component"),
];

/// The names that elements are counted under.
pub(crate) const ELEMENTS: [&str; 4] = ["message", "presence", "iq", "other"];

/// The counters after those of the received [`ELEMENTS`].
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
            // The enum is non-exhaustive.
            _ => &self.client,
        }
    }
}

impl Counters {
    /// Counts a received element.
    pub(super) fn count_element(&self, element: &Element) {
        let counter = match StanzaKind::of(element) {
            Some(StanzaKind::Message) => 0,
            Some(StanzaKind::Presence) => 1,
            Some(StanzaKind::Iq) => 2,
            None => 3,
        };
        self.0.add(counter, 1);
    }

    /// Counts bytes that were read.
    pub(super) fn count_received(&self, bytes: usize) {
        self.0.add(RECEIVED, bytes as u64);
    }

    /// Counts bytes that were written.
    pub(super) fn count_sent(&self, bytes: usize) {
        self.0.add(SENT, bytes as u64);
    }

    /// Counts elements that are about to be written.
    pub(super) fn count_elements_sent(&self, elements: u32) {
        self.0.add(WRITTEN, elements.into());
    }

    /// The numbers of received elements, in the order of [`ELEMENTS`].
    pub(crate) fn elements_received(&self) -> [u64; ELEMENTS.len()] {
        std::array::from_fn(|counter| self.0.sum(counter))
    }

    /// The number of written elements.
    pub(crate) fn elements_sent(&self) -> u64 {
        self.0.sum(WRITTEN)
    }

    /// The number of bytes that were read, after decryption.
    pub(crate) fn bytes_received(&self) -> u64 {
        self.0.sum(RECEIVED)
    }

    /// The number of bytes that were written, before encryption.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.0.sum(SENT)
    }
}
