//! The judge of other servers' certificates: only the certificates of the authority in `fixtures`
//! are trusted.
//!
//! The first byte chooses the domain. Certificates follow, each after its length of two bytes.

use std::{
    path::Path,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use spondee::{config::Config, s2s::certificate::Authorities};

use crate::script::Script;

const DOMAINS: [&str; 8] = [
    "b.example",
    "other.example",
    "chat.b.example",
    "bücher.example",
    "192.0.2.1",
    "[2001:db8::1]",
    "b.example.",
    "",
];

/// The certificates that the authority has signed, its own among them.
const SIGNED: [&[u8]; 4] = [
    include_bytes!("../fixtures/authority.der"),
    include_bytes!("../fixtures/leaf.der"),
    include_bytes!("../fixtures/between.der"),
    include_bytes!("../fixtures/below.der"),
];

static AUTHORITIES: LazyLock<Authorities> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spondee.toml");
    let config = Config::parse(&folder, "s2s.authorities = 'authority.pem'").unwrap();
    Authorities::load(&config.s2s).unwrap()
});

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let domain = script.choose(&DOMAINS);
    let mut chain = Vec::new();
    while !script.is_done() && chain.len() < 8 {
        let length = u16::from_be_bytes([script.byte(), script.byte()]);
        chain.push(script.take(length.into()));
    }
    // 2035; the certificates are valid for a hundred years.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2_051_222_400);
    let judged = AUTHORITIES.judge(&chain, domain, now);
    if judged.is_trusted() {
        assert!(SIGNED.contains(&chain[0]), "a certificate of nobody is trusted");
    } else {
        assert!(judged.trust.is_err_and(|reason| !reason.to_string().is_empty()));
    }
    let judged = AUTHORITIES.judge(&chain, domain, SystemTime::UNIX_EPOCH);
    assert!(!judged.is_trusted(), "a certificate is trusted before it is valid");
}
