//! `#[serde(…)]` and `#[option(…)]` on a struct of options and its fields.

use proc_macro2::Span;
use syn::{
    Attribute, Error, Expr, Ident, LitStr, Meta, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::case::CASES;
use crate::attr::{Mistakes, list, nearest_help, path, skip, string};

/// The attributes of the struct.
#[derive(Default)]
pub(super) struct Container {
    pub(super) event_core: Option<Path>,
    pub(super) rename_all: Option<String>,
    /// `default`: missing options take their values from the struct's `Default`.
    pub(super) default: Option<Span>,
    /// `#[module]` refuses the struct.
    pub(super) is_refused: bool,
}

/// The attributes of a field.
#[derive(Default)]
pub(super) struct Field {
    pub(super) rename: Option<LitStr>,
    pub(super) aliases: Vec<LitStr>,
    pub(super) default: Option<Value>,
    pub(super) is_skipped: bool,
    pub(super) is_group: bool,
    pub(super) read_with: Option<Path>,
}

/// The value of an option that is not given.
pub(super) enum Value {
    /// That of the type's `Default`.
    OfType(Span),
    /// What a function returns.
    Call(Path),
    Expression(Expr),
}

/// Keys of serde that do not concern reading, or that change nothing here.
const OTHERS: &[&str] =
    &["borrow", "bound", "getter", "skip_serializing", "skip_serializing_if", "serialize_with"];

const OF_STRUCT: &[&str] =
    &["crate", "default", "deny_unknown_fields", "expecting", "rename", "rename_all"];

const OF_FIELD: &[&str] = &[
    "alias",
    "default",
    "deserialize_with",
    "flatten",
    "rename",
    "skip",
    "skip_deserializing",
    "with",
];

pub(super) fn container(attributes: &[Attribute], mistakes: &mut Mistakes) -> Container {
    let mut all = Container::default();
    each(attributes, mistakes, |is_serde, key, input, mistakes| {
        match (is_serde, key.to_string().as_str()) {
            (false, "crate") => {
                input.parse::<Token![=]>()?;
                all.event_core = Some(path(input)?);
            }
            (false, "refused") => all.is_refused = true,
            (false, other) => {
                mistakes.at(key, format!("unknown `{other}`; `#[option(…)]` belongs to a field: `#[option(default = 5)]`"));
                skip(input)?;
            }
            (true, "rename_all") => {
                let case = for_reading(input)?;
                if let Some(case) = case {
                    if !CASES.contains(&case.value().as_str()) {
                        mistakes.at(
                            &case,
                            format!("`{}` is not a case; expected {}", case.value(), list(CASES)),
                        );
                    }
                    all.rename_all = Some(case.value());
                }
            }
            (true, "default") => {
                if input.peek(Token![=]) {
                    return Err(Error::new(
                        key.span(),
                        "the default of a whole struct is that of its `Default`: `#[serde(default)]`",
                    ));
                }
                all.default = Some(key.span());
            }
            (true, known) if OF_STRUCT.contains(&known) || OTHERS.contains(&known) => skip(input)?,
            (true, _) => unknown(key, "a struct of options", OF_STRUCT, input, mistakes)?,
        }
        Ok(())
    });
    all
}

pub(super) fn field(attributes: &[Attribute], mistakes: &mut Mistakes) -> Field {
    let mut all = Field::default();
    each(attributes, mistakes, |is_serde, key, input, mistakes| {
        let had_default = all.default.is_some();
        match (is_serde, key.to_string().as_str()) {
            (false, "default") => {
                if !input.peek(Token![=]) {
                    return Err(Error::new(
                        key.span(),
                        "`default` needs a value: `#[option(default = 5)]`\n  help: for the type's own default, `#[serde(default)]`",
                    ));
                }
                input.parse::<Token![=]>()?;
                let span = input.span();
                let value = input.parse().map_err(|_| {
                    Error::new(span, "the default is an expression: `#[option(default = 5)]`")
                })?;
                all.default = Some(Value::Expression(value));
            }
            (false, _) => {
                let help = nearest_help(&key.to_string(), &["default"]);
                mistakes.at(key, format!("unknown `{key}`; expected `default`{help}"));
                skip(input)?;
            }
            (true, "rename") => all.rename = for_reading(input)?.or(all.rename.take()),
            (true, "alias") => all.aliases.push(value(input)?),
            (true, "default") if input.peek(Token![=]) => {
                all.default = Some(Value::Call(value(input)?.parse()?));
            }
            (true, "default") => all.default = Some(Value::OfType(key.span())),
            (true, "skip" | "skip_deserializing") => all.is_skipped = true,
            (true, "flatten") => all.is_group = true,
            (true, "deserialize_with") => all.read_with = Some(value(input)?.parse()?),
            (true, "with") => {
                let module: Path = value(input)?.parse()?;
                all.read_with = Some(syn::parse_quote!(#module::deserialize));
            }
            (true, other) if OTHERS.contains(&other) => skip(input)?,
            (true, _) => unknown(key, "an option", OF_FIELD, input, mistakes)?,
        }
        if had_default && key == "default" {
            mistakes.at(key, "the default is given twice");
        }
        Ok(())
    });
    all
}

/// Calls `entry` for each `key`, `key = value` or `key(…)` of the attributes, with whether the
/// attribute is serde's. `entry` parses what follows the key.
fn each(
    attributes: &[Attribute],
    mistakes: &mut Mistakes,
    mut entry: impl FnMut(bool, &Ident, ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) {
    for attribute in attributes {
        let is_serde = attribute.path().is_ident("serde");
        if !is_serde && !attribute.path().is_ident("option") {
            continue;
        }
        let Meta::List(list) = &attribute.meta else {
            let example = if is_serde { "#[serde(default)]" } else { "#[option(default = 5)]" };
            mistakes.at(&attribute.meta, format!("expected parentheses: `{example}`"));
            continue;
        };
        let parsed = (|input: ParseStream<'_>| {
            while !input.is_empty() {
                let key = input.call(Ident::parse_any)?;
                if let Err(error) = entry(is_serde, &key, input, mistakes) {
                    mistakes.add(error);
                    skip(input)?;
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    mistakes.add(Error::new(input.span(), format!("expected `,` after `{key}`")));
                    skip(input)?;
                    input.parse::<Option<Token![,]>>()?;
                }
            }
            Ok(())
        })
        .parse2(list.tokens.clone());
        mistakes.take(parsed);
    }
}

fn unknown(
    key: &Ident,
    place: &str,
    known: &[&str],
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    let help = nearest_help(&key.to_string(), known);
    mistakes
        .at(key, format!("`{key}` of serde is not for {place}; expected {}{help}", list(known)));
    skip(input)
}

/// `= "value"`
fn value(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let span = input.span();
    input.parse::<Token![=]>().map_err(|_| Error::new(span, "expected `= \"…\"`"))?;
    string(input, "expected a string")
}

/// `= "value"`, or `(serialize = "…", deserialize = "value")`.
fn for_reading(input: ParseStream<'_>) -> syn::Result<Option<LitStr>> {
    if !input.peek(syn::token::Paren) {
        return value(input).map(Some);
    }
    let content;
    syn::parenthesized!(content in input);
    let mut found = None;
    while !content.is_empty() {
        let key = content.call(Ident::parse_any)?;
        let value = value(&content)?;
        if key == "deserialize" {
            found = Some(value);
        }
        content.parse::<Option<Token![,]>>()?;
    }
    Ok(found)
}
