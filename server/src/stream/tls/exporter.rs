//! The secret for channel binding (RFC 9266).

use std::{fmt, mem};

use parking_lot::Mutex;
use rustls::KeyLog;
use zeroize::Zeroizing;

/// The secret from which channel binding data are derived. The unbuffered connection gives the
/// secret only to a key log.
#[derive(Default)]
pub(super) struct ExporterSecret(Mutex<Zeroizing<Vec<u8>>>);

impl ExporterSecret {
    const LABEL: &str = "EXPORTER_SECRET";

    pub(super) fn take(&self) -> Zeroizing<Vec<u8>> {
        mem::take(&mut self.0.lock())
    }
}

impl KeyLog for ExporterSecret {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        if label == Self::LABEL {
            let mut kept = self.0.lock();
            *kept = Zeroizing::new(secret.to_vec());
        }
    }

    fn will_log(&self, label: &str) -> bool {
        label == Self::LABEL
    }
}

impl fmt::Debug for ExporterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterSecret").finish_non_exhaustive()
    }
}
