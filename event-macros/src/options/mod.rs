//! `#[derive(Options)]`, which `#[module]` adds to its struct: describes a module's options and
//! reads them.
//!
//! The attributes are serde's, but the struct does not derive serde's `Deserialize`, whose expansion
//! repeats the types of the fields. This expansion leaves the types to inference, so that a type that
//! does not exist or cannot be read is one error, at the field.

mod attributes;
mod case;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Fields, Item, ItemEnum, ItemStruct, Lit, Type, ext::IdentExt};

use self::attributes::{Container, Field, Value};
use crate::{
    attr::{Mistakes, event_core},
    docs,
    item::{keyword, quiet},
    spans::{at, ends, located},
};

pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let attributes = match syn::parse2(item.clone()) {
        Ok(Item::Struct(ItemStruct { attrs, .. }) | Item::Enum(ItemEnum { attrs, .. })) => attrs,
        _ => Vec::new(),
    };
    let container = attributes::container(&attributes, &mut mistakes);
    let expansion = match syn::parse2(item.clone()) {
        _ if container.is_refused => TokenStream::new(),
        Ok(Item::Struct(item))
            if matches!(item.fields, Fields::Named(_) | Fields::Unit)
                && item.generics.params.is_empty() =>
        {
            expand(&item, &container, &mut mistakes)
        }
        // A syntax error, which the compiler reports.
        Err(_) => TokenStream::new(),
        Ok(_) => {
            mistakes.at(keyword(item), "options are a struct with named fields, and not generic");
            TokenStream::new()
        }
    };
    let mistakes = mistakes.into_tokens();
    quote!(#expansion #mistakes)
}

fn expand(item: &ItemStruct, container: &Container, mistakes: &mut Mistakes) -> TokenStream {
    let span = Span::mixed_site();
    let core = event_core(container.event_core.as_ref());
    let c = &quote_spanned!(span=> #core::__private);
    let options: Vec<_> = item
        .fields
        .iter()
        .filter_map(|field| {
            let ident = field.ident.clone()?;
            let said = attributes::field(&field.attrs, mistakes);
            let doc = docs::text(&field.attrs, c);
            Some(FieldOption { ident, ty: &field.ty, said, doc })
        })
        .collect();
    let fields = options.iter().map(|option| {
        let (ident, value) = (&option.ident, option.read(container, c));
        quote_spanned!(span=> #ident: #value)
    });
    let default = container
        .default
        .map(|place| quote_spanned!(at(place)=> let default: Self = #c::Default::default();));
    let fields_attrs = item.fields.iter().flat_map(|field| &field.attrs);
    let quiet = quiet(item.attrs.iter().chain(fields_attrs));
    let (ident, list) = (&item.ident, list(&options, &item.ident, container, c));
    quote_spanned!(span=>
        #quiet
        #[automatically_derived]
        impl #c::Options for #ident {
            const OPTIONS: &'static [#c::OptionInfo] = #list;

            fn take(table: &mut #c::toml::Table) -> #c::Result<Self, #c::toml::de::Error> {
                let _ = &table;
                #default
                #c::Ok(Self { #(#fields,)* })
            }
        }
    )
}

struct FieldOption<'a> {
    ident: syn::Ident,
    ty: &'a Type,
    said: Field,
    doc: TokenStream,
}

impl FieldOption<'_> {
    fn name(&self, container: &Container) -> String {
        match (&self.said.rename, &container.rename_all) {
            (Some(name), _) => name.value(),
            (None, Some(case)) => case::rename(&self.ident.unraw().to_string(), case),
            (None, None) => self.ident.unraw().to_string(),
        }
    }

    /// The expression that takes the option's value out of `table`.
    fn read(&self, container: &Container, c: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let Field { aliases, default, is_skipped, is_group, read_with, .. } = &self.said;
        let default = match (default, container.default) {
            (Some(Value::OfType(place)), _) => {
                let c = located(c, *place);
                Some(quote_spanned!(at(*place)=> #c::Default::default()))
            }
            (Some(Value::Call(function)), _) => {
                Some(quote_spanned!(ends(function).0=> #function()))
            }
            // A string for a `String`, a `Box<str>` or the like.
            (Some(Value::Expression(Expr::Lit(literal))), _)
                if matches!(literal.lit, Lit::Str(_)) =>
            {
                let (place, _) = ends(literal);
                let c = located(c, place);
                Some(quote_spanned!(at(place)=> #c::Into::into(#literal)))
            }
            (Some(Value::Expression(expression)), _) => Some(expression.to_token_stream()),
            (None, Some(_)) => {
                let ident = &self.ident;
                Some(quote_spanned!(span=> default.#ident))
            }
            (None, None) => None,
        };
        let (first, last) = ends(self.ty);
        let c = located(c, first);
        if *is_skipped {
            return default.unwrap_or_else(|| quote_spanned!(at(last)=> #c::Default::default()));
        }
        if *is_group {
            let group = self.group(&quote_spanned!(span=> Self), &c);
            return quote_spanned!(at(last)=> (#group.take)(table)?);
        }
        let name = self.name(container);
        let keys = quote_spanned!(span=> &[#name #(, #aliases)*]);
        let (required, optional, with) = match read_with {
            Some(with) => (
                quote_spanned!(at(last)=> #c::option::required_with),
                quote_spanned!(at(last)=> #c::option::optional_with),
                quote_spanned!(span=> , #with),
            ),
            None => (
                quote_spanned!(at(last)=> #c::option::required),
                quote_spanned!(at(last)=> #c::option::optional),
                TokenStream::new(),
            ),
        };
        match default {
            // A `match`, so that the default is expected to have the type of the field.
            Some(default) => quote_spanned!(span=> match #optional(table, #keys #with)? {
                #c::Some(value) => value,
                #c::None => #default,
            }),
            None => quote_spanned!(span=> #required(table, #keys #with)?),
        }
    }

    /// The group of options in this field: one value with the descriptions and the function that
    /// reads them. Its tokens have the span of the type, so that a type that is not a group is one error.
    fn group(&self, of: &TokenStream, c: &TokenStream) -> TokenStream {
        let (ident, (first, last)) = (&self.ident, ends(self.ty));
        let (c, mut field) = (located(c, first), ident.clone());
        field.set_span(at(last));
        let of = located(of, last);
        quote_spanned!(at(last)=> #c::option::Field(|options: &#of| &options.#field).group())
    }

    /// The description, an `OptionInfo`.
    fn info(&self, container: &Container, c: &TokenStream) -> TokenStream {
        let span = Span::mixed_site();
        let (name, aliases, doc) = (self.name(container), &self.said.aliases, &self.doc);
        let kind = compact(self.ty);
        let default = match &self.said.default {
            Some(Value::Expression(expression)) => Some(text(expression)),
            Some(Value::Call(function)) => Some(format!("{}()", compact(function))),
            Some(Value::OfType(_)) => of_type(&kind).map(str::to_owned),
            None => None,
        };
        let is_required =
            self.said.default.is_none() && container.default.is_none() && !is_option(self.ty);
        let default = match default {
            Some(default) => quote_spanned!(span=> #c::Some(#default)),
            None => quote_spanned!(span=> #c::None),
        };
        quote_spanned!(span=> #c::OptionInfo::new(
            #name, &[#(#aliases),*], #doc, #kind, #default, #is_required,
        ))
    }
}

/// The list of the options, including those of groups.
fn list(
    options: &[FieldOption<'_>],
    ident: &syn::Ident,
    container: &Container,
    c: &TokenStream,
) -> TokenStream {
    let span = Span::mixed_site();
    let listed: Vec<_> = options.iter().filter(|option| !option.said.is_skipped).collect();
    if listed.iter().all(|option| !option.said.is_group) {
        let infos = listed.iter().map(|option| option.info(container, c));
        return quote_spanned!(span=> &[#(#infos),*]);
    }
    let parts = listed.iter().map(|option| {
        if option.said.is_group {
            let group = option.group(&quote!(#ident), c);
            quote_spanned!(span=> #group.options)
        } else {
            let info = option.info(container, c);
            quote_spanned!(span=> &[#info])
        }
    });
    quote_spanned!(span=> {
        const PARTS: &[&[#c::OptionInfo]] = &[#(#parts),*];
        &#c::option::concat::<{ #c::option::count(PARTS) }>(PARTS)
    })
}

/// Tokens as text without spaces.
fn compact(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The source text of an expression; an integer is written without `_` and suffix.
fn text(expression: &Expr) -> String {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            other => other.to_token_stream().to_string(),
        },
        other => other.to_token_stream().to_string(),
    }
}

/// The value of `Default` for a type that is written as `kind`, in TOML.
fn of_type(kind: &str) -> Option<&'static str> {
    match kind {
        "bool" => Some("false"),
        "String" | "Box<str>" => Some("\"\""),
        _ if kind.starts_with("Vec<") || kind.starts_with("BTreeSet<") => Some("[]"),
        _ if kind.trim_start_matches(['u', 'i']).parse::<u8>().is_ok()
            || matches!(kind, "usize" | "isize") =>
        {
            Some("0")
        }
        _ => None,
    }
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}
