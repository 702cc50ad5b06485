//! `#[hook]`: reads its arguments, resolves the event, and checks the function against it.

mod expand;
mod rules;
mod signature;

use event_catalogue::{EventDef, NameParameter, Namespace, Parameter};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Error, LitStr, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use self::{
    expand::{Check, Hook},
    rules::{Priority, Rule, priority},
    signature::Function,
};
use crate::attr::{Mistakes, event_core, options, own_namespace, path};

const OPTIONS: &[&str] = &["priority", "namespace", "crate"];

/// The event as the author wrote it.
enum Named {
    String(LitStr),
    Path(Path, Option<LitStr>),
}

struct Arguments {
    event: Named,
    priority: Priority,
    /// The author's tokens of `namespace = "own"`.
    own_namespace: Option<TokenStream>,
    event_core: TokenStream,
}

/// An event of the catalogue, whose rules are known during expansion.
struct Resolved {
    def: &'static EventDef,
    name: String,
    parameter: TokenStream,
}

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: Function = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let error = Error::new_spanned(
                first(&item),
                "`#[hook]` annotates a function: the event's handler",
            );
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
        quote!(#item #expansion)
    } else {
        // The function stays, so that a mistake here does not also cause "not found" elsewhere.
        let mistakes = mistakes.into_tokens();
        quote!(#[allow(unused)] #item #mistakes)
    }
}

fn first(item: &TokenStream) -> TokenStream {
    item.clone().into_iter().take(1).collect()
}

fn parse(input: ParseStream<'_>, mistakes: &mut Mistakes) -> syn::Result<Arguments> {
    let event = named(input)?;
    if !input.is_empty() {
        let span = input.span();
        input.parse::<Token![,]>().map_err(|_| match &event {
            Named::Path(path, _) if path.get_ident().is_some() => {
                Error::new_spanned(path, "an event's name is a string: `#[hook(\"message/bare\")]`")
            }
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
        own_namespace: None,
        event_core: event_core(None),
    };
    options(input, OPTIONS, mistakes, |key, input, mistakes| {
        if key == "priority" {
            parsed.priority = priority(input)?;
        } else if key == "namespace" {
            parsed.own_namespace = own_namespace(key, input, mistakes)?;
        } else {
            parsed.event_core = event_core(Some(&path(input)?));
        }
        Ok(())
    })?;
    Ok(parsed)
}

/// Parses the event: its name, or its type with the parameter that the type leaves open.
fn named(input: ParseStream<'_>) -> syn::Result<Named> {
    let expected =
        "expected an event: its name, `\"message/bare\"`, or its type, `events::MessageBare`";
    if input.peek(LitStr) {
        return Ok(Named::String(input.parse()?));
    }
    let span = input.span();
    let option = input.peek(syn::Ident::peek_any) && input.peek2(Token![=]);
    if input.is_empty() || option {
        return Err(Error::new(span, expected));
    }
    let path = input.call(Path::parse_mod_style).map_err(|_| Error::new(span, expected))?;
    let parameter = if input.peek(Token![,]) && input.peek2(LitStr) {
        input.parse::<Token![,]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    Ok(Named::Path(path, parameter))
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

/// Resolves the event. `None` is a mistake; `Some(None)` is an event declared with `#[event]`.
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
    let own = if arguments.own_namespace.is_some() { Namespace::Own } else { Namespace::Known };
    let resolved = match event_catalogue::resolve(&name, own) {
        Ok(resolved) => resolved,
        Err(error) => {
            mistakes.at(literal, error);
            return None;
        }
    };
    let parameter = match resolved.parameter {
        NameParameter::None => none(private),
        // Copied from the list of events, where these two words are placeholders.
        NameParameter::Payload { namespace: "XMLNS", element: "TAG" } => {
            mistakes.at(
                literal,
                format!("`XMLNS:TAG` in `{name}` stands for the namespace and name of an element, such as `jabber:iq:version:query`"),
            );
            return None;
        }
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

/// Expands a hook on an event of the catalogue, whose rules and messages are known here.
fn catalogue(
    arguments: &Arguments,
    resolved: &Resolved,
    function: &Function,
    c: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Resolved { def, name, parameter } = resolved;
    if let Some(own) = &arguments.own_namespace
        && def.parameter != Parameter::Payload
    {
        mistakes.at(own, format!("`{name}` has no namespace; leave the option out"));
    }
    let rule = Rule::new(name.clone(), def, &arguments.priority, span, mistakes);
    let takes = rule.as_ref().map_or_else(|| format!("&mut {}", def.payload), Rule::takes);
    let handler = function.handler(&takes, mistakes);
    let (rule, handler) = (rule?, handler?);
    rule.check_mutability(&handler.payload, arguments.priority.tokens.is_some(), mistakes);
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
        name: quote_spanned!(span=> #c::Some(#name)),
        parameter: parameter.clone(),
        priority: arguments.priority.value,
        same,
        handler,
        c: c.clone(),
    };
    Some(hook.expand(&Check::Rule(&rule)))
}

/// Expands a hook on an event declared with `#[event]`: its type defines what the handler takes.
fn declared(
    arguments: &Arguments,
    function: &Function,
    c: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<TokenStream> {
    let span = Span::mixed_site();
    let Named::Path(path, _) = &arguments.event else { return None };
    let last = &path.segments.last()?.ident;
    if let Some(own) = &arguments.own_namespace {
        mistakes.at(own, format!("`{last}` has no namespace; leave the option out"));
    }
    let handler = function.handler(&format!("&{last}"), mistakes)?;
    let hook = Hook {
        event: quote_spanned!(span=> <#path as #c::DeclaredEvent>::Itself),
        name: quote_spanned!(span=> #c::None),
        parameter: none(c),
        priority: arguments.priority.value,
        same: None,
        handler,
        c: c.clone(),
    };
    Some(hook.expand(&Check::Declared))
}
