//! The documentation of code as text for people: of keys, options, modules and events.

/// A text on one line.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence.
pub(crate) fn summary(doc: &str) -> String {
    let doc = flat(doc);
    let end = doc.find(". ").map_or(doc.len(), |at| at + 1);
    doc.get(..end).unwrap_or_default().to_owned()
}

/// The lines as the author wrote them, without the space behind `///`.
pub(crate) fn lines(doc: &str) -> String {
    let lines: Vec<_> = doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}

/// Splits `Default: …` from the end of a documentation, which is then on one line.
pub(crate) fn split_default(doc: &str) -> (String, Option<String>) {
    let doc = flat(doc);
    match doc.rsplit_once("Default: ") {
        Some((doc, default)) => {
            let default = default.strip_suffix('.').unwrap_or(default);
            (doc.trim_end().to_owned(), Some(default.to_owned()))
        }
        None => (doc, None),
    }
}

/// A default for a page: a number as code, and a number of bytes also in KiB or MiB.
pub(crate) fn sized(name: &str, default: &str) -> String {
    let Ok(number) = default.trim_matches('`').parse::<u64>() else { return default.to_owned() };
    let is_bytes = name.ends_with("_bytes") || name.ends_with("bytes_per_second");
    let units = [("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.iter().find(|(_, unit)| is_bytes && number >= *unit && number % unit == 0);
    match unit {
        Some((word, unit)) => format!("`{number}` ({} {word})", number / unit),
        None => format!("`{number}`"),
    }
}

/// Markdown without its marks for code and links.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        rest = match link.split_once("](") {
            Some((label, address)) if !label.contains(']') => {
                plain.push_str(label);
                address.split_once(')').map_or("", |(_, rest)| rest)
            }
            _ => {
                plain.push('[');
                link
            }
        };
    }
    plain.push_str(rest);
    plain.replace('`', "")
}

/// Names as code, with commas between them.
pub(crate) fn codes<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_end_of_a_documentation() {
        let (doc, default) = split_default(" The folder.\n Default: the\n current one.\n");
        assert_eq!((doc.as_str(), default.as_deref()), ("The folder.", Some("the current one")));
        assert_eq!(split_default("It is long.").1, None);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(sized("stanza_bytes", "`262144`"), "`262144` (256 KiB)");
        assert_eq!(sized("bytes_per_second", "1048576"), "`1048576` (1 MiB)");
        assert_eq!(sized("depth", "1024"), "`1024`");
        assert_eq!(sized("stanza_bytes", "1000"), "`1000`");
        assert_eq!(sized("url", "an SQLite file"), "an SQLite file");
    }

    #[test]
    fn plain_text_has_no_marks() {
        let text = "As in [modules.md](modules.md) and `[tls]`, `[\"a\"]`.";
        assert_eq!(plain(text), "As in modules.md and [tls], [\"a\"].");
    }

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(summary(" Answers\n pings. To the host."), "Answers pings.");
        assert_eq!(summary("Answers pings."), "Answers pings.");
    }
}
