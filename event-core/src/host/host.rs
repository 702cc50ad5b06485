//! A host: a domain that this server serves, with settings, sessions and services.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use jid::{BareJid, DomainPart, Jid};
use tokio::sync::Notify;

use crate::{
    host::{role::Role, services::Provided, settings::HostSettings},
    session::{registry::Sessions, session::Session},
    util::hidden::Hidden,
};

/// A domain that this server serves, with the domain's settings, sessions and services.
pub struct Host {
    name: DomainPart,
    jid: Jid,
    /// The index in the snapshots of hosts. The server never gives this index to another host.
    slot: usize,
    settings: ArcSwap<HostSettings>,
    sessions: Sessions,
    services: Hidden<Provided>,
    is_gone: AtomicBool,
    /// Notified when the last session of a removed host has ended.
    emptied: Notify,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Host({})", self.name)
    }
}

impl Host {
    /// The time that [`Context::query`](crate::Context::query) waits for an answer.
    pub const QUERY_TIMEOUT: Duration = Duration::from_secs(60);

    /// The default limit of resources that an account may have bound at the same time.
    pub const MAX_RESOURCES: usize = 64;

    pub(crate) fn new(name: DomainPart, settings: HostSettings, slot: usize) -> Self {
        Self {
            jid: Jid::from(BareJid::from_parts(None, &name)),
            name,
            slot,
            settings: ArcSwap::from_pointee(settings),
            sessions: Sessions::new(),
            services: Hidden::new(Provided::default()),
            is_gone: AtomicBool::new(false),
            emptied: Notify::new(),
        }
    }

    /// The domain.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The domain as a JID.
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The settings from the configuration. A reload may replace the settings, so callers must not
    /// keep the result.
    pub fn settings(&self) -> Arc<HostSettings> {
        self.settings.load_full()
    }

    #[inline]
    pub(crate) fn slot(&self) -> usize {
        self.slot
    }

    /// Whether a reload has removed the host. Running dispatches end normally; no session can bind.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }

    pub(crate) fn mark_removed(&self) {
        self.is_gone.store(true, Ordering::SeqCst);
    }

    /// Waits until a removed host has no sessions.
    pub(crate) async fn wait_until_empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.sessions.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(crate) fn configure(&self, settings: HostSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// The bound sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The bare JID of the account `username` on this host; `None` if `username` is not a valid
    /// localpart (RFC 7622 §3.3). The account need not exist.
    pub fn account(&self, username: &str) -> Option<BareJid> {
        let node = jid::NodePart::new(username).ok()?;
        Some(BareJid::from_parts(Some(&node), &self.name))
    }

    /// The role of `jid` on this host.
    pub fn role(&self, jid: &Jid) -> Role {
        let bare = jid.to_bare();
        if self.settings.load().admins.contains(&bare) {
            Role::Admin
        } else if bare.node().is_some() && bare.domain().as_str() == self.name() {
            Role::User
        } else {
            Role::Guest
        }
    }

    /// Offers a service to the modules of this host, with the service's trait as the key. A service
    /// that a module provides in [`start`](crate::ModuleState::start) is offered while the module
    /// runs; modules that start later can use the service in their own `start`.
    pub fn provide<S: ?Sized + Send + Sync + 'static>(&self, service: Arc<S>) {
        self.services.provide(service);
    }

    /// The service with the trait `S`, if a module or the server offers one on this host.
    pub fn service<S: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        self.services.get()
    }

    /// The names of the traits whose services modules offer on this host, sorted.
    pub fn services_of_modules(&self) -> Vec<&'static str> {
        self.services.by_modules()
    }

    pub(crate) fn services(&self) -> &Provided {
        &self.services
    }

    /// Removes an ended session from the registry. Returns whether the session had a resource.
    pub(crate) fn remove_session(&self, session: &Session) -> bool {
        self.sessions.remove(session);
        if self.is_gone() && self.sessions.is_empty() {
            self.emptied.notify_waiters();
        }
        session.jid().is_some()
    }
}
