//! Binds a resource, disconnects and ends a session, with the events of each step.

use jid::{FullJid, ResourcePart};

use crate::{
    dispatch::{chain::Stop, flow::Flow, outcome::Outcome},
    events::{self, traits::Fired},
    host::host::Host,
    protocol::{stanza_error::StanzaError, stream_error::StreamError},
    routing::server_core::Core,
    session::{
        registry::NotAdded,
        session::{Session, SessionState},
        stream::SessionKind,
    },
    util::id::random_id,
};

impl Core {
    /// Binds a resource (RFC 6120 §7): see [`Context::bind`](crate::Context::bind).
    pub(crate) async fn bind<'s>(
        &self,
        session: &'s Session,
        resource: Option<&str>,
    ) -> Result<&'s FullJid, StanzaError> {
        let host = session.host();
        let user = session.user().ok_or_else(StanzaError::not_authorized)?;
        if session.jid().is_some() {
            return Err(StanzaError::not_allowed().text("a resource is bound already"));
        }
        let requested = events::PreResourceBind {
            session: session.clone(),
            resource: resource.map(Into::into),
            error: None,
        };
        let Fired { event: requested, flow, .. } = self.fire(host, requested).await;
        if flow == Flow::Handled {
            return Err(requested.error.unwrap_or_else(StanzaError::not_allowed));
        }
        let resource = match requested.resource.as_deref().filter(|resource| !resource.is_empty()) {
            Some(resource) => ResourcePart::new(resource)
                .map_err(|error| StanzaError::bad_request().text(error.to_string()))?
                .into_owned(),
            None => ResourcePart::new(&random_id())
                .map_err(|_| StanzaError::internal_server_error())?
                .into_owned(),
        };
        let jid = user.with_resource(&resource);
        let limit = host.settings().max_resources.unwrap_or(Host::MAX_RESOURCES);
        match host.sessions().add(session, jid, limit) {
            Err(NotAdded::TooMany) => {
                return Err(StanzaError::resource_constraint().text("too many resources are bound"));
            }
            Err(NotAdded::BoundAlready) => {
                return Err(StanzaError::not_allowed().text("a resource is bound already"));
            }
            Err(NotAdded::Ended) => {
                return Err(StanzaError::not_allowed().text("the session has ended"));
            }
            Ok(Some(replaced)) => {
                // RFC 6120 §7.7.2.2: the newer session keeps the resource.
                self.end_session(&replaced, Some("replaced by a new session")).await;
                replaced.close(StreamError::conflict().text("replaced by a new session"));
            }
            Ok(None) => {}
        }
        // A reload marks the host as removed, then ends the host's sessions. A session that binds
        // after that is ended here.
        if host.is_gone() {
            session.advance(SessionState::Ended);
            host.remove_session(session);
            return Err(StanzaError::service_unavailable().text("the host is gone"));
        }
        self.fire(host, events::ResourceBind { session: session.clone() }).await;
        session.jid().ok_or_else(StanzaError::internal_server_error)
    }

    /// Ends a session whose stream has ended: see [`Turn::disconnect`](crate::Turn::disconnect).
    pub(crate) async fn disconnect(&self, session: &Session, error: Option<&str>) {
        if session.jid().is_some() && session.state() == SessionState::Connected {
            let mut event = events::PreResourceUnbind {
                session: session.clone(),
                error: error.map(Into::into),
            };
            let stop =
                self.fire_event::<events::PreResourceUnbind>(session.host(), &mut event).await;
            if matches!(stop, Some(Stop { outcome: Outcome::Handled, .. })) {
                // A session that has ended while the handlers ran stays ended.
                session.advance(SessionState::Detached);
                return;
            }
        }
        self.end_session(session, error).await;
    }

    /// Ends a session for good. Fires `resource-unbind` if the session had a resource, and
    /// `component-disconnected`, `s2sin-destroyed` or `s2sout-destroyed` for each domain that the
    /// other side had proved.
    pub(crate) async fn end_session(&self, session: &Session, error: Option<&str>) {
        if !session.advance(SessionState::Ended) {
            return;
        }
        let host = session.host();
        if host.remove_session(session) {
            let event =
                events::ResourceUnbind { session: session.clone(), error: error.map(Into::into) };
            Box::pin(self.fire(host, event)).await;
        }
        for domain in session.authorized_domains() {
            let (session, error) = (session.clone(), error.map(Into::into));
            match session.kind() {
                SessionKind::Client => {}
                SessionKind::Component => {
                    Box::pin(self.fire(host, events::ComponentDisconnected { session, error }))
                        .await;
                }
                SessionKind::S2sIn => {
                    Box::pin(self.fire(host, events::S2sInDestroyed { session, domain, error }))
                        .await;
                }
                SessionKind::S2sOut => {
                    Box::pin(self.fire(host, events::S2sOutDestroyed { session, domain, error }))
                        .await;
                }
            }
        }
        session.clear_slots();
    }
}
