//! `module_crate!`, and the constants with which the attributes check what it declares.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    LitStr, Token,
    parse::{ParseStream, Parser},
};

use crate::attr::{Mistakes, located, options, refuse_repeated, strings};

/// The keys that are fields of `Bundle`.
const DEFAULTS: [&str; 3] = ["defaults", "component_defaults", "external_component_defaults"];
const KEYS: [&str; 5] =
    ["defaults", "component_defaults", "external_component_defaults", "namespaces", "elements"];

#[derive(Default)]
struct Arguments {
    event_core: TokenStream,
    /// The fields of `Bundle`.
    defaults: TokenStream,
    namespaces: Vec<LitStr>,
    elements: Vec<LitStr>,
}

/// Expands the macro. Its first argument is the path of `event-core`, from the `macro_rules!` macro
/// that authors call.
pub(crate) fn expand(arguments: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let mut parsed = Arguments::default();
    let result =
        (|input: ParseStream<'_>| parse(input, &mut parsed, &mut mistakes)).parse2(arguments);
    mistakes.take(result);
    // Declarations are kept after a mistake: without them, each hook would be one more error.
    let Arguments { event_core: core, defaults, namespaces, elements } = parsed;
    let span = Span::mixed_site();
    let c = quote_spanned!(span=> #core::__private);
    let own = (!namespaces.is_empty() || !elements.is_empty()).then(|| {
        quote_spanned!(span=>
            const __SPONDEE_OWN: &#c::OwnNames = &#c::OwnNames {
                namespaces: &[#(#namespaces),*],
                elements: &[#(#elements),*],
            };
        )
    });
    let mistakes = mistakes.into_tokens();
    quote_spanned!(span=>
        /// The modules of this crate. A binary that runs the modules lists this constant.
        pub const BUNDLE: #core::Bundle = #core::Bundle {
            #defaults
            ..#core::Bundle::new(#c::module_path!())
        };
        #own
        #mistakes
    )
}

fn parse(
    input: ParseStream<'_>,
    parsed: &mut Arguments,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    parsed.event_core = input.parse::<proc_macro2::TokenTree>()?.into();
    input.parse::<Token![,]>()?;
    options(input, &KEYS, mistakes, |key, input, mistakes| {
        let name = key.to_string();
        let example = match name.as_str() {
            "namespaces" => "urn:example:guestbook:0",
            "elements" => "vcard-temp:x-photo",
            _ => "roster",
        };
        let list = strings(input, &format!("`{name}` are strings: `{name} = [\"{example}\"]`"))?;
        refuse_repeated(&list, mistakes);
        if DEFAULTS.contains(&name.as_str()) {
            parsed.defaults.extend(quote!(#key: &[#(#list),*],));
            return Ok(());
        }
        let is_namespace = name == "namespaces";
        for word in &list {
            let checked = if is_namespace {
                event_catalogue::check_own_namespace(&word.value())
            } else {
                event_catalogue::check_own_element(&word.value())
            };
            if let Err(error) = checked {
                mistakes.at(word, error);
            }
        }
        if is_namespace {
            parsed.namespaces = list;
        } else {
            parsed.elements = list;
        }
        Ok(())
    })
}

/// A constant that calls `question`, a method of `OwnNames`, on what the author's crate declares. Its
/// panic is an error at `place`.
///
/// The inner block imports everything from the crate's root, so a declaration there takes precedence
/// over the outer constant, which stands for a crate without one.
pub(crate) fn ask(
    c: &TokenStream,
    place: Span,
    question: impl FnOnce(Span) -> TokenStream,
) -> TokenStream {
    let span = Span::mixed_site().located_at(place);
    let (c, question) = (located(c, place), question(span));
    quote_spanned!(span=>
        const _: () = {
            const __SPONDEE_OWN: &#c::OwnNames = #c::OwnNames::NONE;
            {
                use crate::*;
                __SPONDEE_OWN.#question
            }
        };
    )
}
