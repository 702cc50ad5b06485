//! The features of a module: strings and constants.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{
    LitStr, Path,
    parse::{Parse, ParseStream},
};

use crate::{
    attr::{Mistakes, bracketed, refuse_repeated, string},
    own::ask,
};

const EXPECTED: &str =
    "`features` are strings or constants: `features = [\"jabber:iq:version\", NS]`";

/// A feature as the author wrote it.
pub(crate) enum Feature {
    Literal(LitStr),
    Constant(Path),
}

impl Parse for Feature {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(syn::Lit) {
            string(input, EXPECTED).map(Self::Literal)
        } else {
            input.call(Path::parse_mod_style).map(Self::Constant)
        }
    }
}

/// Parses and checks the value of `features`.
pub(crate) fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Vec<Feature>> {
    let features: Vec<Feature> = bracketed(input, EXPECTED)?;
    let literals = features.iter().filter_map(|feature| match feature {
        Feature::Literal(literal) => Some(literal.clone()),
        Feature::Constant(_) => None,
    });
    let literals: Vec<_> = literals.collect();
    for literal in &literals {
        if let Err(error) = event_catalogue::check_feature(&literal.value()) {
            mistakes.at(literal, error);
        }
    }
    refuse_repeated(&literals, mistakes);
    Ok(features)
}

impl Feature {
    /// The feature as a constant expression.
    pub(crate) fn value(&self) -> TokenStream {
        match self {
            Self::Literal(literal) => literal.to_token_stream(),
            Self::Constant(path) => path.to_token_stream(),
        }
    }

    /// The check, by the compiler, that the feature is known or that the crate declares it. `None` for
    /// a literal that needs no such check.
    pub(crate) fn ask(&self, c: &TokenStream) -> Option<TokenStream> {
        let (place, advice) = match self {
            Self::Literal(literal) => {
                let advice = event_catalogue::check_feature(&literal.value()).ok()??;
                (literal.span(), advice.to_string())
            }
            Self::Constant(path) => {
                let name = path.to_token_stream().to_string().replace(' ', "");
                let advice = format!(
                    "the value of `{name}` is neither a known feature nor declared\n  help: if the feature is your own, declare it at the root of the crate: `event_core::module_crate!(namespaces = [\"…\"]);`"
                );
                (path.segments.last()?.ident.span(), advice)
            }
        };
        let value = self.value();
        Some(ask(c, place, |span| quote_spanned!(span=> feature(#value, #advice))))
    }
}
