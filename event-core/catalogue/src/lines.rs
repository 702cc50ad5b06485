//! Sorted lists of lines, searched by the first word of a line.

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
pub(crate) const fn count(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut at, mut lines) = (0, 0);
    while at < text.len() {
        if text[at] == b'\n' {
            lines += 1;
        }
        at += 1;
    }
    lines
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks the bounds")]
pub(crate) const fn split<const COUNT: usize>(text: &'static str) -> [&'static str; COUNT] {
    let mut lines = [""; COUNT];
    let (mut at, mut start, mut line) = (0, 0, 0);
    while at < text.len() {
        if text.as_bytes()[at] == b'\n' {
            lines[line] = text.split_at(at).0.split_at(start).1;
            line += 1;
            start = at + 1;
        }
        at += 1;
    }
    lines
}

/// The line whose first word is `word`.
#[expect(clippy::indexing_slicing, reason = "`middle` is between `low` and `high`")]
pub(crate) const fn find(lines: &'static [&'static str], word: &str) -> Option<&'static str> {
    let (mut low, mut high) = (0, lines.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(lines[middle].as_bytes(), word.as_bytes()) {
            0 => return Some(lines[middle]),
            1.. => high = middle,
            _ => low = middle + 1,
        }
    }
    None
}

/// The sign of the comparison of a line's first word with `word`.
#[expect(clippy::indexing_slicing, reason = "`at` is checked")]
const fn compare(line: &[u8], word: &[u8]) -> i32 {
    let mut at = 0;
    loop {
        let ends = at == line.len() || line[at] == b' ';
        match (ends, at == word.len()) {
            (true, true) => return 0,
            (true, false) => return -1,
            (false, true) => return 1,
            (false, false) if line[at] != word[at] => return line[at] as i32 - word[at] as i32,
            (false, false) => at += 1,
        }
    }
}
