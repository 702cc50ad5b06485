//! Sessions: the modules' handles of streams.

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
    protocol::stream_error::StreamError,
    session::{
        remote::StreamInfo,
        stream::{SessionKind, Stream},
    },
    util::cost::Payer,
};

/// The state of a session. A session never returns to an earlier state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// The stream is open.
    Connected,
    /// The stream has ended, but a module keeps the session.
    Detached,
    /// The session has ended.
    Ended,
}

/// A stream and the identity of the entity at the other end. Clones are cheap and refer to the same
/// session.
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
    info: Mutex<StreamInfo>,
    presence: Mutex<Option<Arc<Available>>>,
    available: AtomicBool,
    slots: Mutex<Vec<Box<dyn Any + Send>>>,
}

/// The number of bytes that [`Session::send_all`] queues before it waits for a flush.
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

/// The presence that a client last broadcast.
#[derive(Debug)]
pub struct Available {
    /// The priority (RFC 6121 §4.7.2.3).
    pub priority: i8,
    /// The presence stanza.
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
    /// Makes a session on `host` with the given stream.
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
            info: Mutex::default(),
            presence: Mutex::default(),
            available: AtomicBool::new(false),
            slots: Mutex::default(),
        }))
    }

    /// A number that is unique in this process.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Who pays for the work that this session causes: the account, or the stream itself.
    #[inline]
    pub fn payer(&self) -> Payer {
        match self.user() {
            Some(user) => Payer::account(user.as_str()),
            None => Payer::stream(self.id()),
        }
    }

    /// The kind of the entity at the other end.
    pub fn kind(&self) -> SessionKind {
        self.0.kind
    }

    /// The local host of the stream.
    pub fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    /// The account, after authentication.
    pub fn user(&self) -> Option<&BareJid> {
        self.0.user.get()
    }

    /// The full JID, after a resource is bound.
    pub fn jid(&self) -> Option<&FullJid> {
        self.0.full.get()
    }

    /// The state of the session.
    pub fn state(&self) -> SessionState {
        match self.0.state.load(Ordering::Acquire) {
            0 => SessionState::Connected,
            1 => SessionState::Detached,
            _ => SessionState::Ended,
        }
    }

    /// Moves the session to a later state. Returns `false` if the session has already reached
    /// `state`.
    pub(crate) fn advance(&self, state: SessionState) -> bool {
        self.0.state.fetch_max(state as u8, Ordering::AcqRel) < state as u8
    }

    /// The language of the stream header (RFC 6120 §4.7.4), which is the default for stanzas
    /// without `xml:lang`.
    pub fn lang(&self) -> Option<Box<str>> {
        self.info().lang.clone()
    }

    /// Sets the language of the stream header.
    pub fn set_lang(&self, lang: Option<&str>) {
        self.info().lang = lang.map(Box::from);
    }

    /// Tells the stream that the session is established.
    pub(super) fn note_established(&self) {
        self.0.stream.note_established();
    }

    pub(super) fn info(&self) -> MutexGuard<'_, StreamInfo> {
        self.0.info.lock()
    }

    /// The IP address of the other side.
    pub fn peer(&self) -> Option<IpAddr> {
        self.0.stream.peer()
    }

    /// The certificate chain of the other side as DER, beginning with the other side's own
    /// certificate. TLS has proved the possession of that certificate's key; the chain has not been
    /// validated.
    pub fn peer_certificates(&self) -> Vec<Vec<u8>> {
        self.0.stream.peer_certificates()
    }

    /// Whether TLS protects the stream.
    pub fn is_encrypted(&self) -> bool {
        self.0.stream.is_encrypted()
    }

    /// Whether [`Session::start_tls`] is possible.
    pub fn can_start_tls(&self) -> bool {
        self.0.stream.can_start_tls()
    }

    /// Starts TLS after all earlier writes (RFC 6120 §5.4.3).
    pub fn start_tls(&self) {
        self.0.stream.start_tls();
    }

    /// The channel binding data `tls-exporter` (RFC 9266), if the connection provides the data.
    pub fn tls_exporter(&self) -> Option<Vec<u8>> {
        self.0.stream.tls_exporter()
    }

    /// Sets the account, after authentication. Returns `false` if an account was already set.
    pub fn set_user(&self, user: BareJid) -> bool {
        self.0.user.set(user).is_ok()
    }

    /// Sets the full JID. Returns `false` if a resource is already bound.
    pub(crate) fn set_jid(&self, jid: FullJid) -> bool {
        let is_new = self.0.full.set(jid).is_ok();
        self.0.stream.note_established();
        is_new
    }

    /// Restarts the stream after all earlier writes: the other side then sends a new stream header
    /// (RFC 6120 §4.3.3).
    pub fn restart(&self) {
        self.0.stream.restart();
    }

    /// Queues an element that is not a stanza. Returns `false` when the stream is closed or the
    /// queue is full.
    pub fn send_nonza(&self, element: &Element) -> bool {
        self.0.stream.write(element.as_bytes())
    }

    /// Queues an element with a namespace prefix that the stream header declares, because some
    /// servers accept dialback elements (XEP-0220) only with the prefix. `element` must be in the
    /// stream's content namespace, like a stanza. Returns `false` when the stream is closed or the
    /// queue is full.
    pub fn send_prefixed(&self, prefix: &str, element: &Element) -> bool {
        let mut bytes = element.as_bytes().to_vec();
        let mark = format!("{prefix}:");
        if let Some(end) = bytes.windows(2).rposition(|at| at == b"</") {
            bytes.splice(end + 2..end + 2, mark.bytes());
        }
        bytes.splice(1..1, mark.bytes());
        self.0.stream.write(&bytes)
    }

    /// Queues a stanza of another entity for the other side, without firing events. Returns `false`
    /// when the session is not connected, the queue is full, or the sender in `from` has used up
    /// its share of the queue: the caller decides what becomes of the stanza. What this server
    /// itself makes for the session needs [`Session::send_own`] or [`Session::send_all`].
    pub fn send(&self, stanza: &Element) -> bool {
        self.state() == SessionState::Connected && self.0.stream.deliver(stanza)
    }

    /// Queues a stanza that this server makes for the session, such as an answer or a roster push,
    /// without firing events. Such stanzas have their own part of the queue, which others cannot
    /// use up. Returns `false` when the session is not connected; a client that leaves too many of
    /// them unread is disconnected.
    pub fn send_own(&self, stanza: &Element) -> bool {
        self.state() == SessionState::Connected && self.0.stream.write(stanza.as_bytes())
    }

    /// Queues stanzas that this server makes for the session, as [`Session::send_own`] does. Waits
    /// for a flush after each 64 KiB, so that a client may read them as slowly as it needs to.
    /// Returns `false` when the session ends first. No lock that others wait for may be held
    /// meanwhile.
    pub async fn send_all(&self, stanzas: Vec<Element>) -> bool {
        let mut bytes = 0;
        for stanza in stanzas {
            bytes += stanza.as_bytes().len();
            if !self.send_own(&stanza) {
                return false;
            }
            if bytes >= BATCH_BYTES {
                bytes = 0;
                if !self.flushed().await {
                    return false;
                }
            }
        }
        true
    }

    /// Keeps the messages that others [send](Session::send) apart until
    /// [`Session::release_messages`], so that stored messages reach the client first. Messages are
    /// refused once 64 KiB of them wait, a quarter from one sender. Messages that are kept apart
    /// already are queued first.
    pub fn hold_messages(&self) {
        self.0.stream.hold();
    }

    /// Queues the messages that were kept apart, in order.
    pub fn release_messages(&self) {
        self.0.stream.release();
    }

    /// The number of bytes that wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.0.stream.queued()
    }

    /// Waits until the kernel has taken all earlier writes. Returns `false` if the stream ends
    /// first. A client that reads nothing for long is disconnected.
    pub async fn flushed(&self) -> bool {
        self.0.stream.flushed().await
    }

    /// Closes the stream (RFC 6120 §4.4), after sending `error` if there is one.
    pub fn close(&self, error: impl Into<Option<StreamError>>) {
        self.0.stream.close(error.into());
    }

    /// The last presence that the client broadcast; `None` while the client is unavailable
    /// (RFC 6121 §4.2).
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

    /// Sets the presence that the client broadcast; `None` makes the client unavailable.
    pub fn set_presence(&self, presence: Option<Available>) {
        self.0.available.store(presence.is_some(), Ordering::Release);
        let presence = presence.map(Arc::new);
        *self.0.presence.lock() = presence;
    }

    /// Drops the data of all modules, because the session has ended.
    pub(crate) fn clear_slots(&self) {
        // Dropped without the lock, because a destructor may use the session.
        let slots = std::mem::take(&mut *self.0.slots.lock());
        drop(slots);
    }

    /// Calls `access` with a module's data for this session. The type `T` is the key, so each
    /// module must use its own type. The data is dropped when the session ends, or when `access`
    /// sets `None`. `access` must not call this method, because a lock is held.
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
