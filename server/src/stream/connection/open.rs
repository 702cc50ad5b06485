//! Stream headers and stream features.

use std::sync::Arc;

use event_core::{
    Host, Session, SessionKind, StreamError, events, host_gone, random_id, xml::StreamHeader,
};

use super::{
    super::{end::End, header},
    Connection,
};

impl Connection {
    /// The host of this name, if this kind of stream can be opened to the host.
    fn host(&self, domain: &str) -> Result<Arc<Host>, StreamError> {
        let core = &self.streams.core;
        let host = match self.wire.kind {
            SessionKind::Client => {
                core.host(domain).filter(|host| self.streams.settings().hosts.contains(host.name()))
            }
            SessionKind::Component => {
                core.host(domain).filter(|host| host.settings().secret.is_some())
            }
            _ => core.federated_host(domain),
        };
        host.ok_or_else(|| StreamError::host_unknown().text(format!("{domain} is not served here")))
    }

    /// Stores the header that answers this server's header. The features follow as an element.
    fn answered(&mut self, header: Box<StreamHeader>) -> Result<(), End> {
        header::check_namespace(self.wire.kind, &header)?;
        header::check_version(&header)?;
        if let (Some(session), Some(id)) = (&self.session, &header.id) {
            session.set_stream_id(id);
        }
        self.input.set_header(header, self.wire.kind);
        Ok(())
    }

    /// Answers a stream header (RFC 6120 §4.3) and sends the stream features.
    pub(super) async fn open(&mut self, header: Box<StreamHeader>) -> Result<(), End> {
        let kind = self.wire.kind;
        if kind == SessionKind::S2sOut {
            return self.answered(header);
        }
        let host = header::domain(kind, &header).and_then(|domain| self.host(&domain));
        let id = random_id();
        let from = host.as_ref().ok().map(|host| host.name());
        self.wire.open(&header::answer(kind, from, &id, Some(&header)));
        let host = host?;
        if kind != SessionKind::Component {
            header::check_version(&header)?;
        }
        let claimed = if kind == SessionKind::S2sIn { self.claimed(&header)? } else { None };
        let session = match &self.session {
            Some(session) if session.host().name() != host.name() => {
                let text = format!("this stream is to {}", session.host().name());
                return Err(StreamError::host_unknown().text(text).into());
            }
            Some(session) => session.clone(),
            None => {
                self.wire.set_host(&host);
                // A reload that removes the host closes its streams, but not this one if it ran
                // before `set_host`.
                if host.is_gone() {
                    return Err(host_gone().into());
                }
                let session = Session::new(kind, host, Arc::clone(&self.wire) as _);
                self.session.insert(session).clone()
            }
        };
        session.set_lang(header::lang(&header));
        session.set_stream_id(&id);
        session.set_claimed_domain(claimed.as_deref());
        self.input.set_header(header, kind);
        let core = Arc::clone(&self.streams.core);
        let stream = session.clone();
        let turn = core.turn(&stream);
        let features = match kind {
            SessionKind::Component => return Ok(()),
            SessionKind::Client => {
                let event = events::StreamFeatures { session, features: Vec::new() };
                Box::pin(turn.fire(event)).await.event.features
            }
            _ => {
                let event = events::S2sStreamFeatures { session, features: Vec::new() };
                Box::pin(turn.fire(event)).await.event.features
            }
        };
        let mut xml = b"<stream:features>".to_vec();
        for feature in &features {
            xml.extend_from_slice(feature.as_bytes());
        }
        xml.extend_from_slice(b"</stream:features>");
        self.wire.write(&xml);
        Ok(())
    }

    /// The domain that another server claims, which must not be served here.
    fn claimed(&self, header: &StreamHeader) -> Result<Option<String>, StreamError> {
        let claimed = header::claimed(header)?;
        match claimed.as_deref().filter(|domain| self.streams.core.host(domain).is_some()) {
            None => Ok(claimed),
            Some(own) => Err(StreamError::invalid_from().text(format!("{own} is served here"))),
        }
    }
}
