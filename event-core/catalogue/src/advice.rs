//! The text of the message about a refused name.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{error::Error, fmt};

use crate::grammar::Malformed;

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

/// Why a word is not `what`, a namespace or a feature.
pub(crate) fn not_a(what: &str, word: &str, malformed: Malformed) -> String {
    let reason = match malformed {
        Malformed::Namespace('/') => "it begins with `/`".into(),
        Malformed::Namespace(odd) => format!("it contains {odd:?}"),
        Malformed::Prefix(prefix) => format!("leave {} out", alternatives(&[prefix])),
        _ => "it is empty".into(),
    };
    format!("`{word}` is not a {what}: {reason}")
}
