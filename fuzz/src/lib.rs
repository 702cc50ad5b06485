//! Fuzz targets: each module has a function `run`, which panics when the server's code does what it
//! must not do with the bytes. The programs in `fuzz_targets` call these functions.

pub mod certificate;
pub mod component;
pub mod config;
#[cfg(test)]
mod corpus;
pub mod element;
pub mod header;
pub mod input;
mod nonzas;
pub mod s2s;
mod script;
pub mod tls;
#[expect(dead_code, reason = "the file is also that of the tests of xmpp-xml")]
#[path = "../../event-core/xml/src/tests/tree.rs"]
mod tree;

// What `tree` imports.
use xmpp_xml::Element;
mod stream {
    pub(crate) mod scope {
        pub(crate) const CONTENT: [&str; 3] =
            ["jabber:client", "jabber:server", "jabber:component:accept"];
    }
}
