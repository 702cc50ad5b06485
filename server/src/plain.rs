//! Texts for the people who run a server, without what only programmers read.

use std::borrow::Cow;

/// Removes the number that Rust puts behind the system's words: ` (os error 2)`.
///
/// All that is printed, logged and sent to another server goes through here.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    const MARK: &str = " (os error ";
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(MARK);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(')') {
            Some(behind) if !part.starts_with(')') => kept.push_str(behind),
            _ => kept.extend([MARK, part]),
        }
    }
    Cow::Owned(kept)
}

/// Escapes what others may have put into a text to forge lines, or to change how a terminal shows
/// it: control characters, separators of lines, and controls of the writing direction. The form
/// `\u0085` is right within JSON, too. White space that `kept` names stays.
///
/// All that is logged or printed goes through here.
pub(crate) fn printable<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let is_hidden = |c: char| !kept.contains(&c) && is_hidden(c);
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_hidden(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// The names of Rust's types as words: `KeyMismatch` is `key mismatch`.
pub(crate) fn spelled(text: &str) -> String {
    let word = |word: &str| {
        let is_start = |pair: &[u8]| matches!(pair, [b'a'..=b'z', b'A'..=b'Z']);
        if !word.as_bytes().windows(2).any(is_start) {
            return word.to_owned();
        }
        let mut spelled = String::new();
        for c in word.chars() {
            if c.is_ascii_uppercase() && !spelled.is_empty() {
                spelled.push(' ');
            }
            spelled.push(c.to_ascii_lowercase());
        }
        spelled
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_system_is_left_out() {
        let error = std::io::Error::from_raw_os_error(17);
        assert!(error.to_string().contains("os error 17"));
        assert_eq!(
            plain(&format!("cannot use x: {error}; stop")),
            "cannot use x: File exists; stop"
        );
        assert_eq!(plain(&format!("{error}, {error}")), "File exists, File exists");
        assert_eq!(plain(" (os error 17)"), "");
        for text in ["", "none", "a (os error b)", "a (os error )", "a (os error 1", " (os error "]
        {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_text() {
        let mut hidden: Vec<char> = ('\0'..' ').chain('\x7F'..='\u{9F}').collect();
        hidden.extend("\u{61C}\u{200E}\u{200F}\u{2028}\u{2029}\u{FEFF}".chars());
        hidden.extend(('\u{202A}'..='\u{202E}').chain('\u{2066}'..='\u{2069}'));
        for c in hidden {
            let text = format!("a{c}b");
            let shown = printable(&text, &[]);
            assert!(shown.chars().all(|c| (' '..'\x7F').contains(&c)), "{shown}");
            let json = format!("\"{shown}\"");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(printable(&text, &[c]), text);
        }
        for text in ["", "plain", "Zürich 🐎 ש\u{200D}"] {
            assert!(matches!(printable(text, &[]), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn names_of_types_are_spelled() {
        assert_eq!(spelled("KeyMismatch"), "key mismatch");
        assert_eq!(spelled("not valid: CaUsedAsEndEntity"), "not valid: ca used as end entity");
        assert_eq!(spelled("TLS 1.3 says No"), "TLS 1.3 says No");
    }
}
