//! The rule that sets `from` in the stanzas of a client.

use xmpp_xml::Stamp;

/// The rule with which the XML reader sets `from` to the client's address in each stanza of the
/// client's stream (RFC 6120 §8.1.2.1).
#[must_use]
pub fn from_stamp(client: &str) -> Stamp<'_> {
    Stamp {
        is_for: |name| matches!(name, "message" | "presence" | "iq"),
        attribute: "from",
        value: client,
        lang: None,
    }
}
