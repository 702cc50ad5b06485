//! The event of a hook, as the author wrote it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Error, LitStr, Meta, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::rules::priority;
use crate::attr::{Mistakes, options, string};

/// What to write instead of a bare word.
pub(super) const STRING: &str = "an event's name is a string: `#[hook(\"message/bare\")]`";

/// The event as the author wrote it.
pub(super) enum Named {
    String(LitStr),
    Path(Path, Option<LitStr>),
}

/// Parses the event: its name, or its type and, after a comma, the type's parameter.
pub(super) fn named(input: ParseStream<'_>) -> syn::Result<Named> {
    let expected =
        "expected an event: its name, `\"message/bare\"`, or its type, `events::MessageBare`";
    if input.peek(LitStr) {
        return Ok(Named::String(string(input, expected)?));
    }
    let span = input.span();
    let option = input.peek(syn::Ident::peek_any) && input.peek2(Token![=]);
    if input.is_empty() || option {
        return Err(Error::new(span, expected));
    }
    let path = input.call(Path::parse_mod_style).map_err(|_| Error::new(span, expected))?;
    if input.peek(Token![<]) {
        let mut generics = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            generics.extend(TokenStream::from(input.parse::<proc_macro2::TokenTree>()?));
        }
        let name = text(&path);
        let message = format!("an event is named without its lifetime\n  help: `#[hook({name})]`");
        return Err(Error::new_spanned(generics, message));
    }
    if input.peek(Token![!]) || path.segments.last().is_some_and(|last| is_constant(&last.ident)) {
        let message = "an event's name is a string literal, because `#[hook]` reads it before constants and macros exist\n  help: `#[hook(\"message/bare\")]`";
        return Err(Error::new_spanned(path, message));
    }
    let parameter = if input.peek(Token![,]) && input.peek2(LitStr) {
        input.parse::<Token![,]>()?;
        Some(string(input, expected)?)
    } else {
        None
    };
    Ok(Named::Path(path, parameter))
}

/// Whether a path ends like that of a constant, `NAME`, and not like that of a type.
fn is_constant(last: &syn::Ident) -> bool {
    let name = last.to_string();
    let upper = name.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    upper && (name.len() >= 4 || name.contains('_'))
}

fn text(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

impl Named {
    /// The name of an event of the catalogue, however it is written; else the path of the type.
    fn name(&self) -> String {
        match self {
            Self::String(name) => name.value(),
            Self::Path(path, parameter) => {
                let last = path.segments.last().map(|last| last.ident.to_string());
                match last.and_then(|last| event_catalogue::by_marker(&last)) {
                    Some(def) => {
                        let parameter = parameter.as_ref().map(LitStr::value).unwrap_or_default();
                        format!("{}{parameter}", def.head())
                    }
                    None => text(path),
                }
            }
        }
    }
}

/// Refuses another `#[hook]` for the same event and priority among the function's attributes.
pub(super) fn refuse_twice(
    (event, priority_value): (&Named, i32),
    attributes: &[Attribute],
    mistakes: &mut Mistakes,
) {
    for attribute in attributes {
        let Meta::List(list) = &attribute.meta else { continue };
        if list.path.segments.last().is_none_or(|last| last.ident != "hook") {
            continue;
        }
        let same = |input: ParseStream<'_>| {
            let other = named(input)?;
            let mut value = 0;
            input.parse::<Option<Token![,]>>()?;
            let quiet = &mut Mistakes::default();
            options(input, &["priority", "insist", "crate"], quiet, |key, input, _| {
                if key == "priority" {
                    value = priority(input)?.value;
                } else {
                    while !input.is_empty() && !input.peek(Token![,]) {
                        input.parse::<proc_macro2::TokenTree>()?;
                    }
                }
                Ok(())
            })?;
            Ok((value == priority_value && event.name() == other.name()).then_some(other))
        };
        let tokens = list.tokens.clone();
        if let Ok(Some(other)) = same.parse2(tokens) {
            let message = "the function already handles this event at this priority";
            match other {
                Named::String(literal) => mistakes.at(literal, message),
                Named::Path(path, _) => mistakes.at(path, message),
            }
        }
    }
}
