//! TLS on a socket, as the server of the handshake.
//!
//! Uses rustls' unbuffered connection, because the buffered one keeps 4 KiB for each idle stream.

mod append;
mod exporter;
mod handshake;
#[cfg(test)]
pub(super) mod tests;

use std::{
    fmt, io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::{
    KeyLog, ServerConfig,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, UnbufferedStatus},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::TcpStream,
};

use super::pool;
use append::{Refused, append};
use exporter::ExporterSecret;

/// See the [module](self).
pub struct ServerTls<S = TcpStream> {
    socket: S,
    tls: UnbufferedServerConnection,
    /// The bytes that were read, from the first incomplete record on.
    incoming: Vec<u8>,
    /// The content of the records that were read.
    plain: Vec<u8>,
    /// The records to send, and the number of their bytes that are sent.
    outgoing: Vec<u8>,
    written: usize,
    exporter: Option<[u8; 32]>,
    /// The secret of `exporter`, during the handshake.
    secret: Arc<ExporterSecret>,
    /// The bytes of the other side's certificates, which this and rustls keep.
    certificates: u32,
    /// The offset in `incoming` of the first record that is not counted.
    counted: usize,
    /// The reads and records since the start.
    steps: u32,
    /// What reading has cost since [`ServerTls::take_cost`], in bytes.
    cost: usize,
    /// The other side has sent its last data.
    is_closed: bool,
    /// An error occurred, and an alert was queued.
    is_broken: bool,
    /// This side has sent its last data.
    is_ended: bool,
}

/// The maximum number of bytes that may wait for the end of a record or a handshake message: a
/// client's hello, or the certificates of a server. rustls bounds only its own buffers.
const LONGEST: usize = 20 * 1024;

/// A record counts at least this many bytes, because even an empty one is work.
const RECORD: usize = 64;

/// The length of a record's header.
const HEADER: usize = 5;

/// The content to encrypt, in addition to the messages of TLS itself.
#[derive(Clone, Copy)]
enum ToEncrypt<'a> {
    Nothing,
    Data(&'a [u8]),
    Close,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerTls<S> {
    fn new(config: &ServerConfig, socket: S) -> io::Result<Self> {
        let secret = Arc::new(ExporterSecret::default());
        let mut config = config.clone();
        config.key_log = Arc::clone(&secret) as Arc<dyn KeyLog>;
        let tls = UnbufferedServerConnection::new(Arc::new(config)).map_err(io::Error::other)?;
        Ok(Self {
            socket,
            tls,
            incoming: Vec::new(),
            plain: Vec::new(),
            outgoing: Vec::new(),
            written: 0,
            exporter: None,
            secret,
            certificates: 0,
            counted: 0,
            steps: 0,
            cost: 0,
            is_closed: false,
            is_broken: false,
            is_ended: false,
        })
    }

    /// The bytes that the other side makes this side keep.
    pub(super) fn held(&self) -> usize {
        self.incoming.len() + self.plain.len() + self.certificates as usize
    }

    /// What reading has cost since the last call, in bytes: those of the records, encrypted and
    /// padded, with a least number for each.
    pub(super) fn take_cost(&mut self) -> usize {
        mem::take(&mut self.cost)
    }

    /// Counts the records that have begun to arrive.
    fn count_records(&mut self) {
        let rest = |counted| self.incoming.get(counted..).and_then(<[u8]>::first_chunk::<HEADER>);
        while let Some([.., high, low]) = rest(self.counted) {
            let length = HEADER + usize::from(u16::from_be_bytes([*high, *low]));
            self.counted += length;
            self.cost += length.max(RECORD);
            self.steps = self.steps.saturating_add(1);
        }
    }

    /// The channel binding data of `tls-exporter`; `None` before TLS 1.3.
    pub(super) fn exporter(&self) -> Option<[u8; 32]> {
        self.exporter
    }

    /// The certificates that the other side sent, as DER.
    pub(super) fn certificates(&self) -> Vec<Vec<u8>> {
        let shown = self.tls.peer_certificates().unwrap_or_default();
        shown.iter().map(|certificate| certificate.to_vec()).collect()
    }

    /// Appends received data to `into` and returns their length; 0 when the other side has closed.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        while self.plain.is_empty() {
            // Records without data are work, too: the rate limits apply before more are read.
            if self.cost > LONGEST {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.is_closed {
                return Poll::Ready(Ok(0));
            }
            if self.is_broken {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            ready!(self.poll_receive(cx))?;
            let processed = self.process(ToEncrypt::Nothing);
            self.settle();
            if let Err(error) = processed {
                // Sends the alert, if the kernel takes it at once.
                let _ = self.poll_send(cx);
                // What came before the error is read first.
                if self.plain.is_empty() {
                    return Poll::Ready(Err(error));
                }
            }
        }
        let count = self.plain.len();
        if into.is_empty() {
            mem::swap(into, &mut self.plain);
        } else {
            into.extend_from_slice(&self.plain);
        }
        pool::give(&mut self.plain);
        Poll::Ready(Ok(count))
    }

    /// Encrypts `bytes`, but at most 16 KiB, as one record, and returns their number. The record
    /// may wait for [`ServerTls::poll_flush`].
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = bytes.get(..pool::READ).unwrap_or(bytes);
        if self.outgoing.len() + bytes.len() > pool::READ {
            ready!(self.poll_send(cx))?;
        }
        self.process(ToEncrypt::Data(bytes))?;
        Poll::Ready(Ok(bytes.len()))
    }

    /// Ready when the kernel has taken all written bytes.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    /// The number of bytes that wait for the kernel to take them.
    pub(super) fn kept(&self) -> usize {
        self.outgoing.len() - self.written
    }

    /// Sends `close_notify` and closes the writing side of the connection.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_ended {
            self.process(ToEncrypt::Close)?;
            self.is_ended = true;
        }
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    /// Reads records. If none arrived, sends the queued records; otherwise they are sent with the
    /// answer.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.incoming.len() > LONGEST {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if self.incoming.capacity() == 0 {
            self.incoming = pool::take();
        }
        self.incoming.reserve(pool::READ);
        let read = pin!(self.socket.read_buf(&mut self.incoming)).poll(cx);
        if !matches!(read, Poll::Ready(Ok(1..))) {
            self.settle();
        }
        if read.is_pending()
            && let Poll::Ready(sent) = self.poll_send(cx)
        {
            sent?;
        }
        match ready!(read)? {
            // Without `close_notify` the stream may have been truncated (RFC 8446 §6.1).
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => {
                self.steps = self.steps.saturating_add(1);
                self.count_records();
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Sends the queued records.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.outgoing.get(self.written..) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        self.written = 0;
        pool::give(&mut self.outgoing);
        Poll::Ready(Ok(()))
    }

    /// Processes the records that were read, and encrypts `data`.
    fn process(&mut self, data: ToEncrypt<'_>) -> io::Result<()> {
        if self.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let Self { tls, incoming, counted, plain, outgoing, is_closed, .. } = self;
        if outgoing.capacity() == 0 {
            *outgoing = pool::take();
        }
        let mut done = 0;
        let mut failure = None;
        let processed = loop {
            // After a failure only the alert is needed. Without one, rustls would look for the rest
            // of the records, and panic.
            let is_done = !tls.wants_write();
            if let Some(failure) = failure.take_if(|_| is_done) {
                break Err(io::Error::other(failure));
            }
            let records = incoming.get_mut(done..).filter(|_| failure.is_none());
            let records = records.unwrap_or_default();
            let UnbufferedStatus { discard, state } = tls.process_tls_records(records);
            let mut discard = discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    if plain.capacity() == 0 {
                        *plain = pool::take();
                    }
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                discard += record.discard;
                                plain.extend_from_slice(record.payload);
                            }
                            Err(error) => failure = Some(error),
                        }
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let encoded =
                        append(outgoing, 0, |room| data.encode(room).map_err(Refused::from));
                    if encoded.is_err() {
                        break encoded;
                    }
                }
                // `poll_send` sends the records in order.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => *is_closed = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) if failure.is_none() => {
                    done += discard;
                    break match data {
                        ToEncrypt::Nothing => Ok(()),
                        ToEncrypt::Data(bytes) => append(outgoing, bytes.len(), |room| {
                            traffic.encrypt(bytes, room).map_err(Refused::from)
                        }),
                        ToEncrypt::Close => append(outgoing, 0, |room| {
                            traffic.queue_close_notify(room).map_err(Refused::from)
                        }),
                    };
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed)
                    if failure.is_none() =>
                {
                    done += discard;
                    break Ok(());
                }
                Err(error) if failure.is_none() => failure = Some(error),
                _ => {
                    let unexpected =
                        rustls::Error::General("unexpected state of the connection".into());
                    break Err(io::Error::other(failure.unwrap_or(unexpected)));
                }
            }
            done += discard;
        };
        if outgoing.is_empty() {
            pool::give(outgoing);
        }
        incoming.drain(..done.min(incoming.len()));
        *counted = counted.saturating_sub(done);
        self.is_broken = processed.is_err();
        processed
    }

    /// Frees memory that the waiting bytes do not need.
    fn settle(&mut self) {
        if self.incoming.is_empty() {
            pool::give(&mut self.incoming);
        } else if self.incoming.capacity() > 2 * self.incoming.len() + 1024 {
            let rest = self.incoming.as_slice().to_vec();
            pool::give(&mut mem::replace(&mut self.incoming, rest));
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for ServerTls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("socket", &self.socket).finish_non_exhaustive()
    }
}
