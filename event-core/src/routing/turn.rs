//! A turn: one unit of work of a stream, with an outbox for the stanzas that handlers send.

use xmpp_xml::Element;

use crate::{
    events::traits::{Fire, Fired},
    protocol::stream_error::StreamError,
    routing::{outbox::with_outbox, server_core::Core},
    session::session::Session,
};

/// One unit of work of a stream, from [`Core::turn`]. Handlers run only inside of a turn: the
/// stanzas they send wait in the turn's outbox and are routed, in order, when the outermost chain
/// has ended.
#[derive(Clone, Copy, Debug)]
#[must_use = "a turn does nothing until one of its methods is called"]
pub struct Turn<'a> {
    core: &'a Core,
    session: &'a Session,
}

impl Core {
    /// Begins a turn of a session's stream. The caller runs the turns of one stream one after the
    /// other.
    #[inline]
    pub fn turn<'a>(&'a self, session: &'a Session) -> Turn<'a> {
        Turn { core: self, session }
    }
}

impl<'a> Turn<'a> {
    /// Handles an element that the stream has read: fires its events, then routes the stanzas that
    /// handlers sent. An iq result or error that a handler awaits goes straight to that handler.
    ///
    /// # Errors
    /// The caller closes the stream with the error.
    // The future of an `async fn` would hold the element twice.
    #[inline]
    pub fn receive(
        self,
        element: Element,
    ) -> impl Future<Output = Result<(), StreamError>> + Send + 'a {
        with_outbox(self.core.receive(self.session, element))
    }

    /// Fires an event on the session's host.
    pub async fn fire<'p, E: Fire<'p> + Send>(self, event: E) -> Fired<E> {
        self.core.run_turn(self.core.fire(self.session.host(), event)).await
    }

    /// Ends the session because its stream has ended. `error` is the reason, `None` when the other
    /// side closed the stream. Fires `pre-resource-unbind` and, unless a handler keeps the session,
    /// `resource-unbind`.
    pub async fn disconnect(self, error: Option<&str>) {
        self.core.run_turn(self.core.disconnect(self.session, error)).await;
    }

    /// Returns the stanzas that an ended stream has not sent, so that none is lost without a word:
    /// messages go to the user's other clients, to the offline storage or back to their senders;
    /// the senders of iq requests get an error. `priority` is that of the session's last presence.
    pub async fn return_unsent(self, stanzas: Vec<Element>, priority: Option<i8>) {
        for stanza in stanzas {
            self.core.run_turn(self.core.return_unsent(self.session, stanza, priority)).await;
        }
    }
}
