//! `modules`: which modules a host runs.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::Place;
use super::value::strings;

/// A module's name in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleName {
    /// The name, without `+` or `-`.
    pub name: String,
    /// Where the name stands, for the message if no such module exists.
    pub place: Place,
}

/// Which modules a host runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modules {
    /// Changes to the defaults: `["+welcome", "-motd"]`.
    Defaults {
        /// The modules added after the defaults, in this order.
        add: Vec<ModuleName>,
        /// The modules removed from the defaults.
        remove: Vec<ModuleName>,
    },
    /// The whole list, in this order.
    Exactly(Vec<ModuleName>),
}

impl Default for Modules {
    fn default() -> Self {
        Self::Defaults { add: Vec::new(), remove: Vec::new() }
    }
}

impl Modules {
    /// The names of the modules in order. `defaults` are the defaults of this kind of host.
    pub fn resolve(&self, defaults: &[&str]) -> Vec<String> {
        match self {
            Self::Exactly(names) => names.iter().map(|module| module.name.clone()).collect(),
            Self::Defaults { add, remove } => {
                let kept = defaults
                    .iter()
                    .filter(|name| remove.iter().all(|module| module.name != **name))
                    .map(|name| (*name).to_owned());
                let mut names: Vec<String> = kept.collect();
                for module in add {
                    if !names.contains(&module.name) {
                        names.push(module.name.clone());
                    }
                }
                names
            }
        }
    }

    /// Every name in the file.
    pub fn mentioned(&self) -> impl Iterator<Item = &ModuleName> {
        let (one, two) = match self {
            Self::Exactly(names) => (names.as_slice(), [].as_slice()),
            Self::Defaults { add, remove } => (add.as_slice(), remove.as_slice()),
        };
        one.iter().chain(two)
    }

    /// Every name in the file, so that its place can be set.
    pub(super) fn mentioned_mut(&mut self) -> impl Iterator<Item = &mut ModuleName> {
        let (one, two) = match self {
            Self::Exactly(names) => (names.as_mut_slice(), [].as_mut_slice()),
            Self::Defaults { add, remove } => (add.as_mut_slice(), remove.as_mut_slice()),
        };
        one.iter_mut().chain(two)
    }
}

impl Serialize for Modules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signed: Vec<String> = match self {
            Self::Exactly(names) => names.iter().map(|module| module.name.clone()).collect(),
            Self::Defaults { add, remove } => {
                let add = add.iter().map(|module| format!("+{}", module.name));
                add.chain(remove.iter().map(|module| format!("-{}", module.name))).collect()
            }
        };
        signed.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Modules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let signed = strings(deserializer, |others: &[(Sign, String)], text| {
            let (sign, name) = split(&text);
            let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(valid) {
                return Err(format!(
                    "\"{text}\" is not a module's name: expected lower-case letters, digits and _, \
                     optionally after + or -"
                ));
            }
            if others.iter().any(|(_, other)| other == name) {
                return Err(format!("\"{name}\" is listed twice"));
            }
            if others.iter().any(|(other, _)| (*other == Sign::None) != (sign == Sign::None)) {
                let message = "either every name has a + or a - (changes to the defaults), or none \
                               has (the whole list)";
                return Err(message.to_owned());
            }
            Ok((sign, name.to_owned()))
        })?;
        let is_whole = signed.iter().any(|(sign, _)| *sign == Sign::None) || signed.is_empty();
        let (mut exactly, mut add, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        for (sign, name) in signed {
            let list = match sign {
                Sign::None => &mut exactly,
                Sign::Plus => &mut add,
                Sign::Minus => &mut remove,
            };
            list.push(ModuleName { name, place: Place::default() });
        }
        Ok(if is_whole { Self::Exactly(exactly) } else { Self::Defaults { add, remove } })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    None,
    Plus,
    Minus,
}

/// Splits a name in the file into its sign and the name.
fn split(text: &str) -> (Sign, &str) {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(name), _) => (Sign::Plus, name),
        (_, Some(name)) => (Sign::Minus, name),
        _ => (Sign::None, text),
    }
}

/// Whether `text` is the name `name`, with or without a sign.
pub(super) fn names(text: &str, name: &str) -> bool {
    split(text).1 == name
}
