//! Characters that no name has and that are easily taken for others.

use alloc::{format, string::String};

/// Letters and marks that look like ASCII, in groups: the ASCII character comes first.
const LOOKALIKES: &[&str] = &[
    "aаα",
    "cс",
    "dԁ",
    "eеε",
    "gɡ",
    "hһ",
    "iіιı",
    "jј",
    "kκк",
    "nո",
    "oоοօ",
    "pрρ",
    "qԛ",
    "sѕ",
    "tт",
    "uυս",
    "vνѵ",
    "wԝѡ",
    "xхχ",
    "yуγ",
    "-‐‑‒–—―−﹣－",
    ":：ː∶꞉",
    "/／∕⁄",
    "#＃",
    ".．․",
];

/// The first such character of `name`, described.
pub(crate) fn describe(name: &str) -> Option<String> {
    name.chars().find_map(|c| {
        let code = u32::from(c);
        if let Some(ascii) = lookalike(c) {
            Some(format!("U+{code:04X}, which looks like `{ascii}`"))
        } else if is_invisible(c) {
            Some(format!("U+{code:04X}, which is invisible"))
        } else if c.is_whitespace() && !c.is_ascii() {
            Some(format!("U+{code:04X}, which is a space"))
        } else {
            None
        }
    })
}

/// `name` with ASCII in the place of such characters.
pub(crate) fn in_ascii(name: &str) -> String {
    let is_kept = |c: &char| !is_invisible(*c) && (c.is_ascii() || !c.is_whitespace());
    name.chars().filter(is_kept).map(|c| lookalike(c).unwrap_or(c)).collect()
}

fn lookalike(c: char) -> Option<char> {
    let group = LOOKALIKES.iter().find(|group| !c.is_ascii() && group.contains(c))?;
    group.chars().next()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}
