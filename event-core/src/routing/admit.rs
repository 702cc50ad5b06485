//! Who a stanza is from and to: stamped on a client's stream, checked on a server's or component's.

use std::{cell::RefCell, hash::BuildHasher};

use hashbrown::DefaultHashBuilder;
use jid::Jid;
use xmpp_xml::Element;

use crate::{
    protocol::{
        iq::IqType,
        origin::Origin,
        stanza::{Stanza, StanzaKind},
        stanza_error::StanzaError,
        stream_error::StreamError,
    },
    routing::core::Core,
    session::{session::Session, stream::SessionKind},
};

/// What becomes of a stanza before any event.
pub(crate) enum Addressed {
    /// It goes on.
    Stanza(Stanza),
    /// It is refused, with an answer.
    Refused(Stanza, StanzaError),
    /// It is an error without content, which says nothing to anybody.
    Nothing,
}

/// On a client's stream: `from` is the session's, `to` is a JID, and what goes to oneself has none.
pub(crate) fn own(session: &Session, kind: StanzaKind, mut element: Element) -> Addressed {
    if let Some(full) = session.jid()
        && element.attribute("from").as_deref() != Some(full.as_str())
    {
        element.set_attribute("from", Some(full.as_str()));
    }
    let to = element.attribute("to").map(|to| read(&to)).transpose();
    let (to, refused) = match to {
        Ok(to) => (to, check(kind, &element)),
        Err(_) => (None, Err(malformed())),
    };
    normalise("to", to.as_ref(), &mut element);
    let is_own = match (&to, session.user()) {
        (Some(to), Some(user)) => to.node().is_some() && to.as_str() == user.as_str(),
        _ => false,
    };
    let mut stanza = Stanza::of_client(element, to, session.clone());
    if is_own && let Some(stanza) = &mut stanza {
        stanza.clear_to();
    }
    addressed(stanza, refused)
}

/// On the stream of a server or component (RFC 6120 §8.1, XEP-0114): `from` is of a domain that it
/// has proved, `to` is there and, for a server, of a host served here.
///
/// # Errors
/// The stream has to be closed with the error.
pub(crate) fn foreign(
    core: &Core,
    session: &Session,
    kind: StanzaKind,
    mut element: Element,
) -> Result<Addressed, StreamError> {
    let is_server = session.kind() != SessionKind::Component;
    let improper = |text: &str| StreamError::improper_addressing().text(text);
    let invalid = |text: &str| StreamError::invalid_from().text(text);
    let from = match element.attribute("from").map(|from| read(&from)) {
        Some(Ok(from)) => from,
        _ if is_server => return Err(improper("a stanza needs a valid 'from' here")),
        _ => return Err(invalid("a stanza needs a 'from' of the component's domain")),
    };
    if !session.is_authorized(from.domain().as_str()) {
        return Err(invalid("the domain of 'from' has not been proved on this stream"));
    }
    let named = element.attribute("to").filter(|to| !to.is_empty()).map(|to| read(&to));
    // What cannot be delivered is refused by the host that the stream is to.
    let (to, refused) = match named {
        Some(Ok(to)) if is_server && core.host(to.domain().as_str()).is_none() => {
            let text = format!("{} is not served here", to.domain());
            return Err(StreamError::host_unknown().text(text));
        }
        Some(Ok(to)) => (to, check(kind, &element)),
        Some(Err(_)) => (session.host().jid().clone(), Err(malformed())),
        None if is_server => return Err(improper("a stanza needs a 'to' here")),
        None => {
            let error = StanzaError::bad_request().text("a stanza needs a 'to' here");
            (session.host().jid().clone(), Err(error))
        }
    };
    normalise("to", Some(&to), &mut element);
    normalise("from", Some(&from), &mut element);
    let origin = Origin::Session(session.clone());
    Ok(addressed(Stanza::new(element, (Some(from), Some(to)), origin), refused))
}

/// Addresses that a thread has read last: checking one anew was half of the work in [`own`].
struct Recent {
    hasher: DefaultHashBuilder,
    /// As written, and what it is; each in the place that its hash says.
    jids: Vec<Option<(Box<str>, Jid)>>,
}

/// Places in [`Recent`].
const RECENT: usize = 256;

/// A longer address is read anew.
const LONGEST: usize = 128;

thread_local! {
    static RECENT_JIDS: RefCell<Recent> = RefCell::new(Recent {
        hasher: DefaultHashBuilder::default(),
        jids: vec![None; RECENT],
    });
}

/// Reads an address.
fn read(text: &str) -> Result<Jid, jid::Error> {
    if text.len() > LONGEST {
        return Jid::new(text);
    }
    RECENT_JIDS.with_borrow_mut(|recent| {
        let hash = recent.hasher.hash_one(text);
        let place = usize::try_from(hash % RECENT as u64).unwrap_or(0);
        let Some(place) = recent.jids.get_mut(place) else { return Jid::new(text) };
        match place {
            Some((written, jid)) if **written == *text => Ok(jid.clone()),
            _ => {
                let jid = Jid::new(text)?;
                *place = Some((text.into(), jid.clone()));
                Ok(jid)
            }
        }
    })
}

fn addressed(stanza: Option<Stanza>, refused: Result<(), StanzaError>) -> Addressed {
    match (stanza, refused) {
        (None, _) => Addressed::Nothing,
        (Some(stanza), _) if stanza.is_error() && stanza.element().first_child().is_none() => {
            Addressed::Nothing
        }
        (Some(stanza), Ok(())) => Addressed::Stanza(stanza),
        (Some(stanza), Err(error)) => Addressed::Refused(stanza, error),
    }
}

fn malformed() -> StanzaError {
    StanzaError::jid_malformed().text("an address is not a JID")
}

/// Writes an address in its normal form.
fn normalise(name: &str, jid: Option<&Jid>, element: &mut Element) {
    if let Some(jid) = jid
        && element.attribute(name).as_deref() != Some(jid.as_str())
    {
        element.set_attribute(name, Some(jid.as_str()));
    }
}

/// RFC 6120 §8.2.3: an iq has a known type and an id, a request exactly one child.
pub(crate) fn check(kind: StanzaKind, element: &Element) -> Result<(), StanzaError> {
    let refused = |text: &str| Err(StanzaError::bad_request().text(text));
    if kind != StanzaKind::Iq {
        return Ok(());
    }
    let Some(iq_type) = element.attribute("type").and_then(|value| IqType::parse(&value)) else {
        return refused("an iq is of type get, set, result or error");
    };
    if element.attribute("id").is_none_or(|id| id.is_empty()) {
        return refused("an iq needs an id");
    }
    if iq_type.is_request() && element.children().count() != 1 {
        return refused("an iq request has exactly one child");
    }
    Ok(())
}
