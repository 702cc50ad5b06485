//! `#[hook]`: reads its arguments, resolves the event, and checks the function against it.

mod conditional;
mod event;
mod expand;
mod returns;
mod rules;
mod signature;

use event_catalogue::{EventDef, Name, NameParameter, Parameter, Undeclared};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Error, LitStr, Token,
    parse::{ParseStream, Parser},
};

use self::{
    event::{Named, STRING, named, refuse_twice},
    expand::{Check, Hook},
    rules::{Priority, Rule, priority},
    signature::{Annotated, Function},
};
use crate::{
    attr::{Mistakes, event_core, options, path, string},
    own::ask,
    spans::Tokens,
};

const OPTIONS: &[&str] = &["priority", "insist", "crate"];

struct Arguments {
    event: Named,
    priority: Priority,
    /// Why the author hooks an element that no specification has in an iq of this type.
    insist: Option<LitStr>,
    event_core: TokenStream,
}

/// An event of the catalogue, whose rules are known during expansion.
struct Resolved {
    def: &'static EventDef,
    name: String,
    /// The check that the crate declares the namespace or the element; `None` if both are known.
    declared: Option<TokenStream>,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = match Annotated::parse(item.clone()) {
        Ok(Annotated(Ok(function))) => function,
        Ok(Annotated(Err(span))) => {
            let unread = unread(&arguments, span);
            return quote!(#item #unread);
        }
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    if let Some(variants) = conditional::variants(&arguments, &function) {
        return variants;
    }
    let mut mistakes = Mistakes::default();
    let expansion =
        (|input: ParseStream<'_>| parse(input, &mut mistakes)).parse2(arguments).map(|arguments| {
            let Arguments { event, priority, .. } = &arguments;
            refuse_twice((event, priority.value), &function.attributes, &mut mistakes);
            handler(&arguments, &function, &mut mistakes)
        });
    let expansion = match expansion {
        Ok(Some(expansion)) if mistakes.is_empty() => expansion,
        Ok(_) => TokenStream::new(),
        Err(error) => {
            mistakes.add(error);
            TokenStream::new()
        }
    };
    if mistakes.is_empty() {
        quote!(#item #expansion)
    } else {
        // The function stays, so that a mistake here does not also cause "not found" elsewhere.
        let mistakes = mistakes.into_tokens();
        quote!(#[allow(unused, reason = "the hook is refused")] #item #mistakes)
    }
}

/// Refuses a function whose signature `syn` cannot read. The compiler has reported the mistake, so this
/// is a lint, which the compiler checks only if there is no error.
fn unread(arguments: &TokenStream, span: Span) -> TokenStream {
    let core = event_core(conditional::crate_option(arguments).as_ref());
    let unread = Tokens::from(quote!(#core::__private::handler::unread)).spanned(span);
    let call = quote_spanned!(span=> #unread(););
    quote_spanned!(Span::mixed_site()=> #[deny(unused_must_use)] const _: () = { #call };)
}

fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Arguments> {
    let event = named(input)?;
    if !input.is_empty() {
        let span = input.span();
        input.parse::<Token![,]>().map_err(|_| match &event {
            Named::Path(path, _) if path.get_ident().is_some() => Error::new_spanned(path, STRING),
            _ => Error::new(span, "expected `,` after the event"),
        })?;
    }
    if input.peek(LitStr) {
        let other: LitStr = input.parse()?;
        let help = format!("#[hook({})]", other.to_token_stream());
        return Err(Error::new_spanned(
            other,
            format!(
                "one attribute names one event\n  help: write another above the function: `{help}`"
            ),
        ));
    }
    let mut parsed = Arguments {
        event,
        priority: Priority { value: 0, tokens: None },
        insist: None,
        event_core: event_core(None),
    };
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        if key == "priority" {
            parsed.priority = priority(input)?;
        } else if key == "insist" {
            let expected = "`insist` says why: `insist = \"old clients set the version\"`";
            let reason = string(input, expected)?;
            if reason.value().trim().is_empty() {
                mistakes.at(&reason, expected);
            }
            parsed.insist = Some(reason);
        } else if key == "crate" {
            parsed.event_core = event_core(Some(&path(input)?));
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
    let private = Tokens::from(quote_spanned!(Span::mixed_site()=> #c::__private));
    match resolve(arguments, &private, mistakes)? {
        Some(resolved) => catalogue(arguments, &resolved, function, &private, mistakes),
        None => declared(arguments, function, &private, mistakes),
    }
}

/// Resolves the event. `None` is a mistake; `Some(None)` is an event declared with `#[event]`.
fn resolve(
    arguments: &Arguments,
    private: &Tokens,
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
                    refuse_insist(arguments, &name, mistakes);
                    return Some(Some(Resolved { def, name, declared: None }));
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
    let resolved = match &arguments.insist {
        Some(_) => event_catalogue::resolve_unusual(&name),
        None => event_catalogue::resolve(&name),
    };
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(error) => {
            mistakes.at(literal, error);
            return None;
        }
    };
    let is_insisted = arguments.insist.is_some();
    let declared = asked(&resolved, &name, (literal, is_insisted), private);
    let def = resolved.event;
    Some(Some(Resolved { def, name, declared }))
}

/// Asks whether the crate declares the unknown part of a name. A hook with `insist` is a mistake in
/// either case.
fn asked(
    resolved: &Name<'_>,
    name: &str,
    (literal, is_insisted): (&LitStr, bool),
    private: &Tokens,
) -> Option<TokenStream> {
    let advice = event_catalogue::undeclared(name, resolved)?.to_string();
    let NameParameter::Payload { namespace, element } = resolved.parameter else { return None };
    let element = format!("{namespace}:{element}");
    let undeclared = resolved.undeclared?;
    Some(ask(&private.to_token_stream(), literal.span(), |span| match undeclared {
        _ if is_insisted => {
            let needless = needless(name);
            quote_spanned!(span=> insisted(#namespace, #element, #advice, #needless))
        }
        Undeclared::Namespace => quote_spanned!(span=> namespace(#namespace, #element, #advice)),
        Undeclared::Element => quote_spanned!(span=> element(#element, #advice)),
    }))
}

/// Refuses `insist` on an event without an element.
fn refuse_insist(arguments: &Arguments, name: &str, mistakes: &mut Mistakes) {
    if let Some(insist) = &arguments.insist {
        mistakes.at(insist, needless(name));
    }
}

fn needless(name: &str) -> String {
    format!("`{name}` needs no `insist`: leave it out")
}

/// Expands a hook on an event of the catalogue, whose rules and messages are known here.
fn catalogue(
    arguments: &Arguments,
    resolved: &Resolved,
    function: &Function,
    c: &Tokens,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Resolved { def, name, declared } = resolved;
    let rule = Rule::new(name.clone(), def, &arguments.priority, span, mistakes);
    let takes = rule.as_ref().map_or_else(|| format!("&mut {}", def.payload), Rule::takes);
    let handler = function.handler(&takes, mistakes);
    let (rule, handler) = (rule?, handler?);
    returns::check(&handler, Some(&rule), mistakes);
    rule.check_mutability(&handler.payload, arguments.priority.tokens.is_some(), mistakes);
    rule.check_now_or_later(&handler, mistakes);
    if !mistakes.is_empty() {
        return None;
    }
    let (marker, same) = match &arguments.event {
        // Only this token gets the literal's span: hover and go-to-definition then show the event.
        Named::String(literal) => (syn::Ident::new(def.marker, literal.span()), None),
        Named::Path(path, _) => {
            let marker = format_ident!("{}", def.marker, span = span);
            let same =
                quote_spanned!(span=> let () = <#path as #c::Same<#c::events::#marker>>::SAME;);
            (marker, Some(same))
        }
    };
    let hook = Hook {
        event: quote_spanned!(span=> #c::events::#marker),
        name: quote_spanned!(span=> #name),
        label: name.clone(),
        priority: arguments.priority.value,
        same,
        handler,
        c: c.clone(),
    };
    let hook = hook.expand(&Check::Rule(&rule));
    Some(quote!(#declared #hook))
}

/// Expands a hook on an event declared with `#[event]`: its type defines what the handler takes.
fn declared(
    arguments: &Arguments,
    function: &Function,
    c: &Tokens,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Named::Path(path, _) = &arguments.event else { return None };
    let last = &path.segments.last()?.ident;
    refuse_insist(arguments, &last.to_string(), mistakes);
    let handler = function.handler(&format!("&{last}"), mistakes)?;
    returns::check(&handler, None, mistakes);
    if !mistakes.is_empty() {
        return None;
    }
    let hook = Hook {
        event: quote_spanned!(span=> <#path as #c::DeclaredEvent>::Itself),
        name: quote_spanned!(span=> <<#path as #c::DeclaredEvent>::Itself as #c::Event>::INFO.name),
        label: path.to_token_stream().to_string(),
        priority: arguments.priority.value,
        same: None,
        handler,
        c: c.clone(),
    };
    Some(hook.expand(&Check::Declared))
}
