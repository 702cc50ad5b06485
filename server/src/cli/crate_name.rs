//! The name of a new crate, in the spellings that its files need.

use std::str::FromStr;

use thiserror::Error;

/// The name of a crate with a module: lower case words, each of which begins with a letter, joined
/// by `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateName(String);

impl CrateName {
    /// The name as it was given: `sticky-note` or `sticky_note`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in events and namespaces: `sticky-note`.
    pub fn kebab_case(&self) -> String {
        self.0.replace('_', "-")
    }

    /// The name of the module, and of the crate in Rust: `sticky_note`.
    pub fn snake_case(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The name of the module's type: `StickyNote`.
    pub fn camel_case(&self) -> String {
        let mut name = String::new();
        for word in self.0.split(['-', '_']) {
            let mut letters = word.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.push_str(letters.as_str());
        }
        name
    }
}

/// Why a text is not the name of a crate.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CrateNameError {
    /// It has other characters, or an empty word.
    #[error(
        "expected lower case words of letters and digits, each beginning with a letter, joined by \
         `-` or `_`, as in `sticky-note`"
    )]
    Spelling,
    /// It has another meaning.
    #[error("`{0}` has a meaning for Rust, cargo or Spondee; choose another name")]
    Reserved(String),
}

impl FromStr for CrateName {
    type Err = CrateNameError;

    fn from_str(text: &str) -> Result<Self, CrateNameError> {
        let is_word = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !text.split(['-', '_']).all(is_word) {
            return Err(CrateNameError::Spelling);
        }
        let name = Self(text.to_owned());
        let snake_case = name.snake_case();
        let is_reserved = [KEYWORDS, CRATES, STORES].concat().contains(&&*snake_case);
        if is_reserved { Err(CrateNameError::Reserved(text.to_owned())) } else { Ok(name) }
    }
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that the files of the new crate name, or that the compiler brings.
const CRATES: &[&str] =
    &["alloc", "core", "event_core", "proc_macro", "spondee", "spondee_modules", "std", "test"];

/// The stores of the server itself.
const STORES: &[&str] = &["accounts", "server"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (text, kebab, snake, camel) in [
            ("karma", "karma", "karma", "Karma"),
            ("irc-bot2", "irc-bot2", "irc_bot2", "IrcBot2"),
            ("my_own-module", "my-own-module", "my_own_module", "MyOwnModule"),
        ] {
            let name: CrateName = text.parse().unwrap();
            assert_eq!(name.as_str(), text);
            assert_eq!((&*name.kebab_case(), &*name.snake_case()), (kebab, snake));
            assert_eq!(name.camel_case(), camel);
        }
    }

    #[test]
    fn what_is_no_name() {
        for text in ["", "-", "a-", "_a", "a--b", "A", "é", "a b", "2a", "a-2", "a.b", "../a"] {
            assert_eq!(text.parse::<CrateName>(), Err(CrateNameError::Spelling), "{text}");
        }
        for text in ["fn", "self", "std", "event-core", "event_core", "server"] {
            let reserved = CrateNameError::Reserved(text.to_owned());
            assert_eq!(text.parse::<CrateName>(), Err(reserved));
        }
    }
}
