//! `#[derive(event_core::serde::Deserialize)]` and `Serialize`: serde's own, for crates that do not
//! depend on serde.
//!
//! serde's derive macros expand to `extern crate serde` unless an attribute names another path. The
//! expansion derives the trait for a copy of the type with that attribute and `remote`, and
//! implements the trait for the type itself by the copy's functions.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{
    Attribute, Error, Generics, Ident, Item, LitStr, Meta, Path, Token,
    parse::{ParseStream, Parser},
};

use crate::attr::{event_core, skip};

/// `name` is `Deserialize` or `Serialize`.
pub(crate) fn derive(item: TokenStream, name: &str) -> TokenStream {
    expand(item, name).unwrap_or_else(|error| error.to_compile_error())
}

fn expand(item: TokenStream, name: &str) -> syn::Result<TokenStream> {
    let span = Span::mixed_site();
    let mut copy: Item = syn::parse2(item.clone())?;
    let (ident, generics, attributes) = match &mut copy {
        Item::Struct(item) => {
            keep_serde(item.fields.iter_mut().map(|field| &mut field.attrs));
            (&mut item.ident, &item.generics, &mut item.attrs)
        }
        Item::Enum(item) => {
            for variant in &mut item.variants {
                keep_serde(variant.fields.iter_mut().map(|field| &mut field.attrs));
                keep_serde([&mut variant.attrs]);
            }
            (&mut item.ident, &item.generics, &mut item.attrs)
        }
        _ => return Err(Error::new_spanned(item, format!("`{name}` is for structs and enums"))),
    };
    keep_serde([&mut *attributes]);
    let original = ident.clone();
    let hidden = format_ident!("__{original}", span = span);
    *ident = hidden.clone();
    let core = event_core(None);
    let written = krate(attributes)?;
    let serde = match &written {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(span=> #core::serde),
    };
    let set_crate = written.is_none().then(|| {
        let serde = serde.to_string().replace(' ', "");
        quote_spanned!(span=> crate = #serde,)
    });
    let generics = bounded(generics, &serde, name);
    let (_, ty_generics, _) = generics.split_for_impl();
    let remote = original.to_string();
    let derive = Ident::new(name, span);
    let method = if name == "Serialize" {
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        quote_spanned!(span=>
            impl #impl_generics #serde::Serialize for #original #ty_generics #where_clause {
                fn serialize<__S: #serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    #hidden::serialize(self, serializer)
                }
            }
        )
    } else {
        let mut with_de = generics.clone();
        with_de.params.insert(0, syn::parse_quote!('de));
        let (impl_generics, _, where_clause) = with_de.split_for_impl();
        quote_spanned!(span=>
            impl #impl_generics #serde::Deserialize<'de> for #original #ty_generics #where_clause {
                fn deserialize<__D: #serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    #hidden::deserialize(deserializer)
                }
            }
        )
    };
    Ok(quote_spanned!(span=>
        const _: () = {
            #[derive(#serde::derive::#derive)]
            #[serde(#set_crate remote = #remote)]
            #copy

            #[automatically_derived]
            #method
        };
    ))
}

/// Removes the attributes of other macros, because the copy derives serde's trait only.
fn keep_serde<'a>(lists: impl IntoIterator<Item = &'a mut Vec<Attribute>>) {
    for attributes in lists {
        attributes.retain(|attribute| attribute.path().is_ident("serde"));
    }
}

/// The value of `#[serde(crate = "…")]`.
fn krate(attributes: &[Attribute]) -> syn::Result<Option<Path>> {
    let mut found = None;
    for attribute in attributes {
        let Meta::List(list) = &attribute.meta else { continue };
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(Token![crate]) {
                    input.parse::<Token![crate]>()?;
                    input.parse::<Token![=]>()?;
                    found = Some(input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)?);
                }
                skip(input)?;
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        parse.parse2(list.tokens.clone())?;
    }
    Ok(found)
}

/// The generics with serde's usual bound on each type.
fn bounded(generics: &Generics, serde: &TokenStream, name: &str) -> Generics {
    let mut generics = generics.clone();
    let bound: syn::TypeParamBound = match name {
        "Serialize" => syn::parse_quote!(#serde::Serialize),
        _ => syn::parse_quote!(#serde::Deserialize<'de>),
    };
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(bound.clone());
    }
    generics
}
