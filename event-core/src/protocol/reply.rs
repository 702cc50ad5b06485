//! The answer to a stanza.

use xmpp_xml::Element;

/// An answer built with `reply` or `reply_with`. The answer is sent when the handler returns the
/// `Reply` or passes the `Reply` to `cx.send`.
#[derive(Clone, Debug)]
#[must_use = "an answer is only sent when it is returned or given to `cx.send`"]
pub struct Reply(pub(crate) Element);

impl Reply {
    /// The answer as an element.
    pub fn element(&self) -> &Element {
        &self.0
    }
}
