//! What sessions ask of the writing side.

use std::{net::IpAddr, sync::atomic::Ordering};

use event_core::{BoxFuture, Stream, StreamError, xml::Element};

use super::Wire;

impl Stream for Wire {
    fn write(&self, bytes: &[u8]) -> bool {
        Self::write(self, bytes)
    }

    fn deliver(&self, stanza: &Element) -> bool {
        Self::deliver(self, stanza)
    }

    fn hold(&self) {
        Self::hold(self);
    }

    fn release(&self) {
        let mut out = self.out();
        out.release();
        out.settle();
    }

    fn queued(&self) -> usize {
        Self::queued(self)
    }

    fn is_encrypted(&self) -> bool {
        self.encrypted.load(Ordering::Acquire)
    }

    fn can_start_tls(&self) -> bool {
        self.can_start_tls.load(Ordering::Acquire)
    }

    fn start_tls(&self) {
        if self.can_start_tls.swap(false, Ordering::AcqRel) {
            let mut out = self.out();
            out.tls_after = Some(u32::try_from(out.bytes.len()).unwrap_or(u32::MAX));
            out.wake();
        }
    }

    fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.tls.get()?.exporter.map(|exporter| exporter.to_vec())
    }

    fn restart(&self) {
        {
            let mut out = self.out();
            out.restart = true;
            out.is_open = false;
            out.wake();
        }
        self.begin();
    }

    fn close(&self, error: Option<StreamError>) {
        Self::close(self, error);
    }

    fn note_established(&self) {
        self.out().share.establish();
    }

    fn peer(&self) -> Option<IpAddr> {
        Some(self.peer)
    }

    fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.tls.get().map(|tls| tls.certificates.clone()).unwrap_or_default()
    }

    fn flushed(&self) -> BoxFuture<'_, bool> {
        Box::pin(Self::flushed(self))
    }
}
