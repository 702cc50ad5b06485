//! The annotated item.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{
    Attribute, Generics, Ident, Meta, Token, Visibility,
    parse::{Parse, ParseStream},
};

use crate::attr::Mistakes;

/// Removes and refuses further attributes `name` of the item, because only one is allowed.
pub(crate) fn given_twice(attributes: &mut Vec<Attribute>, name: &str, mistakes: &mut Mistakes) {
    attributes.retain(|attribute| {
        let path = attribute.path();
        let is_other = path.segments.last().is_none_or(|last| last.ident != name);
        if !is_other {
            mistakes.at(path, format!("`#[{name}]` is given twice"));
        }
        is_other
    });
}

/// Whether a `#[derive]` names `name`.
pub(crate) fn derives(attributes: &[Attribute], name: &str) -> bool {
    let has = |tokens: TokenStream| {
        tokens.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == name))
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("derive") && has(list.tokens.clone()),
        _ => false,
    })
}

/// The attribute for implementations of a type that is `#[deprecated]`, or that has such a field:
/// the author's own declaration is no use of it. Nothing for others, because a crate may forbid the
/// lint.
pub(crate) fn quiet<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> TokenStream {
    let deprecates = |attribute: &Attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("deprecated"),
        Meta::NameValue(pair) => pair.path.is_ident("deprecated"),
        Meta::List(list) if list.path.is_ident("cfg_attr") => list
            .tokens
            .clone()
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(word) if word == "deprecated")),
        Meta::List(list) => list.path.is_ident("deprecated"),
    };
    if !attributes.into_iter().any(deprecates) {
        return TokenStream::new();
    }
    quote_spanned!(Span::mixed_site()=>
        #[allow(deprecated, reason = "the expansion belongs to the declaration")]
    )
}

/// The first token after the attributes.
pub(crate) fn keyword(item: TokenStream) -> Option<TokenTree> {
    item.into_iter().find(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() != '#',
        TokenTree::Group(_) => false,
        _ => true,
    })
}

/// The annotated type: its tokens and parts.
pub(crate) struct Annotated {
    pub(crate) item: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
}

impl Annotated {
    pub(crate) fn new(
        item: &impl ToTokens,
        attributes: &[Attribute],
        ident: &Ident,
        generics: &Generics,
    ) -> Self {
        let (ident, generics) = (ident.clone(), generics.clone());
        Self { item: item.to_token_stream(), attributes: attributes.to_vec(), ident, generics }
    }
}

/// A struct with a syntax error among its fields, which the compiler reports itself.
pub(crate) struct Header {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![struct]>()?;
        let (ident, generics) = (input.parse()?, input.parse()?);
        input.parse::<TokenStream>()?;
        Ok(Self { attrs, ident, generics })
    }
}
