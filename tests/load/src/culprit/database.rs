//! Clients that write to the database.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::shared::{Shared, Stage};
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::{Conn, attr, says};

/// Starts clients that write to the database, or read from it.
pub(super) async fn users(shared: &Shared) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let all = sessions_from(&shared.run, shared.first, shared.clients, false).await?;
    for (i, mut c) in all.into_iter().enumerate() {
        let shared = shared.clone();
        // An account that no other client uses.
        let other = shared.first + shared.clients + i;
        set.spawn(async move {
            match i % 3 {
                0 => offline(&shared, c, other).await,
                1 => {
                    let work = async {
                        loop {
                            roster(&shared, &mut c).await?;
                        }
                    };
                    shared.run_bystander::<()>(work).await;
                }
                _ => {
                    let work = async {
                        loop {
                            login(&shared, other).await;
                        }
                    };
                    shared.run_work::<()>(work).await;
                }
            }
        });
    }
    Ok(set)
}

async fn roster(shared: &Shared, c: &mut Conn) -> io::Result<()> {
    c.send(
        b"<iq type='set' id='set'><query xmlns='jabber:iq:roster'>\
          <item jid='friend@localhost' name='Friend'/></query></iq>",
    )
    .await?;
    shared.count_answer(&c.until("id", "set").await?);
    Ok(())
}

async fn login(shared: &Shared, account: usize) {
    match Conn::login(&shared.run.target, account).await {
        Ok(c) => {
            shared.tally.done.fetch_add(1, Relaxed);
            c.close().await;
        }
        Err(_) => _ = shared.tally.refused.fetch_add(1, Relaxed),
    }
}

/// Sends messages to an offline account, then logs in to it and counts the stored messages.
async fn offline(shared: &Shared, mut c: Conn, other: usize) {
    let target = &shared.run.target;
    let to = target.bare(other);
    let (sent, bounced) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = async {
        shared.until(Stage::Go).await;
        while !shared.is_over() {
            let n = sent.fetch_add(1, Relaxed);
            let m = format!(
                "<message type='chat' id='{n}' to='{to}'><body>{n}</body></message>\
                 <iq type='get' id='behind{n}' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
                target.host
            );
            c.send(m.as_bytes()).await?;
            loop {
                let s = c.stanza().await?;
                if says(&s, "id", &format!("behind{n}")) {
                    break;
                }
                if s.starts_with(b"<message") && attr(&s, "type") == Some(b"error") {
                    bounced.fetch_add(1, Relaxed);
                }
            }
        }
        Ok::<_, io::Error>(())
    };
    if let Err(e) = work.await {
        return shared.count_harm(&e);
    }
    let (sent, bounced) = (sent.into_inner(), bounced.into_inner());
    let mut found = 0;
    let look = async {
        let mut c = Conn::login(target, other).await?;
        c.send(b"<presence/>").await?;
        while found < sent - bounced {
            if c.stanza().await?.starts_with(b"<message") {
                found += 1;
            }
        }
        Ok::<_, io::Error>(())
    };
    let _ = timeout(Duration::from_secs(10), look).await;
    shared.tally.done.fetch_add(found, Relaxed);
    shared.tally.refused.fetch_add(bounced, Relaxed);
    shared.tally.lost.fetch_add(sent - bounced - found, Relaxed);
}
