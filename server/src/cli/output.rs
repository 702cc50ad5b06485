//! Standard output.

/// Prints to standard output. A closed pipe (`| head`) is not an error.
pub(crate) fn say(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}
