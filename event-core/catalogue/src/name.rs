//! Reads a name, and checks that its namespace is no misspelling of a known one.

use crate::{
    grammar::{self, Malformed},
    namespaces, near,
    table::{EVENTS, EventDef, Family, Parameter},
};

/// A name, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// The event.
    pub event: &'static EventDef,
    /// The open part of the name.
    pub parameter: NameParameter<'a>,
}

/// The value of a name's open part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameParameter<'a> {
    /// The name has no open part.
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

/// What the author declares about the namespace in a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namespace {
    /// Nothing: the namespace must not look like a misspelling of a known one.
    #[default]
    Known,
    /// The namespace is the author's own and may resemble a known one.
    Own,
}

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No event has this fixed part, or the name looks like a misspelling of one.
    Name,
    /// The open part is missing.
    NoParameter(&'static EventDef),
    /// `XMLNS:TAG` is malformed.
    Malformed(&'static EventDef, Malformed),
    /// The namespace is unknown and one edit from a known one.
    Namespace,
    /// The namespace is known with another version number.
    Version,
}

pub(crate) fn read(name: &str, namespace: Namespace) -> Result<Name<'_>, Fault> {
    let closed = |event: &&EventDef| event.parameter == Parameter::None && event.name == name;
    if let Some(event) = EVENTS.iter().find(closed) {
        return Ok(Name { event, parameter: NameParameter::None });
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
    if event.parameter == Parameter::Id {
        return Ok(Name { event, parameter: NameParameter::Id(rest) });
    }
    let (xmlns, element) = match grammar::split(rest) {
        Ok(parts) => parts,
        Err(_) if namespaces::is_known(rest) => {
            return Err(Fault::Malformed(event, Malformed::NoElement));
        }
        Err(_) if near::lacks_colon(rest) => {
            return Err(Fault::Malformed(event, Malformed::NoColon));
        }
        Err(malformed) => return Err(Fault::Malformed(event, malformed)),
    };
    let parameter = NameParameter::Payload { namespace: xmlns, element };
    let found = Name { event, parameter };
    if namespaces::is_known(xmlns) {
        return Ok(found);
    }
    if event.family == Family::Nonza && near::looks_like_stream_stanza(name) {
        return Err(Fault::Name);
    }
    if namespaces::is_known(rest) {
        return Err(Fault::Malformed(event, Malformed::NoElement));
    }
    if near::lacks_colon(rest) {
        return Err(Fault::Malformed(event, Malformed::NoColon));
    }
    match namespace {
        Namespace::Own => Ok(found),
        Namespace::Known if namespaces::other_versions(xmlns).next().is_some() => {
            Err(Fault::Version)
        }
        Namespace::Known if near::looks_like_known(rest, xmlns) => Err(Fault::Namespace),
        Namespace::Known => Ok(found),
    }
}

/// The fixed part of an open name; `None` for a closed one.
pub(crate) fn open_head(event: &EventDef) -> Option<&'static str> {
    (event.parameter != Parameter::None).then(|| event.head())
}
