//! Other servers that never authenticate: each stream sends dialback keys for many domains.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::shared::Shared;
use crate::options::Res;
use crate::xmpp::Conn;

/// The keys of one stream that wait for an answer.
const WAITING: usize = 16;

pub(super) fn strangers(shared: &Shared) -> Res<JoinSet<()>> {
    let addr = shared.run.options.text("s2s", "127.0.0.1:5270").parse().map_err(|_| "bad --s2s")?;
    let mut set = JoinSet::new();
    for i in 0..shared.clients {
        let own = shared.clone();
        set.spawn(async move {
            let work = async {
                loop {
                    if let Err(e) = flood(&own, addr, i).await {
                        own.tally.end(&e.kind().to_string());
                    }
                    sleep(Duration::from_secs(1)).await;
                }
            };
            own.run_work::<()>(work).await;
        });
    }
    Ok(set)
}

/// Sends a key for a new domain after each answer, until the stream ends.
async fn flood(shared: &Shared, addr: SocketAddr, stranger: usize) -> io::Result<()> {
    static KEYS: AtomicU64 = AtomicU64::new(0);
    let target = &shared.run.target;
    let mut c = Conn::as_server(target, addr, &format!("s{stranger}.silent.test")).await?;
    let key = || {
        shared.tally.done.fetch_add(1, Relaxed);
        let n = KEYS.fetch_add(1, Relaxed);
        format!("<db:result from='k{n}.silent.test' to='{}'>key</db:result>", target.host)
    };
    let first: String = (0..WAITING).map(|_| key()).collect();
    c.send(first.as_bytes()).await?;
    loop {
        c.stanza().await?;
        c.send(key().as_bytes()).await?;
    }
}
