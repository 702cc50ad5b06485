//! Standard output.

/// Prints to standard output; a closed pipe (`| head`) is no error.
pub(crate) fn say(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}
