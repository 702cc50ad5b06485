//! Spans that point at the author's tokens.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The spans of the first and of the last token.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    (first, spans.last().unwrap_or(first))
}

/// The location of `place` with the hygiene of the expansion.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// Gives all tokens this span.
pub(crate) fn spanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let spanned = tokens.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), spanned(&group.stream(), span));
            inner.set_span(span);
            TokenTree::Group(inner)
        }
        mut other => {
            other.set_span(span);
            other
        }
    });
    spanned.collect()
}

/// Gives tokens of the expansion the location of `place` and keeps their hygiene.
pub(crate) fn located(tokens: &TokenStream, place: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// Tokens that an expansion repeats. They are kept one by one, because each interpolation of a
/// `TokenStream` is several calls into the compiler.
#[derive(Clone)]
pub(crate) struct Tokens(Vec<TokenTree>);

impl Tokens {
    /// As [`located`].
    pub(crate) fn located(&self, place: Span) -> Self {
        self.moved(|token| token.span().located_at(place))
    }

    /// With the span of `place`, except `$crate`, which needs its hygiene.
    pub(crate) fn spanned(&self, place: Span) -> Self {
        self.moved(|token| match token {
            TokenTree::Ident(word) if word == "$crate" => word.span().located_at(place),
            _ => place,
        })
    }

    fn moved(&self, to: impl Fn(&TokenTree) -> Span) -> Self {
        let mut moved = self.clone();
        for token in &mut moved.0 {
            token.set_span(to(token));
        }
        moved
    }
}

impl From<TokenStream> for Tokens {
    fn from(tokens: TokenStream) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl ToTokens for Tokens {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().cloned());
    }
}
