//! Reads documents with `rxml`, one hexadecimal document on each line of standard input, and writes
//! the tree of each, or `!` and the reason why `rxml` refuses the document. The form of a tree is in
//! `tests/oracles/trees.py`, which compares the parsers.

use std::{
    fmt::Write,
    io::{self, BufRead},
};

use rxml::{Event, Parse, Parser};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        match decode(&line).ok_or_else(|| "not hexadecimal".to_owned()).and_then(|xml| tree(&xml)) {
            Ok(tree) => println!("{tree}"),
            Err(error) => println!("!{error}"),
        }
    }
    Ok(())
}

fn decode(line: &str) -> Option<Vec<u8>> {
    let pairs = line.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// Escapes all bytes but letters and digits.
fn push(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => out.push(char::from(byte)),
            // Writing to a string does not fail.
            false => drop(write!(out, "%{byte:02X}")),
        }
    }
}

fn push_name(out: &mut String, namespace: &str, name: &str) {
    push(out, namespace);
    out.push('|');
    push(out, name);
}

fn tree(xml: &[u8]) -> Result<String, String> {
    // `rxml` does not normalise line ends in all CDATA sections.
    let xml = str::from_utf8(xml).map_err(|error| error.to_string())?;
    let xml = xml.replace("\r\n", "\n").replace('\r', "\n");
    let (mut rest, mut parser) = (xml.as_bytes(), Parser::new());
    let (mut out, mut text) = (String::new(), String::new());
    while let Some(event) = parser.parse(&mut rest, true).map_err(|error| format!("{error:?}"))? {
        if let Event::Text(_, more) = &event {
            text.push_str(more);
            continue;
        }
        push(&mut out, &text);
        text.clear();
        match event {
            Event::StartElement(_, (namespace, name), attributes) => {
                out.push('(');
                push_name(&mut out, &namespace, &name);
                let mut attributes: Vec<_> = attributes
                    .iter()
                    .map(|((namespace, name), value)| (namespace.as_str(), name.as_str(), value))
                    .collect();
                attributes.sort_unstable();
                for (namespace, name, value) in attributes {
                    out.push(' ');
                    push_name(&mut out, namespace, name);
                    out.push('=');
                    push(&mut out, value);
                }
                out.push(' ');
            }
            Event::EndElement(_) => out.push(')'),
            Event::XmlDeclaration(..) | Event::Text(..) => {}
        }
    }
    Ok(out)
}
