//! An answer that a handler returns or sends.

use xmpp_xml::Element;

/// An answer built with `reply` or `reply_with`; returning or sending it sends it.
#[derive(Clone, Debug)]
#[must_use = "an answer is only sent when it is returned or given to `cx.send`"]
pub struct Reply(pub(crate) Element);

impl Reply {
    /// The stanza that answers.
    pub fn element(&self) -> &Element {
        &self.0
    }
}
