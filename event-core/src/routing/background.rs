//! The task that routes the stanzas sent outside of any turn.

use std::sync::Weak;

use tokio::sync::mpsc;

use crate::routing::{outgoing::Outgoing, server_core::Core, stanza_events::TypedStanza};

/// Routes the stanzas of the queue, each in a turn of its own, until the server ends.
pub(crate) async fn route_queued(core: Weak<Core>, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = queue.recv().await {
        let Some(core) = core.upgrade() else { break };
        let routed = async {
            if let Some(mut routed) = TypedStanza::deliver_direct(outgoing) {
                core.route(&mut routed, false).await;
            }
        };
        core.run_turn(routed).await;
    }
}
