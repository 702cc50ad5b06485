//! Checks the handler's signature by its tokens. The body is not parsed, so that completion works
//! inside an unfinished one.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Abi, Attribute, FnArg, GenericArgument, GenericParam, Ident, PathArguments, ReturnType, Safety,
    Signature, Token, Type, TypeReference, Visibility,
    parse::{Parse, ParseStream, discouraged::Speculative},
};

use crate::attr::Mistakes;

/// A function with an unparsed body.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
}

/// The annotated function, or the place of a syntax error, which the compiler has reported before it
/// expands the attribute.
pub(crate) struct Annotated(pub(crate) Result<Function, Span>);

impl Annotated {
    /// Parses an item. An empty block stands for the body, because syn would read each of its tokens.
    pub(crate) fn parse(item: TokenStream) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = item.into_iter().collect();
        let mut body = None;
        if let Some(TokenTree::Group(last)) = tokens.last_mut()
            && last.delimiter() == Delimiter::Brace
        {
            let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
            empty.set_span(last.span());
            body = Some(TokenTree::Group(std::mem::replace(last, empty)));
        }
        let mut annotated: Self = syn::parse2(tokens.into_iter().collect())?;
        if let (Ok(function), Some(body)) = (&mut annotated.0, body) {
            function.body = body.into();
        }
        Ok(annotated)
    }
}

impl Parse for Annotated {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse::<Visibility>()?;
        if !is_function(&input.fork()) {
            return Err(input.error("`#[hook]` annotates a function: the event's handler"));
        }
        let ahead = input.fork();
        let signature = ahead.parse::<Signature>();
        if signature.is_ok() {
            input.advance_to(&ahead);
        }
        let end = input.span();
        let body: TokenStream = input.parse()?;
        Ok(Self(match signature {
            Ok(signature) if is_body(&body) => {
                Ok(Function { attributes, visibility, signature, body })
            }
            Ok(_) => Err(end),
            Err(error) => Err(error.span()),
        }))
    }
}

/// Whether these tokens are a function's body: a block, perhaps of a macro's argument, or `;`.
fn is_body(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    let is_body = match tokens.next() {
        Some(TokenTree::Group(group)) => match group.delimiter() {
            Delimiter::None => is_body(&group.stream()),
            delimiter => delimiter == Delimiter::Brace,
        },
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        _ => false,
    };
    is_body && tokens.next().is_none()
}

/// Whether `fn` follows, after its qualifiers.
fn is_function(input: ParseStream<'_>) -> bool {
    let qualifiers = input
        .parse::<Option<Token![const]>>()
        .and_then(|_| input.parse::<Option<Token![async]>>())
        .and_then(|_| input.parse::<Option<Token![unsafe]>>())
        .and_then(|_| input.parse::<Option<Abi>>());
    qualifiers.is_ok() && input.peek(Token![fn])
}

/// How a handler runs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Runs {
    /// A plain function.
    Sync,
    /// A function that returns `NowOrLater`.
    NowOrLater,
    /// An `async fn`.
    Async,
}

/// The signature of a handler.
pub(crate) struct Handler {
    pub(crate) name: Ident,
    pub(crate) runs: Runs,
    pub(crate) payload: Type,
    pub(crate) context: Option<Type>,
    /// The return type as the author wrote it.
    pub(crate) returns: Option<Type>,
    /// Whether an attribute of the function contains the word `deprecated`.
    pub(crate) is_deprecated: bool,
    /// All lifetimes are late-bound, so the function can be passed where `for<'a> Fn(&'a …)` is
    /// expected.
    pub(crate) late_lifetimes: bool,
}

impl Function {
    /// Checks the signature. `payload` is the expected payload type, for error messages.
    pub(crate) fn handler(&self, payload: &str, mistakes: &mut Mistakes) -> Option<Handler> {
        let signature = &self.signature;
        let before = mistakes.is_empty();
        match (&signature.constness, &signature.asyncness) {
            (Some(token), None) => mistakes.at(token, "a handler cannot be `const`"),
            // The compiler refuses this function itself.
            (Some(_), Some(_)) => return None,
            (None, _) => {}
        }
        let is_end =
            |token: TokenTree| matches!(token, TokenTree::Punct(end) if end.as_char() == ';');
        if self.body.clone().into_iter().next().is_some_and(is_end) {
            mistakes.at(
                &signature.ident,
                "a handler has a body; `#[hook]` belongs to a free function, not into a trait",
            );
            return None;
        }
        if let Some(token) = &signature.abi {
            mistakes.at(token, "a handler cannot be `extern`");
        }
        if let Safety::Unsafe(word) = &signature.safety {
            mistakes.at(word, "a handler cannot be `unsafe`");
        }
        let is_generic =
            |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
        if let Some(parameter) = signature.generics.params.iter().find(is_generic) {
            mistakes.at(parameter, "a handler cannot be generic: one function, one event");
        }
        let mut types = Vec::new();
        for argument in &signature.inputs {
            match argument {
                FnArg::Receiver(receiver) => {
                    mistakes.at(
                        receiver,
                        "`#[hook]` needs a free function; a handler has no `self`\n  help: take `&Context<…>` for the module's options and state",
                    );
                    return None;
                }
                FnArg::Typed(argument) => types.push((*argument.ty).clone()),
                #[allow(unreachable_patterns, reason = "syn may learn other arguments")]
                other => mistakes.at(other, "not an argument of a handler"),
            }
        }
        if let Some(variadic) = &signature.variadic {
            mistakes.at(variadic, "a handler has a fixed number of arguments");
        }
        let mut types = types.into_iter();
        let Some(first) = types.next() else {
            mistakes.at(
                &signature.ident,
                format!("the payload is missing: the first argument of the handler is `{payload}`"),
            );
            return None;
        };
        let context = types.next();
        if is_context(&first) {
            mistakes.at(
                &first,
                format!("the payload comes first, then the context: `{payload}, &Context<…>`"),
            );
        } else if let Some(context) = &context {
            check_context(context, mistakes);
        }
        if let Some(extra) = types.next() {
            mistakes.at(
                extra,
                "a handler takes the payload and optionally `&Context<…>`, nothing else",
            );
        }
        if let Type::ImplTrait(opaque) = in_reference(&first) {
            mistakes.at(opaque, format!("name the payload's type: `{payload}`"));
        }
        let returns = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, returns) => Some((**returns).clone()),
            #[allow(unreachable_patterns, reason = "syn may learn other return types")]
            other => {
                mistakes.at(other, "not a return type of a handler");
                None
            }
        };
        if let Some(Type::ImplTrait(opaque)) = &returns {
            mistakes.at(opaque, "name the return type; an async handler is an `async fn`");
        }
        let (runs, returns) = match (&signature.asyncness, returns) {
            (None, Some(written)) if in_now_or_later(&written).is_some() => {
                (Runs::NowOrLater, Some(written))
            }
            (None, Some(written)) => (Runs::Sync, Some(written)),
            (None, None) => (Runs::Sync, None),
            (Some(_), returns) => {
                if let Some(written) = returns.as_ref().filter(|of| in_now_or_later(of).is_some()) {
                    mistakes.at(
                        written,
                        "an `async fn` waits anyway: return the result itself, or leave `async` out",
                    );
                }
                (Runs::Async, returns)
            }
        };
        (before && mistakes.is_empty()).then(|| Handler {
            name: signature.ident.clone(),
            is_deprecated: self.attributes.iter().any(|attribute| {
                attribute.to_token_stream().to_string().contains("deprecated")
            }),
            runs,
            payload: elide(&first),
            context: context.as_ref().map(elide),
            late_lifetimes: signature.generics.where_clause.is_none()
                && signature.generics.params.iter().all(
                    |parameter| matches!(parameter, GenericParam::Lifetime(l) if l.bounds.is_empty()),
                ),
            returns,
        })
    }
}

impl Handler {
    /// The type of the result, which is the second type in `NowOrLater<…>`.
    pub(crate) fn result(&self) -> Option<&Type> {
        let returns = self.returns.as_ref()?;
        Some(in_now_or_later(returns).unwrap_or(returns))
    }
}

/// Refuses a context by value or `&mut`; the compiler checks everything else about the type.
fn check_context(context: &Type, mistakes: &mut Mistakes) {
    match bare(context) {
        Type::Reference(TypeReference { and_token, mutability: Some(token), elem, .. })
            if names_context(elem) =>
        {
            mistakes.at(
                quote!(#and_token #token),
                "a context is shared: `&Context<…>`; mutable data belongs in the module's state",
            );
        }
        by_value if names_context(by_value) => {
            mistakes.at(by_value, "a handler borrows its context: `&Context<…>`");
        }
        _ => {}
    }
}

/// The result in `NowOrLater<Payload, Result>`.
fn in_now_or_later(written: &Type) -> Option<&Type> {
    let Type::Path(path) = bare(written) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "NowOrLater")?;
    let PathArguments::AngleBracketed(brackets) = &last.arguments else { return None };
    brackets.args.iter().rev().find_map(|argument| match argument {
        GenericArgument::Type(result) => Some(result),
        _ => None,
    })
}

fn is_context(written: &Type) -> bool {
    matches!(bare(written), Type::Reference(reference) if names_context(&reference.elem))
}

fn names_context(written: &Type) -> bool {
    matches!(bare(written), Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Context"))
}

fn in_reference(written: &Type) -> &Type {
    match bare(written) {
        Type::Reference(reference) => bare(&reference.elem),
        other => other,
    }
}

/// Removes parentheses and the invisible groups that `macro_rules!` puts around its arguments.
pub(crate) fn bare(written: &Type) -> &Type {
    match written {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// Replaces named lifetimes with `'_`, because the expansion does not declare them.
fn elide(of: &Type) -> Type {
    fn tokens(stream: TokenStream) -> TokenStream {
        let mut after_quote = false;
        stream
            .into_iter()
            .map(|token| match token {
                TokenTree::Group(group) => {
                    let mut elided = Group::new(group.delimiter(), tokens(group.stream()));
                    elided.set_span(group.span());
                    TokenTree::Group(elided)
                }
                TokenTree::Ident(name) if std::mem::take(&mut after_quote) && name != "static" => {
                    TokenTree::Ident(Ident::new("_", name.span()))
                }
                TokenTree::Punct(punct) => {
                    after_quote = punct.as_char() == '\'';
                    TokenTree::Punct(punct)
                }
                other => other,
            })
            .collect()
    }
    if may_have_lifetime(of) {
        let elided = tokens(of.to_token_stream());
        syn::parse2(elided.clone()).unwrap_or(Type::Verbatim(elided))
    } else {
        of.clone()
    }
}

/// Whether a type is not known to be without lifetimes.
fn may_have_lifetime(of: &Type) -> bool {
    match of {
        Type::Reference(reference) => {
            reference.lifetime.is_some() || may_have_lifetime(&reference.elem)
        }
        Type::Tuple(tuple) => tuple.elems.iter().any(may_have_lifetime),
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.iter().any(|segment| match &segment.arguments {
                PathArguments::None => false,
                PathArguments::AngleBracketed(brackets) => brackets.args.iter().any(
                    |argument| !matches!(argument, GenericArgument::Type(inner) if !may_have_lifetime(inner)),
                ),
                _ => true,
            })
        }
        _ => true,
    }
}
