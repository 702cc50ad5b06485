//! Escapes and unescapes text and attribute values.

use std::borrow::Cow;

use crate::read::chars;

/// Writes text. Characters that XML forbids are replaced by U+FFFD.
pub(crate) fn push_text(out: &mut String, text: &str) {
    // A CR that is not escaped would be read as LF.
    push(out, text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        c if !chars::is_char(c) => Some("\u{FFFD}"),
        _ => None,
    });
}

/// Writes an attribute's value for single quotes. Characters that XML forbids are replaced by
/// U+FFFD.
pub(crate) fn push_attribute(out: &mut String, value: &str) {
    // Tabs and line ends that are not escaped would be read as spaces.
    push(out, value, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\'' => Some("&apos;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        c if !chars::is_char(c) => Some("\u{FFFD}"),
        _ => None,
    });
}

fn push(out: &mut String, text: &str, escaped: impl Fn(char) -> Option<&'static str>) {
    // The bytes with which a character to escape may begin.
    let care =
        |b: u8| (b < b' ') | (b == b'&') | (b == b'<') | (b == b'>') | (b == b'\'') | (b == 0xEF);
    // The loop has no branch, so that the compiler can use vector instructions.
    if !text.bytes().fold(false, |found, b| found | care(b)) {
        out.push_str(text);
        return;
    }
    for (at, c) in text.char_indices() {
        match escaped(c) {
            Some(with) => out.push_str(with),
            None => out.push_str(text.get(at..at + c.len_utf8()).unwrap_or_default()),
        }
    }
}

/// The text of checked character data, with references replaced and line ends normalised (XML 1.0
/// section 2.11).
pub(crate) fn text(raw: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'&', b'\r', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    unescape(raw, "\n", &mut out);
    Cow::Owned(out)
}

/// The text of a CDATA section, with line ends normalised.
pub(crate) fn cdata(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Whether an attribute's value contains no reference and no white space to normalise.
pub(crate) fn is_plain(raw: &str) -> bool {
    // Values are short: a plain loop is faster than a search.
    !raw.bytes().any(|byte| matches!(byte, b'&' | b'\r' | b'\n' | b'\t'))
}

/// The value of a checked attribute, normalised (XML 1.0 section 3.3.3).
pub(crate) fn attribute(raw: &str) -> Cow<'_, str> {
    if is_plain(raw) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    unescape(raw, " ", &mut out);
    Cow::Owned(out)
}

/// Replaces references by their characters and line ends by `line_end`. In attributes, `line_end`
/// is a space, and tabs become spaces too.
fn unescape(raw: &str, line_end: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'&' | b'\r' | b'\n' | b'\t')) {
        let (before, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        rest = special.get(1..).unwrap_or_default();
        match special.as_bytes().first() {
            Some(b'&') => {
                let (body, tail) = rest.split_once(';').unwrap_or((rest, ""));
                out.push(chars::reference(body).unwrap_or('\u{FFFD}'));
                rest = tail;
            }
            Some(b'\r') => {
                out.push_str(line_end);
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            Some(b'\t') if line_end == "\n" => out.push('\t'),
            _ => out.push_str(line_end),
        }
    }
    out.push_str(rest);
}
