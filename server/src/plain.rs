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
    fn names_of_types_are_spelled() {
        assert_eq!(spelled("KeyMismatch"), "key mismatch");
        assert_eq!(spelled("not valid: CaUsedAsEndEntity"), "not valid: ca used as end entity");
        assert_eq!(spelled("TLS 1.3 says No"), "TLS 1.3 says No");
    }
}
