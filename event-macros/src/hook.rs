//! `#[hook]`: resolves the name, checks the function, and submits one record for it.

use event_catalogue::{EventDef, Family, NameParameter, Namespace, Parameter};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Error, LitStr, Path, Token,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    attr::{Mistakes, event_core, options, string},
    rules::{Priority, Rule, priority},
    signature::{Function, Handler},
};

const OPTIONS: &[&str] = &["priority", "namespace", "crate"];

/// How the author named the event.
enum Named {
    String(LitStr),
    Path(Path, Option<LitStr>),
}

struct Arguments {
    event: Named,
    priority: Priority,
    namespace: Namespace,
    event_core: TokenStream,
}

/// An event whose rules are known here.
struct Resolved {
    def: &'static EventDef,
    name: String,
    parameter: TokenStream,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let error = Error::new_spanned(first(&item), "`#[hook]` annotates a function");
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let mut mistakes = Mistakes::default();
    let expansion = (|input: ParseStream<'_>| parse(input, &mut mistakes))
        .parse2(arguments)
        .map(|arguments| handler(&arguments, &function, &mut mistakes));
    let expansion = match expansion {
        Ok(Some(expansion)) if mistakes.is_empty() => expansion,
        Ok(_) => TokenStream::new(),
        Err(error) => {
            mistakes.add(error);
            TokenStream::new()
        }
    };
    if mistakes.is_empty() {
        quote!(#function #expansion)
    } else {
        // The function stays, so that one mistake does not become "not found" elsewhere.
        let mistakes = mistakes.into_tokens();
        quote!(#[allow(dead_code, unused)] #function #mistakes)
    }
}

fn first(item: &TokenStream) -> TokenStream {
    item.clone().into_iter().take(1).collect()
}

fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Arguments> {
    let expected =
        "expected an event: its name, `\"message/bare\"`, or its type, `events::MessageBare`";
    let event = if input.peek(LitStr) {
        Named::String(input.parse()?)
    } else if input.is_empty() || input.peek2(Token![=]) {
        return Err(Error::new(input.span(), expected));
    } else {
        let span = input.span();
        let path = input.call(Path::parse_mod_style).map_err(|_| Error::new(span, expected))?;
        let parameter = if input.peek(Token![,]) && input.peek2(LitStr) {
            input.parse::<Token![,]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Named::Path(path, parameter)
    };
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    let mut parsed = Arguments {
        event,
        priority: Priority { value: 0, tokens: None },
        namespace: Namespace::Known,
        event_core: event_core(None),
    };
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        if key == "priority" {
            parsed.priority = priority(input)?;
        } else if key == "namespace" {
            let expected = "`namespace = \"own\"` declares that the namespace is one of your own";
            let value = string(input, expected)?;
            if value.value() == "own" {
                parsed.namespace = Namespace::Own;
            } else {
                mistakes.at(value, expected);
            }
        } else {
            parsed.event_core = event_core(Some(&input.call(Path::parse_mod_style)?));
        }
        Ok(())
    })?;
    Ok(parsed)
}

fn handler(
    arguments: &Arguments,
    function: &Function,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let c = &arguments.event_core;
    let private = quote_spanned!(Span::mixed_site()=> #c::__private);
    match resolve(arguments, &private, mistakes)? {
        Some(resolved) => catalogue(arguments, &resolved, function, &private, mistakes),
        None => declared(arguments, function, &private, mistakes),
    }
}

/// `None`: a mistake; `Some(None)`: an event that another crate declares.
fn resolve(
    arguments: &Arguments,
    private: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<Option<Resolved>> {
    let (name, literal) = match &arguments.event {
        Named::String(literal) => (literal.value(), literal),
        Named::Path(path, parameter) => {
            let last = path.segments.last()?.ident.to_string();
            let Some(def) = event_catalogue::by_marker(&last) else {
                if let Some(parameter) = parameter {
                    mistakes.at(parameter, format!("`{last}` has no parameter"));
                    return None;
                }
                return Some(None);
            };
            let prefix = def.head();
            match (def.parameter, parameter) {
                (Parameter::None, None) => {
                    let name = def.name.to_owned();
                    let parameter = none(private);
                    return Some(Some(Resolved { def, name, parameter }));
                }
                (Parameter::None, Some(parameter)) => {
                    mistakes.at(parameter, format!("`{}` has no parameter", def.name));
                    return None;
                }
                (_, Some(parameter)) => (format!("{prefix}{}", parameter.value()), parameter),
                (Parameter::Payload, None) => {
                    mistakes.at(
                        path,
                        format!(
                            "`{}` needs an element\n  help: `{last}, \"jabber:iq:version:query\"`",
                            def.name
                        ),
                    );
                    return None;
                }
                (Parameter::Id, None) => {
                    mistakes.at(
                        path,
                        format!("`{}` needs an id\n  help: `{last}, \"probe-1\"`", def.name),
                    );
                    return None;
                }
            }
        }
    };
    let resolved = match event_catalogue::resolve(&name, arguments.namespace) {
        Ok(resolved) => resolved,
        Err(error) => {
            mistakes.at(literal, error);
            return None;
        }
    };
    let parameter = match resolved.parameter {
        NameParameter::None => none(private),
        NameParameter::Payload { namespace, element } => quote_spanned!(Span::mixed_site()=>
            #private::HookParameter::Payload { namespace: #namespace, element: #element }),
        NameParameter::Id(id) => {
            quote_spanned!(Span::mixed_site()=> #private::HookParameter::Id(#id))
        }
    };
    let def = resolved.event;
    Some(Some(Resolved { def, name, parameter }))
}

fn none(private: &TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> #private::HookParameter::None)
}

/// A hook on an event of the catalogue: every rule is known, and so is every message.
fn catalogue(
    arguments: &Arguments,
    resolved: &Resolved,
    function: &Function,
    c: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Resolved { def, name, parameter } = resolved;
    let rule = Rule::new(name.clone(), def, &arguments.priority, span, mistakes);
    let takes = rule.as_ref().map_or_else(|| format!("&mut {}", def.payload), Rule::takes);
    let handler = function.handler(&takes, mistakes);
    let (rule, handler) = (rule?, handler?);
    let is_post = def.family == Family::Post;
    let has_priority = arguments.priority.tokens.is_some();
    rule.check_mutability(&handler.payload, has_priority, is_post, mistakes);
    if !mistakes.is_empty() {
        return None;
    }

    let marker = format_ident!("{}", def.marker);
    let event = match &arguments.event {
        // The literal's span goes to this one token: hover and go-to-definition show the event.
        Named::String(literal) => {
            let marker = proc_macro2::Ident::new(def.marker, literal.span());
            quote_spanned!(span=> #c::events::#marker)
        }
        Named::Path(path, _) => path.to_token_stream(),
    };
    let is_own_type = match &arguments.event {
        Named::String(_) => TokenStream::new(),
        Named::Path(path, _) => {
            let text = format!("this is not `event_core::events::{marker}`: rename the event type");
            quote_spanned!(path.span()=> const _: () = {
                assert!(#c::same(<#path as #c::Event>::INFO.name, <#c::events::#marker as #c::Event>::INFO.name), #text);
            };)
        }
    };
    let payload = &rule.payload;
    let (reference, view) = if rule.is_mutable {
        (quote_spanned!(span=> &'a mut #c::#payload), quote_spanned!(span=> payload))
    } else {
        (quote_spanned!(span=> &'a #c::#payload), quote_spanned!(span=> &*payload))
    };
    let (wrong_payload, wrong_return) = (rule.wrong_payload(), rule.wrong_return());
    let returns = rule.returns(c);
    let checks = quote_spanned!(span=>
        #is_own_type

        #[diagnostic::on_unimplemented(#wrong_payload)]
        trait __SpondeePayload<'a> {
            fn view(payload: &'a mut #c::#payload) -> Self;
        }

        impl<'a> __SpondeePayload<'a> for #reference {
            fn view(payload: &'a mut #c::#payload) -> Self {
                #view
            }
        }

        #[diagnostic::on_unimplemented(#wrong_return)]
        trait __SpondeeReturn {
            fn outcome(self) -> #c::Outcome;
        }

        #(impl __SpondeeReturn for #returns {
            fn outcome(self) -> #c::Outcome {
                #c::Outcome::from(self)
            }
        })*
    );
    let checks = Checks {
        items: checks,
        payload: quote_spanned!(span=> __SpondeePayload<'_>),
        returns: quote_spanned!(span=> __SpondeeReturn),
    };
    let meta = Meta { event: &event, name: quote!(#c::Some(#name)), parameter };
    Some(submit(arguments, &handler, &checks, &meta, c))
}

/// A hook on an event that some crate declares: its type says what the handler takes.
fn declared(
    arguments: &Arguments,
    function: &Function,
    c: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Named::Path(path, _) = &arguments.event else { return None };
    let last = &path.segments.last()?.ident;
    let handler = function.handler(&format!("&{last}"), mistakes)?;
    let checks = Checks {
        items: TokenStream::new(),
        payload: quote_spanned!(span=> #c::PayloadOf<'_, '_, #path>),
        returns: quote_spanned!(span=> #c::DecisionOf<<#path as #c::DeclaredEvent>::Kind>),
    };
    let meta = Meta { event: &path.to_token_stream(), name: quote!(#c::None), parameter: &none(c) };
    Some(submit(arguments, &handler, &checks, &meta, c))
}

/// What makes a wrong payload or return type an error on that very type.
struct Checks {
    items: TokenStream,
    /// The trait through which the handler's first argument is made.
    payload: TokenStream,
    /// The trait through which what it returns is understood.
    returns: TokenStream,
}

struct Meta<'a> {
    event: &'a TokenStream,
    name: TokenStream,
    parameter: &'a TokenStream,
}

/// The record: constant metadata, and a function that installs the typed handler.
fn submit(
    arguments: &Arguments,
    handler: &Handler,
    checks: &Checks,
    meta: &Meta<'_>,
    c: &TokenStream,
) -> TokenStream {
    let span = Span::mixed_site();
    let at = |span: Span| Span::mixed_site().located_at(span);
    let Handler { name, is_async, context, returns, payload } = handler;
    let Checks { items, payload: payload_trait, returns: return_trait } = checks;
    let Meta { event, name: event_name, parameter } = meta;
    let priority = arguments.priority.value;
    let function = name.to_string();
    let unit = quote_spanned!(span=> ());
    let returns = returns.as_ref().map_or(unit, ToTokens::to_token_stream);
    let view = quote_spanned!(at(payload.span())=> <#payload as #payload_trait>::view(payload));
    let (cx, passed, owned) = match context {
        Some(context) => (
            quote_spanned!(at(context.span())=> installer.context_of::<#context>()?),
            quote_spanned!(at(context.span())=> , <#context as #c::ContextRef<'_>>::of(cx)),
            quote_spanned!(at(context.span())=>
                const _: () = {
                    #[expect(clippy::extra_unused_lifetimes, reason = "the type may elide lifetimes")]
                    const fn owner<'a, R: #c::ContextRef<'a>>(_: #c::Option<fn(R)>) -> &'static str {
                        <R::Module as #c::Module>::INFO.module_path
                    }
                    if !#c::encloses(owner(#c::None::<fn(#context)>), #c::module_path!()) {
                        panic!("this `Context` belongs to a module elsewhere: take that of the `#[module]` in the handler's own Rust module");
                    }
                };
            ),
        ),
        None => (quote_spanned!(span=> ()), TokenStream::new(), TokenStream::new()),
    };
    let call = quote_spanned!(at(name.span())=> #name(#view #passed));
    let outcome = |call: TokenStream| quote_spanned!(at(returns.span())=> <#returns as #return_trait>::outcome(#call));
    let install = if *is_async {
        let outcome = outcome(quote_spanned!(at(name.span())=> #call.await));
        let boxed = quote_spanned!(at(name.span())=> #c::Box::pin(async move { #outcome }));
        quote_spanned!(span=>
            installer.asynchronous::<<#event as #c::Event>::Payload, _>(context, |payload, cx| #boxed))
    } else {
        let outcome = outcome(call);
        quote_spanned!(span=>
            installer.sync::<<#event as #c::Event>::Payload, _, _>(context, |payload, cx| #outcome))
    };
    quote_spanned!(span=>
        #[allow(elided_lifetimes_in_paths, unused_qualifications, reason = "paths are the author's")]
        const _: () = {
            #items
            #owned

            #[allow(unused_variables, clippy::unit_arg, clippy::let_unit_value, reason = "not every handler returns something or takes a context")]
            fn __spondee_install(installer: &mut #c::Installer<'_>) -> #c::Result<(), #c::WrongContext> {
                let context = #cx;
                #install;
                #c::Ok(())
            }

            #c::inventory::submit! {
                #c::HookRecord {
                    meta: #c::HookMeta::new::<#event>(
                        (#event_name, #parameter),
                        (#priority, #is_async),
                        (#c::module_path!(), #function),
                        (#c::file!(), #c::line!(), #c::column!()),
                    ),
                    install: __spondee_install,
                }
            }
        };
    )
}
