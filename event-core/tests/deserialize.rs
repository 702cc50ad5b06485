//! `event_core::serde`'s derive macros read and write as serde's own do.

use event_core::serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct Limits {
    max_rooms: u32,
    name: String,
    inner: Vec<Self>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_rooms: 5, name: "all".to_owned(), inner: Vec::new() }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default = "one")]
struct Named {
    a: u8,
    b: u8,
}

fn one() -> Named {
    Named { a: 1, b: 1 }
}

/// Serde's expansion and ours have variables and type parameters of these names.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct S<T> {
    #[serde(default)]
    list: Vec<T>,
    one: T,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
struct Visitor(u8);

#[derive(Debug, PartialEq, Deserialize)]
struct Borrowed<'a> {
    text: &'a str,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind")]
enum Policy {
    Open,
    Members { most: u8 },
}

#[test]
fn a_type_has_its_own_default() -> Result<(), toml::de::Error> {
    let read: Limits = toml::from_str("max-rooms = 7\ninner = [{}]")?;
    let inner = vec![Limits::default()];
    assert_eq!(read, Limits { max_rooms: 7, inner, ..Limits::default() });
    assert!(toml::from_str::<Limits>("max_rooms = 7").is_err());
    assert_eq!(toml::from_str::<Named>("b = 2")?, Named { a: 1, b: 2 });
    Ok(())
}

#[test]
fn generic_and_tagged_types_are_read_as_they_are_written() -> Result<(), toml::de::Error> {
    let read: S<Visitor> = toml::from_str("one = 3")?;
    assert_eq!(read, S { list: Vec::new(), one: Visitor(3) });
    let table = toml::Table::try_from(&read).map_err(event_core::serde::de::Error::custom)?;
    assert_eq!(table.try_into::<S<Visitor>>()?, read);
    let policy: Policy = toml::from_str("kind = 'Members'\nmost = 3")?;
    assert_eq!(policy, Policy::Members { most: 3 });
    assert_eq!(toml::from_str::<Policy>("kind = 'Open'")?, Policy::Open);
    Ok(())
}

#[test]
fn a_type_may_borrow_from_what_is_read() {
    let text = event_core::serde::de::value::BorrowedStrDeserializer::<
        event_core::serde::de::value::Error,
    >::new("x");
    let map = event_core::serde::de::value::MapDeserializer::new([("text", text)].into_iter());
    assert_eq!(Borrowed::deserialize(map), Ok(Borrowed { text: "x" }));
}
