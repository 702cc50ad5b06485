//! Opens connections: half send nothing, half open a stream and disconnect.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::shared::{Shared, Stage};
use crate::xmpp::{Event, Framer, condition, header, tcp};

/// The last octet of the connections' source address.
pub(super) const FROM: u8 = 200;

/// The number of connections that are opened at once.
pub(super) const OPENING: usize = 64;

/// The maximum number of connections that are kept open.
const KEPT: usize = 8000;

/// The last octet of the source address of one of many culprits.
pub(super) fn address(n: usize) -> u8 {
    (20 + n % 150) as u8
}

/// Opens `clients` connections each second.
pub(super) fn connections(shared: &Shared) -> JoinSet<()> {
    let mut set = JoinSet::new();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let begun = Arc::new(AtomicU64::new(0));
    for _ in 0..OPENING {
        let (shared, kept, begun) = (shared.clone(), kept.clone(), begun.clone());
        set.spawn(async move {
            let all = async {
                let start = Instant::now();
                loop {
                    let n = begun.fetch_add(1, Relaxed);
                    let at = start + Duration::from_secs(1) * n as u32 / shared.clients as u32;
                    sleep_until(at.into()).await;
                    match timeout(Duration::from_secs(5), visit(&shared, n)).await {
                        Ok(Ok(Some(quiet))) => {
                            let mut kept = kept.lock().expect("another task panicked");
                            if kept.len() < KEPT {
                                kept.push(quiet);
                            }
                        }
                        Ok(Ok(None)) => {}
                        Ok(Err(e)) => shared.tally.end(&e.to_string()),
                        Err(_) => shared.tally.end("no answer in 5 s"),
                    }
                }
            };
            shared.run_work::<()>(all).await;
        });
    }
    let shared = shared.clone();
    set.spawn(async move {
        shared.until(Stage::Stop).await;
        // The server may have refused a silent connection too.
        let kept = std::mem::take(&mut *kept.lock().expect("another task panicked"));
        for c in kept {
            match peek(&c) {
                Some(how) => shared.tally.end(&how),
                None => _ = shared.tally.done.fetch_add(1, Relaxed),
            }
        }
    });
    set
}

/// Opens a connection. Every second connection is returned, to be kept open; on the others, a
/// stream is opened and abandoned.
async fn visit(shared: &Shared, n: u64) -> io::Result<Option<TcpStream>> {
    let target = &shared.run.target;
    let mut c = tcp(target.addr, FROM).await?;
    // Without TIME_WAIT, because otherwise the ports would soon be used up.
    c.set_zero_linger()?;
    if n.is_multiple_of(2) {
        return Ok(Some(c));
    }
    let mut framer = Framer::default();
    // The write fails when the server has refused the connection already.
    let _ = c.write_all(header(&target.host).as_bytes()).await;
    loop {
        while let Some(event) = framer.next() {
            if let Event::Stanza(s) = event {
                let refused = condition(s);
                if refused.is_none() {
                    shared.tally.done.fetch_add(1, Relaxed);
                }
                return refused.map_or(Ok(None), |how| Err(io::Error::other(how)));
            }
        }
        if c.read_buf(framer.space()).await? == 0 {
            return Err(io::Error::other("closed"));
        }
    }
}

/// How the server has closed a silent connection; `None` if it is open.
pub(super) fn peek(c: &TcpStream) -> Option<String> {
    let mut framer = Framer::default();
    loop {
        match c.try_read_buf(framer.space()) {
            Ok(0) => return Some("closed".into()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
            Err(e) => return Some(e.kind().to_string()),
            Ok(_) => {
                while let Some(event) = framer.next() {
                    if let Event::Stanza(s) = event
                        && let Some(how) = condition(s)
                    {
                        return Some(how);
                    }
                }
            }
        }
    }
}
