//! The expansion of `#[hook]`: one record with a closure that installs the handler.
//!
//! A signature that uses the documented type names is passed to a function of `event-core` as it
//! is, which costs least compile time. Any other signature (an alias or a mistake) goes through
//! traits whose error messages are made for this hook and point at the author's types. In both
//! cases the compiler checks the types: a foreign type with the right name is refused.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Type;

use crate::attr::located;

use super::{
    rules::{Rule, always_answers},
    signature::{Handler, Runs, bare, names_context},
};

/// The parts of an expansion.
pub(crate) struct Hook {
    /// The event's type.
    pub(crate) event: TokenStream,
    /// The full name, for an event of the catalogue.
    pub(crate) name: TokenStream,
    pub(crate) parameter: TokenStream,
    pub(crate) priority: i32,
    /// A statement that checks the type of the author's path.
    pub(crate) same: Option<TokenStream>,
    pub(crate) handler: Handler,
    /// The path of `event_core::__private`.
    pub(crate) c: TokenStream,
}

/// The source of the types that a handler may have.
pub(crate) enum Check<'a> {
    /// An event of the catalogue.
    Rule(&'a Rule),
    /// The event's own type.
    Declared,
}

/// The traits that convert a handler's argument and result.
struct Traits {
    items: TokenStream,
    payload: TokenStream,
    returns: TokenStream,
}

impl Hook {
    pub(crate) fn expand(&self, check: &Check<'_>) -> TokenStream {
        match check {
            Check::Rule(rule) if rule.is_written_plainly(&self.handler) => {
                let install = self.plain(rule);
                self.submit(&TokenStream::new(), &install)
            }
            Check::Rule(rule) => {
                let traits = self.local_traits(rule);
                self.submit(&traits.items, &self.checked(&traits))
            }
            Check::Declared => {
                let (c, event) = (&self.c, &self.event);
                let span = Span::mixed_site();
                let traits = Traits {
                    items: TokenStream::new(),
                    payload: quote_spanned!(span=> #c::PayloadOf<'_, '_, #event>),
                    returns: quote_spanned!(span=> #c::DeclaredReturn<#event>),
                };
                self.submit(&TokenStream::new(), &self.checked(&traits))
            }
        }
    }

    /// The record: constant metadata, and a closure that installs the typed handler.
    fn submit(&self, items: &TokenStream, install: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let Self { event, name, parameter, priority, same, handler, c } = self;
        let answers = handler.returns.as_ref().is_some_and(always_answers);
        let (is_async, function) = (handler.runs != Runs::Sync, handler.name.to_string());
        let module_path = match &handler.context {
            Some(context) => {
                let (first, last) = ends(context);
                let private = located(c, first);
                let path = self.of_context(context, "MODULE_PATH");
                quote_spanned!(at(last)=> #private::handler::owned(#path, #c::module_path!()))
            }
            None => quote_spanned!(span=> #c::module_path!()),
        };
        quote_spanned!(span=>
            #[allow(deprecated, elided_lifetimes_in_paths, unused_qualifications, clippy::borrow_deref_ref, clippy::unit_arg, reason = "paths and types are the author's")]
            const _: () = {
                #items
                #same
                #c::inventory::submit! {
                    #c::HookRecord {
                        meta: #c::handler::meta::<#event>(
                            #name, #parameter, #priority, (#is_async, #answers), (#module_path, #function),
                        ),
                        install: |installer| #install,
                    }
                }
            };
        )
    }

    /// Installs the handler without a conversion.
    fn plain(&self, rule: &Rule) -> TokenStream {
        let span = Span::mixed_site();
        let Handler { name, runs, context, .. } = &self.handler;
        let (payload, kind) = (&rule.payload, rule.kind());
        let c = &located(&self.c, name.span());
        let with = if context.is_some() { "_with" } else { "" };
        let module = context.as_ref().map(|context| {
            let module = self.of_context(context, "Module");
            quote_spanned!(span=> , #module)
        });
        if *runs == Runs::Async {
            let install = format_ident!("wait{with}", span = span);
            let (view, cx) = (rule.view(), quote_spanned!(span=> cx));
            let passed = context.as_ref().map(|_| quote_spanned!(span=> , #cx));
            let cx = if context.is_some() { cx } else { quote_spanned!(span=> ()) };
            let call = quote_spanned!(at(name.span())=>
                #c::handler::boxed::<#c::kind::#kind, _>(#name(#view #passed)));
            quote_spanned!(span=>
                #c::handler::#install::<#c::#payload #module>(installer, |payload, #cx| #call))
        } else {
            let verb = match runs {
                Runs::NowOrLater => "now_or_later",
                _ if rule.is_mutable => "change",
                _ => "look",
            };
            let install = format_ident!("{verb}{with}", span = at(name.span()));
            quote_spanned!(at(name.span())=>
                #c::handler::#install::<#c::#payload, #c::kind::#kind #module, _>(installer, #name))
        }
    }

    /// A member of the type in the context's place, which may be an alias of `&Context<M>`.
    fn of_context(&self, context: &Type, member: &str) -> TokenStream {
        let c = &self.c;
        match bare(context) {
            Type::Reference(reference) if names_context(&reference.elem) => {
                own(&reference.elem, &quote_spanned!(Span::mixed_site()=> #c::ContextOf), member)
            }
            _ => own(context, &self.context_ref(), member),
        }
    }

    /// Installs a closure that calls the handler through the traits, spanned to the author's types.
    fn checked(&self, traits: &Traits) -> TokenStream {
        let span = Span::mixed_site();
        let Self { event, c, handler, .. } = self;
        let Handler { name, runs, context, returns, payload, .. } = handler;
        let unit = Type::Verbatim(quote_spanned!(name.span()=> ()));
        let returns = returns.as_ref().unwrap_or(&unit);
        let view = on(payload, &traits.payload, "view");
        let outcome = on(returns, &traits.returns, "outcome");
        let with = if context.is_some() { "_with" } else { "" };
        let module = context.as_ref().map(|context| {
            let module = self.of_context(context, "Module");
            quote_spanned!(span=> , #module)
        });
        let passed = context.as_ref().map(|context| {
            let of = own(context, &self.context_ref(), "of");
            let (first, last) = ends(context);
            let (borrow, cx) = (quote_spanned!(first=> &*), Ident::new(CX, last));
            quote_spanned!(last=> , #of(#borrow #cx))
        });
        let cx = context.as_ref().map(|context| {
            let cx = Ident::new(CX, ends(context).1);
            quote_spanned!(span=> , #cx)
        });
        let call = quote_spanned!(at(name.span())=> #name(#view(payload) #passed));
        let payload = quote_spanned!(span=> <#event as #c::Event>::Payload);
        if *runs == Runs::Async {
            let install = format_ident!("wait{with}", span = span);
            let cx = cx.unwrap_or_else(|| quote_spanned!(span=> , ()));
            let future = quote_spanned!(at(name.span())=> async move { #outcome(#call.await) });
            quote_spanned!(span=> #c::handler::#install::<#payload #module>(
                installer, |payload #cx| #c::Box::pin(#future)))
        } else if *runs == Runs::NowOrLater {
            let install = format_ident!("now_or_later{with}", span = span);
            quote_spanned!(span=> #c::handler::#install::<#payload, #c::Outcome #module, _>(
                installer, |payload #cx| #c::handler::map(#call, |returned| #outcome(returned))))
        } else {
            let install = format_ident!("change{with}", span = span);
            quote_spanned!(span=> #c::handler::#install::<#payload, #c::Outcome #module, _>(
                installer, |payload #cx| #outcome(#call)))
        }
    }

    fn context_ref(&self) -> TokenStream {
        let c = &self.c;
        quote_spanned!(Span::mixed_site()=> #c::ContextRef<'_>)
    }

    /// Declares traits whose messages name this event, its priority and the expected types.
    fn local_traits(&self, rule: &Rule) -> Traits {
        let span = Span::mixed_site();
        let c = &self.c;
        let payload = &rule.payload;
        let (reference, view) = (rule.reference(c), rule.view());
        let (wrong_payload, wrong_return) = (rule.wrong_payload(), rule.wrong_return());
        let kind = rule.kind();
        let items = quote_spanned!(span=>
            #[diagnostic::on_unimplemented(#wrong_payload)]
            trait __SpondeePayload<'a> {
                fn view(payload: &'a mut #c::#payload) -> Self;
            }

            #[diagnostic::do_not_recommend]
            impl<'a> __SpondeePayload<'a> for #reference {
                fn view(payload: &'a mut #c::#payload) -> Self {
                    #view
                }
            }

            #[diagnostic::on_unimplemented(#wrong_return)]
            trait __SpondeeReturn {
                fn outcome(self) -> #c::Outcome;
            }

            #[diagnostic::do_not_recommend]
            impl<R: #c::ReturnOf<#c::kind::#kind>> __SpondeeReturn for R {
                fn outcome(self) -> #c::Outcome {
                    #c::ReturnOf::outcome(self)
                }
            }
        );
        Traits {
            items,
            payload: quote_spanned!(span=> __SpondeePayload<'_>),
            returns: quote_spanned!(span=> __SpondeeReturn),
        }
    }
}

/// The name of the context, used with call-site spans: see [`own`].
const CX: &str = "__spondee_cx";

/// `<Type as Trait>::member`, spanned from the first to the last token of the author's type, so that
/// an error underlines only the type.
fn on(author: &Type, of: &TokenStream, member: &str) -> TokenStream {
    let (first, last) = ends(author);
    between(at(first), author, of, member, at(last))
}

/// As [`on`], with call-site spans, so that rustc merges identical errors at this token.
fn own(author: &Type, of: &TokenStream, member: &str) -> TokenStream {
    let (first, last) = ends(author);
    between(first, author, of, member, last)
}

fn between(first: Span, author: &Type, of: &TokenStream, member: &str, last: Span) -> TokenStream {
    let open = quote_spanned!(first=> <);
    let member = Ident::new(member, last);
    quote_spanned!(last=> #open #author as #of>::#member)
}

fn ends(tokens: &Type) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    (first, spans.last().unwrap_or(first))
}

fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}
