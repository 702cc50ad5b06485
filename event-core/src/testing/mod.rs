//! A server in memory for tests of modules, without sockets and with a paused clock.
//!
//! The harness starts modules, builds tables and routes stanzas with the code of the server. Only
//! the streams, the clock and the storage are replaced.
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
//!     assert!(server.stops().last().unwrap().handler.ends_with("pong"));
//! });
//! ```

#[doc(hidden)]
pub mod bare;
mod client;
mod stream;
mod undeclared;

pub use self::{client::Client, stream::TestStream};

use self::undeclared::Undeclared;
use std::{sync::Arc, time::Duration};

use jid::FullJid;
use parking_lot::Mutex;

use crate::{
    events::traits::{Fire, Fired},
    host::{
        host::Host,
        settings::{HostConfig, HostSettings},
    },
    module::{
        host_context::HostContext,
        registry::{Bundle, Registry},
        start_error::StartError,
    },
    protocol::into_stanza::IntoStanza,
    routing::{chain_stop::ChainStop, server_core::Core},
    runtime::{reload::change::Reloaded, runtime::Runtime},
    session::{session::Session, stream::SessionKind},
    storage::{Memory, Storage},
    util::{future::BoxFuture, id::random_id},
};

/// Runs a test on a new Tokio runtime with a paused clock. [`Harness::advance`] advances the clock.
///
/// # Panics
/// The test panics.
#[expect(clippy::expect_used, reason = "a test without a runtime cannot go on")]
pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the runtime cannot be built")
        .block_on(test)
}

/// Makes a builder of a server with one host.
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

type Prepare = Box<dyn Fn(&HostContext)>;

/// A builder of a [`Harness`].
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
    /// Adds another host. The following calls configure this host.
    #[must_use]
    pub fn host(mut self, name: &str) -> Self {
        self.hosts.push(config(name));
        self
    }

    /// Enables the default modules of a bundle, with their default options:
    /// `.bundle(spondee_modules::BUNDLE)`. The modules are in the order of the calls.
    #[must_use]
    pub fn bundle(self, bundle: Bundle) -> Self {
        bundle.defaults.iter().fold(self, |builder, module| builder.module(module))
    }

    /// Enables a module with its default options.
    #[must_use]
    pub fn module(self, name: &str) -> Self {
        self.module_with(name, "")
    }

    /// Enables a module with options in TOML.
    ///
    /// # Panics
    /// `options` is not TOML.
    #[must_use]
    #[track_caller]
    pub fn module_with(mut self, name: &str, options: &str) -> Self {
        let options = options
            .parse()
            .unwrap_or_else(|error| panic!("the options of module `{name}` are not TOML: {error}"));
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

    /// Uses `storage` instead of a new one, for tests that read the stored data or start the server
    /// again.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }

    /// Sets a function that provides the server's services on each host, before the modules start.
    #[must_use]
    pub fn prepare(mut self, prepare: impl Fn(&HostContext) + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// Uses a registry instead of all linked modules.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Starts the modules and fires `server-starting` and `server-started`.
    ///
    /// # Errors
    /// See [`Runtime::start`].
    pub async fn start(self) -> Result<Harness, StartError> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::linked()?,
        };
        let (undeclared, given) = (Undeclared::default(), self.prepare);
        let prepare = |host: &HostContext| {
            undeclared.watch(host);
            given(host);
        };
        let runtime = Runtime::start(registry, self.hosts, self.storage, prepare).await?;
        let decisions = Arc::<Mutex<Vec<ChainStop>>>::default();
        let seen = Arc::clone(&decisions);
        runtime.core().on_stop(move |stop| {
            seen.lock().push(stop);
        });
        runtime.core().announce_started().await;
        undeclared.refuse();
        Ok(Harness { runtime, decisions, undeclared })
    }
}

/// A server in memory.
#[derive(Debug)]
pub struct Harness {
    runtime: Arc<Runtime>,
    decisions: Arc<Mutex<Vec<ChainStop>>>,
    undeclared: Undeclared,
}

impl Harness {
    /// The core of the server.
    pub fn core(&self) -> &Arc<Core> {
        self.runtime.core()
    }

    /// Sends and routes a stanza from the first host.
    pub async fn send(&self, stanza: impl IntoStanza) {
        let context = self.context();
        context.run_turn(async { context.send(stanza) }).await;
    }

    /// The runtime, which starts, reloads and stops the modules.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// A handle of the first host, to send, query and fire like a module.
    pub fn context(&self) -> HostContext {
        HostContext::new(self.core(), &self.host())
    }

    /// The first host.
    ///
    /// # Panics
    /// Never, because every harness has a host.
    #[expect(clippy::expect_used, reason = "the builder begins with a host")]
    pub fn host(&self) -> Arc<Host> {
        self.core().hosts().into_iter().next().expect("the harness must have a host")
    }

    /// A client that has authenticated and bound a resource.
    ///
    /// # Panics
    /// `jid` is not a full JID of a host of this server, or the resource cannot be bound.
    pub async fn session(&self, jid: &str) -> Client {
        let jid =
            FullJid::new(jid).unwrap_or_else(|error| panic!("`{jid}` is not a full JID: {error}"));
        let client = self.stream(jid.domain().as_str());
        client.authenticate(&jid.to_bare());
        if let Err(error) = client.bind(Some(jid.resource().as_str())).await {
            panic!("`{jid}` cannot be bound: {error}");
        }
        client
    }

    /// A new stream of a client, with TLS and not authenticated.
    ///
    /// # Panics
    /// `host` is not a host of this server.
    #[track_caller]
    pub fn stream(&self, host: &str) -> Client {
        self.stream_of(SessionKind::Client, host)
    }

    /// The stream of a server or component that has proved a domain.
    ///
    /// # Panics
    /// `host` is not a host of this server, or `domain` is one that the peer may not claim.
    #[track_caller]
    pub fn peer(&self, kind: SessionKind, host: &str, domain: &str) -> Client {
        let peer = self.stream_of(kind, host);
        peer.session.set_claimed_domain(Some(domain));
        if let Err(error) = self.core().authorize(&peer.session, domain) {
            panic!("`{domain}` cannot be authorized: {error}");
        }
        peer
    }

    /// A new stream of any kind to or from `host`, with TLS and not authenticated.
    ///
    /// # Panics
    /// `host` is not a host of this server.
    #[track_caller]
    pub fn stream_of(&self, kind: SessionKind, host: &str) -> Client {
        let host = self
            .core()
            .host(host)
            .unwrap_or_else(|| panic!("this server has no host `{host}`: see `testing::host`"));
        let stream = TestStream::default();
        let session = Session::new(kind, host, Arc::new(stream.clone()));
        session.set_stream_id(&random_id());
        let undeclared = self.undeclared.clone();
        Client { runtime: Arc::clone(&self.runtime), session, stream, undeclared }
    }

    /// Reloads the server with the hosts of `to`, as `spondee reload` does. Storage and registry
    /// stay the same.
    ///
    /// # Errors
    /// See [`Runtime::reload`].
    pub async fn reload(&self, to: Builder) -> Result<Reloaded, StartError> {
        self.runtime.reload(to.hosts, to.prepare).await
    }

    /// Fires an event on the first host.
    // Boxed for the same reason as `HostContext::fire`.
    pub fn fire<'a, 'p: 'a, E: Fire<'p> + Send + 'a>(&'a self, of: E) -> BoxFuture<'a, Fired<E>> {
        Box::pin(async move {
            let fired = self.context().run_turn(self.context().fire(of)).await;
            self.undeclared.refuse();
            fired
        })
    }

    /// The stops of chains so far, each with the handler that stopped the chain.
    pub fn stops(&self) -> Vec<ChainStop> {
        self.decisions.lock().clone()
    }

    /// Advances the clock by `time` and runs the tasks that are due.
    pub async fn advance(&self, time: Duration) {
        self.settle().await;
        tokio::time::advance(time).await;
        self.settle().await;
    }

    /// Runs spawned tasks until they wait.
    pub async fn settle(&self) {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        self.undeclared.refuse();
    }
}
