//! How a module's options are described and read. The derive macro `Options`, which `#[module]`
//! adds to the struct, generates calls of these functions.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use toml::{Table, Value, de::Error};

use crate::module::info::OptionInfo;

/// A struct of options. `#[module]` derives it for a module; `#[derive(event_core::Options)]` makes a
/// group of options, which modules include with `#[serde(flatten)]`.
///
/// ```
/// use event_core::{Module, Options, prelude::*};
///
/// /// Bounds of what is kept.
/// #[derive(Options)]
/// struct Limits {
///     /// The most messages.
///     #[option(default = 100)]
///     max_messages: u32,
/// }
///
/// /// Keeps messages.
/// #[module]
/// struct Archive {
///     #[serde(flatten)]
///     limits: Limits,
/// }
/// # #[hook("message/bare")]
/// # fn keep(_: &Message, cx: &Context<Archive>) { let _ = cx.limits.max_messages; }
/// assert_eq!(Archive::INFO.options[0].name, "max_messages");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of options",
    label = "not a group of options",
    note = "annotate the struct with `#[derive(event_core::Options)]`"
)]
pub trait Options: Sized {
    /// The options, in the order of the fields.
    const OPTIONS: &'static [OptionInfo];

    /// Takes the values of the options out of `table`.
    ///
    /// # Errors
    /// A key is missing, or a value has the wrong type.
    fn take(table: &mut Table) -> Result<Self, Error>;
}

/// The type of an option.
#[diagnostic::on_unimplemented(
    message = "an option cannot be a `{Self}`: the type does not implement `Deserialize`",
    label = "not the type of an option",
    note = "for a type of your own, `#[derive(event_core::serde::Deserialize)]`; for another crate's, `#[serde(deserialize_with = \"…\")]` on the field"
)]
pub trait OptionValue: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> OptionValue for T {}

/// The keys of an option in the configuration: its name, then other accepted names.
type Keys = &'static [&'static str];

/// Reads a table that has no other keys than the options of `T`.
pub fn read<T: Options>(mut table: Table) -> Result<T, Error> {
    let keys = || T::OPTIONS.iter().flat_map(|option| option.keys());
    if let Some(key) = table.keys().find(|key| !keys().any(|known| known == *key)) {
        return Err(unknown_key(key, keys()));
    }
    T::take(&mut table)
}

/// serde's own `unknown_field` needs a static list.
fn unknown_key(key: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let known: Vec<_> = known.map(|key| format!("`{key}`")).collect();
    Error::custom(match &*known {
        [] => format!("unknown field `{key}`, there are no fields"),
        [only] => format!("unknown field `{key}`, expected {only}"),
        [one, other] => format!("unknown field `{key}`, expected {one} or {other}"),
        several => format!("unknown field `{key}`, expected one of {}", several.join(", ")),
    })
}

/// The options of a module whose attribute is refused. Such a module never runs.
pub fn refused<T>(_: Table) -> Result<T, Error> {
    Err(Error::custom("the module does not compile"))
}

/// Takes an option that may be left out if its type is an `Option`.
pub fn required<T: OptionValue>(table: &mut Table, keys: Keys) -> Result<T, Error> {
    match value(table, keys)? {
        Some(value) => Ok(value),
        None => T::deserialize(Missing(keys)),
    }
}

/// Takes an option that may be left out.
pub fn optional<T: OptionValue>(table: &mut Table, keys: Keys) -> Result<Option<T>, Error> {
    value(table, keys)
}

/// Takes an option that `read` reads, for `#[serde(deserialize_with = "…")]`.
pub fn optional_with<T>(
    table: &mut Table,
    keys: Keys,
    read: impl FnOnce(Value) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let Some(entry) = entry(table, keys)? else { return Ok(None) };
    // `next_value_seed` adds the key to the error.
    entry.deserialize_map(OneEntry(read)).map(Some)
}

/// As [`optional_with`], for an option that has to be given.
pub fn required_with<T>(
    table: &mut Table,
    keys: Keys,
    read: impl FnOnce(Value) -> Result<T, Error>,
) -> Result<T, Error> {
    optional_with(table, keys, read)?.ok_or_else(|| missing(keys))
}

/// A group of options in a field.
#[derive(Debug)]
pub struct Group<T> {
    /// Their descriptions.
    pub options: &'static [OptionInfo],
    /// See [`Options::take`].
    pub take: fn(&mut Table) -> Result<T, Error>,
}

/// A field of a struct, as a function that borrows it, so that the compiler infers the field's type.
#[derive(Debug)]
pub struct Field<S, T>(pub fn(&S) -> &T);

impl<S, T> Field<S, T> {
    /// The group in the field.
    pub const fn group(self) -> Group<T>
    where
        T: Options,
    {
        Group { options: T::OPTIONS, take: T::take }
    }
}

/// The length of [`concat`].
pub const fn count(parts: &[&[OptionInfo]]) -> usize {
    let (mut count, mut rest) = (0, parts);
    while let [first, others @ ..] = rest {
        (count, rest) = (count + first.len(), others);
    }
    count
}

/// Concatenates lists of options.
pub const fn concat<const N: usize>(parts: &[&[OptionInfo]]) -> [OptionInfo; N] {
    let mut all = [OptionInfo::new("", &[], "", "", None, false); N];
    let (mut next, mut rest) = (0, parts);
    while let [first, others @ ..] = rest {
        let mut from = *first;
        while let [option, following @ ..] = from {
            #[expect(
                clippy::indexing_slicing,
                reason = "evaluated while compiling, `N` is `count(parts)`"
            )]
            {
                all[next] = *option;
            }
            (next, from) = (next + 1, following);
        }
        rest = others;
    }
    all
}

fn value<T: DeserializeOwned>(table: &mut Table, keys: Keys) -> Result<Option<T>, Error> {
    let Some(entry) = entry(table, keys)? else { return Ok(None) };
    // Read from a table with this one key, so that an error names the key.
    BTreeMap::<String, T>::deserialize(entry).map(|one| one.into_values().next())
}

/// Takes the entry of one of `keys` out of `table`, as a table.
fn entry(table: &mut Table, keys: Keys) -> Result<Option<Value>, Error> {
    let mut given = keys.iter().filter(|key| table.contains_key(**key));
    let (first, second) = (given.next(), given.next());
    if let Some(key) = second {
        return Err(Error::duplicate_field(key));
    }
    let entry = first.and_then(|key| table.remove_entry(*key));
    Ok(entry.map(|entry| Value::Table(Table::from_iter([entry]))))
}

fn missing(keys: Keys) -> Error {
    Error::missing_field(keys.first().copied().unwrap_or_default())
}

/// Stands for the value of an option that is not given: nothing for an `Option`, else an error.
struct Missing(Keys);

impl<'de> Deserializer<'de> for Missing {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(missing(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Reads a table of one entry with a function.
struct OneEntry<F>(F);

impl<'de, T, F: FnOnce(Value) -> Result<T, Error>> Visitor<'de> for OneEntry<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        map.next_key::<String>()?;
        map.next_value_seed(self)
    }
}

impl<'de, T, F: FnOnce(Value) -> Result<T, Error>> DeserializeSeed<'de> for OneEntry<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<T, D::Error> {
        self.0(Value::deserialize(value)?).map_err(|error| D::Error::custom(error.message()))
    }
}
