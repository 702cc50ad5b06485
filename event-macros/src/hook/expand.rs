//! The expansion of `#[hook]`: one record with a pointer to the handler.
//!
//! A signature that uses the documented type names is passed to `event-core` as it is, which costs
//! least compile time. Any other signature (an alias or a mistake) goes through a closure and traits
//! whose error messages are made for this hook and point at the author's types. In both cases the
//! compiler checks the types: a foreign type with the right name is refused.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::Type;

use crate::spans::{Tokens, at, ends, located};

use super::{
    rules::{Rule, is_generic},
    signature::{Handler, Runs, bare},
};

/// The parts of an expansion.
pub(crate) struct Hook {
    /// The event's type.
    pub(crate) event: TokenStream,
    /// The full name.
    pub(crate) name: TokenStream,
    /// The event as the author names it.
    pub(crate) label: String,
    pub(crate) priority: i32,
    /// A statement that checks the type of the author's path.
    pub(crate) same: Option<TokenStream>,
    pub(crate) handler: Handler,
    /// The path of `event_core::__private`.
    pub(crate) c: Tokens,
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
            Check::Rule(rule) => match rule.plain_return(&self.handler, &self.c) {
                Some(returns) => {
                    let is_plain = self.same.is_none();
                    self.submit(&TokenStream::new(), &self.plain(rule, &returns), is_plain)
                }
                None => {
                    let traits = self.local_traits(rule);
                    self.submit(&traits.items, &self.checked(&traits), false)
                }
            },
            Check::Declared => {
                let (c, event) = (&self.c, &self.event);
                let span = Span::mixed_site();
                let traits = Traits {
                    items: TokenStream::new(),
                    payload: quote_spanned!(span=> #c::PayloadOf<'_, '_, #event>),
                    returns: quote_spanned!(span=> #c::DeclaredReturn<#event>),
                };
                self.submit(&TokenStream::new(), &self.checked(&traits), false)
            }
        }
    }

    /// The record: constants, and the handler without its type. `is_plain` means that the author
    /// wrote no path of the event and that the handler needs no closure, so no lint can apply.
    fn submit(&self, items: &TokenStream, handler: &TokenStream, is_plain: bool) -> TokenStream {
        let span = Span::mixed_site();
        let Self { name, priority, same, c, .. } = self;
        let function = self.handler.name.to_string();
        // Only where the author's tokens need it, because a crate may forbid the lints.
        let quiet = self.handler.is_deprecated.then(
            || quote_spanned!(span=> #[allow(deprecated, reason = "the handler is the author's")]),
        );
        let record = quote_spanned!(span=>
            #c::inventory::submit! {
                #c::HookRecord {
                    event: #name,
                    priority: #priority,
                    place: #c::handler::place(#c::module_path!()),
                    function: #function,
                    handler: #handler,
                }
            }
        );
        let allows = (!is_plain).then(|| {
            quote_spanned!(span=>
                #[allow(elided_lifetimes_in_paths, unused_qualifications, clippy::borrow_deref_ref, clippy::unit_arg, reason = "paths and types are the author's")]
            )
        });
        // An enum, because in an `impl` or a trait the compiler drops it with one error, which asks to
        // move it to a module. A `const` would stay there and not find the function. It costs less to
        // compile than a trait.
        let place = at(self.handler.name.span());
        let id = self.id(place);
        let record = quote_spanned!(span=> { #items #same #record 0 });
        let record = quote_spanned!(place=> enum #id { RECORD = #record });
        quote_spanned!(span=> #quiet #allows #record)
    }

    /// A name that no other hook in the same Rust module has.
    fn id(&self, span: Span) -> Ident {
        let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let event: String = self.label.chars().map(word).collect();
        format_ident!(
            "__{}_{event}_{}",
            self.handler.name,
            self.priority.to_string().replace('-', "_"),
            span = span
        )
    }

    /// The handler with the types that the author wrote and the expected types as generic arguments.
    /// The tokens have the spans of the author's types, where the compiler then reports a mismatch.
    fn plain(&self, rule: &Rule, expected: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let Self { event, c, handler, .. } = self;
        let Handler { name, runs, context, payload, returns, .. } = handler;
        let written = match bare(payload) {
            Type::Reference(reference) => &reference.elem,
            other => other,
        };
        let named = context.as_ref().and_then(named_context);
        let returned = match returns {
            Some(returns) => returns.to_token_stream(),
            None => quote_spanned!(span=> ()),
        };
        let (kind, function) = match runs {
            Runs::Async => {
                let cx = named.map(|_| quote_spanned!(at(name.span())=> , cx));
                let (view, private) = (located(&rule.view(), name.span()), c.located(name.span()));
                let boxed = quote_spanned!(at(name.span())=> #private::Box::pin(#name(#view #cx)));
                ("Wait", quote_spanned!(span=> |payload #cx| #boxed))
            }
            _ if rule.is_mutable => ("Change", name.to_token_stream()),
            _ => ("Look", name.to_token_stream()),
        };
        // Call-site spans, so that rustc merges identical errors: the expression covers all types, its
        // path the context.
        let (first, last) = self.types();
        let (begin, end) = named.map_or((last, last), ends);
        let on = quote_spanned!(span=> #c::handler::On<#event>);
        let kind = Ident::new(&self.kind(kind), end);
        let reference = quote_spanned!(first=> &);
        let private = c.spanned(begin);
        match context {
            // The compiler infers the types, because it would not merge their mistakes.
            Some(context) => {
                let within = self.within(context);
                let path = quote_spanned!(end=> #private::handler::#kind);
                let handler = quote_spanned!(end=> #path (#function, #c::PhantomData::<fn() -> (#on, #expected)>));
                quote_spanned!(last=> #reference #handler #within)
            }
            None => {
                let path = quote_spanned!(end=> #private::handler::#kind::<#on, #expected, #written, #returned>);
                quote_spanned!(last=> #reference #path (#function, #c::PhantomData))
            }
        }
    }

    /// The first and the last token of the signature's types.
    fn types(&self) -> (Span, Span) {
        let Handler { payload, context, returns, .. } = &self.handler;
        let last = returns.as_ref().or(context.as_ref()).unwrap_or(payload);
        (ends(payload).0, ends(last).1)
    }

    /// The type of a handler in `event-core`.
    fn kind(&self, kind: &str) -> String {
        let with = if self.handler.context.is_some() { "With" } else { "" };
        format!("{kind}{with}")
    }

    /// Checks the module of the context. The expansion does not repeat the context's type, because
    /// the compiler would report a mistake in it again.
    fn within(&self, context: &Type) -> TokenStream {
        let c = &self.c;
        let (first, last) = ends(context);
        let within = Ident::new("within", first);
        quote_spanned!(last=> .#within(#c::module_path!()))
    }

    /// A closure that calls the handler through the traits, with the spans of the author's types.
    fn checked(&self, traits: &Traits) -> TokenStream {
        let span = Span::mixed_site();
        let Self { event, c, handler, .. } = self;
        let Handler { name, runs, context, payload, .. } = handler;
        let unit = Type::Verbatim(quote_spanned!(name.span()=> ()));
        let view = on(payload, &traits.payload, "view");
        let outcome = on(handler.result().unwrap_or(&unit), &traits.returns, "outcome");
        let passed = context.as_ref().map(|context| {
            let (first, last) = ends(context);
            let (cx, of) = (Ident::new(CX, last), Ident::new("of", last));
            let private = c.spanned(first);
            let borrow = quote_spanned!(first=> &*);
            quote_spanned!(last=> , #private::ContextRef::#of(#borrow #cx))
        });
        let cx = context.as_ref().map(|context| {
            let cx = Ident::new(CX, ends(context).1);
            quote_spanned!(span=> , #cx)
        });
        let call = quote_spanned!(at(name.span())=> #name(#view(payload) #passed));
        let on = quote_spanned!(span=> #c::handler::On<#event>);
        let (kind, returns, body) = match runs {
            Runs::Async => {
                let private = c.located(name.span());
                let future = quote_spanned!(at(name.span())=> async move { #outcome(#call.await) });
                let boxed = quote_spanned!(at(name.span())=> #private::Box::pin(#future));
                ("ClosureWait", None, boxed)
            }
            Runs::NowOrLater => {
                let map = quote_spanned!(span=> |returned| #outcome(returned));
                let returns = quote_spanned!(span=> , #c::NowOrLater<#on, #c::Outcome>);
                ("Closure", Some(returns), quote_spanned!(span=> #c::handler::map(#call, #map)))
            }
            Runs::Sync => {
                let returns = quote_spanned!(span=> , #c::Outcome);
                ("Closure", Some(returns), quote_spanned!(span=> #outcome(#call)))
            }
        };
        let kind = Ident::new(&self.kind(kind), span);
        let (module, within) = match context {
            Some(context) => (Some(quote_spanned!(span=> , _)), Some(self.within(context))),
            None => (None, None),
        };
        quote_spanned!(span=>
            &#c::handler::#kind::<#on #module #returns>(|payload #cx| #body) #within)
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

/// The type `Context<…>` in `&Context<…>`, if the author wrote the context in this form.
fn named_context(context: &Type) -> Option<&Type> {
    match bare(context) {
        Type::Reference(reference) => {
            Some(&*reference.elem).filter(|named| is_generic(bare(named), "Context", 1))
        }
        _ => None,
    }
}

/// The name of the context, used with call-site spans.
const CX: &str = "__spondee_cx";

/// `<Type as Trait>::member`, spanned from the first to the last token of the author's type, so that
/// an error underlines only the type.
fn on(author: &Type, of: &TokenStream, member: &str) -> TokenStream {
    let (first, last) = ends(author);
    let open = quote_spanned!(at(first)=> <);
    let member = Ident::new(member, at(last));
    quote_spanned!(at(last)=> #open #author as #of>::#member)
}
