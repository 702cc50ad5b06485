//! Entity Capabilities of the server (XEP-0115): the server sends a hash of its features, so that
//! others request the list of features only if they do not know the hash.

use std::sync::Arc;

use parking_lot::Mutex;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use event_core::{
    prelude::*,
    xmpp_parsers::{
        caps::hash_caps,
        disco::{DiscoInfoResult, Identity},
        hashes::Algo,
    },
};

use super::nodes::info_of;

const NS: &str = "http://jabber.org/protocol/caps";

/// The URI of this software. XEP-0115 §4 requires only that no other software uses it.
const NODE: &str = "urn:x-spondee";

/// The identity and features of the host, and their hash.
#[derive(Debug)]
pub(super) struct Capabilities {
    pub(super) info: DiscoInfoResult,
    /// `NODE#ver`, the node of requests for the list.
    pub(super) node: String,
    ver: String,
}

/// The capabilities as last computed.
#[derive(Debug, Default)]
pub struct Announced(Mutex<Option<Arc<Capabilities>>>);

impl Announced {
    /// The capabilities of a host with this name and these features, computed only after a change.
    pub(super) fn capabilities(&self, name: &str, features: Vec<&str>) -> Arc<Capabilities> {
        let mut last = self.0.lock();
        if let Some(last) = last.as_ref().filter(|last| last.is_for(name, &features)) {
            return Arc::clone(last);
        }
        let mut info = info_of(None);
        info.identities.push(Identity::new("server", "im", "en", name));
        info.features = features.into_iter().map(String::from).collect();
        let ver = ver(&info);
        let node = format!("{NODE}#{ver}");
        Arc::clone(last.insert(Arc::new(Capabilities { info, node, ver })))
    }
}

impl Capabilities {
    fn is_for(&self, name: &str, features: &[&str]) -> bool {
        let identity = self.info.identities.first();
        identity.and_then(|identity| identity.name.as_deref()) == Some(name)
            && self.info.features.iter().eq(features)
    }

    pub(super) fn to_element(&self) -> Element {
        ElementBuilder::new("c", NS)
            .attribute("hash", "sha-1")
            .attribute("node", NODE)
            .attribute("ver", &self.ver)
            .build()
    }
}

/// The verification string of XEP-0115 §5.1, for entities without extended information. The
/// function of `xmpp_parsers` is not used, because it puts the feature `a` after the feature `a#b`.
fn ver(info: &DiscoInfoResult) -> String {
    let mut identities: Vec<_> = info.identities.iter().collect();
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    identities.sort_by_cached_key(|it| (it.category.clone(), it.type_.clone(), part(&it.lang)));
    let mut text = String::new();
    for identity in identities {
        let Identity { category, type_, lang, name } = identity;
        text.push_str(&format!("{category}/{type_}/{}/{}<", part(lang), part(name)));
    }
    for feature in &info.features {
        text.push_str(feature);
        text.push('<');
    }
    let hash = hash_caps(text.as_bytes(), Algo::Sha_1);
    hash.map(|hash| BASE64.encode(hash.hash)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(identity: Identity, features: &[&str]) -> DiscoInfoResult {
        let mut info = info_of(None);
        info.identities.push(identity);
        info.features = features.iter().map(|feature| (*feature).to_owned()).collect();
        info
    }

    #[test]
    fn the_example_of_the_specification() {
        let identity = Identity {
            category: "client".into(),
            type_: "pc".into(),
            lang: None,
            name: Some("Exodus 0.9.1".into()),
        };
        let features = [
            "http://jabber.org/protocol/caps",
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/disco#items",
            "http://jabber.org/protocol/muc",
        ];
        assert_eq!(ver(&info(identity, &features)), "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    /// Computed with Python's hashlib from `server/im/en/x<a<a#b<`.
    #[test]
    fn a_feature_comes_before_those_that_begin_with_it() {
        let identity = Identity::new("server", "im", "en", "x");
        assert_eq!(ver(&info(identity, &["a#b", "a"])), "izo1SgCeSz0UbkF868iM9Z7dMjI=");
    }
}
