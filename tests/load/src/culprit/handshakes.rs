//! TLS handshakes: half of them end after the first message, which costs the client nothing. Half
//! of each come from one address, the others from many.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConnection;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connections::{FROM, OPENING, address};
use super::shared::Shared;
use crate::options::Res;
use crate::xmpp::{connector, tcp};

/// Begins `clients` handshakes each second.
pub(super) fn handshakes(shared: &Shared) -> Res<JoinSet<()>> {
    let told = |e: &dyn std::fmt::Display| e.to_string();
    let tls: SocketAddr = shared.run.options.text("tls-addr", "").parse().map_err(|e| told(&e))?;
    let connector = connector(false);
    let name = ServerName::try_from(shared.run.target.host.clone()).map_err(|e| told(&e))?;
    let mut client =
        ClientConnection::new(connector.config().clone(), name.clone()).map_err(|e| told(&e))?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello).map_err(|e| told(&e))?;
    let (hello, begun) = (Arc::<[u8]>::from(hello), Arc::new(AtomicU64::new(0)));
    let mut set = JoinSet::new();
    for _ in 0..OPENING {
        let (shared, begun, hello) = (shared.clone(), begun.clone(), hello.clone());
        let (connector, name) = (connector.clone(), name.clone());
        set.spawn(async move {
            let all = async {
                let start = Instant::now();
                loop {
                    let n = begun.fetch_add(1, Relaxed);
                    let at = start + Duration::from_secs(1) * n as u32 / shared.clients as u32;
                    sleep_until(at.into()).await;
                    let from = if n % 4 < 2 { FROM } else { address(n as usize) };
                    let done = async {
                        match n % 2 {
                            0 => half(tls, from, &hello).await,
                            _ => whole(tls, from, &connector, name.clone()).await,
                        }
                    };
                    match timeout(Duration::from_secs(5), done).await {
                        Ok(Ok(())) => _ = shared.tally.done.fetch_add(1, Relaxed),
                        Ok(Err(e)) => shared.tally.end(&e.kind().to_string()),
                        Err(_) => shared.tally.end("no answer in 5 s"),
                    }
                }
            };
            shared.run_work::<()>(all).await;
        });
    }
    Ok(set)
}

/// Sends a hello, and leaves at the first byte of the answer.
async fn half(tls: SocketAddr, from: u8, hello: &[u8]) -> io::Result<()> {
    let mut c = tcp(tls, from).await?;
    // Without TIME_WAIT, because otherwise the ports would soon be used up.
    c.set_zero_linger()?;
    c.write_all(hello).await?;
    match c.read(&mut [0; 1]).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

async fn whole(
    tls: SocketAddr,
    from: u8,
    connector: &TlsConnector,
    name: ServerName<'static>,
) -> io::Result<()> {
    let c = tcp(tls, from).await?;
    c.set_zero_linger()?;
    connector.connect(name, c).await.map(drop)
}
