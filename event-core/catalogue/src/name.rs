//! Reads a name, and checks that its namespace and element are known or can be the author's own.

use crate::{
    features::is_only_feature,
    grammar::{self, Malformed, is_ncname},
    namespaces::{self, Element, Fit},
    near,
    table::{EVENTS, EventDef, Family, Parameter},
};

/// The parts of an event's name, as `resolve` finds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The event.
    pub event: &'static EventDef,
    /// The value that the name has in the place of the event's `XMLNS:TAG` or `ID`.
    pub parameter: NameParameter<'a>,
    /// What the author's crate has to declare with `module_crate!`.
    pub undeclared: Option<Undeclared>,
}

/// The value that a name has in the place of `XMLNS:TAG` or `ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameParameter<'a> {
    /// The event's name has neither `XMLNS:TAG` nor `ID`.
    None,
    /// `XMLNS:TAG`.
    Payload {
        /// The namespace of the element.
        namespace: &'a str,
        /// The name of the element.
        element: &'a str,
    },
    /// The id of the iq.
    Id(&'a str),
}

/// A part of a name that the catalogue does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// The namespace.
    Namespace,
    /// The element; its namespace is known.
    Element,
}

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault<'a> {
    /// No event has the fixed part of the name, or the name is probably a misspelt `stanza/…` event.
    Name,
    /// The value in the place of `XMLNS:TAG` or `ID` is missing.
    NoParameter(&'static EventDef),
    /// The name still has the placeholder `XMLNS:TAG` or `ID` instead of a value.
    Placeholder(&'static EventDef),
    /// An element where the id of an iq belongs.
    ElementAsId(&'static EventDef),
    /// `XMLNS:TAG` is malformed.
    Malformed(&'static EventDef, Malformed),
    /// The namespace is unknown and looks like a misspelling of a known one.
    Namespace,
    /// The namespace is only a feature of service discovery.
    Feature,
    /// The element is known, but never occurs where the event looks for it.
    Elsewhere(Name<'a>, Element),
    /// The specifications have the element only in an iq of this type, which is not the name's.
    OtherType(Name<'a>, &'static str),
}

pub(crate) fn read(name: &str) -> Result<Name<'_>, Fault<'_>> {
    let closed = |event: &&EventDef| event.parameter == Parameter::None && event.name == name;
    if let Some(event) = EVENTS.iter().find(closed) {
        return Ok(Name { event, parameter: NameParameter::None, undeclared: None });
    }
    let cut = |event: &&EventDef| {
        open_head(event).is_some_and(|head| head.strip_suffix('/') == Some(name))
    };
    if let Some(event) = EVENTS.iter().find(cut) {
        return Err(Fault::NoParameter(event));
    }
    // The first match is the longest: the table has `stanza/iq/XMLNS:TAG` before `stanza/XMLNS:TAG`.
    let open = |event: &'static EventDef| Some((event, name.strip_prefix(open_head(event)?)?));
    let (event, rest) = EVENTS.iter().find_map(open).ok_or(Fault::Name)?;
    if rest.is_empty() {
        return Err(Fault::NoParameter(event));
    }
    if event.name == name {
        return Err(Fault::Placeholder(event));
    }
    if event.parameter == Parameter::Payload {
        return read_payload(name, event, rest);
    }
    if looks_like_element(rest) {
        return Err(Fault::ElementAsId(event));
    }
    Ok(Name { event, parameter: NameParameter::Id(rest), undeclared: None })
}

fn read_payload<'a>(
    name: &str,
    event: &'static EventDef,
    rest: &'a str,
) -> Result<Name<'a>, Fault<'a>> {
    let malformed = |malformed| Fault::Malformed(event, malformed);
    let (namespace, element) = match grammar::split(rest) {
        Ok(parts) => parts,
        Err(_) if namespaces::is_known(rest) => return Err(malformed(Malformed::NoElement)),
        Err(_) if near::lacks_colon(rest) => return Err(malformed(Malformed::NoColon)),
        Err(_) if is_swapped(rest) => return Err(malformed(Malformed::Swapped)),
        Err(other) => return Err(malformed(other)),
    };
    let parameter = NameParameter::Payload { namespace, element };
    let found = Name { event, parameter, undeclared: None };
    if namespaces::is_known(namespace) {
        return read_element(found, namespace, element);
    }
    if event.family == Family::Nonza && near::looks_like_stream_stanza(name) {
        return Err(Fault::Name);
    }
    if namespaces::is_known(rest) {
        return Err(malformed(Malformed::NoElement));
    }
    if near::lacks_colon(rest) {
        return Err(malformed(Malformed::NoColon));
    }
    if is_swapped(rest) {
        return Err(malformed(Malformed::Swapped));
    }
    if is_only_feature(namespace) {
        return Err(Fault::Feature);
    }
    if namespaces::other_versions(namespace).next().is_none()
        && near::looks_like_known(rest, namespace)
    {
        return Err(Fault::Namespace);
    }
    Ok(Name { undeclared: Some(Undeclared::Namespace), ..found })
}

/// Checks an element of a known namespace.
fn read_element<'a>(
    found: Name<'a>,
    namespace: &str,
    element: &str,
) -> Result<Name<'a>, Fault<'a>> {
    let mut elements = namespaces::elements(namespace).peekable();
    if elements.peek().is_none() {
        return Ok(found);
    }
    let Some(known) = elements.find(|known| known.name == element) else {
        return Ok(Name { undeclared: Some(Undeclared::Element), ..found });
    };
    match known.fit(found.event) {
        Fit::Fires => Ok(found),
        Fit::OtherType(seen) => Err(Fault::OtherType(found, seen)),
        Fit::Elsewhere => Err(Fault::Elsewhere(found, known)),
    }
}

/// Whether `payload` is `TAG:XMLNS`.
fn is_swapped(payload: &str) -> bool {
    payload.split_once(':').is_some_and(|(element, namespace)| {
        is_ncname(element) && (namespaces::is_known(namespace) || has_scheme(namespace))
    })
}

/// Whether the id of an iq is the element of a request instead.
fn looks_like_element(id: &str) -> bool {
    namespaces::is_known(id)
        || grammar::split(id)
            .is_ok_and(|(namespace, _)| namespaces::is_known(namespace) || has_scheme(namespace))
}

/// Whether `namespace` begins like most namespaces of XMPP.
pub(crate) fn has_scheme(namespace: &str) -> bool {
    ["http://", "https://", "jabber:", "urn:"].iter().any(|start| namespace.starts_with(start))
}

/// The fixed part of an open name; `None` for a closed one.
pub(crate) fn open_head(event: &EventDef) -> Option<&'static str> {
    (event.parameter != Parameter::None).then(|| event.head())
}
