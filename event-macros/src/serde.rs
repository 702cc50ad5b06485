//! `#[derive(event_core::serde::Deserialize)]` and `Serialize`: serde's own, for crates that do not
//! depend on serde.
//!
//! serde's derive macros expand to `extern crate serde` unless an attribute names another path. The
//! expansion derives the trait for a copy of the type with that attribute and `remote`, and
//! implements the trait for the type itself by the copy's functions.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Attribute, Error, Fields, Generics, Ident, Item, LitStr, Meta, Path, Token, Type, Visibility,
    parse::{ParseStream, Parser},
};

use crate::{
    attr::{event_core, skip},
    item::quiet,
    spans::spanned,
};

/// `name` is `Deserialize` or `Serialize`.
pub(crate) fn derive(item: TokenStream, name: &str) -> TokenStream {
    expand(item, name).unwrap_or_else(|error| error.to_compile_error())
}

fn expand(item: TokenStream, name: &str) -> syn::Result<TokenStream> {
    let span = Span::mixed_site();
    let mut copy: Item = syn::parse2(item.clone())?;
    let (ident, generics) = match &copy {
        Item::Struct(item) => (&item.ident, &item.generics),
        Item::Enum(item) => (&item.ident, &item.generics),
        _ => return Err(Error::new_spanned(item, format!("`{name}` is for structs and enums"))),
    };
    let (original, generics) = (ident.clone(), generics.clone());
    let (_, ty_generics, _) = generics.split_for_impl();
    let this = quote!(#original #ty_generics);
    // A name that serde's expansion does not use.
    let hidden = format_ident!("__Spondee{original}", span = span);
    let (attributes, has_defaults) = change(&mut copy, &hidden, &this);
    let quiet = quiet(&attributes);
    let core = event_core(None);
    let written = krate(&attributes)?;
    let serde = match &written {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(span=> #core::serde),
    };
    let set_crate = written.is_none().then(|| {
        let serde = serde.to_string().replace(' ', "");
        quote!(crate = #serde,)
    });
    let generics = bounded(&generics, &serde, (name, has_defaults));
    let remote = original.to_string();
    let derive = format_ident!("{name}", span = Span::call_site());
    let method = if name == "Serialize" {
        let (impl_generics, _, where_clause) = generics.split_for_impl();
        quote_spanned!(span=>
            #[automatically_derived]
            impl #impl_generics #serde::Serialize for #this #where_clause {
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
        let lifetimes = generics.lifetimes().map(|of| &of.lifetime);
        with_de.params.insert(0, syn::parse_quote!('de: #(#lifetimes +)*));
        let (impl_generics, _, where_clause) = with_de.split_for_impl();
        quote_spanned!(span=>
            #[automatically_derived]
            impl #impl_generics #serde::Deserialize<'de> for #this #where_clause {
                fn deserialize<__D: #serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    #hidden::deserialize(deserializer)
                }
            }
        )
    };
    // Serde implements nothing for a type that it refuses, and its own error is enough. The function
    // of the copy goes before that of a trait.
    let refused = generics.params.is_empty().then(|| {
        let refuse = if name == "Serialize" {
            quote_spanned!(span=>
                fn serialize<__S: #serde::Serializer>(
                    _: &#original,
                    _: __S,
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    ::core::result::Result::Err(#serde::ser::Error::custom("refused"))
                }
            )
        } else {
            quote_spanned!(span=>
                fn deserialize<'de, __D: #serde::Deserializer<'de>>(
                    _: __D,
                ) -> ::core::result::Result<#original, __D::Error> {
                    ::core::result::Result::Err(#serde::de::Error::custom("refused"))
                }
            )
        };
        quote_spanned!(span=>
            trait __SpondeeRefused { #refuse }
            impl __SpondeeRefused for #hidden {}
        )
    });
    // With call-site spans, so that a variable of serde's expansion is the same one in the tokens that
    // serde gives the span of the author's attribute.
    let derive = quote!(#[derive(#serde::derive::#derive)] #[serde(#set_crate remote = #remote)]);
    let derive = spanned(&derive, Span::call_site());
    Ok(quote_spanned!(span=>
        #quiet
        const _: () = {
            #derive
            #copy
            #refused
            #method
        };
    ))
}
/// Makes the item the copy: private, with serde's attributes alone, and without `Self`, which would be
/// the copy. Returns the item's own attributes, and whether a field may have the default of its type.
fn change(copy: &mut Item, hidden: &Ident, this: &TokenStream) -> (Vec<Attribute>, bool) {
    let (attributes, mut fields, mut variants): (_, Vec<&mut Fields>, Vec<_>) = match copy {
        Item::Struct(item) => {
            (item.ident, item.vis) = (hidden.clone(), Visibility::Inherited);
            (&mut item.attrs, vec![&mut item.fields], Vec::new())
        }
        Item::Enum(item) => {
            (item.ident, item.vis) = (hidden.clone(), Visibility::Inherited);
            let (attributes, fields) = item
                .variants
                .iter_mut()
                .map(|variant| (&mut variant.attrs, &mut variant.fields))
                .unzip();
            (&mut item.attrs, fields, attributes)
        }
        _ => return (Vec::new(), false),
    };
    let own = attributes.clone();
    keep_serde(attributes);
    attributes.iter_mut().for_each(|attribute| name_default(attribute, this));
    variants.iter_mut().for_each(|attributes| keep_serde(attributes));
    let mut has_defaults = false;
    for field in fields.iter_mut().flat_map(|fields| fields.iter_mut()) {
        keep_serde(&mut field.attrs);
        has_defaults |= field.attrs.iter().any(|attribute| {
            words(attribute)
                .any(|word| word == "default" || word == "skip" || word == "skip_deserializing")
        });
        field.vis = Visibility::Inherited;
        field.ty = Type::Verbatim(without_self(field.ty.to_token_stream(), this));
    }
    (own, has_defaults)
}

/// Removes the attributes of other macros.
fn keep_serde(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| attribute.path().is_ident("serde"));
}

/// The words of an attribute, without those in values.
fn words(attribute: &Attribute) -> impl Iterator<Item = Ident> {
    let tokens = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    tokens.into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    })
}

/// Replaces `default` on the type by a path to the default of the original: serde would ask for the
/// default of the copy.
fn name_default(attribute: &mut Attribute, this: &TokenStream) {
    let Meta::List(list) = &mut attribute.meta else { return };
    let path = format!("<{this} as ::core::default::Default>::default");
    let mut tokens = list.tokens.clone().into_iter().peekable();
    let mut named = TokenStream::new();
    while let Some(token) = tokens.next() {
        let is_default = matches!(&token, TokenTree::Ident(word) if word == "default");
        let has_value =
            matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '=');
        named.extend([token]);
        if is_default && !has_value {
            named.extend(quote!(= #path));
        }
    }
    list.tokens = named;
}

/// Replaces `Self`.
fn without_self(tokens: TokenStream, this: &TokenStream) -> TokenStream {
    let replaced = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) if word == "Self" => this.clone(),
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), without_self(group.stream(), this));
            inner.set_span(group.span());
            TokenTree::Group(inner).into()
        }
        other => other.into(),
    });
    replaced.collect()
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

/// The generics with serde's usual bounds on each type.
fn bounded(
    generics: &Generics,
    serde: &TokenStream,
    (name, has_defaults): (&str, bool),
) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        if name == "Serialize" {
            parameter.bounds.push(syn::parse_quote!(#serde::Serialize));
        } else {
            parameter.bounds.push(syn::parse_quote!(#serde::Deserialize<'de>));
            if has_defaults {
                parameter.bounds.push(syn::parse_quote!(::core::default::Default));
            }
        }
    }
    generics
}
