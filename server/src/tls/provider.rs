//! The cryptography of TLS.

use std::sync::Arc;

use rustls::{
    CipherSuite, NamedGroup,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
};

/// ring's provider, except for X25519. AES-128 with SHA-256 is first: RFC 8446 §9.1 requires it,
/// processors have instructions for both, and SHA-384 is ten times as slow in a handshake.
pub(super) fn provider() -> Arc<CryptoProvider> {
    use CipherSuite::{
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TLS13_AES_128_GCM_SHA256,
    };
    const FIRST: [CipherSuite; 3] = [
        TLS13_AES_128_GCM_SHA256,
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| !FIRST.contains(&suite.suite()));
    provider.kx_groups.iter_mut().for_each(use_the_fastest);
    Arc::new(provider)
}

/// Replaces ring's X25519, most of the cost of a handshake, by graviola's, which takes half the
/// time. graviola needs instructions that processors have had since about 2015.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn use_the_fastest(group: &mut &'static dyn SupportedKxGroup) {
    if group.name() == NamedGroup::X25519 && graviola::util::is_cpu_supported() {
        *group = &rustls_graviola::kx::X25519;
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn use_the_fastest(_: &mut &'static dyn SupportedKxGroup) {}
