//! Clients that write to the database.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::scene::{Scene, Stage};
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::{Conn, attr, says};

/// Starts clients that write to the database, or read from it.
pub(super) async fn users(scene: &Scene) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let all = sessions_from(&scene.run, scene.first, scene.clients, false).await?;
    for (i, mut c) in all.into_iter().enumerate() {
        let scene = scene.clone();
        // An account that no other client uses.
        let other = scene.first + scene.clients + i;
        set.spawn(async move {
            match i % 3 {
                0 => offline(&scene, c, other).await,
                1 => {
                    let work = async {
                        loop {
                            roster(&scene, &mut c).await?;
                        }
                    };
                    scene.innocent::<()>(work).await;
                }
                _ => {
                    let work = async {
                        loop {
                            login(&scene, other).await;
                        }
                    };
                    scene.act::<()>(work).await;
                }
            }
        });
    }
    Ok(set)
}

async fn roster(scene: &Scene, c: &mut Conn) -> io::Result<()> {
    c.send(
        b"<iq type='set' id='set'><query xmlns='jabber:iq:roster'>\
          <item jid='friend@localhost' name='Friend'/></query></iq>",
    )
    .await?;
    scene.counted(&c.until("id", "set").await?);
    Ok(())
}

async fn login(scene: &Scene, account: usize) {
    match Conn::login(&scene.run.target, account).await {
        Ok(c) => {
            scene.tally.done.fetch_add(1, Relaxed);
            c.close().await;
        }
        Err(_) => _ = scene.tally.refused.fetch_add(1, Relaxed),
    }
}

/// Sends messages to an offline account, then logs in there and counts the stored ones.
async fn offline(scene: &Scene, mut c: Conn, other: usize) {
    let target = &scene.run.target;
    let to = target.bare(other);
    let (sent, bounced) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = async {
        scene.until(Stage::Go).await;
        while !scene.is_over() {
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
        return scene.harm(&e);
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
    scene.tally.done.fetch_add(found, Relaxed);
    scene.tally.refused.fetch_add(bounced, Relaxed);
    scene.tally.lost.fetch_add(sent - bounced - found, Relaxed);
}
