//! `#[module]`: makes a struct of options a module that hosts can enable.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Error, Fields, Item, LitStr, Path, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    attr::{Mistakes, event_core, options, path, refuse_repeated, string, strings},
    docs,
    features::{self, Feature},
    fires::{self, event_types},
    item::{Annotated, Header, derives, given_twice, keyword, quiet},
};

const OPTIONS: &[&str] = &["name", "state", "features", "after", "fires", "crate"];

#[derive(Default)]
struct Arguments {
    name: Option<LitStr>,
    state: Option<Type>,
    features: Vec<Feature>,
    after: Vec<LitStr>,
    fires: Vec<Path>,
    event_core: Option<Path>,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let mut parsed = Arguments::default();
    let result =
        (|input: ParseStream<'_>| parse(input, &mut parsed, &mut mistakes)).parse2(arguments);
    mistakes.take(result);
    check(&parsed, &mut mistakes);
    let refusal = "`#[module]` annotates a struct: the module's options on one host";
    let (is_struct, item) = match syn::parse2(item.clone()) {
        Ok(Item::Struct(mut item)) => {
            given_twice(&mut item.attrs, "module", &mut mistakes);
            let is_named = !matches!(item.fields, Fields::Unnamed(_));
            if !is_named {
                let message = "a module's options have names: `struct Version { hide_os: bool }`";
                mistakes.at(&item.fields, message);
            }
            (is_named, Annotated::new(&item, &item.attrs, &item.ident, &item.generics))
        }
        Ok(Item::Enum(other)) => {
            mistakes.at(keyword(item), refusal);
            (false, Annotated::new(&other, &other.attrs, &other.ident, &other.generics))
        }
        Ok(_) => {
            mistakes.at(keyword(item.clone()), refusal);
            let mistakes = mistakes.into_tokens();
            return quote!(#item #mistakes);
        }
        Err(error) => match syn::parse2::<Header>(item.clone()) {
            Ok(header) => {
                (false, Annotated::new(&item, &header.attrs, &header.ident, &header.generics))
            }
            Err(_) => {
                let error = error.to_compile_error();
                return quote!(#item #error);
            }
        },
    };
    declare(&parsed, &item, is_struct, mistakes)
}

fn parse(
    input: ParseStream<'_>,
    parsed: &mut Arguments,
    mistakes: &mut Mistakes,
) -> syn::Result<()> {
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        match key.to_string().as_str() {
            "name" => {
                parsed.name =
                    Some(string(input, "a module's name is a string: `name = \"version\"`")?);
            }
            "state" => {
                let span = input.span();
                let expected = "`state` is a type: what the module keeps on a host";
                if let Some(quoted) = input.parse::<Option<LitStr>>()? {
                    mistakes.at(&quoted, expected);
                    parsed.state = quoted.parse().ok();
                    return Ok(());
                }
                parsed.state = Some(input.parse().map_err(|_| Error::new(span, expected))?);
            }
            "features" => parsed.features = features::parse(input, mistakes)?,
            "after" => {
                parsed.after = strings(input, "`after` names modules: `after = [\"carbons\"]`")?;
                refuse_repeated(&parsed.after, mistakes);
            }
            "fires" => parsed.fires = event_types(input, mistakes)?,
            "crate" => parsed.event_core = Some(path(input)?),
            // A type under another key is likely to be the state.
            _ if parsed.state.is_none() && !input.peek(LitStr) => parsed.state = input.parse().ok(),
            _ => {}
        }
        Ok(())
    })
}

fn check(arguments: &Arguments, mistakes: &mut Mistakes) {
    for name in arguments.name.iter().chain(&arguments.after) {
        let value = name.value();
        if !is_name(&value) {
            mistakes.at(name, format!("`{value}` is not a module's name: lower case letters, digits and `_`, a letter first"));
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// `InBandRegistration` → `in_band_registration`.
fn snake_case(ident: &str) -> String {
    let mut name = String::new();
    for letter in ident.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Expands to the struct and its implementation of `Module`, also after a mistake, so that the
/// mistake is the only error. A refused module is not registered.
fn declare(
    arguments: &Arguments,
    annotated: &Annotated,
    has_named_fields: bool,
    mut mistakes: Mistakes,
) -> TokenStream {
    let span = Span::mixed_site();
    let Annotated { item, attributes, ident, generics } = annotated;
    let is_generic = !generics.params.is_empty();
    if is_generic {
        mistakes.at(generics, "a module cannot be generic");
    }
    let name = match &arguments.name {
        Some(name) => name.value(),
        None => snake_case(&ident.unraw().to_string()),
    };
    if let Some(itself) = arguments.after.iter().find(|other| other.value() == name) {
        mistakes.at(
            itself,
            format!("`{name}` is this module: its handlers cannot run after themselves"),
        );
    }
    let core = event_core(arguments.event_core.as_ref());
    let c = quote_spanned!(span=> #core::__private);
    let doc = docs::text(attributes, &c);
    let features = arguments.features.iter().map(Feature::value);
    let asked = arguments.features.iter().filter_map(|feature| feature.ask(&c));
    // After a mistake, features are not checked: one that is not declared would be a second error.
    let asked = mistakes.is_empty().then(|| quote!(#(#asked)*));
    let after = &arguments.after;
    let fires = fires::infos(&arguments.fires, &c);
    let (derive, options, read) = if has_named_fields && !is_generic {
        (
            quote_spanned!(span=> crate = #core),
            quote_spanned!(span=> <Self as #c::Options>::OPTIONS),
            quote_spanned!(span=> #c::option::read(table)),
        )
    } else {
        (
            quote_spanned!(span=> refused),
            quote_spanned!(span=> &[]),
            quote_spanned!(span=> #c::option::refused(table)),
        )
    };
    let one = quote_spanned!(ident.span()=>
        #[doc(hidden)]
        const ONE_MODULE_STRUCT_IN_EACH_RUST_MODULE: () = ();
    );
    let state = match &arguments.state {
        Some(state) => quote_spanned!(state.span()=> type State = #state;),
        None => quote_spanned!(span=> type State = ();),
    };
    let record = mistakes.is_empty().then(|| {
        quote_spanned!(span=>
            #c::inventory::submit! {
                #c::ModuleRecord {
                    info: <#c::VtableOf<#ident> as #c::HasInfo>::INFO,
                    vtable: &#c::VtableOf::<#ident>::NEW,
                }
            }
        )
    });
    let mistakes = mistakes.into_tokens();
    // In a crate that forbids the lint, an `allow` is an error, and the struct derives `Debug`.
    let no_debug = (!derives(attributes, "Debug")).then(|| {
        quote_spanned!(span=>
            #[allow(missing_debug_implementations, reason = "options may be secrets")]
        )
    });
    let quiet = quiet(attributes);
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let bounds =
        is_generic.then(|| quote_spanned!(span=> where Self: #c::Send + #c::Sync + 'static));
    quote_spanned!(span=>
        #no_debug
        #[derive(#c::Options)]
        #[option(#derive)]
        #item
        #one
        #asked

        #quiet
        const _: () = {
            impl #impl_generics #c::Module for #ident #ty_generics #bounds {
                #state

                const INFO: &'static #c::ModuleInfo = &#c::ModuleInfo::new(
                    (#name, #doc),
                    &[#(#features),*],
                    &[#(#after),*],
                    #options,
                    (#c::module_path!(), #c::file!(), #c::line!()),
                )#fires;

                fn options(table: #c::toml::Table) -> #c::Result<Self, #c::toml::de::Error> {
                    let () = ONE_MODULE_STRUCT_IN_EACH_RUST_MODULE;
                    #read
                }
            }

            #record
        };
        #mistakes
    )
}
