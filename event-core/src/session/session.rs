//! One stream, as modules see it: a handle whose wire side the server (or the test harness)
//! implements.

use std::{
    any::Any,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
};

use jid::{BareJid, FullJid};
use parking_lot::{Mutex, MutexGuard};
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{stanza_error::StanzaError, stream_error::StreamError},
    session::{
        remote::{About, Remote},
        stream::{SessionKind, Stream},
    },
};

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// Its stream is open.
    Connected,
    /// Its stream has ended but a module keeps it.
    Detached,
    /// It is over.
    Ended,
}

/// A stream and who is at its other end. Cloning it is cheap; all clones are the same session.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    id: u64,
    kind: SessionKind,
    host: Arc<Host>,
    stream: Arc<dyn Stream>,
    user: OnceLock<BareJid>,
    full: OnceLock<FullJid>,
    state: AtomicU8,
    about: Mutex<About>,
    presence: Mutex<Option<Arc<Available>>>,
    available: AtomicBool,
    slots: Mutex<Vec<Box<dyn Any + Send>>>,
}

/// The presence that a client last broadcast.
#[derive(Debug)]
pub struct Available {
    /// Its priority (RFC 6121 §4.7.2.3).
    pub priority: i8,
    /// The stanza.
    pub presence: Element,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Session");
        debug
            .field("id", &self.0.id)
            .field("kind", &self.0.kind)
            .field("host", &self.0.host.name());
        if let Some(full) = self.0.full.get() {
            debug.field("jid", &full.as_str());
        }
        debug.finish()
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Session {}

impl Session {
    /// A session on `host`, whose wire side is `stream`.
    pub fn new(kind: SessionKind, host: Arc<Host>, stream: Arc<dyn Stream>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            kind,
            host,
            stream,
            user: OnceLock::new(),
            full: OnceLock::new(),
            state: AtomicU8::new(SessionState::Connected as u8),
            about: Mutex::default(),
            presence: Mutex::default(),
            available: AtomicBool::new(false),
            slots: Mutex::default(),
        }))
    }

    /// A number that no other session of this process has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Client, component or server.
    pub fn kind(&self) -> SessionKind {
        self.0.kind
    }

    /// The host that the stream was opened to.
    pub fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    /// The account, once authenticated.
    pub fn user(&self) -> Option<&BareJid> {
        self.0.user.get()
    }

    /// The full JID, once a resource is bound.
    pub fn jid(&self) -> Option<&FullJid> {
        self.0.full.get()
    }

    /// Connected, detached or ended.
    pub fn state(&self) -> SessionState {
        match self.0.state.load(Ordering::Acquire) {
            0 => SessionState::Connected,
            1 => SessionState::Detached,
            _ => SessionState::Ended,
        }
    }

    /// Takes the session on in its life; `false` when it was there already or further.
    pub(crate) fn advance(&self, state: SessionState) -> bool {
        self.0.state.fetch_max(state as u8, Ordering::AcqRel) < state as u8
    }

    /// The language that the stream was opened with, for texts that have none of their own.
    pub fn lang(&self) -> Option<Box<str>> {
        self.about().lang.clone()
    }

    /// Notes the language of the stream header.
    pub fn set_lang(&self, lang: Option<&str>) {
        self.about().lang = lang.map(Box::from);
    }

    fn about(&self) -> MutexGuard<'_, About> {
        self.0.about.lock()
    }

    fn with_remote<R>(&self, access: impl FnOnce(&mut Remote) -> R) -> R {
        access(self.about().remote.get_or_insert_default())
    }

    fn remote<R: Default>(&self, read: impl FnOnce(&Remote) -> R) -> R {
        self.about().remote.as_deref().map(read).unwrap_or_default()
    }

    /// The id of a server's or component's stream (RFC 6120 §4.7.3): what secrets are proved with
    /// in dialback and by components.
    pub fn stream_id(&self) -> Option<Box<str>> {
        self.remote(|remote| remote.stream_id.clone())
    }

    /// Notes the id of the stream. That of a client's is of no further use.
    pub fn set_stream_id(&self, id: &str) {
        if self.0.kind != SessionKind::Client {
            self.with_remote(|remote| remote.stream_id = Some(id.into()));
        }
    }

    /// The domain that another server's stream header names as its own or, on a stream to it,
    /// that it is expected to be. It proves nothing.
    pub fn claimed_domain(&self) -> Option<Box<str>> {
        self.remote(|remote| remote.claimed.clone())
    }

    /// Notes the domain that another server claims.
    pub fn set_claimed_domain(&self, domain: Option<&str>) {
        if self.0.kind != SessionKind::Client {
            self.with_remote(|remote| remote.claimed = domain.map(Box::from));
        }
    }

    /// Another server or a component has proved that it speaks for a domain. `false` when that
    /// was known already.
    pub fn authorize(&self, domain: &str) -> bool {
        self.with_remote(|remote| {
            let is_new = !remote.authorized.iter().any(|known| **known == *domain);
            if is_new {
                remote.authorized.push(domain.into());
            }
            is_new
        })
    }

    /// Whether the other side has proved that it speaks for a domain.
    pub fn is_authorized(&self, domain: &str) -> bool {
        self.remote(|remote| remote.authorized.iter().any(|known| **known == *domain))
    }

    /// The domains that the other side has proved, in the order it did.
    pub fn authorized_domains(&self) -> Vec<Box<str>> {
        self.remote(|remote| remote.authorized.clone())
    }

    /// Whether stanzas are routed on the stream: a client has bound a resource, a server or
    /// component has proved a domain.
    pub fn is_established(&self) -> bool {
        match self.0.kind {
            SessionKind::Client => self.jid().is_some(),
            _ => self.remote(|remote| !remote.authorized.is_empty()),
        }
    }

    /// The address of the other side.
    pub fn peer(&self) -> Option<IpAddr> {
        self.0.stream.peer()
    }

    /// The certificates that the other side showed for TLS, as DER, its own first. That it holds
    /// the key of the first is proved, nothing else.
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.0.stream.peer_certificates()
    }

    /// Whether TLS protects the stream.
    pub fn is_encrypted(&self) -> bool {
        self.0.stream.is_encrypted()
    }

    /// Whether the stream can still be taken to TLS.
    pub fn can_start_tls(&self) -> bool {
        self.0.stream.can_start_tls()
    }

    /// Takes the stream to TLS, after what was sent so far (RFC 6120 §5.4.3).
    pub fn start_tls(&self) {
        self.0.stream.start_tls();
    }

    /// The channel binding data `tls-exporter` (RFC 9266), where the connection has it.
    pub fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.0.stream.tls_exporter()
    }

    /// Notes who it is, after authentication. `false` when that was known already.
    pub fn authenticated(&self, user: BareJid) -> bool {
        self.0.user.set(user).is_ok()
    }

    /// Binds a resource (RFC 6120 §7): the one asked for, or one made here, and fires
    /// `resource-bind`. Another session on the same resource is closed with `conflict`.
    ///
    /// # Errors
    /// Not authenticated, bound already, not a resource, or too many resources.
    pub async fn bind(&self, resource: Option<&str>) -> Result<&FullJid, StanzaError> {
        self.0.host.bind(self, resource).await
    }

    /// `false` when a resource is bound already.
    pub(crate) fn set_jid(&self, jid: FullJid) -> bool {
        self.0.full.set(jid).is_ok()
    }

    /// Expects a new stream header, after what was sent so far.
    pub fn restart(&self) {
        self.0.stream.restart();
    }

    /// Sends an element that is not a stanza.
    pub fn send_nonza(&self, element: &Element) -> bool {
        self.0.stream.write(element.as_bytes())
    }

    /// Sends an element under a prefix that the stream's header declares: some servers know
    /// dialback (XEP-0220) only so. The element itself is in the stream's content namespace, as
    /// if it were a stanza.
    pub fn send_prefixed(&self, prefix: &str, element: &Element) -> bool {
        let mut bytes = element.as_bytes().to_vec();
        let mark = format!("{prefix}:");
        if let Some(end) = bytes.windows(2).rposition(|at| at == b"</") {
            bytes.splice(end + 2..end + 2, mark.bytes());
        }
        bytes.splice(1..1, mark.bytes());
        self.0.stream.write(&bytes)
    }

    /// Queues a stanza for the other side, without any event. `false` when the session is over or
    /// its queue is full.
    pub fn send(&self, stanza: &Element) -> bool {
        self.state() == SessionState::Connected && self.0.stream.write(stanza.as_bytes())
    }

    /// Waits until the system has taken all that was sent so far; `false` when it never will. A
    /// client that does not read keeps it waiting.
    pub async fn flushed(&self) -> bool {
        self.0.stream.flushed().await
    }

    /// Ends the stream, with an error if there is one.
    pub fn close(&self, error: impl Into<Option<StreamError>>) {
        self.0.stream.close(error.into());
    }

    /// The presence that the client last broadcast, while it is available (RFC 6121 §4.2).
    pub fn presence(&self) -> Option<Arc<Available>> {
        if !self.is_available() {
            return None;
        }
        self.0.presence.lock().clone()
    }

    /// Whether the client is available.
    pub fn is_available(&self) -> bool {
        self.0.available.load(Ordering::Acquire)
    }

    /// Notes what the client broadcast; `None` when it became unavailable.
    pub fn set_presence(&self, presence: Option<Available>) {
        self.0.available.store(presence.is_some(), Ordering::Release);
        let presence = presence.map(Arc::new);
        *self.0.presence.lock() = presence;
    }

    /// What a module keeps for this session, by a type of its own. It is dropped with the session,
    /// or when `access` leaves `None`. `access` must not come back to the session's slots.
    ///
    /// ```
    /// # use event_core::Session;
    /// struct Pings(u32);
    ///
    /// fn count(session: &Session) -> u32 {
    ///     session.with_slot(|slot: &mut Option<Pings>| {
    ///         let Pings(count) = slot.get_or_insert(Pings(0));
    ///         *count += 1;
    ///         *count
    ///     })
    /// }
    /// ```
    pub fn with_slot<T: Send + 'static, R>(&self, access: impl FnOnce(&mut Option<T>) -> R) -> R {
        let mut slots = self.0.slots.lock();
        if let Some(slot) = slots.iter_mut().find_map(|slot| slot.downcast_mut::<Option<T>>()) {
            let result = access(slot);
            if slot.is_none() {
                slots.retain(|slot| !slot.is::<Option<T>>());
                slots.shrink_to_fit();
            }
            return result;
        }
        let mut slot = None;
        let result = access(&mut slot);
        if slot.is_some() {
            slots.push(Box::new(slot));
        }
        result
    }
}
