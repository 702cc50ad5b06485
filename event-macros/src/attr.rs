//! The arguments of the attributes: `key = value`, each at most once, and nothing else.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::ToTokens;
use syn::{
    Error, Ident, LitStr, Path, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

/// Mistakes of one attribute, reported together.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(tokens, message));
    }

    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(|error| error.to_compile_error()).unwrap_or_default()
    }
}

/// Calls `value` for each `key = value` in the rest of `input`. After a mistake, parsing continues
/// at the next comma. An unknown key is passed to `value` as the nearest known key, or as it is if
/// none is near, so that a misspelt key does not also cause errors about its missing value.
pub(crate) fn options(
    input: ParseStream<'_>,
    known: &[&str],
    mistakes: &mut Mistakes,
    mut value: impl FnMut(&Ident, ParseStream<'_>, &mut Mistakes) -> syn::Result<()>,
) -> syn::Result<()> {
    let mut seen: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        let key = input.call(Ident::parse_any).map_err(|error| {
            Error::new(error.span(), format!("expected an option: {}", list(known)))
        })?;
        let name = key.to_string();
        if !known.contains(&name.as_str()) {
            let help = nearest_help(&name, known);
            mistakes.at(&key, format!("unknown option `{name}`; expected {}{help}", list(known)));
            if input.parse::<Option<Token![=]>>()?.is_some() {
                let meant = nearest(&name, known).map(|meant| Ident::new(meant, key.span()));
                let _ = value(meant.as_ref().unwrap_or(&key), input, &mut Mistakes::default());
            }
            skip(input)?;
        } else if seen.contains(&key) {
            mistakes.at(&key, format!("`{name}` is given twice"));
            skip(input)?;
        } else if !input.peek(Token![=]) {
            mistakes.at(&key, format!("`{name}` needs a value: `{name} = …`"));
            skip(input)?;
        } else {
            input.parse::<Token![=]>()?;
            if input.is_empty() || input.peek(Token![,]) {
                mistakes.at(&key, format!("`{name}` needs a value: `{name} = …`"));
            } else if let Err(error) = value(&key, input, mistakes) {
                mistakes.add(error);
                skip(input)?;
            }
        }
        seen.push(key);
        if !input.is_empty() && input.parse::<Token![,]>().is_err() {
            let message = format!("expected `,` after the value of `{name}`");
            mistakes.add(Error::new(input.span(), message));
            skip(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
    }
    Ok(())
}

/// The known word that `word` is likely to mean.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    event_catalogue::nearest(word, known.iter().copied()).into_iter().next()
}

/// A line of help with [`nearest`], or nothing.
pub(crate) fn nearest_help(word: &str, known: &[&str]) -> String {
    let near = nearest(word, known);
    near.map(|near| format!("\n  help: did you mean `{near}`?")).unwrap_or_default()
}

/// Skips to the next comma.
pub(crate) fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// `` `a`, `b` or `c` ``
pub(crate) fn list(words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Parses a string literal without a suffix; any other token is the error `expected`.
pub(crate) fn string(input: ParseStream<'_>, expected: &str) -> syn::Result<LitStr> {
    let span = input.span();
    let literal = input.parse::<LitStr>().map_err(|_| Error::new(span, expected))?;
    refuse_suffix(&literal)?;
    Ok(literal)
}

fn refuse_suffix(literal: &LitStr) -> syn::Result<()> {
    match literal.suffix() {
        "" => Ok(()),
        suffix => {
            let message = format!("a string has no suffix: leave `{suffix}` out");
            Err(Error::new(literal.span(), message))
        }
    }
}

/// Parses `["a", "b"]`; anything else is the error `expected`.
pub(crate) fn strings(input: ParseStream<'_>, expected: &str) -> syn::Result<Vec<LitStr>> {
    let strings: Vec<LitStr> = bracketed(input, expected)?;
    strings.iter().try_for_each(refuse_suffix)?;
    Ok(strings)
}

/// Parses `[A, B]`; anything else is the error `expected`.
pub(crate) fn bracketed<T: Parse>(input: ParseStream<'_>, expected: &str) -> syn::Result<Vec<T>> {
    let span = input.span();
    let group: Group = input.parse().map_err(|_| Error::new(span, expected))?;
    if group.delimiter() != Delimiter::Bracket {
        return Err(Error::new(span, expected));
    }
    let items = Punctuated::<T, Token![,]>::parse_terminated
        .parse2(group.stream())
        .map_err(|error| Error::new(error.span(), expected))?;
    Ok(items.into_iter().collect())
}

/// Refuses a string that a list contains twice.
pub(crate) fn refuse_repeated(list: &[LitStr], mistakes: &mut Mistakes) {
    for (index, word) in list.iter().enumerate() {
        if list.iter().take(index).any(|other| other.value() == word.value()) {
            mistakes.at(word, format!("`{}` is given twice", word.value()));
        }
    }
}

/// Parses the value of `crate`.
pub(crate) fn path(input: ParseStream<'_>) -> syn::Result<Path> {
    let span = input.span();
    let expected = "a path leads to `event-core`: `crate = my_crate::event_core`";
    input.call(Path::parse_mod_style).map_err(|_| Error::new(span, expected))
}

/// The path of `event-core`: `::event_core` unless `crate = path` is given.
pub(crate) fn event_core(path: Option<&Path>) -> TokenStream {
    let span = Span::mixed_site();
    match path {
        Some(path) => path.to_token_stream(),
        None => quote::quote_spanned!(span=> ::event_core),
    }
}

/// Gives tokens of the expansion the location of `place` and keeps their hygiene.
pub(crate) fn located(tokens: &TokenStream, place: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}
