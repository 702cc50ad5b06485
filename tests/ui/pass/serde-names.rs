//! serde's names and defaults, and the list of the options.

use event_core::prelude::*;

use event_core::{Module, OptionInfo, Options};

/// Bounds.
#[derive(Options)]
pub struct Limits {
    /// The most.
    #[option(default = 1_000)]
    most: u64,
    least: Option<u64>,
}

#[doc = include_str!("serde-names.rs")]
#[module]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rooms {
    #[serde(rename = "kind", alias = "sort")]
    r#type: String,
    #[serde(skip)]
    ready: bool,
    #[option(default = "Welcome!")]
    greeting_text: String,
    #[serde(default = "five")]
    max_rooms: u8,
    #[serde(flatten)]
    limits: Limits,
    #[serde(deserialize_with = "double", default)]
    twice: u32,
    #[cfg(any())]
    never: Nothing,
    #[cfg(all())]
    always: bool,
}

fn five() -> u8 {
    5
}

fn double<'de, D: event_core::serde::Deserializer<'de>>(number: D) -> Result<u32, D::Error> {
    Ok(2 * <u32 as event_core::serde::Deserialize>::deserialize(number)?)
}

fn main() {
    let read = |text: &str| Rooms::options(text.parse().unwrap());
    let Rooms { r#type, ready, greeting_text, max_rooms, limits, twice, always } =
        read("kind = 'x'\nalways = true\ntwice = 2").ok().unwrap();
    assert_eq!((&*r#type, ready, &*greeting_text, max_rooms), ("x", false, "Welcome!", 5));
    assert_eq!((limits.most, limits.least, twice, always), (1000, None, 4, true));
    assert_eq!(read("sort = 'y'\nalways = true\nmost = 3").ok().unwrap().limits.most, 3);

    let keys = |option: &OptionInfo| (option.name, option.default, option.is_required);
    let listed: Vec<_> = Rooms::INFO.options.iter().map(keys).collect();
    let expected = [
        ("kind", None, true),
        ("greeting-text", Some("\"Welcome!\""), false),
        ("max-rooms", Some("five()"), false),
        ("most", Some("1000"), false),
        ("least", None, false),
        ("twice", Some("0"), false),
        ("always", None, true),
    ];
    assert_eq!(listed, expected);
    assert_eq!(Rooms::INFO.options[0].aliases, ["sort"]);
    assert!(Rooms::INFO.doc.starts_with("//! serde's names"));

    let error = |text| read(text).err().unwrap().message().to_owned();
    assert_eq!(error("always = true"), "missing field `kind`");
    assert_eq!(error("kind = 'x'\nsort = 'y'\nalways = true"), "duplicate field `sort`");
    let unknown = error("type = 'x'");
    assert!(unknown.starts_with("unknown field `type`, expected one of `kind`, `sort`"), "{unknown}");
    let wrong = read("kind = 'x'\nalways = true\ntwice = 'a'").err().unwrap().to_string();
    assert!(wrong.contains("in `twice`"), "{wrong}");
}
