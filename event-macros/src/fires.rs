//! `fires = […]` of `#[module]`: the types of the events that the module fires.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Error, LitStr, Path, PathArguments, Token,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::attr::Mistakes;

const EXPECTED: &str = "`fires` lists the types of events: `fires = [events::UserRegistered]`";

/// Parses `[path, path]`. A name in quotes, a lifetime or a repeated event does not end the parse, so
/// that all of these are reported.
pub(crate) fn event_types(
    input: ParseStream<'_>,
    mistakes: &mut Mistakes,
) -> syn::Result<Vec<Path>> {
    let span = input.span();
    let group: Group = input.parse().map_err(|_| Error::new(span, EXPECTED))?;
    if group.delimiter() != Delimiter::Bracket {
        return Err(Error::new(span, EXPECTED));
    }
    let mut events: Vec<Path> = Vec::new();
    let list = |list: ParseStream<'_>| {
        while !list.is_empty() {
            if list.peek(LitStr) {
                let name: LitStr = list.parse()?;
                mistakes.at(&name, by_name(&name.value()));
            } else {
                let span = list.span();
                let event: Path = list.parse().map_err(|_| Error::new(span, EXPECTED))?;
                check(&event, &events, mistakes);
                events.push(event);
            }
            if !list.is_empty() {
                let span = list.span();
                let expected = "expected `,` after the event";
                list.parse::<Token![,]>().map_err(|_| Error::new(span, expected))?;
            }
        }
        Ok(())
    };
    list.parse2(group.stream())?;
    Ok(events)
}

fn by_name(name: &str) -> String {
    match event_catalogue::EVENTS.iter().find(|known| known.name == name) {
        Some(known) => {
            format!("`fires` lists the types of events: write `events::{}`", known.marker)
        }
        None => EXPECTED.to_owned(),
    }
}

fn check(event: &Path, before: &[Path], mistakes: &mut Mistakes) {
    let text = |path: &Path| path.to_token_stream().to_string();
    let last = event.segments.last();
    if let Some(last) = last.filter(|last| !matches!(last.arguments, PathArguments::None)) {
        let message = format!("leave the lifetime out: `{}`", last.ident);
        mistakes.at(&last.arguments, message);
    } else if before.iter().any(|other| text(other) == text(event)) {
        mistakes.at(event, format!("`{}` is listed twice", text(event).replace(' ', "")));
    }
}

/// The call that adds the events to a `ModuleInfo`; nothing for a module that fires none.
pub(crate) fn infos(events: &[Path], c: &TokenStream) -> TokenStream {
    if events.is_empty() {
        return TokenStream::new();
    }
    let infos =
        events.iter().map(|event| quote_spanned!(event.span()=> <#event as #c::Event>::INFO));
    quote_spanned!(Span::mixed_site()=> .fires({
        #[allow(elided_lifetimes_in_paths, unused_qualifications, reason = "the paths are the author's")]
        const FIRES: &[&#c::EventInfo] = &[#(#infos),*];
        FIRES
    }))
}
