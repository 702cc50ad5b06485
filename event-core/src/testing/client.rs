//! The other side of a stream without a socket.

use std::sync::Arc;

use jid::{BareJid, FullJid};
use xmpp_xml::{Element, NamespaceScope, XmlLimits};

use super::{stream::TestStream, undeclared::Undeclared};
use crate::{
    protocol::{stanza_error::StanzaError, stream_error::StreamError},
    routing::turn::Turn,
    runtime::runtime::Runtime,
    session::session::Session,
};

/// A client, server or component in memory.
#[derive(Debug)]
pub struct Client {
    /// Keeps the modules running while the test has a client.
    pub(super) runtime: Arc<Runtime>,
    /// The session on the server.
    pub session: Session,
    /// The connection.
    pub stream: TestStream,
    pub(super) undeclared: Undeclared,
}

impl Client {
    /// Authenticates the stream without SASL.
    pub fn authenticate(&self, user: &BareJid) {
        self.session.set_user(user.clone());
    }

    /// A new turn of the client's stream.
    pub fn turn(&self) -> Turn<'_> {
        self.runtime.core().turn(&self.session)
    }

    /// Binds a resource, as module `bind` does.
    ///
    /// # Errors
    /// See [`HostContext::bind`].
    pub async fn bind(&self, resource: Option<&str>) -> Result<&FullJid, StanzaError> {
        let core = self.runtime.core();
        core.run_turn(core.bind(&self.session, resource)).await
    }

    /// Sends an element and waits until the server has handled the element and all stanzas that the
    /// handlers sent. A stream error closes the stream.
    ///
    /// # Panics
    /// `xml` is not an element.
    pub async fn send(&self, xml: &str) {
        let scope = NamespaceScope::new(self.session.kind().namespace());
        let element = Element::parse(xml.as_bytes(), &scope, &XmlLimits::UNBOUNDED)
            .unwrap_or_else(|error| panic!("`{xml}` is not an element: {error}"));
        if let Err(error) = self.turn().receive(element).await {
            self.session.close(error);
        }
        self.undeclared.refuse();
    }

    /// Takes the next element that the client has received.
    pub fn next(&self) -> Option<Element> {
        self.stream.next()
    }

    /// Takes all elements that the client has received.
    pub fn received(&self) -> Vec<Element> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The error with which the server closed the stream; `None` while the stream is open,
    /// `Some(None)` when the server closed the stream without an error.
    pub fn closed(&self) -> Option<Option<StreamError>> {
        self.stream.closed()
    }

    /// Ends the stream as a lost connection does.
    pub async fn disconnect(&self) {
        self.turn().disconnect(Some("connection lost")).await;
    }
}
