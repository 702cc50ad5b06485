//! Connections that hold the beginning of a stream header, from many addresses, without logging in.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::connections::{OPENING, address, peek};
use super::shared::{Shared, Stage};
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::{Conn, header, tcp};

/// The bytes that each connection sends, slightly less than `unauthenticated_bytes`.
const BYTES: usize = 16_000;

/// The sizes of the messages that a client sends to itself meanwhile.
const BODIES: [usize; 2] = [20_000, 50_000];

/// Opens `clients` connections, while a client sends long messages.
pub(super) async fn headers(shared: &Shared) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let beginning = header(&shared.run.target.host);
    let beginning = beginning.trim_end_matches('>');
    let beginning: Arc<str> = format!("{beginning}{}", " ".repeat(BYTES - beginning.len())).into();
    for first in 0..OPENING.min(shared.clients) {
        let (shared, beginning) = (shared.clone(), beginning.clone());
        set.spawn(async move {
            let mut kept = Vec::new();
            let open = async {
                for n in (first..shared.clients).step_by(OPENING) {
                    let begun = async {
                        let mut c = tcp(shared.run.target.addr, address(n)).await?;
                        c.set_zero_linger()?;
                        c.write_all(beginning.as_bytes()).await?;
                        Ok::<_, io::Error>(c)
                    };
                    match begun.await {
                        Ok(c) => kept.push(c),
                        Err(e) => shared.tally.end(&e.kind().to_string()),
                    }
                }
            };
            shared.run_work(open).await;
            shared.until(Stage::Stop).await;
            for c in kept {
                match peek(&c) {
                    Some(how) => shared.tally.end(&how),
                    None => _ = shared.tally.done.fetch_add(1, Relaxed),
                }
            }
        });
    }
    for mut c in sessions_from(&shared.run, shared.first, 1, false).await? {
        let shared = shared.clone();
        set.spawn(async move {
            shared.run_bystander::<()>(async { loop_through(&mut c).await }).await;
        });
    }
    Ok(set)
}

/// Sends long messages to itself, one after the other.
async fn loop_through(c: &mut Conn) -> io::Result<()> {
    // Less than the rate limit of bytes.
    let mut tick = interval(Duration::from_millis(100));
    loop {
        for bytes in BODIES {
            tick.tick().await;
            let body = "x".repeat(bytes);
            let to = c.jid.clone();
            let m =
                format!("<message type='chat' id='long' to='{to}'><body>{body}</body></message>");
            c.send(m.as_bytes()).await?;
            c.until("id", "long").await?;
        }
    }
}
