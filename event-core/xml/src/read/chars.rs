//! Character classes of XML 1.0.

use crate::{error::XmlError, read::names};

/// White space (XML 1.0, production 3).
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether a character is allowed in a document (XML 1.0, production 2).
pub(crate) fn is_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        c if c < ' ' => false,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// Refuses text with a character that is not allowed in a document.
pub(crate) fn check(text: &str) -> Result<(), XmlError> {
    // The loop has no branch, so that the compiler can use vector instructions.
    let bytes = text.as_bytes();
    let bad = bytes.iter().fold(false, |bad, &b| bad | ((b < b' ') & !is_space(b)));
    if bad {
        return Err(XmlError::NotWellFormed("control character"));
    }
    // All other forbidden characters are U+FFFE and U+FFFF, which begin with the byte 0xEF.
    if memchr::memchr(0xEF, bytes).is_some() && !text.chars().all(is_char) {
        return Err(XmlError::NotWellFormed("not a character"));
    }
    Ok(())
}

/// Does the same as [`names::is_ncname`], faster.
pub(crate) fn is_ncname(name: &str) -> bool {
    let class = |byte: &u8| name_byte(*byte);
    let is_plain = |byte: &u8| matches!(class(byte), NameByte::Start | NameByte::Inside);
    if let [first, rest @ ..] = name.as_bytes()
        && class(first) == NameByte::Start
        && rest.iter().all(is_plain)
    {
        return name.len() <= names::MAX_NAME;
    }
    names::is_ncname(name)
}

/// The role of a byte in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameByte {
    Outside,
    Start,
    Inside,
    Colon,
    /// A part of a character beyond ASCII, which needs a full check.
    Long,
}

const NAME_BYTES: [NameByte; 256] = {
    let mut table = [NameByte::Outside; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((class, others)) = rest.split_first_mut() {
        *class = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => NameByte::Start,
            b'0'..=b'9' | b'-' | b'.' => NameByte::Inside,
            b':' => NameByte::Colon,
            0x80.. => NameByte::Long,
            _ => NameByte::Outside,
        };
        rest = others;
        byte = byte.wrapping_add(1);
    }
    table
};

pub(crate) fn name_byte(byte: u8) -> NameByte {
    NAME_BYTES.get(usize::from(byte)).copied().unwrap_or(NameByte::Outside)
}

/// The role of a byte in an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueByte {
    Plain,
    Quote,
    /// A forbidden byte, the start of a reference, or white space to normalise.
    Special,
}

const VALUE_BYTES: [ValueByte; 256] = {
    let mut table = [ValueByte::Plain; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((class, others)) = rest.split_first_mut() {
        *class = match byte {
            b'"' | b'\'' => ValueByte::Quote,
            b'<' | b'&' | b'\r' | b'\n' | b'\t' => ValueByte::Special,
            _ => ValueByte::Plain,
        };
        rest = others;
        byte = byte.wrapping_add(1);
    }
    table
};

pub(crate) fn value_byte(byte: u8) -> ValueByte {
    VALUE_BYTES.get(usize::from(byte)).copied().unwrap_or(ValueByte::Special)
}

/// Whether a byte ends a name.
pub(crate) fn ends_name(byte: u8) -> bool {
    name_byte(byte) == NameByte::Outside
}

/// The character that the reference `&BODY;` stands for.
pub(crate) fn reference(body: &str) -> Result<char, XmlError> {
    let Some(number) = body.strip_prefix('#') else {
        return match body {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ if is_ncname(body) => Err(XmlError::RestrictedXml("entity reference")),
            _ => Err(XmlError::NotWellFormed("entity reference")),
        };
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` would accept a sign.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(XmlError::NotWellFormed("character reference"));
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|&c| is_char(c))
        .ok_or(XmlError::NotWellFormed("character reference"))
}

/// Refuses a malformed or unknown reference in text or in an attribute's value.
pub(crate) fn check_references(raw: &str) -> Result<(), XmlError> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let after = rest.get(at + 1..).unwrap_or_default();
        let (body, tail) =
            after.split_once(';').ok_or(XmlError::NotWellFormed("unfinished reference"))?;
        reference(body)?;
        rest = tail;
    }
    Ok(())
}
