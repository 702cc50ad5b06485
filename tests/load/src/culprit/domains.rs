//! A client that sends to thousands of domains whose servers cannot be found.

use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::shared::Shared;
use super::stream_end::stream_end;
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::{Conn, attr};

/// The number of domains at first, and then every second: within the server's limits.
const FIRST: usize = 10_000;
const THEN: usize = 1000;

pub(super) async fn senders(shared: &Shared) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    for (i, c) in sessions_from(&shared.run, shared.first, shared.clients, false)
        .await?
        .into_iter()
        .enumerate()
    {
        let own = shared.clone();
        set.spawn(async move {
            let work = send(c, i, || {
                own.tally.refused.fetch_add(1, Relaxed);
            });
            if let Some(how) = own.run_work(work).await {
                own.tally.end(&how);
            }
        });
    }
    Ok(set)
}

/// Sends until the stream ends.
async fn send(c: Conn, sender: usize, mut on_error: impl FnMut()) -> String {
    let (mut framer, mut reading, mut writing) = c.split();
    let write = async {
        let mut numbers = 0..;
        let mut batch = |count: usize| {
            let some = numbers.by_ref().take(count);
            let message = |n: usize| {
                format!("<message to='a@d{n}.s{sender}.silent.test'><body>!</body></message>")
            };
            some.map(message).collect::<String>()
        };
        writing.write_all(batch(FIRST).as_bytes()).await?;
        let mut tick = interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            writing.write_all(batch(THEN / 100).as_bytes()).await?;
        }
    };
    let read = stream_end(&mut framer, &mut reading, |s| {
        if attr(s, "type") == Some(b"error") {
            on_error();
        }
    });
    tokio::select! {
        Err::<(), io::Error>(e) = write => e.kind().to_string(),
        how = read => how,
    }
}
