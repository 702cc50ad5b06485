//! The tables of the config with the documentation of their keys, from which docs/config.md is made.

/// A field of a table.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// The documentation of the field, as Markdown.
    pub(crate) doc: &'static str,
    /// The Rust type of the field.
    pub(crate) kind: &'static str,
    /// The arguments of the field's `#[serde]`.
    pub(crate) serde: &'static str,
}

/// A table of the config.
pub(crate) trait Table {
    /// The documentation of the struct, as Markdown.
    const ABOUT: &'static str;
    /// The arguments of the struct's `#[serde]`.
    const SERDE: &'static str;
    /// The fields, in the order of the source.
    const FIELDS: &'static [Field];
}

/// Declares a table of the config, and keeps the documentation of its keys. A key without
/// documentation does not compile. A default that the page cannot take from `Default` stands at the
/// end of the documentation: `Default: all.`
macro_rules! config_table {
    (
        $(#[doc = $about:literal])+
        #[derive($($derive:ident),*)]
        #[serde($($serde:tt)*)]
        pub struct $table:ident {
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($($attribute:tt)*)])?
                $visible:vis $key:ident: $kind:ty,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive($($derive),*)]
        #[serde($($serde)*)]
        pub struct $table {
            $(
                $(#[doc = $doc])+
                $(#[serde($($attribute)*)])?
                $visible $key: $kind,
            )*
        }

        impl $crate::config::table::Table for $table {
            const ABOUT: &'static str = concat!($($about, "\n"),+);
            const SERDE: &'static str = stringify!($($serde)*);
            const FIELDS: &'static [$crate::config::table::Field] = &[$(
                $crate::config::table::Field {
                    name: stringify!($key),
                    doc: concat!($($doc, "\n"),+),
                    kind: stringify!($kind),
                    serde: stringify!($($($attribute)*)?),
                }
            ),*];
        }
    };
}

pub(crate) use config_table;
