//! `[host."…"]` and `[component."…"]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use event_core::services::Mechanism;
use event_core::{Secret, nearest};
use jid::BareJid;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use super::error::Place;
use super::modules::Modules;
use super::options::ModuleOptions;
use super::value::strings;

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Where the table stands in the file.
    #[serde(skip)]
    pub place: Place,
}

/// One `[host."…"]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostSection {
    /// The enabled modules.
    pub modules: Modules,
    /// The accounts that may administer the host.
    #[serde(deserialize_with = "admins")]
    pub admins: Vec<BareJidText>,
    /// The SASL mechanisms offered; `None` means all.
    #[serde(deserialize_with = "mechanisms", skip_serializing_if = "Option::is_none")]
    pub sasl: Option<Vec<Mechanism>>,
    /// Whether clients may authenticate without TLS.
    pub allow_plaintext: bool,
    /// The host's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The options of each module.
    pub module: BTreeMap<String, ModuleOptions>,
    /// Where the host stands in the file; `None` for the default host.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// One `[component."…"]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComponentConfig {
    /// The secret of the external component. Without a secret, modules serve the domain.
    #[serde(skip_serializing)]
    pub secret: Option<Secret>,
    /// The enabled modules.
    pub modules: Modules,
    /// The accounts that may administer the component.
    #[serde(deserialize_with = "admins")]
    pub admins: Vec<BareJidText>,
    /// The component's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// The options of each module.
    pub module: BTreeMap<String, ModuleOptions>,
    /// Where the component stands in the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// A bare JID that serialises as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BareJidText(pub BareJid);

impl Serialize for BareJidText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

fn admins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BareJidText>, D::Error> {
    strings(deserializer, |_, text| match BareJid::new(&text) {
        Ok(jid) if jid.node().is_some() => Ok(BareJidText(jid)),
        _ => Err(format!("\"{text}\" is not a bare JID (user@host)")),
    })
}

fn mechanisms<'de, D>(deserializer: D) -> Result<Option<Vec<Mechanism>>, D::Error>
where
    D: Deserializer<'de>,
{
    let all: Vec<Mechanism> = strings(deserializer, |_, text| {
        text.parse().map_err(|_| {
            let names = Mechanism::ALL.map(Mechanism::name);
            let near = nearest(&text, names);
            let hint = near.first().map_or_else(
                || format!("known: {}", names.join(", ")),
                |name| format!("did you mean \"{name}\"?"),
            );
            format!("unknown mechanism \"{text}\"; {hint}")
        })
    })?;
    if all.is_empty() {
        let message = "the list is empty and nobody could log in; leave the key out to offer all";
        return Err(D::Error::custom(message));
    }
    Ok(Some(all))
}
