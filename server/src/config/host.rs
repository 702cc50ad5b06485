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
use super::table::config_table;
use super::value::strings;

config_table! {
    /// The certificate of every host and component without its own, as PEM files; a reload reads
    /// them again. Hosts without a certificate get a self-signed one, which the server makes in the
    /// data folder.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TlsFiles {
        /// The certificate chain, the server's own certificate first.
        pub certificate: PathBuf,
        /// The private key.
        pub key: PathBuf,
        /// Where the table stands in the file.
        #[serde(skip)]
        pub place: Place,
    }
}

config_table! {
    /// A domain with accounts. `localhost` is served if the file names neither hosts nor
    /// components.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct HostSection {
        /// The modules that run: changes to the default modules, `["+register", "-motd"]`, or the
        /// whole list. Their order is that of their handlers at equal priority. Default: the
        /// default modules of [modules.md](modules.md).
        pub modules: Modules,
        /// The accounts that may administer the host.
        #[serde(deserialize_with = "admins")]
        pub admins: Vec<BareJidText>,
        /// The SASL mechanisms that clients are offered. Default: all.
        #[serde(deserialize_with = "mechanisms", skip_serializing_if = "Option::is_none")]
        pub sasl: Option<Vec<Mechanism>>,
        /// Whether clients may log in without TLS.
        pub allow_plaintext: bool,
        /// The host's own certificate. Default: that of `[tls]`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<TlsFiles>,
        /// The options of each module: [modules.md](modules.md) lists them.
        #[serde(skip_serializing)]
        pub module: BTreeMap<String, ModuleOptions>,
        /// Where the host stands in the file; `None` for the default host.
        #[serde(skip)]
        pub place: Option<Place>,
    }
}

config_table! {
    /// A domain without accounts, served by an external program (XEP-0114) or by modules.
    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct ComponentConfig {
        /// The secret with which the external program authenticates. Default: none; then modules
        /// serve the domain.
        #[serde(skip_serializing)]
        pub secret: Option<Secret>,
        /// The modules that run, as for a host. Default: the default modules for components of
        /// [modules.md](modules.md).
        pub modules: Modules,
        /// The accounts that may administer the component.
        #[serde(deserialize_with = "admins")]
        pub admins: Vec<BareJidText>,
        /// The component's own certificate. Default: that of `[tls]`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub tls: Option<TlsFiles>,
        /// The options of each module: [modules.md](modules.md) lists them.
        #[serde(skip_serializing)]
        pub module: BTreeMap<String, ModuleOptions>,
        /// Where the component stands in the file.
        #[serde(skip)]
        pub place: Option<Place>,
    }
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
