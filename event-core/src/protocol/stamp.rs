//! The sender's address of a client's stanzas.

use xmpp_xml::Stamp;

/// The rule by which the reader writes a client's address into the `from` of each stanza of that
/// client's stream (RFC 6120 section 8.1.2.1).
#[must_use]
pub fn from_stamp(client: &str) -> Stamp<'_> {
    Stamp {
        is_for: |name| matches!(name, "message" | "presence" | "iq"),
        attribute: "from",
        value: client,
    }
}
