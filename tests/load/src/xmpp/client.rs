//! A client: logs in to a bound session, and exchanges stanzas.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::framer::{Event, Framer, has, says};
use super::scram::KeyCache;
use super::transport::{Stream, connector, tcp};
use crate::options::{Options, Res};

#[derive(Clone, Copy, PartialEq)]
enum Tls {
    None,
    Start,
    Direct,
}

/// The server's address and the credentials.
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) host: String,
    /// `{}` is replaced by the index, as in the password.
    user: String,
    pass: String,
    tls: Tls,
    /// The keys of SCRAM; `None` means PLAIN.
    scram: Option<KeyCache>,
    connector: TlsConnector,
    logins: AtomicU64,
}

impl Target {
    pub(crate) fn new(options: &Options) -> Res<Self> {
        let addr = options.text("addr", "127.0.0.1:5222");
        let tls = match options.one_of("tls", &["none", "starttls", "direct"])? {
            "none" => Tls::None,
            "starttls" => Tls::Start,
            _ => Tls::Direct,
        };
        let scram = options.one_of("sasl", &["scram", "plain"])? == "scram";
        Ok(Self {
            addr: addr.parse().map_err(|_| "bad --addr")?,
            host: options.text("host", "localhost").into(),
            user: options.text("user", "user{}").into(),
            pass: options.text("pass", "pw").into(),
            tls,
            scram: scram.then(KeyCache::default),
            connector: connector(options.one_of("resume", &["no", "yes"])? == "yes"),
            logins: AtomicU64::new(0),
        })
    }

    fn user(&self, i: usize) -> String {
        self.user.replace("{}", &i.to_string())
    }

    pub(crate) fn bare(&self, i: usize) -> String {
        format!("{}@{}", self.user(i), self.host)
    }
}

/// A client's stream header.
pub(crate) fn header(host: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' \
         xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    )
}

/// The last octet of the source address of other servers.
const STRANGER: u8 = 201;

pub(crate) struct Conn {
    stream: Stream,
    pub(crate) framer: Framer,
    pub(crate) jid: String,
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.into())
}

impl Conn {
    /// Reads more bytes. Cancel-safe. The end of the input is an error.
    pub(crate) async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(self.framer.space()).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Splits the connection, to read and write at the same time.
    pub(crate) fn split(self) -> (Framer, ReadHalf<Stream>, WriteHalf<Stream>) {
        let (reading, writing) = split(self.stream);
        (self.framer, reading, writing)
    }

    /// The next stanza, as a copy. Not for the measured paths.
    pub(crate) async fn stanza(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.framer.next() {
                Some(Event::Stanza(s)) => return Ok(s.to_vec()),
                Some(Event::Close) => return Err(ErrorKind::ConnectionReset.into()),
                Some(Event::Open) => {}
                None => self.fill().await?,
            }
        }
    }

    /// Skips stanzas until one has the attribute with this value.
    pub(crate) async fn until(&mut self, name: &str, value: &str) -> io::Result<Vec<u8>> {
        loop {
            let s = self.stanza().await?;
            if says(&s, name, value) {
                return Ok(s);
            }
        }
    }

    async fn expect(&mut self, needle: &str) -> io::Result<Vec<u8>> {
        let s = self.stanza().await?;
        if has(&s, needle) {
            return Ok(s);
        }
        Err(bad(format!("expected {needle}, got {}", String::from_utf8_lossy(&s))))
    }

    async fn open(&mut self, host: &str) -> io::Result<Vec<u8>> {
        self.framer.reset();
        self.send(header(host).as_bytes()).await?;
        self.expect("features").await
    }

    async fn secure(&mut self, t: &Target) -> io::Result<()> {
        let Stream::Plain(tcp) = std::mem::replace(&mut self.stream, Stream::None) else {
            return Err(bad("TLS was started twice"));
        };
        let name = ServerName::try_from(t.host.clone()).map_err(|e| bad(e.to_string()))?;
        self.stream = Stream::Tls(Box::new(t.connector.connect(name, tcp).await?));
        Ok(())
    }

    /// Opens a stream as the server of a domain, over direct TLS and without a certificate.
    pub(crate) async fn as_server(t: &Target, addr: SocketAddr, domain: &str) -> io::Result<Self> {
        let stream = Stream::Plain(tcp(addr, STRANGER).await?);
        let mut c = Self { stream, framer: Framer::default(), jid: String::new() };
        c.secure(t).await?;
        let server = format!("jabber:server' xmlns:db='jabber:server:dialback' from='{domain}'");
        c.send(header(&t.host).replace("jabber:client'", &server).as_bytes()).await?;
        c.expect("features").await?;
        Ok(c)
    }

    /// Connects, starts TLS, authenticates and binds account `i`.
    pub(crate) async fn login(t: &Target, i: usize) -> io::Result<Self> {
        let tcp = tcp(t.addr, 2 + (i / 10_000) as u8).await?;
        let mut c =
            Self { stream: Stream::Plain(tcp), framer: Framer::default(), jid: String::new() };
        if t.tls == Tls::Direct {
            c.secure(t).await?;
        }
        let mut features = c.open(&t.host).await?;
        if t.tls == Tls::Start {
            if !has(&features, "urn:ietf:params:xml:ns:xmpp-tls") {
                return Err(bad("the server does not offer STARTTLS"));
            }
            c.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
            c.expect("<proceed").await?;
            c.secure(t).await?;
            features = c.open(&t.host).await?;
        }
        c.authenticate(t, i, &features).await?;
        let features = c.open(&t.host).await?;
        c.bind(&features).await?;
        Ok(c)
    }

    async fn authenticate(&mut self, t: &Target, i: usize, features: &[u8]) -> io::Result<()> {
        let mechanism = if t.scram.is_some() { "SCRAM-SHA-1" } else { "PLAIN" };
        if !has(features, &format!(">{mechanism}<")) {
            return Err(bad(format!("the server does not offer {mechanism}")));
        }
        let (user, password) = (t.user(i), t.pass.replace("{}", &i.to_string()));
        // This nonce only has to be unique.
        let nonce = format!("{:x}.{:x}", std::process::id(), t.logins.fetch_add(1, Relaxed));
        let first = format!("n={user},r={nonce}");
        let initial = match &t.scram {
            Some(_) => format!("n,,{first}"),
            None => format!("\0{user}\0{password}"),
        };
        let initial = BASE64.encode(initial);
        let auth = format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{initial}</auth>"
        );
        self.send(auth.as_bytes()).await?;
        let Some(keys) = &t.scram else {
            self.expect("<success").await?;
            return Ok(());
        };
        let challenge = decoded(&self.expect("<challenge").await?)?;
        let last = keys.answer(&password, &first, &challenge);
        let last = last.ok_or_else(|| bad(format!("not a SCRAM challenge: {challenge}")))?;
        let response = BASE64.encode(last.message);
        self.send(
            format!("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{response}</response>")
                .as_bytes(),
        )
        .await?;
        let answer = decoded(&self.expect("<success").await?)?;
        if answer == last.answer { Ok(()) } else { Err(bad("the server does not know the key")) }
    }

    async fn bind(&mut self, features: &[u8]) -> io::Result<()> {
        self.send(
            b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
              <resource>load</resource></bind></iq>",
        )
        .await?;
        let bound = self.expect("<jid>").await?;
        let text = String::from_utf8_lossy(&bound);
        let jid = text.split("<jid>").nth(1).and_then(|r| r.split('<').next());
        self.jid = jid.unwrap_or_default().to_string();
        // Requests a session (RFC 3921) if it is offered and not optional.
        let session = String::from_utf8_lossy(features);
        if let Some(p) = session.find("<session") {
            let rest = session[p..].split("</session>").next().unwrap_or_default();
            if !rest.contains("<optional") {
                self.send(
                    b"<iq type='set' id='sess'>\
                      <session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
                )
                .await?;
                self.expect("result").await?;
            }
        }
        Ok(())
    }

    /// Sends presence and a ping, whose answer means that the presence has been handled.
    pub(crate) async fn go_online(&mut self, t: &Target) -> io::Result<()> {
        let ping = format!(
            "<presence/><iq type='get' id='ready' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
            t.host
        );
        self.send(ping.as_bytes()).await?;
        self.until("id", "ready").await?;
        Ok(())
    }

    pub(crate) async fn close(mut self) {
        let _ = self.send(b"</stream:stream>").await;
        let end = async { while self.stanza().await.is_ok() {} };
        let _ = tokio::time::timeout(Duration::from_secs(2), end).await;
    }
}

/// The decoded text of a SASL element.
pub(crate) fn decoded(element: &[u8]) -> io::Result<String> {
    let text = String::from_utf8_lossy(element);
    let text = text.split('>').nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    let bytes = BASE64.decode(text).map_err(|e| bad(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| bad(e.to_string()))
}
