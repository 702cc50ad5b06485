//! Doc comments, as text.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of an item's doc comment, without the space that follows `///`, as an expression: a
/// literal, or a call of `concat!` when a part is computed, such as `#[doc = include_str!("…")]`.
/// `private` is the path of `event_core::__private`.
pub(crate) fn text(attributes: &[Attribute], private: &TokenStream) -> TokenStream {
    let mut parts = vec![String::new().into_token_stream()];
    let mut text = String::new();
    let mut is_first = true;
    for attribute in attributes {
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        if !meta.path.is_ident("doc") {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            text.push('\n');
        }
        match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => {
                let line = line.value();
                text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            }
            computed => {
                parts.push(std::mem::take(&mut text).into_token_stream());
                parts.push(computed.to_token_stream());
            }
        }
    }
    if parts.len() == 1 {
        return quote!(#text);
    }
    quote_spanned!(Span::mixed_site()=> #private::concat!(#(#parts,)* #text))
}
