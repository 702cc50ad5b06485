//! The origin of a stanza.

use std::sync::Arc;

use crate::{host::host::Host, session::session::Session};

/// The session that sent a stanza, or the host that made it.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The session of a client, of another server or of a component.
    Session(Session),
    /// A host of this server, in whose name a module sent the stanza.
    Host(Arc<Host>),
}

impl Origin {
    /// The session; `None` when a module made the stanza.
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Host(_) => None,
        }
    }

    /// The host of the session, or the host that made the stanza.
    pub fn host(&self) -> &Arc<Host> {
        match self {
            Self::Session(session) => session.host(),
            Self::Host(host) => host,
        }
    }
}
