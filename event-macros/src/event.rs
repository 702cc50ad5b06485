//! `#[event]`: declares an event, which other crates hook by path.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Field, Ident, Item, LitStr, Path, Token,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{Mistakes, event_core, list, nearest, nearest_help, options, path, string},
    docs,
    item::{Annotated, Header, given_twice, keyword, quiet},
};

const OPTIONS: &[&str] = &["kind", "scope", "crate"];
const KINDS: &[&str] = &["notification", "collect", "chain"];
const SCOPES: &[&str] = &["host", "global"];

#[derive(Default)]
struct Arguments {
    name: Option<LitStr>,
    /// The kind as written, or the nearest kind if the word is misspelt.
    kind: Option<&'static str>,
    scope: Option<&'static str>,
    event_core: Option<Path>,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let mut parsed = Arguments::default();
    let result =
        (|input: ParseStream<'_>| parse(input, &mut parsed, &mut mistakes)).parse2(arguments);
    mistakes.take(result);
    // Another mistake can end the parse before `kind`, so a missing kind is then not reported.
    if let (Some(name), None, true) = (&parsed.name, &parsed.kind, mistakes.is_empty()) {
        let message = "`kind` is missing: `kind = \"notification\"`, `\"collect\"` or `\"chain\"`";
        mistakes.at(name, message);
    }
    let (item, fields) = match syn::parse2(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            given_twice(&mut item.attrs, "event", &mut mistakes);
            let annotated = Annotated::new(&item, &item.attrs, &item.ident, &item.generics);
            (annotated, item.fields.into_iter().collect())
        }
        Ok(Item::Enum(mut item)) => {
            given_twice(&mut item.attrs, "event", &mut mistakes);
            (Annotated::new(&item, &item.attrs, &item.ident, &item.generics), Vec::new())
        }
        Ok(_) => {
            let message = "`#[event]` annotates a struct: the event's payload";
            mistakes.at(keyword(item.clone()), message);
            let mistakes = mistakes.into_tokens();
            return quote!(#item #mistakes);
        }
        Err(error) => match syn::parse2::<Header>(item.clone()) {
            Ok(header) => {
                let header = Annotated::new(&item, &header.attrs, &header.ident, &header.generics);
                (header, Vec::new())
            }
            Err(_) => {
                let error = error.to_compile_error();
                return quote!(#item #error);
            }
        },
    };
    let declaration = declare(&parsed, &item, &fields, &mut mistakes);
    let (item, mistakes) = (item.item, mistakes.into_tokens());
    quote!(#item #declaration #mistakes)
}

fn parse(
    input: ParseStream<'_>,
    parsed: &mut Arguments,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    let name = string(
        input,
        "expected the event's name: `#[event(\"muc-occupant-joined\", kind = \"notification\")]`",
    )?;
    check_name(&name, mistakes);
    parsed.name = Some(name);
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        if key == "crate" {
            parsed.event_core = Some(path(input)?);
        } else if key == "kind" {
            parsed.kind = word(input, "kind", KINDS, mistakes)?;
        } else if key == "scope" {
            parsed.scope = word(input, "scope", SCOPES, mistakes)?;
        }
        Ok(())
    })
}

/// Parses one of `words`. Any other word is a mistake; the result is then the nearest of `words`, if
/// one is near.
fn word(
    input: ParseStream<'_>,
    what: &str,
    words: &[&'static str],
    mistakes: &mut Mistakes,
) -> syn::Result<Option<&'static str>> {
    let value = string(input, &format!("a {what} is {}", list(words)))?;
    let word = value.value();
    if let Some(known) = words.iter().find(|known| **known == word) {
        return Ok(Some(known));
    }
    let help = nearest_help(&word, words);
    mistakes.at(&value, format!("`{word}` is not a {what}; expected {}{help}", list(words)));
    Ok(nearest(&word, words))
}

fn check_name(name: &LitStr, mistakes: &mut Mistakes) {
    let value = name.value();
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'#'))
            && !word.split('-').any(str::is_empty)
    };
    if !value.split('/').all(is_word) {
        mistakes.at(
            name,
            "an event's name is lower case words joined by `-`, with `/` between parts: `muc-occupant-joined`",
        );
    } else if let Ok(known) = event_catalogue::resolve(&value) {
        let marker = known.event.marker;
        mistakes.at(
            name,
            format!("`{value}` is one of Spondee's own events\n  help: hook it, `#[hook(\"{value}\")]` or `#[hook(events::{marker})]`, or choose another name"),
        );
    }
}

/// Expands to the event's implementations, also after a mistake, so that the mistake is the only
/// error. A refused event is not registered. A generic event has no implementations.
fn declare(
    arguments: &Arguments,
    Annotated { ident, generics, attributes, .. }: &Annotated,
    fields: &[Field],
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let lifetimes: Vec<_> = generics.lifetimes().collect();
    if let Some(extra) = lifetimes.get(1) {
        mistakes.at(extra, "an event borrows for one lifetime");
    }
    let is_lifetime =
        |parameter: &&syn::GenericParam| matches!(parameter, syn::GenericParam::Lifetime(_));
    if let Some(parameter) = generics.params.iter().find(|parameter| !is_lifetime(parameter)) {
        mistakes.at(parameter, "an event cannot be generic: one type, one event");
        return None;
    }
    let span = Span::mixed_site();
    let core = event_core(arguments.event_core.as_ref());
    let c = quote_spanned!(span=> #core::__private);
    let of = |lifetime: &str| {
        let lifetime = syn::Lifetime::new(lifetime, span);
        let all = lifetimes.iter().map(|_| &lifetime);
        if lifetimes.is_empty() { quote!(#ident) } else { quote_spanned!(span=> #ident<#(#all),*>) }
    };
    let (any, always, payload) = (of("'_"), of("'static"), of("'p"));
    let shared = quote_spanned!(span=>
        impl<'a, 'p> #c::PayloadOf<'a, 'p, #any> for &'a #payload {
            fn view(payload: &'a mut #payload) -> Self {
                &*payload
            }
        }
    );
    let mutable = quote_spanned!(span=>
        impl<'a, 'p> #c::PayloadOf<'a, 'p, #any> for &'a mut #payload {
            fn view(payload: &'a mut #payload) -> Self {
                payload
            }
        }
    );
    // Without a known kind, a handler may take `&E` or `&mut E` and return anything.
    let (kind, views) = match arguments.kind {
        Some("notification") => ("Notification", shared),
        Some("collect") => ("Collect", mutable),
        Some(_) => ("Chain", mutable),
        None => ("Unknown", quote!(#shared #mutable)),
    };
    let kind = Ident::new(kind, span);
    let family = if kind == "Unknown" { format_ident!("Chain", span = span) } else { kind.clone() };
    let scope = if arguments.scope == Some("global") { "Global" } else { "Host" };
    let scope = Ident::new(scope, span);
    let (name, doc) = (arguments.name.iter(), docs::text(attributes, &c));
    let name = quote_spanned!(span=> #c::concat!(#(#name)*));
    let type_name = ident.to_string();
    let fields = fields.iter().filter_map(|field| {
        let (name, doc) = (field.ident.as_ref()?.to_string(), docs::text(&field.attrs, &c));
        let conditions = field.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        let written = &field.ty;
        let written = quote!(#written).to_string();
        Some(quote_spanned!(span=>
            #(#conditions)* #c::FieldInfo { name: #name, type_: #written, doc: #doc }))
    });
    let record = mistakes.is_empty().then(|| {
        quote_spanned!(span=>
            #c::inventory::submit! {
                #c::EventRecord {
                    info: <#always as #c::Event>::INFO,
                    module_path: #c::module_path!(),
                    id: &__SPONDEE_ID,
                }
            }
        )
    });
    let quiet = quiet(attributes);
    Some(quote_spanned!(span=>
        #quiet
        const _: () = {
            static __SPONDEE_ID: #c::EventCell = #c::EventCell::new();

            impl #c::Payload for #always {
                type Of<'p> = #payload;
            }

            impl #c::Event for #any {
                type Payload = #always;

                const INFO: &'static #c::EventInfo = &#c::EventInfo::new(
                    #name,
                    (#c::Family::#family, #c::Scope::#scope),
                    #type_name,
                    (#doc, &[#(#fields),*]),
                    (#c::file!(), #c::line!()),
                );

                fn id() -> #c::EventId {
                    __SPONDEE_ID.get()
                }
            }

            impl #c::DeclaredEvent for #any {
                type Kind = #c::kind::#kind;
                type Itself = #always;
            }

            #views

            #[diagnostic::do_not_recommend]
            impl<'p> #c::Fire<'p> for #payload {
                fn payload(&mut self) -> &mut #payload {
                    self
                }
            }

            #record
        };
    ))
}
