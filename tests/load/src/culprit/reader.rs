//! Clients that stop reading while others send to them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};

use super::scene::{Scene, Stage};
use super::stream_end::stream_end;
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::Conn;

/// The bytes sent to a client before it reads again: more than the system and the server buffer.
const BEHIND: usize = 6 << 20;

/// The number of senders to one such client, and the size and interval of their messages, all within
/// the server's limits.
const SENDERS: usize = 12;
const CHUNK: usize = 64 * 1024;
const EVERY: Duration = Duration::from_millis(300);

/// The size of a message body.
const BODY: usize = 4096;

/// A client that does not read.
#[derive(Default)]
struct Behind {
    /// The client's address; empty while nothing must be sent.
    jid: watch::Sender<String>,
    /// The bytes that the server has accepted for the client since its login.
    sent: watch::Sender<usize>,
    is_over: watch::Sender<bool>,
}

pub(super) async fn readers(scene: &Scene) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let first = scene.first + scene.clients;
    let all = scene.clients * SENDERS;
    let mut senders = sessions_from(&scene.run, first, all, false).await?;
    let began = Instant::now();
    for reader in 0..scene.clients {
        let behind = Arc::new(Behind::default());
        for (i, c) in senders.drain(..SENDERS).enumerate() {
            // The senders are not synchronised.
            let first = began + EVERY * (reader * SENDERS + i) as u32 / all as u32;
            let (scene, behind) = (scene.clone(), behind.clone());
            set.spawn(async move {
                let mut over = behind.is_over.subscribe();
                tokio::select! {
                    _ = over.wait_for(|is_over| *is_over) => {}
                    Err(e) = send_to(&scene, &behind, c, first) => scene.harm(&e),
                }
            });
        }
        let scene = scene.clone();
        set.spawn(async move {
            scene.until(Stage::Go).await;
            let account = scene.first + reader;
            while !scene.is_over() && fall_behind(&scene, &behind, account).await.is_ok() {}
            behind.is_over.send_replace(true);
        });
    }
    Ok(set)
}

async fn send_to(scene: &Scene, behind: &Behind, mut c: Conn, first: Instant) -> io::Result<()> {
    let body = "x".repeat(BODY);
    let ping = format!(
        "<iq type='get' id='taken' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
        scene.run.target.host
    );
    let mut tick = interval_at(first.into(), EVERY);
    loop {
        tick.tick().await;
        let to = behind.jid.borrow().clone();
        if !to.is_empty() {
            // Headlines, because they are not stored when the client is offline.
            let m = format!("<message type='headline' to='{to}'><body>{body}</body></message>");
            c.send((m.repeat(CHUNK / BODY) + &ping).as_bytes()).await?;
            c.until("id", "taken").await?;
            behind.sent.send_modify(|sent| *sent += CHUNK);
        }
    }
}

/// Runs one session of a client that reads only after `BEHIND` bytes, and records how it ended.
async fn fall_behind(scene: &Scene, behind: &Behind, account: usize) -> io::Result<()> {
    let mut c = Conn::login(&scene.run.target, account).await?;
    c.go_online(&scene.run.target).await?;
    behind.sent.send_replace(0);
    behind.jid.send_replace(c.jid.clone());
    let _ = behind.sent.subscribe().wait_for(|sent| *sent > BEHIND).await;
    behind.jid.send_replace(String::new());
    let (mut framer, mut reading, _writing) = c.split();
    // A timeout means that the client has caught up.
    let end = timeout(Duration::from_secs(3), stream_end(&mut framer, &mut reading, |_| ())).await;
    scene.tally.end(end.as_deref().unwrap_or("kept"));
    Ok(())
}
