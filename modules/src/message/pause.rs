//! Pauses in the delivery to a client, while older messages are sent to it.

use std::time::Duration;

use event_core::Session;
use tokio::{sync::watch, time::timeout};

/// While it exists, messages for a client wait: what was kept for its user goes first.
#[derive(Debug)]
pub(crate) struct Hold {
    session: Session,
    _open: watch::Sender<()>,
}

/// Closed when the [`Hold`] is dropped.
struct Held(watch::Receiver<()>);

/// How long a message waits for a [`Hold`]; then order counts for less than the message.
const MAX_HOLD: Duration = Duration::from_secs(30);

impl Hold {
    pub(crate) fn new(session: &Session) -> Self {
        let (open, held) = watch::channel(());
        session.with_slot(|slot| *slot = Some(Held(held)));
        Self { session: session.clone(), _open: open }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.session.with_slot(|slot: &mut Option<Held>| *slot = None);
    }
}

pub(super) fn is_held(session: &Session) -> bool {
    session.with_slot(|slot: &mut Option<Held>| slot.is_some())
}

/// Waits until a client may be sent messages.
pub(super) async fn settled(session: &Session) {
    let held =
        session.with_slot(|slot: &mut Option<Held>| slot.as_ref().map(|held| held.0.clone()));
    if let Some(mut held) = held {
        // An error says that the other side is gone, which is what is waited for.
        let _ = timeout(MAX_HOLD, held.changed()).await;
    }
}
