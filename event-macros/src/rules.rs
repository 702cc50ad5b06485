//! What a handler of each family takes and returns, and the words that say so.

use event_catalogue::{EventDef, Family, Role};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{LitInt, Type, TypeReference, spanned::Spanned};

use crate::attr::Mistakes;

/// A priority as it was written.
pub(crate) struct Priority {
    pub(crate) value: i32,
    pub(crate) tokens: Option<TokenStream>,
}

/// What one handler of one event has to look like.
pub(crate) struct Rule {
    /// The event, as the author wrote it.
    pub(crate) event: String,
    pub(crate) payload: Ident,
    pub(crate) is_mutable: bool,
    returns: Returns,
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
    /// The rule for a priority; a wrong priority is a mistake of its own.
    pub(crate) fn new(
        event: String,
        def: &EventDef,
        priority: &Priority,
        span: Span,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let role = if def.family == Family::Post {
            let role = event_catalogue::role(priority.value);
            if role.is_none() {
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
            role
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
            Family::Post if role == Some(Role::Observe) => (false, Returns::Nothing),
            Family::Post => (true, Returns::FlowOrError),
            Family::IqPayload | Family::StreamIq => (true, Returns::Answer),
            Family::IqId => (false, Returns::Flow),
            Family::Nonza => (true, Returns::FlowOrStreamError),
        };
        let at = match role {
            Some(_) => format!(" at priority {}", priority.value),
            None => String::new(),
        };
        Some(Self { event, payload: Ident::new(def.payload, span), is_mutable, returns, at })
    }

    /// `&mut Message`
    pub(crate) fn takes(&self) -> String {
        format!("&{}{}", if self.is_mutable { "mut " } else { "" }, self.payload)
    }

    /// Checks the mutability where the tokens show it: the message can then say more than the
    /// compiler would.
    pub(crate) fn check_mutability(
        &self,
        payload: &Type,
        has_priority: bool,
        is_post: bool,
        mistakes: &mut Mistakes,
    ) {
        let (event, takes, at) = (&self.event, self.takes(), &self.at);
        match payload {
            Type::Reference(TypeReference { and_token, mutability: Some(token), .. })
                if !self.is_mutable =>
            {
                let help = if is_post && !has_priority {
                    "\n  help: say when it runs: `priority = 1` to `999` may change or stop the stanza, `1000` and more filters, `-1` delivers"
                } else if is_post {
                    "\n  help: `priority = 1` to `999` may change or stop the stanza"
                } else {
                    ""
                };
                let default = if is_post && !has_priority { ", the default," } else { "" };
                let message = if is_post {
                    format!(
                        "priority 0{default} is read-only: a handler of `{event}` there takes `{takes}`{help}"
                    )
                } else {
                    format!("a handler of `{event}` takes `{takes}`: it can only look")
                };
                mistakes.at(quote_spanned!(and_token.span()=> #and_token #token), message);
            }
            Type::Reference(reference) if self.is_mutable && reference.mutability.is_none() => {
                mistakes.at(
                    reference,
                    format!("a handler of `{event}`{at} takes `{takes}`, not a shared reference"),
                );
            }
            Type::Reference(_) | Type::Verbatim(_) => {}
            Type::Path(path)
                if path.path.segments.last().is_some_and(|s| s.ident == self.payload) =>
            {
                mistakes
                    .at(path, format!("a handler of `{event}`{at} borrows its payload: `{takes}`"));
            }
            _ => {}
        }
    }

    /// The message, label and note for a payload of another type.
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

    /// The message, label and note for a return type of another kind.
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

    /// The types a handler may return.
    pub(crate) fn returns(&self, private: &TokenStream) -> Vec<TokenStream> {
        let span = Span::mixed_site();
        let c = private;
        let flow = quote_spanned!(span=> #c::Flow);
        let unit = quote_spanned!(span=> ());
        let reply = quote_spanned!(span=> #c::Reply);
        let result = |ok: &TokenStream, error: &str| {
            let error = Ident::new(error, span);
            quote_spanned!(span=> #c::Result<#ok, #c::#error>)
        };
        match self.returns {
            Returns::Nothing => vec![unit],
            Returns::Flow => vec![flow, unit],
            Returns::FlowOrError => {
                let (a, b) = (result(&flow, "StanzaError"), result(&unit, "StanzaError"));
                vec![flow, unit, a, b]
            }
            Returns::Answer => {
                let results = [&reply, &flow, &unit].map(|ok| result(ok, "StanzaError"));
                [reply, flow, unit].into_iter().chain(results).collect()
            }
            Returns::FlowOrStreamError => {
                let (a, b) = (result(&flow, "StreamError"), result(&unit, "StreamError"));
                vec![flow, unit, a, b]
            }
        }
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

/// An integer literal, negative or not.
pub(crate) fn priority(input: syn::parse::ParseStream<'_>) -> syn::Result<Priority> {
    let expected = "a priority is an integer literal, such as `10` or `-1`";
    let start = input.span();
    let minus: Option<syn::Token![-]> = input.parse()?;
    let literal: syn::Lit = input.parse().map_err(|_| syn::Error::new(start, expected))?;
    let syn::Lit::Int(number) = &literal else {
        return Err(syn::Error::new(literal.span(), expected));
    };
    let tokens = quote_spanned!(number.span()=> #minus #number);
    if !matches!(number.suffix(), "" | "i32") {
        return Err(syn::Error::new_spanned(
            tokens,
            "a priority is an `i32`; leave the suffix out",
        ));
    }
    let sign = if minus.is_some() { "-" } else { "" };
    let value = format!("{sign}{}", digits(number))
        .parse()
        .map_err(|_| syn::Error::new_spanned(&tokens, "a priority fits into an `i32`"))?;
    Ok(Priority { value, tokens: Some(tokens) })
}

fn digits(number: &LitInt) -> String {
    number.base10_digits().to_owned()
}
