//! The connections that read.

use parking_lot::{Mutex, MutexGuard};

use sqlx::{AnyConnection, AnyPool, Connection};
use tokio::{sync::Semaphore, time::timeout};

use super::backend::{ACQUIRE, TIMEOUT, acquire, backend};
use super::{StorageError, StorageResult};

/// A bounded number of connections that read.
///
/// A pool tests each connection before and after its use, which connections over a network need.
/// For a file the tests would be most of the work, so those connections are kept outside of the
/// pool.
#[derive(Debug)]
pub(super) struct Readers {
    pool: AnyPool,
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    turns: Semaphore,
    idle: Mutex<Vec<AnyConnection>>,
}

impl Readers {
    /// The readers of a database whose connections can break: the pool tests them.
    pub(super) fn tried(pool: AnyPool) -> Self {
        Self { pool, kept: None }
    }

    /// The readers of a file: at most `connections` connections, which stay open.
    pub(super) fn kept(pool: AnyPool, connections: u32) -> Self {
        let turns = Semaphore::new(connections as usize);
        Self { pool, kept: Some(Kept { turns, idle: Mutex::default() }) }
    }

    /// Runs `read` with a connection. A connection that stalls is closed.
    pub(super) async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> StorageResult<T> {
        let Some(kept) = &self.kept else {
            let mut connection = acquire(&self.pool).await?;
            return match timeout(TIMEOUT, read(&mut connection)).await {
                Ok(output) => output.map_err(backend),
                Err(late) => {
                    connection.close_on_drop();
                    Err(StorageError::Unreachable(late.into()))
                }
            };
        };
        let late = |late: tokio::time::error::Elapsed| StorageError::Unreachable(late.into());
        let turn = timeout(ACQUIRE, kept.turns.acquire()).await.map_err(late)?;
        let _turn = turn.map_err(|_| StorageError::Closed)?;
        let idle = kept.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => acquire(&self.pool).await?.detach(),
        };
        let output = timeout(TIMEOUT, read(&mut connection)).await.map_err(late)?;
        let output = output.map_err(backend)?;
        kept.idle().push(connection);
        Ok(output)
    }

    /// Closes the connections.
    pub(super) async fn close(self) {
        if let Some(kept) = self.kept {
            kept.turns.close();
            let idle = std::mem::take(&mut *kept.idle());
            for connection in idle {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "a reading connection failed to close");
                }
            }
        }
        self.pool.close().await;
    }
}

impl Kept {
    fn idle(&self) -> MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock()
    }
}
