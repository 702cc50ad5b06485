//! The message about a refused name.

mod fixed;
mod payload;

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{error::Error, fmt};

use crate::{
    name::{Fault, Name, Undeclared},
    odd, suggest,
    table::{EVENTS, EventDef, Parameter},
};

/// The refusal of a name; its `Display` is the complete compiler message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    message: String,
    suggestions: Vec<String>,
}

/// What a message says: the mistake, and help.
pub(crate) struct Advice {
    what: String,
    suggestions: Vec<String>,
    /// Lines after the suggestions.
    help: Vec<String>,
}

impl NameError {
    /// At most three corrected names, likeliest first.
    #[must_use]
    pub fn suggestions(&self) -> &[String] {
        &self.suggestions
    }

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

impl Advice {
    pub(crate) const fn new(what: String) -> Self {
        Self { what, suggestions: Vec::new(), help: Vec::new() }
    }

    pub(crate) fn suggest(mut self, suggestions: Vec<String>) -> Self {
        self.suggestions = suggestions;
        self
    }

    pub(crate) fn help(mut self, line: String) -> Self {
        self.help.push(line);
        self
    }

    /// Says how a crate declares a namespace or an element of its own.
    pub(crate) fn declare(self, what: &str, key: &str, value: &str) -> Self {
        self.help(format!(
            "if the {what} is your own, declare it at the root of the crate: \
             `event_core::module_crate!({key} = [\"{value}\"]);`"
        ))
    }
}

impl From<Advice> for NameError {
    fn from(Advice { what, suggestions, help }: Advice) -> Self {
        let mut message = what;
        let near = (!suggestions.is_empty())
            .then(|| format!("did you mean {}?", alternatives(&suggestions)));
        for line in near.iter().chain(&help) {
            message.push_str("\n  help: ");
            message.push_str(line);
        }
        Self { message, suggestions }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for NameError {}

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

/// `` `a`, `b` or `c` ``
pub(crate) fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(if index + 1 == words.len() { " or " } else { ", " });
        }
        text.push('`');
        text.push_str(word.as_ref());
        text.push('`');
    }
    text
}

/// The words, owned.
pub(crate) fn owned<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(ToOwned::to_owned).collect()
}
