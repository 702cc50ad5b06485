//! Clients that send as fast as they can.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use super::shared::Shared;
use super::stream_end::stream_end;
use crate::options::Res;
use crate::run::sessions_from;
use crate::xmpp::{Conn, attr};

pub(super) async fn flooders(shared: &Shared) -> Res<JoinSet<()>> {
    let mut set = JoinSet::new();
    let flooders = sessions_from(&shared.run, shared.first, shared.clients, true).await?;
    let first = shared.first + shared.clients;
    let partners = sessions_from(&shared.run, first, shared.clients, true).await?;
    for (i, (flooder, partner)) in flooders.into_iter().zip(partners).enumerate() {
        // Half of the clients flood a partner, the others addresses without an account.
        let to = if i % 2 == 0 {
            partner.jid.clone()
        } else {
            format!("nobody@{}", shared.run.target.host)
        };
        let own = shared.clone();
        set.spawn(async move {
            let (mut framer, mut reading, _writing) = partner.split();
            let read = stream_end(&mut framer, &mut reading, |_| {
                own.tally.done.fetch_add(1, Relaxed);
            });
            own.run_bystander(async { Err::<(), _>(io::Error::other(read.await)) }).await;
        });
        let own = shared.clone();
        set.spawn(async move {
            let flood = flood(flooder, &to, || {
                own.tally.done.fetch_add(1, Relaxed);
            });
            if let Some(how) = own.run_work(flood).await {
                own.tally.end(&how);
            }
        });
    }
    Ok(set)
}

/// Sends without a pause, and reads the answers until the stream ends.
async fn flood(c: Conn, to: &str, mut on_error: impl FnMut()) -> String {
    let (mut framer, mut reading, mut writing) = c.split();
    let body = "x".repeat(100);
    let many: String = (0..64)
        .map(|n| {
            format!(
                "<message type='chat' to='{}'><body>{body}</body></message>",
                to.replace("nobody", &format!("nobody{n}"))
            )
        })
        .collect();
    let write = async {
        while writing.write_all(many.as_bytes()).await.is_ok() {}
        // The reader returns how the stream ended.
        std::future::pending::<()>().await;
    };
    let read = stream_end(&mut framer, &mut reading, |s| {
        if attr(s, "type") == Some(b"error") {
            on_error();
        }
    });
    tokio::select! {
        () = write => String::new(),
        how = read => how,
    }
}
