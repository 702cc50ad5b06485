//! The config exactly as the file spells it; [`super::check`] makes sense of it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use event_core::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::limits::Limits;
use super::{ListenKind, Log};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) data: Option<PathBuf>,
    pub(super) threads: Option<NonZeroUsize>,
    pub(super) listen: Option<Vec<RawListen>>,
    pub(super) tls: Option<Spanned<RawTls>>,
    pub(super) host: BTreeMap<Spanned<String>, RawHost>,
    pub(super) component: BTreeMap<Spanned<String>, RawComponent>,
    pub(super) s2s: RawS2s,
    pub(super) storage: RawStorage,
    pub(super) log: Log,
    pub(super) limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    pub(super) kind: Spanned<ListenKind>,
    pub(super) address: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHost {
    pub(super) modules: Option<Vec<Spanned<String>>>,
    pub(super) admins: Vec<Spanned<String>>,
    pub(super) sasl: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) allow_plaintext: bool,
    pub(super) tls: Option<Spanned<RawTls>>,
    // Only its shape is checked here; the modules read their own options later.
    pub(super) module: BTreeMap<Spanned<String>, BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawComponent {
    pub(super) secret: Option<Spanned<Secret>>,
    pub(super) modules: Option<Vec<Spanned<String>>>,
    pub(super) admins: Vec<Spanned<String>>,
    pub(super) tls: Option<Spanned<RawTls>>,
    pub(super) module: BTreeMap<Spanned<String>, BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawS2s {
    pub(super) authorities: Option<PathBuf>,
    pub(super) dialback: bool,
    pub(super) dns: Option<Spanned<String>>,
    pub(super) routes: BTreeMap<Spanned<String>, Spanned<String>>,
    pub(super) queue_stanzas: Option<Spanned<usize>>,
    pub(super) queue_bytes: Option<Spanned<usize>>,
    pub(super) idle_seconds: Option<Spanned<u64>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStorage {
    pub(super) url: Option<Spanned<Secret>>,
}
