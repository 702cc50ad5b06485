//! `#[event]`: declares an event, which other crates hook by path.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    GenericParam, Ident, Item, LitStr, Token,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{Mistakes, event_core, list, options, path, string},
    docs,
};

const OPTIONS: &[&str] = &["kind", "scope", "crate"];
const KINDS: &[&str] = &["notification", "collect", "chain"];
const SCOPES: &[&str] = &["host", "global"];

struct Arguments {
    name: LitStr,
    kind: String,
    scope: String,
    event_core: TokenStream,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let parsed = (|input: ParseStream<'_>| parse(input, &mut mistakes)).parse2(arguments);
    let parsed = mistakes.take(parsed).flatten();
    let expansion = parsed.and_then(|parsed| declare(&parsed, &item, &mut mistakes));
    let mistakes = mistakes.into_tokens();
    quote!(#item #expansion #mistakes)
}

fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Option<Arguments>> {
    let name = string(
        input,
        "expected the event's name: `#[event(\"muc-occupant-joined\", kind = \"notification\")]`",
    )?;
    check_name(&name, mistakes);
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    let mut kind = None;
    let mut scope = "host".to_owned();
    let mut core = event_core(None);
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        if key == "crate" {
            core = event_core(Some(&path(input)?));
            return Ok(());
        }
        let (what, words) = if key == "kind" { ("kind", KINDS) } else { ("scope", SCOPES) };
        let value = string(input, &format!("a {what} is {}", list(words)))?;
        let word = value.value();
        if !words.contains(&word.as_str()) {
            let near = event_catalogue::nearest(&word, words.iter().copied());
            let help = near.first().map(|near| format!("\n  help: did you mean `{near}`?"));
            let help = help.unwrap_or_default();
            mistakes
                .at(&value, format!("`{word}` is not a {what}; expected {}{help}", list(words)));
        }
        if key == "kind" {
            kind = Some(word);
        } else {
            scope = word;
        }
        Ok(())
    })?;
    let Some(kind) = kind else {
        // After another mistake `kind` may be present but misspelled: report only that mistake.
        if mistakes.is_empty() {
            mistakes.at(
                &name,
                "`kind` is missing: `kind = \"notification\"`, `\"collect\"` or `\"chain\"`",
            );
        }
        return Ok(None);
    };
    Ok(Some(Arguments { name, kind, scope, event_core: core }))
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

fn declare(
    arguments: &Arguments,
    item: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let (ident, generics, attributes, fields) = match syn::parse2(item.clone()) {
        Ok(Item::Struct(item)) => (item.ident, item.generics, item.attrs, Some(item.fields)),
        Ok(Item::Enum(item)) => (item.ident, item.generics, item.attrs, None),
        Ok(_) | Err(_) => {
            let first: TokenStream = item.clone().into_iter().take(1).collect();
            mistakes.at(first, "`#[event]` annotates a struct: the event's payload");
            return None;
        }
    };
    let mut lifetimes = 0;
    for parameter in &generics.params {
        match parameter {
            GenericParam::Lifetime(_) if lifetimes == 0 => lifetimes = 1,
            GenericParam::Lifetime(extra) => {
                mistakes.at(extra, "an event borrows for one lifetime");
                return None;
            }
            other => {
                mistakes.at(other, "an event cannot be generic: one type, one event");
                return None;
            }
        }
    }
    if !mistakes.is_empty() {
        return None;
    }
    let span = Span::mixed_site();
    let core = &arguments.event_core;
    let c = quote_spanned!(span=> #core::__private);
    let of = |lifetime: &str| {
        let lifetime = syn::Lifetime::new(lifetime, span);
        if lifetimes == 1 { quote_spanned!(span=> #ident<#lifetime>) } else { quote!(#ident) }
    };
    let (any, always, payload) = (of("'_"), of("'static"), of("'p"));
    let (view, give) = if arguments.kind == "notification" {
        (quote_spanned!(span=> &'a #payload), quote_spanned!(span=> &*payload))
    } else {
        (quote_spanned!(span=> &'a mut #payload), quote_spanned!(span=> payload))
    };
    let variant = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Ident::new(&first.into_iter().chain(letters).collect::<String>(), span)
    };
    let (kind, scope) = (variant(&arguments.kind), variant(&arguments.scope));
    let (name, doc, type_name) = (&arguments.name, docs::text(&attributes), ident.to_string());
    let fields = fields.iter().flatten().filter_map(|field| {
        let (name, doc) = (field.ident.as_ref()?.to_string(), docs::text(&field.attrs));
        let written = &field.ty;
        let written = quote!(#written).to_string();
        Some(quote_spanned!(span=> #c::FieldInfo { name: #name, type_: #written, doc: #doc }))
    });
    Some(quote_spanned!(span=>
        const _: () = {
            static __SPONDEE_ID: #c::EventCell = #c::EventCell::new();

            impl #c::Payload for #always {
                type Of<'p> = #payload;
            }

            impl #c::Event for #any {
                type Payload = #always;

                const INFO: &'static #c::EventInfo = &#c::EventInfo::new(
                    #name,
                    (#c::Family::#kind, #c::Scope::#scope),
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

            impl<'a, 'p> #c::PayloadOf<'a, 'p, #any> for #view {
                fn view(payload: &'a mut #payload) -> Self {
                    #give
                }
            }

            impl<'p> #c::Fire<'p> for #payload {
                fn payload(&mut self) -> &mut #payload {
                    self
                }
            }

            #c::inventory::submit! {
                #c::EventRecord {
                    info: <#always as #c::Event>::INFO,
                    module_path: #c::module_path!(),
                    id: &__SPONDEE_ID,
                }
            }
        };
    ))
}
