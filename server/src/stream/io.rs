//! The socket of a stream, with TLS or without.

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncReadExt, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::{pool, tls::ServerTls};

/// A socket.
#[derive(Debug)]
pub enum Io {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS. This side is the TLS server.
    // Boxed, so that streams without TLS stay small.
    Server(Box<ServerTls>),
    /// With TLS. This side is the TLS client.
    Client(Box<TlsStream<TcpStream>>),
    /// During the TLS handshake, or closed.
    None,
}

impl From<TcpStream> for Io {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(stream)
    }
}

impl From<Box<ServerTls>> for Io {
    fn from(stream: Box<ServerTls>) -> Self {
        Self::Server(stream)
    }
}

impl From<TlsStream<TcpStream>> for Io {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        Self::Client(Box::new(stream))
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl Io {
    /// Reads once, appends the bytes to `into` and returns their number.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => {
                into.reserve(pool::READ);
                pin!(stream.read_buf(into)).poll(cx)
            }
            Self::Server(stream) => stream.poll_read(cx, into),
            Self::Client(stream) => {
                into.reserve(pool::READ);
                pin!(stream.read_buf(into)).poll(cx)
            }
            Self::None => gone(),
        }
    }

    /// What reading has cost since the last call, in bytes. `filled` is the result of
    /// [`Io::poll_read`].
    pub(super) fn take_cost(&mut self, filled: &Poll<io::Result<usize>>) -> usize {
        match (self, filled) {
            (Self::Server(stream), _) => stream.take_cost(),
            (_, Poll::Ready(Ok(count))) => *count,
            _ => 0,
        }
    }

    /// The bytes that the other side makes this side keep, apart from those that were read.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Server(stream) => stream.held(),
            Self::Plain(_) | Self::Client(_) | Self::None => 0,
        }
    }

    /// Writes once, and returns the number of bytes that the socket has taken.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Server(stream) => stream.poll_write(cx, bytes),
            Self::Client(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::None => gone(),
        }
    }

    /// Ready when the kernel has taken all written bytes.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Server(stream) => stream.poll_flush(cx),
            Self::Client(stream) => Pin::new(stream).poll_flush(cx),
            Self::None => gone(),
        }
    }

    /// An upper bound of the bytes that are written but not sent. Above 0 if there are such bytes.
    pub(super) fn kept(&self) -> usize {
        match self {
            Self::Server(stream) => stream.kept(),
            // rustls does not tell the number, which is small.
            Self::Client(stream) => usize::from(stream.get_ref().1.wants_write()),
            Self::Plain(_) | Self::None => 0,
        }
    }

    /// Closes the writing side.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Server(stream) => stream.poll_shutdown(cx),
            Self::Client(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::None => gone(),
        }
    }
}
