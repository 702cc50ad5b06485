//! A host in memory, for the tests of modules: no socket, no waiting.
//!
//! Modules are started, tables built and stanzas routed by the same code as in the server; only
//! the streams, the clock and the storage are made up.
//!
//! ```standalone_crate
//! use event_core::{prelude::*, testing};
//!
//! /// Answers pings.
//! #[module]
//! struct Pong;
//!
//! #[hook("iq-get/host/urn:xmpp:ping:ping", priority = 10)]
//! fn pong(iq: &mut Iq) -> Reply {
//!     iq.reply()
//! }
//!
//! testing::run(async {
//!     let server = testing::host("capulet.example").module("pong").start().await.unwrap();
//!     let juliet = server.session("juliet@capulet.example/balcony").await;
//!     juliet
//!         .send("<iq type='get' id='1' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>")
//!         .await;
//!     assert_eq!(juliet.next().unwrap().attribute("type").as_deref(), Some("result"));
//!     assert!(server.decisions().last().unwrap().handler.ends_with("pong"));
//! });
//! ```

#[doc(hidden)]
pub mod bare;
mod stream;

pub use self::stream::TestStream;

use std::{sync::Arc, time::Duration};

use jid::{BareJid, FullJid};
use parking_lot::Mutex;
use xmpp_xml::{Element, Limits, Scope};

use crate::{
    events::traits::{Fire, Fired},
    host::{
        host::Host,
        settings::{HostConfig, HostSettings},
    },
    module::{registry::Registry, start_error::StartError},
    protocol::stream_error::StreamError,
    routing::{core::Core, decision::Decision, outbox::turns},
    runtime::reload::change::Reloaded,
    session::{session::Session, stream::SessionKind},
    storage::{Memory, Storage},
};

/// Runs a test on a runtime of its own whose clock only [`Harness::advance`] moves.
///
/// # Panics
/// When the test does.
#[expect(clippy::expect_used, reason = "a test without a runtime cannot go on")]
pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built")
        .block_on(turns(test))
}

/// Begins a server with one host.
pub fn host(name: &str) -> Builder {
    Builder {
        hosts: vec![config(name)],
        storage: Arc::new(Memory::new()),
        prepare: Box::new(|_| {}),
        registry: None,
    }
}

fn config(name: &str) -> HostConfig {
    HostConfig { name: name.into(), modules: Vec::new(), settings: HostSettings::default() }
}

type Prepare = Box<dyn Fn(&Arc<Host>)>;

/// A server that is about to start.
pub struct Builder {
    hosts: Vec<HostConfig>,
    storage: Arc<dyn Storage>,
    prepare: Prepare,
    registry: Option<Registry>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Builder {
    /// Adds another host; what follows is about it.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        self.hosts.push(config(name));
        self
    }

    /// Enables a module with its default options.
    #[must_use]
    pub fn module(self, name: &str) -> Self {
        self.module_with(name, "")
    }

    /// Enables a module with options, written as in the configuration.
    ///
    /// # Panics
    /// The options are not TOML.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a mistake in the test itself")]
    pub fn module_with(mut self, name: &str, options: &str) -> Self {
        let options = options.parse().expect("options are TOML");
        if let Some(host) = self.hosts.last_mut() {
            host.modules.push((name.into(), options));
        }
        self
    }

    /// Changes the settings of the host.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut HostSettings)) -> Self {
        if let Some(host) = self.hosts.last_mut() {
            change(&mut host.settings);
        }
        self
    }

    /// Keeps data in a storage of the test's own, to look into it or to start a second time.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }

    /// Provides the services that modules expect of the server, on each host.
    #[must_use]
    pub fn prepare(mut self, prepare: impl Fn(&Arc<Host>) + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// Uses only the modules of a registry.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Starts the modules. `server-starting` and `server-started` have fired when it returns.
    ///
    /// # Errors
    /// As [`Core::start`].
    pub async fn start(self) -> Result<Harness, StartError> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::linked()?,
        };
        let core = Core::start(registry, self.hosts, self.storage, self.prepare).await?;
        let decisions = Arc::<Mutex<Vec<Decision>>>::default();
        let seen = Arc::clone(&decisions);
        core.on_decision(move |decision| {
            seen.lock().push(decision);
        });
        core.started().await;
        Ok(Harness { core, decisions })
    }
}

/// A server in memory.
#[derive(Debug)]
pub struct Harness {
    core: Arc<Core>,
    decisions: Arc<Mutex<Vec<Decision>>>,
}

impl Harness {
    /// The server.
    pub fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The first host.
    ///
    /// # Panics
    /// Never: a harness has a host.
    #[expect(clippy::expect_used, reason = "the builder begins with a host")]
    pub fn host(&self) -> Arc<Host> {
        self.core.hosts().into_iter().next().expect("there is a host")
    }

    /// A client that has authenticated and bound a resource.
    ///
    /// # Panics
    /// `jid` is not a full JID of a host of this server, or it cannot be bound.
    #[expect(clippy::expect_used, reason = "a mistake in the test itself")]
    pub async fn session(&self, jid: &str) -> Client {
        let jid = FullJid::new(jid).expect("a full JID");
        let client = self.stream(jid.domain().as_str());
        client.authenticate(&jid.to_bare());
        let bound = client.session.bind(Some(jid.resource().as_str())).await;
        bound.expect("the resource can be bound");
        self.core.drain().await;
        client
    }

    /// A client's stream on which nothing has happened yet. It counts as encrypted.
    ///
    /// # Panics
    /// There is no such host.
    pub fn stream(&self, host: &str) -> Client {
        self.stream_of(SessionKind::Client, host)
    }

    /// The stream of a server or component that has proved that it speaks for a domain.
    ///
    /// # Panics
    /// There is no such host.
    pub fn peer(&self, kind: SessionKind, host: &str, domain: &str) -> Client {
        let peer = self.stream_of(kind, host);
        peer.session.set_claimed_domain(Some(domain));
        peer.session.authorize(domain);
        peer
    }

    /// A stream of any kind, to `host` or from it, on which nothing has happened yet.
    ///
    /// # Panics
    /// There is no such host.
    #[expect(clippy::expect_used, reason = "a mistake in the test itself")]
    pub fn stream_of(&self, kind: SessionKind, host: &str) -> Client {
        let host = self.core.host(host).expect("a host of this server");
        let stream = TestStream::default();
        let session = Session::new(kind, host, Arc::new(stream.clone()));
        session.set_stream_id(&crate::util::id::random_id());
        Client { core: Arc::clone(&self.core), session, stream }
    }

    /// Gives the server another configuration, as `spondee reload` does. Storage and registry stay.
    ///
    /// # Errors
    /// As [`Core::reload`].
    pub async fn reload(&self, to: Builder) -> Result<Reloaded, StartError> {
        self.core.reload(to.hosts, to.prepare).await
    }

    /// Fires an event on the first host.
    pub async fn fire<'p, E: Fire<'p>>(&self, event: E) -> Fired<E> {
        let fired = self.host().fire(event).await;
        self.core.drain().await;
        fired
    }

    /// What handlers decided so far: which one stopped which chain.
    pub fn decisions(&self) -> Vec<Decision> {
        self.decisions.lock().clone()
    }

    /// Moves the clock on and lets everything that then is due happen.
    pub async fn advance(&self, time: Duration) {
        self.settle().await;
        tokio::time::advance(time).await;
        self.settle().await;
    }

    /// Lets tasks that modules have spawned run until they wait for something.
    pub async fn settle(&self) {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }
}

/// A client, or a server or component, in memory.
#[derive(Debug)]
pub struct Client {
    core: Arc<Core>,
    /// The server's side of it.
    pub session: Session,
    /// Its wire.
    pub stream: TestStream,
}

impl Client {
    /// Makes the stream an authenticated one, without SASL.
    pub fn authenticate(&self, user: &BareJid) {
        self.session.authenticated(user.clone());
    }

    /// Sends an element and waits until the server has dealt with it and all that it caused.
    /// A stream error closes the stream.
    ///
    /// # Panics
    /// `xml` is not an element.
    #[expect(clippy::expect_used, reason = "a mistake in the test itself")]
    pub async fn send(&self, xml: &str) {
        let scope = Scope::new(self.session.kind().namespace());
        let element = Element::parse(xml.as_bytes(), &scope, &Limits::UNBOUNDED);
        let element = element.expect("an element");
        let Some(element) = self.core.intercept(&self.session, element) else { return };
        if let Err(error) = self.core.receive(&self.session, element).await {
            self.session.close(error);
        }
    }

    /// The next element that the client was sent.
    pub fn next(&self) -> Option<Element> {
        self.stream.next()
    }

    /// All that the client was sent and has not yet looked at.
    pub fn received(&self) -> Vec<Element> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The error the server closed the stream with; `Some(None)` when it closed without.
    pub fn closed(&self) -> Option<Option<StreamError>> {
        self.stream.closed()
    }

    /// Loses the connection.
    pub async fn disconnect(&self) {
        self.core.disconnected(&self.session, Some("connection lost")).await;
    }
}
