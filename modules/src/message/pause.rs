//! Pauses the delivery of messages to a client while stored messages are sent to the client.

use std::time::Duration;

use event_core::Session;
use tokio::{sync::watch, time::timeout};

/// Pauses the delivery of messages to a client until dropped, so that the user's stored messages
/// are sent first.
#[derive(Debug)]
pub(crate) struct DeliveryPause {
    session: Session,
    _resume: watch::Sender<()>,
}

/// The mark in the slot of a paused session. Dropping the [`DeliveryPause`] closes the channel.
struct Paused(watch::Receiver<()>);

/// The maximum duration of a pause. After that, messages are delivered even if out of order.
const MAX_PAUSE: Duration = Duration::from_secs(30);

impl DeliveryPause {
    pub(crate) fn new(session: &Session) -> Self {
        let (resume, paused) = watch::channel(());
        session.with_slot(|slot| *slot = Some(Paused(paused)));
        Self { session: session.clone(), _resume: resume }
    }
}

impl Drop for DeliveryPause {
    fn drop(&mut self) {
        self.session.with_slot(|slot: &mut Option<Paused>| *slot = None);
    }
}

pub(super) fn is_paused(session: &Session) -> bool {
    session.with_slot(|slot: &mut Option<Paused>| slot.is_some())
}

/// Waits until delivery to a client is not paused.
pub(super) async fn wait_until_resumed(session: &Session) {
    let paused =
        session.with_slot(|slot: &mut Option<Paused>| slot.as_ref().map(|paused| paused.0.clone()));
    if let Some(mut paused) = paused {
        // `changed` fails at the end of the pause, which drops the sender.
        let _ = timeout(MAX_PAUSE, paused.changed()).await;
    }
}
