//! `#[module]`: makes a struct of options a module that hosts can enable.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{
    Error, Fields, Item, ItemStruct, LitStr, Path, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    attr::{Mistakes, event_core, options, path, refuse_repeated, string, strings},
    docs,
    features::{self, Feature},
    fires::{self, event_types},
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
    let parsed = (|input: ParseStream<'_>| parse(input, &mut mistakes)).parse2(arguments);
    let parsed = mistakes.take(parsed);
    let parsed_item = match syn::parse2(item.clone()) {
        Ok(Item::Struct(item)) => Some(item),
        Ok(_) | Err(_) => {
            let first: TokenStream = item.clone().into_iter().take(1).collect();
            mistakes.at(first, "`#[module]` annotates a struct: the module's options on one host");
            None
        }
    };
    let expansion = match (parsed, parsed_item) {
        (Some(arguments), Some(item)) => declare(&arguments, item, &mut mistakes),
        _ => None,
    };
    let mistakes = mistakes.into_tokens();
    match expansion {
        Some(expansion) => quote!(#expansion #mistakes),
        None => quote!(#item #mistakes),
    }
}

fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Arguments> {
    let mut parsed = Arguments::default();
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        match key.to_string().as_str() {
            "name" => {
                let name = string(input, "a module's name is a string: `name = \"version\"`")?;
                if !is_name(&name.value()) {
                    let message = format!("`{}` is not a module's name: {NAME}", name.value());
                    mistakes.at(&name, message);
                }
                parsed.name = Some(name);
            }
            "state" => {
                let span = input.span();
                let expected = "`state` is a type: what the module keeps on a host";
                parsed.state = Some(input.parse().map_err(|_| Error::new(span, expected))?);
            }
            "features" => parsed.features = features::parse(input, mistakes)?,
            "after" => {
                parsed.after = strings(input, "`after` names modules: `after = [\"carbons\"]`")?;
                refuse_repeated(&parsed.after, mistakes);
            }
            "fires" => parsed.fires = event_types(input, mistakes)?,
            _ => parsed.event_core = Some(path(input)?),
        }
        Ok(())
    })?;
    for other in parsed.after.iter().filter(|other| !is_name(&other.value())) {
        let message = format!("`{}` is not a module's name: {NAME}", other.value());
        mistakes.at(other, message);
    }
    Ok(parsed)
}

const NAME: &str = "lower case letters, digits and `_`, a letter first";

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

fn declare(
    arguments: &Arguments,
    item: ItemStruct,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    if !item.generics.params.is_empty() {
        mistakes.at(&item.generics, "a module cannot be generic");
        return None;
    }
    if let Fields::Unnamed(fields) = &item.fields {
        mistakes.at(fields, "a module's options have names: `struct Version { hide_os: bool }`");
        return None;
    }
    let ident = &item.ident;
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
    if !mistakes.is_empty() {
        return None;
    }
    let span = Span::mixed_site();
    let core = event_core(arguments.event_core.as_ref());
    let c = quote_spanned!(span=> #core::__private);
    let doc = docs::text(&item.attrs);
    let state = match &arguments.state {
        Some(state) => quote!(#state),
        None => quote_spanned!(span=> ()),
    };
    let features = arguments.features.iter().map(Feature::value);
    let asked = arguments.features.iter().filter_map(|feature| feature.ask(&c));
    let after = &arguments.after;
    let fires = fires::infos(&arguments.fires, &c);
    let described = item.fields.iter().filter_map(|field| {
        let (name, doc) = (field.ident.as_ref()?.to_string(), docs::text(&field.attrs));
        let ty = &field.ty;
        let kind = quote!(#ty).to_string().replace(' ', "");
        Some(quote_spanned!(span=> #c::OptionInfo::new(#name, #doc, #kind)))
    });
    let serde = format!("{}::serde", core.to_string().replace(' ', ""));
    let derive = quote_spanned!(span=>
        #[derive(#core::serde::Deserialize)]
        #[serde(crate = #serde, deny_unknown_fields)]
    );
    // Serde reads a unit struct from a unit; its options are an empty table.
    let (annotated, read) = if matches!(item.fields, Fields::Unit) {
        let read = quote_spanned!(span=>
            #derive
            struct __SpondeeOptions {}
            let __SpondeeOptions {} = #c::options(table)?;
            #c::Ok(#ident)
        );
        (quote!(#item), read)
    } else {
        (quote!(#derive #item), quote_spanned!(span=> #c::options(table)))
    };
    let quiet = quote_spanned!(span=>
        #[allow(missing_debug_implementations, reason = "options may be secrets")]
    );
    let one = quote_spanned!(ident.span()=>
        #[doc(hidden)]
        #[allow(dead_code, reason = "its name is taken so that a second module here is refused")]
        const ONE_MODULE_STRUCT_IN_EACH_RUST_MODULE: () = ();
    );
    let record = quote_spanned!(state.span()=> type State = #state;);
    Some(quote_spanned!(span=>
        #quiet
        #annotated
        #one
        #(#asked)*

        const _: () = {
            impl #c::Module for #ident {
                #record

                const INFO: &'static #c::ModuleInfo = &#c::ModuleInfo::new(
                    (#name, #doc),
                    &[#(#features),*],
                    &[#(#after),*],
                    &[#(#described),*],
                    (#c::module_path!(), #c::file!(), #c::line!()),
                )#fires;

                fn options(table: #c::toml::Table) -> #c::Result<Self, #c::toml::de::Error> {
                    #read
                }
            }

            #c::inventory::submit! {
                #c::ModuleRecord {
                    info: <#ident as #c::Module>::INFO,
                    vtable: &#c::VtableOf::<#ident>::NEW,
                }
            }
        };
    ))
}
