//! Names that nothing has: an empty answer would look like one.

use event_core::nearest;

/// A name that nothing has.
#[derive(Debug, thiserror::Error)]
#[error("{what} {name} {}{hint}", where_not(what))]
pub(super) struct Unknown {
    what: &'static str,
    name: String,
    hint: String,
}

fn where_not(what: &str) -> &'static str {
    match what {
        "the host" => "is not in the config",
        "the module" => "is not in this binary",
        "the crate" => "has no modules in this binary",
        _ => "does not exist",
    }
}

/// Refuses a name that is not among these.
pub(super) fn known(what: &'static str, name: Option<&str>, known: &[&str]) -> Result<(), Unknown> {
    let Some(name) = name.filter(|name| !known.contains(name)) else { return Ok(()) };
    let near = nearest(name, known.iter().copied());
    let hint = near.first().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(Unknown { what, name: name.to_owned(), hint })
}
