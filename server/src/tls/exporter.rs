//! Channel binding data (RFC 9266).

use rustls::{Tls13CipherSuite, crypto::tls13::OkmBlock};
use zeroize::Zeroizing;

/// The label of `tls-exporter` (RFC 9266).
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The channel binding data `tls-exporter` (RFC 9266), from the exporter secret (RFC 8446 §7.5).
/// `None` before TLS 1.3.
///
/// TLS 1.2 would need the extended master secret, and rustls does not tell whether a connection has
/// one.
pub(crate) fn exporter(suite: &Tls13CipherSuite, secret: &[u8]) -> Option<[u8; 32]> {
    if secret.is_empty() || secret.len() > OkmBlock::MAX_LEN {
        return None;
    }
    let nothing = suite.common.hash_provider.hash(&[]);
    let expand = |secret: &OkmBlock, label: &[u8], out: &mut [u8]| {
        let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
        let label = [b"tls13 ", label].concat();
        let sizes = [label.len(), nothing.as_ref().len()].map(|size| u8::try_from(size).ok());
        let [Some(label_size), Some(context_size)] = sizes else { return None };
        let info: [&[u8]; 5] = [&length, &[label_size], &label, &[context_size], nothing.as_ref()];
        suite.hkdf_provider.expander_for_okm(secret).expand_slice(&info, out).ok()
    };
    let mut derived = Zeroizing::new(vec![0; secret.len()]);
    expand(&OkmBlock::new(secret), EXPORTER_LABEL, &mut derived)?;
    let mut data = [0; 32];
    expand(&OkmBlock::new(&derived), b"exporter", &mut data)?;
    Some(data)
}
