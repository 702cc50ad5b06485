//! A client that sends arbitrary bytes on a connection without TLS.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use socket2::{Domain, Socket, Type};

use crate::{TIMEOUT, server::Server};

/// A connection without TLS. [`Raw::login`] logs in, if the host allows this without TLS.
#[derive(Debug)]
pub struct Raw {
    tcp: TcpStream,
    /// The input that is not returned yet.
    pending: String,
}

/// The header of a client's stream to `to`.
pub fn header(to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream to='{to}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    )
}

impl Raw {
    /// Connects and sends nothing.
    pub fn connect(server: &Server) -> Self {
        Self::to(server.c2s)
    }

    /// Connects from another address of the loopback network and sends nothing.
    pub fn connect_from_elsewhere(server: &Server) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
        socket.connect(&server.c2s.into()).unwrap();
        Self::on(socket.into())
    }

    /// Connects with small buffers, so that little waits outside of the server, and sends nothing.
    pub fn connect_narrow(server: &Server) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(128 * 1024).unwrap();
        socket.connect(&server.c2s.into()).unwrap();
        Self::on(socket.into())
    }

    /// Connects to an address of the server and sends nothing.
    pub fn to(address: SocketAddr) -> Self {
        Self::on(TcpStream::connect(address).unwrap())
    }

    fn on(tcp: TcpStream) -> Self {
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        tcp.set_nodelay(true).unwrap();
        Self { tcp, pending: String::new() }
    }

    /// Connects and opens a stream to `localhost`.
    pub fn open(server: &Server) -> Self {
        let mut raw = Self::connect(server);
        raw.send(&header("localhost"));
        raw.wait("</stream:features>");
        raw
    }

    /// Opens a stream and authenticates, on a host that allows that without TLS.
    pub fn authenticated(server: &Server, user: &str) -> Self {
        Self::authenticated_at(server, user, "localhost")
    }

    fn authenticated_at(server: &Server, user: &str, domain: &str) -> Self {
        Self::authenticated_with(server, user, &header(domain))
    }

    fn authenticated_with(server: &Server, user: &str, header: &str) -> Self {
        Self::connect(server).authenticate(user, header)
    }

    fn authenticate(mut self, user: &str, header: &str) -> Self {
        self.send(header);
        self.wait("</stream:features>");
        let plain = BASE64.encode(format!("\0{user}\0{user}"));
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        ));
        self.wait("<success");
        self.send(header);
        self.wait("</stream:features>");
        self
    }

    /// Logs in and binds a resource.
    pub fn login(server: &Server, user: &str, resource: &str) -> Self {
        Self::login_at(server, user, "localhost", resource)
    }

    /// Logs in as [`Raw::login`], on another host than `localhost`.
    pub fn login_at(server: &Server, user: &str, domain: &str, resource: &str) -> Self {
        let mut raw = Self::authenticated_at(server, user, domain);
        raw.bind(resource, "");
        raw
    }

    /// Logs in as [`Raw::login`], with small buffers.
    pub fn login_narrow(server: &Server, user: &str, resource: &str) -> Self {
        let mut raw = Self::connect_narrow(server).authenticate(user, &header("localhost"));
        raw.bind(resource, "");
        raw
    }

    /// Logs in as [`Raw::login`], with another stream header. `declared` is the declaration of the
    /// content namespace, if the header leaves it to each stanza.
    pub fn login_with(server: &Server, user: &str, header: &str, declared: &str) -> Self {
        let mut raw = Self::authenticated_with(server, user, header);
        raw.bind("orchard", declared);
        raw
    }

    fn bind(&mut self, resource: &str, declared: &str) {
        self.send(&format!(
            "<iq type='set' id='bind'{declared}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        ));
        self.wait("</iq>");
    }

    /// Sends text.
    pub fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    /// Sends bytes. A closed connection is no failure, because its input can still be read.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        match self.tcp.write_all(bytes) {
            Ok(()) => {}
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends bytes. False when the connection is closed.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.tcp.write_all(bytes).is_ok()
    }

    /// Reads until `end`, and returns the text up to and including `end`.
    pub fn wait(&mut self, end: &str) -> String {
        let came = self.try_wait(end);
        came.unwrap_or_else(|| panic!("no {end:?} before the end of: {}", self.pending))
    }

    /// Reads as [`Raw::wait`]; `None` when the connection ends first.
    pub fn try_wait(&mut self, end: &str) -> Option<String> {
        loop {
            if let Some(at) = self.pending.find(end) {
                let rest = self.pending.split_off(at + end.len());
                return Some(std::mem::replace(&mut self.pending, rest));
            }
            if !self.read() {
                return None;
            }
        }
    }

    /// Reads until the server closes the connection.
    pub fn wait_end(&mut self) -> String {
        while self.read() {}
        std::mem::take(&mut self.pending)
    }

    /// Shuts the connection down without closing the stream.
    pub fn cut(self) {
        let _ = self.tcp.shutdown(Shutdown::Both);
    }

    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.tcp.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.pending.push_str(&String::from_utf8_lossy(&buffer[..length]));
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}; so far: {}", self.pending),
        }
    }
}
