//! What a handler of each family takes and returns, and the error messages about both.

use event_catalogue::{Band, EventDef, Family};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{
    Error, GenericArgument, Lit, LitInt, PathArguments, Token, Type, TypeReference, ext::IdentExt,
    parse::ParseStream, spanned::Spanned,
};

use super::signature::{Handler, Runs, bare};
use crate::{attr::Mistakes, spans::Tokens};

/// A priority, with its tokens if the author wrote one.
pub(crate) struct Priority {
    pub(crate) value: i32,
    pub(crate) tokens: Option<TokenStream>,
}

/// The required signature of a handler.
pub(crate) struct Rule {
    /// The name of the event.
    pub(crate) event: String,
    pub(crate) payload: Ident,
    pub(crate) is_mutable: bool,
    returns: Returns,
    band: Option<Band>,
    /// ` at priority 10`, for events that have ranges.
    at: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Returns {
    Nothing,
    Flow,
    FlowOrError,
    Answer,
    FlowOrStreamError,
}

impl Rule {
    /// The rule for an event at a priority. A priority outside the event's bands is a mistake.
    pub(crate) fn new(
        event: String,
        def: &EventDef,
        priority: &Priority,
        span: Span,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let band = if def.family == Family::Post {
            let band = event_catalogue::band(priority.value);
            if band.is_none() {
                mistakes.at(
                    &priority.tokens,
                    format!(
                        "`{}` is outside the ranges of `{event}`: {}",
                        priority.value,
                        event_catalogue::PRIORITY_RANGES
                    ),
                );
                return None;
            }
            band
        } else {
            None
        };
        let (is_mutable, returns) = match def.family {
            Family::Notification => (false, Returns::Nothing),
            Family::Collect => (true, Returns::Nothing),
            Family::Veto => (true, Returns::Flow),
            Family::Pre | Family::RouteRemote | Family::StreamStanza | Family::Chain => {
                (true, Returns::FlowOrError)
            }
            Family::Post if band == Some(Band::Observe) => (false, Returns::Nothing),
            Family::Post => (true, Returns::FlowOrError),
            Family::IqPayload | Family::StreamIq => (true, Returns::Answer),
            Family::IqId => (false, Returns::Flow),
            Family::Nonza => (true, Returns::FlowOrStreamError),
        };
        let at = match band {
            Some(_) => format!(" at priority {}", priority.value),
            None => String::new(),
        };
        Some(Self { event, payload: Ident::new(def.payload, span), is_mutable, returns, band, at })
    }

    /// `&mut Message`
    pub(crate) fn takes(&self) -> String {
        format!("&{}{}", if self.is_mutable { "mut " } else { "" }, self.payload)
    }

    /// Whether a handler may decide with `Flow`.
    pub(super) fn decides(&self) -> bool {
        self.returns != Returns::Nothing
    }

    /// Whether a handler may answer with `Reply`.
    pub(super) fn answers(&self) -> bool {
        self.returns == Returns::Answer
    }

    /// Whether a handler may return a `StanzaError`.
    pub(super) fn refuses(&self) -> bool {
        matches!(self.returns, Returns::FlowOrError | Returns::Answer)
    }

    /// The result that help suggests.
    pub(super) fn usual(&self) -> &'static str {
        if self.answers() { "Reply" } else { "Flow" }
    }

    /// Checks the payload's mutability as far as the tokens show it, because the message can then
    /// say more than the compiler's.
    pub(crate) fn check_mutability(
        &self,
        payload: &Type,
        has_priority: bool,
        mistakes: &mut Mistakes,
    ) {
        let (event, takes, at) = (&self.event, self.takes(), &self.at);
        match bare(payload) {
            Type::Reference(TypeReference { lifetime: Some(lifetime), .. })
                if lifetime.ident == "static" =>
            {
                let message = format!(
                    "a handler of `{event}`{at} borrows its payload while it runs: `{takes}`"
                );
                mistakes.at(lifetime, message);
            }
            Type::Reference(TypeReference { and_token, mutability: Some(token), .. })
                if !self.is_mutable =>
            {
                let message = if self.band.is_none() {
                    format!("a handler of `{event}` only reads the payload: it takes `{takes}`")
                } else if has_priority {
                    format!(
                        "priority 0 is read-only: a handler of `{event}` there takes `{takes}`\n  help: `priority = 1` to `999` may change or stop the stanza"
                    )
                } else {
                    format!(
                        "priority 0, the default, is read-only: a handler of `{event}` there takes `{takes}`\n  help: say when it runs: `priority = 1` to `999` may change or stop the stanza, `1000` and more filters, `-1` delivers"
                    )
                };
                mistakes.at(quote_spanned!(and_token.span()=> #and_token #token), message);
            }
            Type::Reference(reference) if self.is_mutable && reference.mutability.is_none() => {
                let help = match self.band {
                    Some(_) => {
                        "\n  help: at priority 0, the default, a handler only reads: it takes `&…`"
                    }
                    None => "",
                };
                let message = format!("a handler of `{event}`{at} takes `{takes}`, not `&…`{help}");
                mistakes.at(reference, message);
            }
            written if is_path(written, &self.payload.to_string()) => {
                let message = format!("a handler of `{event}`{at} borrows its payload: `{takes}`");
                mistakes.at(written, message);
            }
            _ => {}
        }
    }

    /// Refuses `NowOrLater` where the handler only reads: its future gets the payload as `&mut`.
    pub(crate) fn check_now_or_later(&self, handler: &Handler, mistakes: &mut Mistakes) {
        if handler.runs == Runs::NowOrLater && !self.is_mutable {
            let (event, at) = (&self.event, &self.at);
            mistakes.at(
                &handler.returns,
                format!("a handler of `{event}`{at} only reads the payload, and `NowOrLater` may change it\n  help: write an `async fn`"),
            );
        }
    }

    /// The return type in `event-core`, if the signature uses the documented type names. This only
    /// selects the expansion; the compiler checks the types.
    pub(crate) fn plain_return(&self, handler: &Handler, c: &Tokens) -> Option<TokenStream> {
        let payload = matches!(bare(&handler.payload), Type::Reference(reference)
            if reference.mutability.is_some() == self.is_mutable
                && is_path(bare(&reference.elem), &self.payload.to_string()));
        let context = handler.context.as_ref().is_none_or(|context| {
            matches!(bare(context), Type::Reference(reference)
                if reference.mutability.is_none() && is_generic(bare(&reference.elem), "Context", 1))
        });
        if !(payload && context && handler.late_lifetimes) {
            return None;
        }
        let (span, payload) = (Span::mixed_site(), &self.payload);
        let Some(result) = handler.result() else { return Some(quote_spanned!(span=> ())) };
        let result = self.plain_result(bare(result), c)?;
        match handler.runs {
            Runs::NowOrLater => Some(quote_spanned!(span=> #c::NowOrLater<#c::#payload, #result>)),
            Runs::Sync | Runs::Async => Some(result),
        }
    }

    fn plain_result(&self, result: &Type, c: &Tokens) -> Option<TokenStream> {
        let span = Span::mixed_site();
        let decision = |written: &Type| {
            if is_unit(written) {
                Some(quote_spanned!(span=> ()))
            } else if self.returns != Returns::Nothing && is_path(written, "Flow") {
                Some(quote_spanned!(span=> #c::Flow))
            } else if self.returns == Returns::Answer && is_path(written, "Reply") {
                Some(quote_spanned!(span=> #c::Reply))
            } else {
                None
            }
        };
        let error = match self.returns {
            Returns::Nothing | Returns::Flow => return decision(result),
            Returns::FlowOrError | Returns::Answer => Ident::new("StanzaError", span),
            Returns::FlowOrStreamError => Ident::new("StreamError", span),
        };
        decision(result).or_else(|| match &*arguments(result) {
            [ok, refusal]
                if is_generic(result, "Result", 2)
                    && is_path(bare(refusal), &error.to_string()) =>
            {
                let ok = decision(bare(ok))?;
                Some(quote_spanned!(span=> #c::Result<#ok, #c::#error>))
            }
            _ => None,
        })
    }

    /// The marker type for the allowed return types.
    pub(crate) fn kind(&self) -> Ident {
        let kind = match self.returns {
            Returns::Nothing => "Notification",
            Returns::Flow => "Veto",
            Returns::FlowOrError => "Chain",
            Returns::Answer => "Answer",
            Returns::FlowOrStreamError => "Stream",
        };
        Ident::new(kind, Span::mixed_site())
    }

    /// `&'a mut Message`, by its path in `event-core`.
    pub(crate) fn reference(&self, private: &Tokens) -> TokenStream {
        let (span, payload) = (Span::mixed_site(), &self.payload);
        if self.is_mutable {
            quote_spanned!(span=> &'a mut #private::#payload)
        } else {
            quote_spanned!(span=> &'a #private::#payload)
        }
    }

    /// Converts the variable `payload`, a `&mut`, to the handler's argument.
    pub(crate) fn view(&self) -> TokenStream {
        let span = Span::mixed_site();
        if self.is_mutable {
            quote_spanned!(span=> payload)
        } else {
            quote_spanned!(span=> &*payload)
        }
    }

    /// The message and label for a wrong payload type.
    pub(crate) fn wrong_payload(&self) -> TokenStream {
        let message = format!(
            "a handler of `{}`{} takes `{}`, found `{{Self}}`",
            self.event,
            self.at,
            self.takes()
        );
        let label = format!("`{}` carries `{}`", self.event, self.payload);
        quote_spanned!(Span::mixed_site()=> message = #message, label = #label)
    }

    /// The message and label for a wrong return type.
    pub(crate) fn wrong_return(&self) -> TokenStream {
        let message = match self.returns {
            Returns::Nothing if self.at.is_empty() => {
                format!("a handler of `{}` returns nothing, found `{{Self}}`", self.event)
            }
            Returns::Nothing => format!(
                "priority 0 cannot stop the stanza: a handler of `{}` there returns nothing, found `{{Self}}`",
                self.event
            ),
            _ => format!(
                "a handler of `{}`{} returns {}, found `{{Self}}`",
                self.event,
                self.at,
                self.returns.words()
            ),
        };
        let label = match self.returns {
            Returns::Nothing if !self.at.is_empty() => {
                "to stop the stanza choose `priority = 1` to `999`".to_owned()
            }
            Returns::Nothing => "remove the return type".to_owned(),
            _ => format!("not a decision of `{}`", self.event),
        };
        quote_spanned!(Span::mixed_site()=> message = #message, label = #label)
    }
}

impl Returns {
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Flow => "`Flow` or nothing",
            Self::FlowOrError => "`Flow`, nothing, or a `Result` of these with `StanzaError`",
            Self::Answer => "`Reply`, `Flow`, nothing, or a `Result` of these with `StanzaError`",
            Self::FlowOrStreamError => "`Flow`, nothing, or a `Result` of these with `StreamError`",
        }
    }
}

fn is_unit(written: &Type) -> bool {
    matches!(written, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Whether a type is written `name` or `path::to::name`.
pub(super) fn is_path(written: &Type, name: &str) -> bool {
    is_generic(written, name, 0)
}

pub(crate) fn is_generic(written: &Type, name: &str, count: usize) -> bool {
    matches!(written, Type::Path(path) if path.qself.is_none()
        && path.path.segments.last().is_some_and(|last| last.ident == name)
        && arguments(written).len() == count)
}

/// The types in a type's angle brackets.
pub(super) fn arguments(written: &Type) -> Vec<&Type> {
    let Type::Path(path) = written else { return Vec::new() };
    match path.path.segments.last().map(|last| &last.arguments) {
        Some(PathArguments::AngleBracketed(brackets)) => brackets
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(argument) => Some(argument),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Parses a priority: an integer literal with an optional minus sign.
pub(crate) fn priority(input: ParseStream<'_>) -> syn::Result<Priority> {
    let expected = "a priority is an integer literal, such as `10` or `-1`";
    let start = input.span();
    let minus: Option<Token![-]> = input.parse()?;
    let literal: Lit = input.parse().map_err(|_| Error::new(start, expected))?;
    let Lit::Int(number) = &literal else {
        return Err(Error::new(literal.span(), expected));
    };
    let tokens = quote_spanned!(number.span()=> #minus #number);
    if !input.is_empty() && !input.peek(Token![,]) && !input.peek(Ident::peek_any) {
        let rest: TokenStream = input.parse()?;
        return Err(Error::new_spanned(quote_spanned!(start=> #tokens #rest), expected));
    }
    if !matches!(number.suffix(), "" | "i32") {
        return Err(Error::new_spanned(tokens, "a priority is an `i32`; leave the suffix out"));
    }
    let value = value(minus.is_some(), number)
        .ok_or_else(|| Error::new_spanned(&tokens, "the priority does not fit into an `i32`"))?;
    Ok(Priority { value, tokens: Some(tokens) })
}

fn value(is_negative: bool, number: &LitInt) -> Option<i32> {
    let number: i64 = number.base10_parse().ok()?;
    i32::try_from(if is_negative { -number } else { number }).ok()
}
