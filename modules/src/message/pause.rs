//! Keeps messages apart while stored messages are sent to a client.

use event_core::Session;

/// While this exists, messages that others send to a client are kept apart in a bounded queue of the
/// client, so that the user's stored messages are sent first. Nobody waits: a message that the
/// queue does not take is stored.
#[derive(Debug)]
pub(crate) struct DeliveryPause(Session);

impl DeliveryPause {
    pub(crate) fn new(session: &Session) -> Self {
        session.hold_messages();
        Self(session.clone())
    }
}

impl Drop for DeliveryPause {
    fn drop(&mut self) {
        self.0.release_messages();
    }
}
