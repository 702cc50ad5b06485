//! Sets the addresses of stanzas from clients, and checks the addresses of stanzas from servers and
//! components.

use std::{cell::RefCell, hash::BuildHasher, sync::Arc};

use hashbrown::DefaultHashBuilder;
use jid::Jid;
use xmpp_xml::Element;

use crate::{
    host::host::Host,
    protocol::{
        iq::IqType,
        origin::Origin,
        stanza::{Stanza, StanzaKind},
        stanza_error::StanzaError,
        stream_error::StreamError,
    },
    routing::server_core::Core,
    services::Federation,
    session::{session::Session, stream::SessionKind},
};

/// The decision about a stanza before the first event of the stanza.
pub(crate) enum Admission {
    /// The stanza is routed.
    Admitted(Stanza),
    /// The stanza is answered with the error.
    Refused(Stanza, StanzaError),
    /// The stanza is a stanza error without any child and is dropped.
    Ignored,
}

/// Sets `from` to the session's JID, checks `to`, and removes a `to` that is the sender's own
/// account.
pub(crate) fn admit_from_client(
    session: &Session,
    kind: StanzaKind,
    mut element: Element,
) -> Admission {
    if let Some(full) = session.jid()
        && element.attribute("from").as_deref() != Some(full.as_str())
    {
        element.set_attribute("from", Some(full.as_str()));
    }
    let to = element.attribute("to").map(|to| parse_jid(&to)).transpose();
    let (to, checked) = match to {
        Ok(to) => (to, check_iq(kind, &element)),
        Err(_) => (None, Err(malformed_address())),
    };
    write_normalized("to", to.as_ref(), &mut element);
    let is_own_account = match (&to, session.user()) {
        (Some(to), Some(user)) => to.node().is_some() && to.as_str() == user.as_str(),
        _ => false,
    };
    let mut stanza = Stanza::from_client(kind, element, to, session.clone());
    if is_own_account {
        stanza.clear_to();
    }
    admit_checked(stanza, checked)
}

impl Core {
    /// The host of a domain, if streams of other servers may reach it.
    pub fn federated_host(&self, domain: &str) -> Option<Arc<Host>> {
        self.host(domain).filter(|host| is_federated(host))
    }

    /// Records that the other side of a stream has proved a domain. Returns `false` if the domain
    /// was recorded before. Every proof is recorded here: certificates, dialback and secrets.
    ///
    /// # Errors
    /// The domain is served here. Only the component that serves it may claim it.
    pub fn authorize(&self, session: &Session, domain: &str) -> Result<bool, StreamError> {
        if !self.may_claim(session, domain) {
            return Err(StreamError::invalid_from().text(format!("{domain} is served here")));
        }
        Ok(session.authorize(domain))
    }

    /// Whether the other side of a stream has proved a domain, and may still claim it: a reload may
    /// have added a host.
    pub(crate) fn is_authorized(&self, session: &Session, domain: &str) -> bool {
        session.is_authorized(domain) && self.may_claim(session, domain)
    }

    fn may_claim(&self, session: &Session, domain: &str) -> bool {
        match session.kind() {
            SessionKind::Component => session.host().name() == domain,
            _ => self.hosts.load().find(domain).is_none(),
        }
    }
}

/// Whether a host exchanges stanzas with other servers.
fn is_federated(host: &Host) -> bool {
    host.services().has::<dyn Federation>()
}

/// Checks the addresses of a stanza of a server or component (RFC 6120 §8.1, XEP-0114): the other
/// side must have proved the domain of `from`, and `to` must be present. On a server's stream, the
/// domain of `to` must be a host that exchanges stanzas with other servers. A stream to another
/// server carries stanzas in one direction only (RFC 6120 §4.5).
///
/// # Errors
/// The caller closes the stream with the error.
pub(crate) fn admit_from_remote(
    core: &Core,
    session: &Session,
    kind: StanzaKind,
    mut element: Element,
) -> Result<Admission, StreamError> {
    let is_server = session.kind() != SessionKind::Component;
    let improper = |text: &str| StreamError::improper_addressing().text(text);
    let invalid = |text: &str| StreamError::invalid_from().text(text);
    if session.kind() == SessionKind::S2sOut {
        let text = "send stanzas on a stream that you open";
        return Err(StreamError::not_authorized().text(text));
    }
    let from = match element.attribute("from").map(|from| parse_jid(&from)) {
        Some(Ok(from)) => from,
        _ if is_server => return Err(improper("a stanza needs a valid 'from' here")),
        _ => return Err(invalid("a stanza needs a 'from' of the component's domain")),
    };
    if !core.is_authorized(session, from.domain().as_str()) {
        return Err(invalid("the domain of 'from' has not been proved on this stream"));
    }
    let to = element.attribute("to").filter(|to| !to.is_empty()).map(|to| parse_jid(&to));
    // A stanza without a valid `to` is refused in the name of the stream's host.
    let (to, checked) = match to {
        Some(Ok(to))
            if is_server
                && !core
                    .hosts
                    .load()
                    .find(to.domain().as_str())
                    .is_some_and(|h| is_federated(h)) =>
        {
            let text = format!("{} is not served here", to.domain());
            return Err(StreamError::host_unknown().text(text));
        }
        Some(Ok(to)) => (to, check_iq(kind, &element)),
        Some(Err(_)) => (session.host().jid().clone(), Err(malformed_address())),
        None if is_server => return Err(improper("a stanza needs a 'to' here")),
        None => {
            let error = StanzaError::bad_request().text("a stanza needs a 'to' here");
            (session.host().jid().clone(), Err(error))
        }
    };
    write_normalized("to", Some(&to), &mut element);
    write_normalized("from", Some(&from), &mut element);
    let origin = Origin::Session(session.clone());
    Ok(admit_checked(Stanza::new(kind, element, (Some(from), Some(to)), origin), checked))
}

/// A cache of parsed addresses, one for each thread. Without the cache, parsing was half of the
/// cost of [`admit_from_client`].
struct JidCache {
    hasher: DefaultHashBuilder,
    /// The text and its parsed form, at the index that the hash of the text gives.
    jids: Vec<Option<(Box<str>, Jid)>>,
}

/// The number of entries of a [`JidCache`].
const CACHED_JIDS: usize = 256;

/// The length in bytes of the longest address that is cached.
const MAX_CACHED_LENGTH: usize = 128;

thread_local! {
    static JID_CACHE: RefCell<JidCache> = RefCell::new(JidCache {
        hasher: DefaultHashBuilder::default(),
        jids: vec![None; CACHED_JIDS],
    });
}

/// Parses an address, or takes it from the cache.
fn parse_jid(text: &str) -> Result<Jid, jid::Error> {
    if text.len() > MAX_CACHED_LENGTH {
        return Jid::new(text);
    }
    JID_CACHE.with_borrow_mut(|cache| {
        let hash = cache.hasher.hash_one(text);
        let index = usize::try_from(hash % CACHED_JIDS as u64).unwrap_or(0);
        let Some(entry) = cache.jids.get_mut(index) else { return Jid::new(text) };
        match entry {
            Some((cached, jid)) if **cached == *text => Ok(jid.clone()),
            _ => {
                let jid = Jid::new(text)?;
                *entry = Some((text.into(), jid.clone()));
                Ok(jid)
            }
        }
    })
}

fn admit_checked(stanza: Stanza, checked: Result<(), StanzaError>) -> Admission {
    if stanza.is_error() && stanza.element().first_child().is_none() {
        return Admission::Ignored;
    }
    match checked {
        Ok(()) => Admission::Admitted(stanza),
        Err(error) => Admission::Refused(stanza, error),
    }
}

fn malformed_address() -> StanzaError {
    StanzaError::jid_malformed().text("the address in 'to' is not a valid JID")
}

/// Writes the normalized form of an address into an attribute.
fn write_normalized(name: &str, jid: Option<&Jid>, element: &mut Element) {
    if let Some(jid) = jid
        && element.attribute(name).as_deref() != Some(jid.as_str())
    {
        element.set_attribute(name, Some(jid.as_str()));
    }
}

/// Checks that an iq has a known type, an id and, if it is a request, exactly one child (RFC 6120
/// §8.2.3).
pub(crate) fn check_iq(kind: StanzaKind, element: &Element) -> Result<(), StanzaError> {
    let refused = |text: &str| Err(StanzaError::bad_request().text(text));
    if kind != StanzaKind::Iq {
        return Ok(());
    }
    let Some(iq_type) = element.attribute("type").and_then(|value| IqType::parse(&value)) else {
        return refused("the type of an iq must be get, set, result or error");
    };
    if element.attribute("id").is_none_or(|id| id.is_empty()) {
        return refused("an iq needs an id");
    }
    if iq_type.is_request() && element.children().count() != 1 {
        return refused("an iq request must have exactly one child");
    }
    Ok(())
}
