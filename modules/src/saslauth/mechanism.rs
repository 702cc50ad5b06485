//! The SASL mechanisms that a stream offers.

use event_core::services::Mechanism;

/// The only channel binding type that is offered (RFC 9266).
pub(super) const CHANNEL_BINDING: &str = "tls-exporter";

/// The mechanisms to offer on a stream, beginning with the strongest.
///
/// `tls` says whether the stream is encrypted, `channel_binding` whether the stream's TLS supports
/// channel binding. `allowed` is the configured list, if any. Without TLS, no mechanism is offered
/// unless `allow_plaintext` is set.
pub(super) fn offered(
    tls: bool,
    channel_binding: bool,
    allowed: Option<&[String]>,
    allow_plaintext: bool,
) -> Vec<Mechanism> {
    Mechanism::ALL
        .into_iter()
        .filter(|_| tls || allow_plaintext)
        .filter(|mechanism| !mechanism.binds_channel() || (tls && channel_binding))
        .filter(|mechanism| {
            allowed.is_none_or(|names| names.iter().any(|name| name == mechanism.name()))
        })
        .collect()
}
