//! What is known of another server or a component: the id of its stream, and its domains.

use crate::session::{remote::Remote, session::Session, stream::SessionKind};

impl Session {
    fn with_remote<R>(&self, access: impl FnOnce(&mut Remote) -> R) -> R {
        access(self.info().remote.get_or_insert_default())
    }

    fn remote<R: Default>(&self, read: impl FnOnce(&Remote) -> R) -> R {
        self.info().remote.as_deref().map(read).unwrap_or_default()
    }

    /// The id of a server's or component's stream (RFC 6120 §4.7.3). Dialback keys (XEP-0220) and
    /// component handshakes (XEP-0114) depend on the id. `None` for clients.
    pub fn stream_id(&self) -> Option<Box<str>> {
        self.remote(|remote| remote.stream_id.clone())
    }

    /// Sets the id of the stream. Has no effect for a client, whose stream id is not used.
    pub fn set_stream_id(&self, id: &str) {
        if self.kind() != SessionKind::Client {
            self.with_remote(|remote| remote.stream_id = Some(id.into()));
        }
    }

    /// The domain in the `from` of another server's stream header or, on a stream to another
    /// server, the expected domain. The domain is not proved: see [`Session::is_authorized`].
    pub fn claimed_domain(&self) -> Option<Box<str>> {
        self.remote(|remote| remote.claimed.clone())
    }

    /// Sets the domain that another server claims. Has no effect for a client.
    pub fn set_claimed_domain(&self, domain: Option<&str>) {
        if self.kind() != SessionKind::Client {
            self.with_remote(|remote| remote.claimed = domain.map(Box::from));
        }
    }

    /// Records that another server or a component has proved a domain. Returns `false` if the
    /// domain was already recorded. Only `Core::authorize` calls this.
    pub(crate) fn authorize(&self, domain: &str) -> bool {
        let is_new = self.with_remote(|remote| {
            let is_new = !remote.authorized.iter().any(|known| **known == *domain);
            if is_new {
                remote.authorized.push(domain.into());
            }
            is_new
        });
        self.note_established();
        is_new
    }

    /// Whether the other side has proved a domain.
    pub fn is_authorized(&self, domain: &str) -> bool {
        self.remote(|remote| remote.authorized.iter().any(|known| **known == *domain))
    }

    /// The domains that the other side has proved, in the order of the proofs.
    pub fn authorized_domains(&self) -> Vec<Box<str>> {
        self.remote(|remote| remote.authorized.clone())
    }

    /// Whether stanzas of the stream are routed: a client has bound a resource, or a server or
    /// component has proved a domain.
    pub fn is_established(&self) -> bool {
        match self.kind() {
            SessionKind::Client => self.jid().is_some(),
            _ => self.remote(|remote| !remote.authorized.is_empty()),
        }
    }
}
