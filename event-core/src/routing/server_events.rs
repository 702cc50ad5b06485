//! Fires the events of the server's start, reload and stop.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    events::{self, Sample},
    routing::server_core::Core,
};

impl Core {
    /// Fires `server-starting`.
    pub(crate) async fn announce_starting(&self) {
        self.run_turn(async {
            self.fire_global::<events::ServerStarting>(&mut events::ServerStarting {}).await;
        })
        .await;
    }

    /// Fires `server-started`. The caller has opened all listeners.
    pub async fn announce_started(&self) {
        self.run_turn(async {
            self.fire_global::<events::ServerStarted>(&mut events::ServerStarted {}).await;
        })
        .await;
    }

    /// Fires `server-stopping` and waits for its handlers, at most for `limit`.
    pub async fn announce_stopping(&self, limit: Duration) {
        let fire = self.run_turn(async {
            self.fire_global::<events::ServerStopping>(&mut events::ServerStopping {}).await;
        });
        if timeout(limit, fire).await.is_err() {
            tracing::warn!(
                seconds = limit.as_secs(),
                "handlers of server-stopping did not end in time"
            );
        }
    }

    /// Fires `server-stopped`, the last event.
    pub(crate) async fn announce_stopped(&self) {
        self.run_turn(async {
            self.fire_global::<events::ServerStopped>(&mut events::ServerStopped {}).await;
        })
        .await;
    }

    /// Fires `config-reloaded`. The caller has read the configuration again.
    pub async fn announce_reload(&self, mut event: events::ConfigReloaded) {
        self.run_turn(async {
            self.fire_global::<events::ConfigReloaded>(&mut event).await;
        })
        .await;
    }

    /// Fires `stats-update` and returns the samples that modules add.
    pub async fn collect_samples(&self) -> Vec<Sample> {
        let mut event = events::StatsUpdate { samples: Vec::new() };
        self.run_turn(async {
            self.fire_global::<events::StatsUpdate>(&mut event).await;
        })
        .await;
        event.samples
    }
}
