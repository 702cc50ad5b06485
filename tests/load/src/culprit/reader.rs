//! Clients that stop reading while others send to them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval_at, timeout};

use super::shared::{Shared, Stage};
use super::stream_end::stream_end;
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::Conn;

/// The bytes sent to a client before it reads again: more than the kernel and the server buffer.
const BEHIND: usize = 6 << 20;

/// The number of senders to one such client, and the size and interval of what they send, within
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

pub(super) async fn readers(shared: &Shared) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let first = shared.first + shared.clients;
    let all = shared.clients * SENDERS;
    let mut senders = sessions_from(&shared.run, first, all, false).await?;
    let began = Instant::now();
    for reader in 0..shared.clients {
        let behind = Arc::new(Behind::default());
        for (i, c) in senders.drain(..SENDERS).enumerate() {
            // The senders start at different times.
            let first = began + EVERY * (reader * SENDERS + i) as u32 / all as u32;
            let (shared, behind) = (shared.clone(), behind.clone());
            set.spawn(async move {
                let mut over = behind.is_over.subscribe();
                tokio::select! {
                    _ = over.wait_for(|is_over| *is_over) => {}
                    Err(e) = send_to(&shared, &behind, c, first) => shared.count_harm(&e),
                }
            });
        }
        let shared = shared.clone();
        set.spawn(async move {
            shared.until(Stage::Go).await;
            let account = shared.first + reader;
            while !shared.is_over() && fall_behind(&shared, &behind, account).await.is_ok() {}
            behind.is_over.send_replace(true);
        });
    }
    Ok(set)
}

async fn send_to(shared: &Shared, behind: &Behind, mut c: Conn, first: Instant) -> io::Result<()> {
    let body = "x".repeat(BODY);
    let ping = format!(
        "<iq type='get' id='taken' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
        shared.run.target.host
    );
    let mut tick = interval_at(first.into(), EVERY);
    loop {
        tick.tick().await;
        let to = behind.jid.borrow().clone();
        if !to.is_empty() {
            // Headlines are not stored when the client is offline.
            let m = format!("<message type='headline' to='{to}'><body>{body}</body></message>");
            c.send((m.repeat(CHUNK / BODY) + &ping).as_bytes()).await?;
            c.until("id", "taken").await?;
            behind.sent.send_modify(|sent| *sent += CHUNK);
        }
    }
}

/// Runs one session of a client that reads only after `BEHIND` bytes, and records how it ended.
async fn fall_behind(shared: &Shared, behind: &Behind, account: usize) -> io::Result<()> {
    let mut c = Conn::login(&shared.run.target, account).await?;
    c.go_online(&shared.run.target).await?;
    behind.sent.send_replace(0);
    behind.jid.send_replace(c.jid.clone());
    let _ = behind.sent.subscribe().wait_for(|sent| *sent > BEHIND).await;
    behind.jid.send_replace(String::new());
    let (mut framer, mut reading, _writing) = c.split();
    // A timeout means that the client has caught up.
    let end = timeout(Duration::from_secs(3), stream_end(&mut framer, &mut reading, |_| ())).await;
    shared.tally.end(end.as_deref().unwrap_or("kept"));
    Ok(())
}
