//! Routes the stanzas that were sent outside of any turn.

use tokio::sync::mpsc;

use crate::routing::{
    core::Core,
    outbox::{Outgoing, turns},
    stanza_events::Routed,
};

/// Routes what the background sends, until the server ends.
pub(crate) async fn background(core: std::sync::Weak<Core>, mut queue: mpsc::Receiver<Outgoing>) {
    turns(async {
        while let Some(outgoing) = queue.recv().await {
            let Some(core) = core.upgrade() else { break };
            if let Some(mut routed) = Routed::of(outgoing) {
                core.route(&mut routed, false).await;
            }
            core.drain().await;
        }
    })
    .await;
}
