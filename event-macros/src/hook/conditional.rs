//! `#[cfg]` on an argument of a handler. The compiler applies it after the attribute has expanded, so
//! the attribute expands to two functions: one with the argument and one without it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Attribute, FnArg, Meta, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::signature::Function;
use crate::attr::{event_core, path, skip};

/// The two functions, each with the same `#[hook]`, if an argument is conditional.
pub(super) fn variants(arguments: &TokenStream, function: &Function) -> Option<TokenStream> {
    let condition = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.clone()),
        _ => None,
    };
    let inputs = &function.signature.inputs;
    let (index, condition) = inputs.iter().enumerate().find_map(|(index, argument)| {
        let FnArg::Typed(argument) = argument else { return None };
        Some((index, argument.attrs.iter().find_map(condition)?))
    })?;
    let core = event_core(crate_option(arguments).as_ref());
    let Function { attributes, visibility, signature, body } = function;
    let variant = |condition: TokenStream, keeps: bool| {
        let mut signature = signature.clone();
        signature.inputs = inputs
            .iter()
            .enumerate()
            .filter(|(at, _)| keeps || *at != index)
            .map(|(at, argument)| {
                let mut argument = argument.clone();
                if at == index
                    && let FnArg::Typed(typed) = &mut argument
                {
                    typed.attrs.retain(|attribute| !attribute.path().is_ident("cfg"));
                }
                argument
            })
            .collect();
        let span = proc_macro2::Span::mixed_site();
        let hook = quote_spanned!(span=> #[cfg(#condition)] #[#core::hook(#arguments)]);
        quote!(#hook #(#attributes)* #visibility #signature #body)
    };
    let (with, without) =
        (variant(condition.clone(), true), variant(quote!(not(#condition)), false));
    Some(quote!(#with #without))
}

/// The path of `crate = path` among the arguments of `#[hook]`.
pub(super) fn crate_option(arguments: &TokenStream) -> Option<Path> {
    let parse = |input: ParseStream<'_>| {
        let mut found = None;
        while !input.is_empty() {
            if input.peek(Token![crate]) && input.peek2(Token![=]) {
                input.call(syn::Ident::parse_any)?;
                input.parse::<Token![=]>()?;
                found = Some(path(input)?);
            }
            skip(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(found)
    };
    parse.parse2(arguments.clone()).ok().flatten()
}
