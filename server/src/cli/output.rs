//! Standard output.

use crate::{cli::PageOptions, plain::printable};

/// Prints to standard output. A closed pipe (`| head`) is not an error.
pub(crate) fn say(text: &str) {
    let text = printable(text, &['\n']);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}

/// Prints a page in the form that `options` ask for.
pub(crate) fn say_page(
    options: PageOptions,
    text: impl FnOnce() -> String,
    json: impl FnOnce() -> serde_json::Value,
    markdown: impl FnOnce() -> String,
) {
    say(&match options {
        PageOptions { json: true, .. } => format!("{:#}\n", json()),
        PageOptions { markdown: true, .. } => markdown(),
        PageOptions { .. } => text(),
    });
}
