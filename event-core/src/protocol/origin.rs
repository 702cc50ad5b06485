//! Where a stanza came from.

use std::sync::Arc;

use crate::{host::host::Host, session::session::Session};

/// Where a stanza came from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A client, another server or a component.
    Session(Session),
    /// This server itself, on behalf of a host.
    Host(Arc<Host>),
}

impl Origin {
    /// The session, unless the stanza was made here.
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Session(session) => Some(session),
            Self::Host(_) => None,
        }
    }

    /// The local host that the stanza entered through.
    pub fn host(&self) -> &Arc<Host> {
        match self {
            Self::Session(session) => session.host(),
            Self::Host(host) => host,
        }
    }
}
