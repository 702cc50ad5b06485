//! TLS on a stream.

use std::{future::poll_fn, io, mem, net::IpAddr, pin::pin, sync::Arc, task::Poll, time::Duration};

use event_core::SessionKind;
use rustls::{ClientConfig, ServerConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{
    super::{
        budget::BudgetShare, end::End, handshakes::Handshakes, io::Io, tls::ServerTls,
        wire::TlsFacts,
    },
    Connection,
};
use crate::tls;

type Connector = (Arc<ClientConfig>, ServerName<'static>);

/// The time limit of a TLS handshake.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(15);

/// Performs a handshake.
async fn secure(
    config: Result<Arc<ServerConfig>, Result<Connector, &'static str>>,
    socket: TcpStream,
    handshakes: &Arc<Handshakes>,
    peer: IpAddr,
    share: &mut BudgetShare,
) -> io::Result<Io> {
    match config {
        Ok(config) => {
            let reserve = |bytes| share.reserve(bytes);
            Ok(ServerTls::accept(config, socket, handshakes, peer, reserve).await?.into())
        }
        Err(connector) => {
            let (config, name) = connector.map_err(io::Error::other)?;
            Ok(TlsConnector::from(config).connect(name, socket).await?.into())
        }
    }
}

impl Connection {
    /// Starts TLS on the connection.
    pub(super) async fn handshake(&mut self) -> Result<(), End> {
        let Io::Plain(socket) = mem::replace(&mut self.io, Io::None) else {
            return Err(End::Silent("TLS was started twice"));
        };
        let config = self.config();
        let secured = {
            let Self { wire, share, streams, .. } = self;
            let secure = secure(config, socket, &streams.handshakes, wire.peer, share);
            let mut handshake = pin!(timeout(HANDSHAKE, secure));
            let secured = poll_fn(|cx| {
                if let Poll::Ready(secured) = handshake.as_mut().poll(cx) {
                    return Poll::Ready(Some(secured));
                }
                match wire.ended() {
                    Some(_) => Poll::Ready(None),
                    None => {
                        wire.park(cx.waker(), false, false);
                        Poll::Pending
                    }
                }
            });
            secured.await
        };
        let stream = match secured {
            Some(Ok(Ok(stream))) => stream,
            Some(Ok(Err(error))) => {
                tracing::debug!(peer = %self.wire.peer, %error, "the TLS handshake failed");
                return Err(End::Silent("the TLS handshake failed"));
            }
            Some(Err(_)) => return Err(End::Silent("the TLS handshake took too long")),
            None => return Err(End::Silent("the stream was closed during the TLS handshake")),
        };
        self.io = stream;
        self.input.discard();
        self.input.restart();
        self.note_tls();
        self.reserve();
        Ok(())
    }

    /// The configuration of the handshake: as the client if this server opened the stream,
    /// otherwise as the server.
    fn config(&self) -> Result<Arc<ServerConfig>, Result<Connector, &'static str>> {
        let tls = self.streams.tls();
        let host = self.session.as_ref().map(|session| session.host().name());
        match (self.wire.kind, host) {
            (SessionKind::S2sOut, _) => Err(self.connector()),
            (SessionKind::S2sIn, Some(host)) => Ok(tls.server_starttls(host)),
            (SessionKind::S2sIn, None) => Ok(tls.server_direct()),
            (_, Some(host)) => Ok(tls.starttls(host)),
            (_, None) => Ok(tls.direct()),
        }
    }

    /// The configuration and the name for TLS with another server.
    fn connector(&self) -> Result<Connector, &'static str> {
        let session = self.session.as_ref().ok_or("there is no session")?;
        let domain = session.claimed_domain().ok_or("the domain of the other side is unknown")?;
        let config = self.streams.tls().connector(session.host().name(), false);
        let config = config.map_err(|_| "the TLS library returned an error")?;
        let name = tls::server_name(&domain).ok_or("the domain is no name for TLS")?;
        Ok((config, name))
    }

    /// Stores the facts of the TLS handshake in the wire.
    pub(in crate::stream) fn note_tls(&self) {
        let (exporter, certificates) = match &self.io {
            Io::Server(stream) => (stream.exporter(), stream.certificates()),
            Io::Client(stream) => {
                let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                (None, shown.iter().map(|one| one.to_vec()).collect())
            }
            Io::Plain(_) | Io::None => return,
        };
        self.wire.set_tls(TlsFacts { exporter, certificates });
    }
}
