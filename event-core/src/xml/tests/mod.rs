//! Tests of the whole of `xml`, with the strict parser `rxml` as the judge.

mod edit;
mod framer;
mod generate;
mod header;
mod index;
mod nasty;
mod oracle;
mod tree;
mod typed;

use super::{Element, Limits, Scope, XmlError};

fn parse(xml: &str) -> Result<Element, XmlError> {
    Element::parse(xml.as_bytes(), &Scope::default(), &Limits::default())
}

fn element(xml: &str) -> Element {
    parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}
