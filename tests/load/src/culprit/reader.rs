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

/// What is sent to a client that does not read before it reads again: more than the system and the
/// server keep for it.
const BEHIND: usize = 6 << 20;

/// Who sends to one such client, and how much how often: no more than the limits allow.
const SENDERS: usize = 12;
const CHUNK: usize = 64 * 1024;
const EVERY: Duration = Duration::from_millis(300);

/// The size of what is sent to them.
const BODY: usize = 4096;

/// A client that does not read.
#[derive(Default)]
struct Behind {
    /// Empty while nothing shall be sent.
    jid: watch::Sender<String>,
    /// The bytes that the server has taken for it since it has logged in.
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
            // Who sends does not know of the others.
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
            // Of what nobody takes, a headline is what nobody keeps.
            let m = format!("<message type='headline' to='{to}'><body>{body}</body></message>");
            c.send((m.repeat(CHUNK / BODY) + &ping).as_bytes()).await?;
            c.until("id", "taken").await?;
            behind.sent.send_modify(|sent| *sent += CHUNK);
        }
    }
}

/// One session of a client that does not read until it is far behind, and then how it ended.
async fn fall_behind(scene: &Scene, behind: &Behind, account: usize) -> io::Result<()> {
    let mut c = Conn::login(&scene.run.target, account).await?;
    c.go_online(&scene.run.target).await?;
    behind.sent.send_replace(0);
    behind.jid.send_replace(c.jid.clone());
    let _ = behind.sent.subscribe().wait_for(|sent| *sent > BEHIND).await;
    behind.jid.send_replace(String::new());
    let (mut framer, mut reading, _writing) = c.split();
    // Nothing more in so much time: it has caught up.
    let end = timeout(Duration::from_secs(3), stream_end(&mut framer, &mut reading, |_| ())).await;
    scene.tally.end(end.as_deref().unwrap_or("kept"));
    Ok(())
}
