//! Values that serde has no type for.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;

use jid::DomainPart;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// A whole number of at least `LEAST`.
pub(super) fn at_least<'de, const LEAST: usize, N, D>(deserializer: D) -> Result<N, D::Error>
where
    N: TryFrom<usize>,
    D: Deserializer<'de>,
{
    // A number of TOML is an `i64`; read as another type, -1 would be told another least.
    let number = i64::deserialize(deserializer)?;
    let number = usize::try_from(number).ok().filter(|number| *number >= LEAST);
    let number =
        number.ok_or_else(|| D::Error::custom(format_args!("too small, the least is {LEAST}")))?;
    // Of the types of numbers in use, only `u32` is narrower than `usize`.
    N::try_from(number)
        .map_err(|_| D::Error::custom(format_args!("too large, the most is {}", u32::MAX)))
}

/// An IP address and port.
pub(super) fn address<'de, D>(deserializer: D) -> Result<Option<SocketAddr>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format_args!(
            "\"{text}\" is not an address and port, like \"127.0.0.1:5222\" or \"[::]:5222\""
        ))
    })
}

/// A domain name, normalised.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Domain(pub(super) String);

impl TryFrom<String> for Domain {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match DomainPart::new(&name) {
            Ok(domain) => Ok(Self(domain.as_str().to_owned())),
            Err(error) => Err(format!("not a domain name: {error}")),
        }
    }
}

/// A table whose keys are domain names.
pub(super) fn by_domain<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let table = BTreeMap::<Domain, T>::deserialize(deserializer)?;
    Ok(table.into_iter().map(|(Domain(name), value)| (name, value)).collect())
}

/// A list of strings. `read` converts each string, given the items before it.
pub(super) fn strings<'de, D, T, F>(deserializer: D, read: F) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    F: Fn(&[T], String) -> Result<T, String>,
{
    deserializer.deserialize_seq(Strings(read, PhantomData))
}

struct Strings<T, F>(F, PhantomData<T>);

impl<'de, T, F: Fn(&[T], String) -> Result<T, String>> Visitor<'de> for Strings<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Item(&self.0, &items))? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Converts one item inside the sequence, so that an error has the path of the item.
struct Item<'a, T, F>(&'a F, &'a [T]);

impl<'de, T, F: Fn(&[T], String) -> Result<T, String>> DeserializeSeed<'de> for Item<'_, T, F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        (self.0)(self.1, String::deserialize(deserializer)?).map_err(Error::custom)
    }
}
