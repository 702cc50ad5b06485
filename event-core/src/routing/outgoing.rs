//! The entries of an outbox.

use xmpp_xml::Element;

use crate::{protocol::stanza::Stanza, session::session::Session};

/// The number of stanzas sent outside of any turn that may wait to be routed.
pub(crate) const MAX_BACKGROUND: usize = 65_536;

/// A stanza that waits until the outermost chain has ended.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A stanza to route through its events.
    Route(Stanza),
    /// An element to write to the session without any event.
    Deliver(Session, Element),
}
