//! `tokio-xmpp` as the client, connected to the server under test.

use std::{borrow::Cow, collections::BTreeSet, net::SocketAddr, pin::Pin, sync::Arc};

use futures_core::Stream as _;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use sasl::common::{ChannelBinding, Credentials};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_xmpp::{
    Client, Error, Event, IqRequest, IqResponse,
    connect::ServerConnector,
    jid::{FullJid, Jid},
    minidom::Element,
    parsers::{message::Message, presence::Presence, stanza::Stanza},
    xmlstream::{PendingFeaturesRecv, StreamHeader, Timeouts, initiate_stream},
};

use crate::{TIMEOUT, server::Server};

/// The TLS mode of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tls {
    /// STARTTLS (RFC 6120 §5).
    Start,
    /// Direct TLS (XEP-0368).
    Direct,
}

/// Connects to the server under test instead of the address in DNS.
#[derive(Clone, Debug)]
pub struct Connector {
    address: SocketAddr,
    tls: Tls,
    config: Arc<ClientConfig>,
    binds_channel: bool,
}

impl Connector {
    /// A connector that trusts the server's own certificate.
    pub fn new(server: &Server, tls: Tls, binds_channel: bool) -> Self {
        let address = if tls == Tls::Start { server.c2s } else { server.c2s_tls };
        let config = Arc::new(tls_config(server.roots(), tls == Tls::Direct));
        Self { address, tls, config, binds_channel }
    }
}

/// A client configuration with the ring provider, and ALPN for direct TLS.
pub fn tls_config(roots: RootCertStore, alpn: bool) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    if alpn {
        config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    }
    config
}

impl ServerConnector for Connector {
    type Stream = BufStream<TlsStream<TcpStream>>;

    async fn connect(
        &self,
        jid: &Jid,
        ns: &'static str,
        timeouts: Timeouts,
    ) -> Result<(PendingFeaturesRecv<Self::Stream>, ChannelBinding), Error> {
        let domain = jid.domain().as_str();
        let header = || StreamHeader { to: Some(Cow::Borrowed(domain)), from: None, id: None };
        let mut tcp = TcpStream::connect(self.address).await?;
        if self.tls == Tls::Start {
            start_tls(&mut tcp, domain).await?;
        }
        let name = ServerName::try_from(domain.to_owned()).unwrap();
        let tls = TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp).await?;
        let binding = if self.binds_channel {
            let (_, connection) = tls.get_ref();
            let data = connection
                .export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
                .unwrap();
            ChannelBinding::TlsExporter(data)
        } else {
            ChannelBinding::None
        };
        let stream = initiate_stream(BufStream::new(tls), ns, header(), timeouts).await?;
        Ok((stream, binding))
    }
}

/// Performs the steps of RFC 6120 §5.4 before the handshake. `tokio-xmpp` implements them too, but
/// trusts only the system's authorities.
async fn start_tls(tcp: &mut TcpStream, domain: &str) -> std::io::Result<()> {
    let open = format!(
        "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    );
    tcp.write_all(open.as_bytes()).await?;
    read_until(tcp, "</stream:features>").await?;
    tcp.write_all(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    let answer = read_until(tcp, "/>").await?;
    assert!(answer.starts_with("<proceed"), "{answer}");
    Ok(())
}

/// Reads byte by byte, because the bytes after the element belong to TLS.
async fn read_until(tcp: &mut TcpStream, end: &str) -> std::io::Result<String> {
    let mut text = String::new();
    while !text.ends_with(end) {
        text.push(char::from(tcp.read_u8().await?));
    }
    Ok(text)
}

/// A client that is online.
pub struct Online {
    /// The client.
    pub client: Client,
    /// The client's full JID.
    pub jid: FullJid,
}

impl std::fmt::Debug for Online {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Online({})", self.jid)
    }
}

/// Logs in with STARTTLS; the password is the username.
pub async fn login(server: &Server, jid: &str) -> Online {
    login_by(Connector::new(server, Tls::Start, false), jid).await
}

/// Logs in; the password is the username.
pub async fn login_by(connector: Connector, jid: &str) -> Online {
    let jid = Jid::new(jid).unwrap();
    let password = jid.node().unwrap().as_str().to_owned();
    let client = Client::new_with_connector(jid, password, connector, Timeouts::default());
    let mut online = Online { client, jid: FullJid::new("not@yet/known").unwrap() };
    loop {
        match online.event().await {
            Event::Online { bound_jid, .. } => {
                online.jid = bound_jid.try_into_full().expect("the bound JID has no resource");
                return online;
            }
            Event::Disconnected(error) => panic!("the login failed: {error}"),
            Event::Stanza(_) => {}
        }
    }
}

/// Authenticates once. The client chooses among the offered mechanisms, or may only use `allowed`.
/// Returns the offered mechanisms.
///
/// # Errors
/// The client's error when authentication fails.
pub async fn authenticate(
    connector: &Connector,
    jid: &str,
    password: &str,
    allowed: Option<&str>,
) -> Result<BTreeSet<String>, Error> {
    let jid = Jid::new(jid).unwrap();
    let (stream, binding) = connector.connect(&jid, "jabber:client", Timeouts::default()).await?;
    let (features, stream) = stream.recv_features().await?;
    let offered = features.sasl_mechanisms;
    let credentials = Credentials::default()
        .with_username(jid.node().unwrap().as_str())
        .with_password(password)
        .with_channel_binding(binding);
    let mut used = offered.clone();
    used.retain(|mechanism| allowed.is_none_or(|allowed| mechanism == allowed));
    tokio_xmpp::client_login(stream, used, credentials).await?;
    Ok(offered)
}

impl Online {
    /// The next event.
    pub async fn event(&mut self) -> Event {
        let next = std::future::poll_fn(|cx| Pin::new(&mut self.client).poll_next(cx));
        timeout(TIMEOUT, next).await.expect("no event in time").expect("the client has ended")
    }

    /// The next stanza.
    pub async fn stanza(&mut self) -> Stanza {
        match self.event().await {
            Event::Stanza(stanza) => stanza,
            other => panic!("not a stanza: {other:?}"),
        }
    }

    /// The next message; skips other stanzas.
    pub async fn message(&mut self) -> Message {
        loop {
            if let Stanza::Message(message) = self.stanza().await {
                return message;
            }
        }
    }

    /// Sends a stanza.
    pub async fn send(&mut self, stanza: impl Into<Stanza>) {
        self.client.send_stanza(stanza.into()).await.expect("the stanza cannot be sent");
    }

    /// Sends initial presence and waits until the server has broadcast it.
    pub async fn available(&mut self) {
        self.send(Presence::available()).await;
        loop {
            if let Stanza::Presence(presence) = self.stanza().await
                && presence.from == Some(Jid::from(self.jid.clone()))
            {
                return;
            }
        }
    }

    /// Sends a get request and waits for the answer.
    pub async fn get(&mut self, to: Option<&str>, payload: impl Into<Element>) -> IqResponse {
        self.ask(to, IqRequest::Get(payload.into())).await
    }

    /// Sends a set request and waits for the answer.
    pub async fn set(&mut self, to: Option<&str>, payload: impl Into<Element>) -> IqResponse {
        self.ask(to, IqRequest::Set(payload.into())).await
    }

    async fn ask(&mut self, to: Option<&str>, request: IqRequest) -> IqResponse {
        let to = to.map(|to| Jid::new(to).unwrap());
        let token = self.client.send_iq(to, request).await;
        timeout(TIMEOUT, token).await.expect("no answer in time").expect("the stream was closed")
    }
}
