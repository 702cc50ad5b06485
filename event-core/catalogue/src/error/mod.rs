//! The message about a refused name.

mod fixed;
mod payload;

use alloc::format;

use crate::{
    advice::{Advice, NameError, owned},
    name::{Fault, Name, Undeclared},
    odd, suggest,
    table::{EVENTS, EventDef, Parameter},
};

impl NameError {
    pub(crate) fn refused(name: &str, fault: Fault<'_>) -> Self {
        let advice = match (fault, odd::describe(name)) {
            (_, Some(odd)) => with_odd_character(name, &odd),
            (Fault::Name, _) => fixed::explain(name),
            (Fault::NoParameter(event), _) => without_parameter(name, event),
            (Fault::Placeholder(event), _) => placeholder(event),
            (Fault::ElementAsId(event), _) => payload::as_id(name, event),
            (Fault::Malformed(event, malformed), _) => payload::malformed(name, event, malformed),
            (Fault::Namespace, _) => payload::misspelt_namespace(name),
            (Fault::Feature, _) => payload::feature(name),
            (Fault::Elsewhere(read, element), _) => payload::elsewhere(name, &read, element),
            (Fault::OtherType(read, seen), _) => payload::other_type(name, &read, seen),
        };
        advice.into()
    }

    /// The advice about a name whose namespace or element the crate has not declared.
    pub(crate) fn undeclared(name: &str, read: &Name<'_>, undeclared: Undeclared) -> Self {
        let advice = match (undeclared, odd::describe(name)) {
            (Undeclared::Namespace, _) => payload::unknown_namespace(name, read),
            (Undeclared::Element, Some(odd)) => with_odd_character(name, &odd),
            (Undeclared::Element, None) => payload::unknown_element(name, read),
        };
        advice.into()
    }

    /// The message about a name that is accepted without insisting.
    pub(crate) fn needless(name: &str) -> Self {
        Advice::new(format!("`{name}` needs no `insist`: leave it out")).into()
    }
}

fn with_odd_character(name: &str, odd: &str) -> Advice {
    Advice::new(format!("`{name}` contains {odd}"))
        .suggest(suggest::corrections(&odd::in_ascii(name)))
}

fn placeholder(event: &EventDef) -> Advice {
    let stands_for = match event.parameter {
        Parameter::Id => "`ID` stands for the id of an iq, such as `probe-1`",
        _ => {
            "`XMLNS:TAG` stands for the namespace and name of an element, such as `jabber:iq:version:query`"
        }
    };
    Advice::new(format!("in `{}`, {stands_for}", event.name))
}

fn without_parameter(name: &str, event: &EventDef) -> Advice {
    let what = match event.parameter {
        Parameter::Id => format!("missing the id in `{name}`: expected `{}`", event.name),
        _ => format!("missing the element in `{name}`: {}", payload::expected(event)),
    };
    let closed = name.strip_suffix('/').filter(|name| EVENTS.iter().any(|e| e.name == *name));
    Advice::new(what).suggest(owned(closed))
}
