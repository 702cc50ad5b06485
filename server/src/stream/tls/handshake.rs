//! The handshake, as the server.

use std::{future::poll_fn, io, net::IpAddr, sync::Arc};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{super::handshakes::Handshakes, HEADER, ServerTls, ToEncrypt};
use crate::tls;

/// The maximum number of reads and records before the handshake ends. A peer that sends short
/// records needs some dozens.
const HANDSHAKE_STEPS: u32 = 200;

impl<S: AsyncRead + AsyncWrite + Unpin> ServerTls<S> {
    /// Performs the handshake. `handshakes` does the work for a peer at `address`, and `reserve`
    /// reserves the bytes that the other side makes this side keep.
    pub(in crate::stream) async fn accept(
        config: Arc<ServerConfig>,
        socket: S,
        handshakes: &Arc<Handshakes>,
        address: IpAddr,
        mut reserve: impl FnMut(usize) -> bool,
    ) -> io::Result<Box<Self>>
    where
        S: Send + 'static,
    {
        let mut stream = Box::new(Self::new(&config, socket)?);
        drop(config);
        while stream.tls.is_handshaking() {
            poll_fn(|cx| stream.poll_receive(cx)).await?;
            if !reserve(stream.held()) || stream.steps > HANDSHAKE_STEPS {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            // Without a whole record, there is nothing to process.
            if !stream.has_record() {
                continue;
            }
            let work = move || {
                let processed = stream.process(ToEncrypt::Nothing);
                (stream, processed)
            };
            let done = handshakes.run(address, work).await;
            let (worked, processed) = done.ok_or(io::ErrorKind::BrokenPipe)?;
            stream = worked;
            if let Err(error) = processed {
                // Sends the alert.
                poll_fn(|cx| stream.poll_send(cx)).await?;
                return Err(error);
            }
        }
        // If data came with the last message, the end of the handshake is sent with the answer.
        if stream.plain.is_empty() {
            poll_fn(|cx| stream.poll_send(cx)).await?;
        }
        stream.settle();
        let suite = stream.tls.negotiated_cipher_suite().and_then(|suite| suite.tls13());
        let secret = stream.secret.take();
        stream.exporter = suite.and_then(|suite| tls::exporter(suite, &secret));
        let certificates = stream.tls.peer_certificates().unwrap_or_default();
        let bytes = certificates.iter().map(|one| one.len()).sum::<usize>();
        stream.certificates = u32::try_from(2 * bytes).unwrap_or(u32::MAX);
        Ok(stream)
    }

    /// Whether a whole record has been read.
    fn has_record(&self) -> bool {
        match self.incoming.first_chunk::<HEADER>() {
            Some([.., high, low]) => {
                self.incoming.len() >= HEADER + usize::from(u16::from_be_bytes([*high, *low]))
            }
            None => false,
        }
    }
}
