//! Access to private parts, for the fuzz targets in `fuzz`.

use std::{future::poll_fn, io, net::Ipv4Addr, sync::Arc};

use event_core::{
    SessionKind,
    xml::{Element, StreamHeader, XmlError, XmlLimits},
};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    header,
    input::{Input, Item},
    tls::ServerTls,
};

/// The reader of a stream.
#[derive(Debug, Default)]
pub struct Reader(Input);

/// A part of a stream.
#[derive(Debug)]
pub enum Part {
    /// The header.
    Header(Box<StreamHeader>),
    /// An element.
    Element(Element),
    /// The end of the stream.
    Close,
}

impl Reader {
    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) {
        self.0.append(&mut bytes.to_vec());
    }

    /// The next complete part.
    ///
    /// # Errors
    /// The bytes are not a part of a stream.
    pub fn next(
        &mut self,
        limits: &XmlLimits,
        from: Option<&str>,
    ) -> Result<Option<Part>, XmlError> {
        let item = self.0.next(limits, from)?;
        Ok(item.map(|item| match item {
            Item::Header(header) => Part::Header(header),
            Item::Element(element) => Part::Element(element),
            Item::Close => Part::Close,
        }))
    }

    /// Sets the header that later elements are parsed with.
    pub fn set_header(&mut self, header: Box<StreamHeader>, kind: SessionKind) {
        self.0.set_header(header, kind);
    }

    /// Expects a new header.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// Frees memory that the waiting bytes do not need.
    pub fn settle(&mut self) {
        self.0.settle();
    }

    /// The number of bytes that wait.
    pub fn waiting(&self) -> usize {
        self.0.len()
    }
}

/// The answer of the server to a header; `None` if the header is refused.
pub fn answer(kind: SessionKind, received: &StreamHeader) -> Option<String> {
    header::check_version(received).ok()?;
    header::claimed(received).ok()?;
    let domain = header::domain(kind, received).ok()?;
    Some(header::answer(kind, Some(&domain), "id", Some(received)))
}

/// The server's side of a connection with TLS.
#[derive(Debug)]
pub struct Tls<S>(Box<ServerTls<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Tls<S> {
    /// Performs the handshake.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn accept(config: Arc<ServerConfig>, socket: S) -> io::Result<Self> {
        let here = Ipv4Addr::LOCALHOST.into();
        ServerTls::accept(config, socket, &Arc::default(), here, |_| true).await.map(Self)
    }

    /// Appends received data to `into` and returns their length; 0 when the other side has closed.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        poll_fn(|cx| {
            self.0.take_cost();
            self.0.poll_read(cx, into)
        })
        .await
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = poll_fn(|cx| self.0.poll_write(cx, bytes)).await?;
            bytes = bytes.get(count..).unwrap_or_default();
        }
        poll_fn(|cx| self.0.poll_flush(cx)).await
    }

    /// Ends the connection.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.0.poll_shutdown(cx)).await
    }
}
