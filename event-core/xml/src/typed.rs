//! Converts elements to typed payloads of `xso` and back. `xso` uses the events of `rxml`.

use std::borrow::Cow;

use rxml::{AttrMap, Event, Namespace, NcName, parser::EventMetrics};
use xso::{AsXml, Context, FromEventsBuilder, FromXml, Item, error::FromEventsError};

use crate::{
    element::{
        Element,
        child::Child,
        walk::{Head, Token, Walk},
    },
    error::{PayloadError, XmlError},
    read::{chars, names},
    stream::scope::XML_NS,
    write::{escape, writer::Writer},
};

impl Element {
    /// Converts the element to a typed payload or stanza.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Mismatch`] if the element does not have the name and namespace of the type,
    /// [`PayloadError::Invalid`] if the content breaks the type's schema.
    pub fn parse_as<T: FromXml>(&self) -> Result<T, PayloadError> {
        self.as_child().parse_as()
    }

    /// Converts a typed payload or stanza to an element.
    ///
    /// # Errors
    ///
    /// [`PayloadError::Invalid`] if the value cannot be serialized, [`PayloadError::Xml`] if it has a
    /// name or a namespace that streams do not accept.
    pub fn from_xso<T: AsXml>(value: &T) -> Result<Self, PayloadError> {
        let mut writer = Writer::new();
        for item in value.as_xml_iter()? {
            match item? {
                Item::XmlDeclaration(_) => {}
                Item::ElementHeadStart(namespace, name) => {
                    check(&name, namespace.as_str())?;
                    writer.start(&name, namespace.as_str());
                }
                Item::Attribute(namespace, name, value) => {
                    check(&name, namespace.as_str())?;
                    writer.attribute_in(namespace.as_str(), &name, &value);
                }
                Item::ElementHeadEnd => {}
                Item::Text(text) => writer.text(&text),
                Item::ElementFoot => writer.end(),
            }
        }
        Ok(writer.finish())
    }
}

impl Child<'_> {
    /// Converts the element to a typed payload.
    ///
    /// # Errors
    ///
    /// See [`Element::parse_as`].
    pub fn parse_as<T: FromXml>(&self) -> Result<T, PayloadError> {
        let mut walk = Walk::new(self.xml);
        let Some(Token::Start(head)) = walk.next() else {
            return Err(XmlError::NotWellFormed("element expected").into());
        };
        let mut open: Vec<Level<'_>> = Vec::new();
        let root = Level::new(head, self.namespace(), self.lang.map(escape::attribute));
        let (name, attributes) = start(head, &root.namespace)?;
        let language = root.lang.clone();
        let context = Context::empty().with_language(language.as_deref());
        let mut builder =
            T::from_events(name, attributes, &context).map_err(|error| match error {
                FromEventsError::Mismatch { .. } => PayloadError::Mismatch,
                FromEventsError::Invalid(error) => error.into(),
            })?;
        if head.empty() {
            let end = builder.feed(Event::EndElement(EventMetrics::zero()), &context)?;
            return end.ok_or(PayloadError::Mismatch);
        }
        open.push(root);
        for token in walk {
            // At an end tag, the language of the ended element applies.
            let level = open.last().cloned().unwrap_or_default();
            let mut lang = level.lang.clone();
            let event = match token {
                Token::Start(head) => {
                    let inner = Level::new(head, &level.namespace, level.lang);
                    let (name, attributes) = start(head, &inner.namespace)?;
                    lang.clone_from(&inner.lang);
                    open.push(inner);
                    Event::StartElement(EventMetrics::zero(), name, attributes)
                }
                Token::Text(raw) => text(escape::text(raw)),
                Token::CData(raw) => text(escape::cdata(raw)),
                Token::End => {
                    open.pop();
                    Event::EndElement(EventMetrics::zero())
                }
            };
            let context = Context::empty().with_language(lang.as_deref());
            if let Some(value) = builder.feed(event, &context)? {
                return Ok(value);
            }
            if matches!(token, Token::Start(head) if head.empty()) {
                open.pop();
                let end = Event::EndElement(EventMetrics::zero());
                if let Some(value) = builder.feed(end, &context)? {
                    return Ok(value);
                }
            }
        }
        Err(XmlError::NotWellFormed("element without an end").into())
    }
}

/// Refuses a name or a namespace that `xso` accepts, but streams do not.
fn check(name: &str, namespace: &str) -> Result<(), XmlError> {
    if !chars::is_ncname(name) {
        return Err(XmlError::NotWellFormed("bad name"));
    }
    if names::odd_in_namespace(namespace).is_some() {
        return Err(XmlError::NotWellFormed("a namespace is not a URI"));
    }
    Ok(())
}

/// The namespace and language that inner elements inherit.
#[derive(Debug, Clone, Default)]
struct Level<'a> {
    namespace: Cow<'a, str>,
    lang: Option<Cow<'a, str>>,
}

impl<'a> Level<'a> {
    fn new(head: Head<'a>, namespace: &str, lang: Option<Cow<'a, str>>) -> Self {
        Self {
            namespace: head.attribute("xmlns").unwrap_or_else(|| Cow::Owned(namespace.to_owned())),
            lang: head.attribute("xml:lang").or(lang),
        }
    }
}

fn text(text: Cow<'_, str>) -> Event {
    Event::Text(EventMetrics::zero(), text.into_owned())
}

fn namespace(name: &str) -> Namespace<'static> {
    Namespace::try_share_static(name).unwrap_or_else(|| Namespace::from(name.to_owned()))
}

fn ncname(name: &str) -> Result<NcName, PayloadError> {
    NcName::try_from(name).map_err(|_| XmlError::NotWellFormed("bad name").into())
}

/// Converts the name and attributes of a start tag to types of `rxml`.
fn start(head: Head<'_>, ns: &str) -> Result<(rxml::QName, AttrMap), PayloadError> {
    let mut attributes = AttrMap::new();
    for attribute in head.attributes() {
        let value = escape::attribute(attribute.raw).into_owned();
        let (ns, name) = match attribute.name.split_once(':') {
            None if attribute.name == "xmlns" => continue,
            None => (Namespace::NONE, attribute.name),
            Some(("xmlns", _)) => continue,
            Some(("xml", local)) => (namespace(XML_NS), local),
            Some((prefix, local)) => {
                // Normal form declares a prefix in the start tag that uses it.
                let declared = head.attributes().find(|other| {
                    other.name.strip_prefix("xmlns:").is_some_and(|name| name == prefix)
                });
                let name = declared.map(|other| escape::attribute(other.raw)).unwrap_or_default();
                (namespace(&name), local)
            }
        };
        attributes.insert(ns, ncname(name)?, value);
    }
    let ns = if ns.is_empty() { Namespace::NONE } else { namespace(ns) };
    Ok(((ns, ncname(head.name())?), attributes))
}
