//! Translates serde's messages into the words of the file.
//!
//! serde gives an error as text, in the few forms that the trait `de::Error` documents. The names
//! of Rust's types are replaced here. Any other message comes from a type that checks its own
//! value.

/// What serde complains about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// A key that the table does not have, and the keys that it has.
    UnknownKey { key: String, known: Vec<String> },
    /// A key that the table must have.
    MissingKey { key: String },
    /// Anything else, in words for a person.
    Value { message: String },
}

/// Parses one of serde's messages. For a secret, only the expected type is repeated.
pub(super) fn complaint(message: &str, is_secret: bool) -> Complaint {
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    if message.starts_with("unknown field `") {
        return Complaint::UnknownKey {
            key: quoted.next().unwrap_or_default(),
            known: quoted.collect(),
        };
    }
    if message.starts_with("missing field `") {
        return Complaint::MissingKey { key: quoted.next().unwrap_or_default() };
    }
    let message = if message.starts_with("unknown variant `") && !is_secret {
        let value = quoted.next().unwrap_or_default();
        let known: Vec<String> = quoted.map(|name| format!("\"{name}\"")).collect();
        format!("unknown value \"{value}\", expected one of {}", known.join(", "))
    } else if message == "wanted string or table" {
        "expected a string".to_owned()
    } else if message.starts_with("data did not match any variant of untagged enum ") {
        "not a valid value".to_owned()
    } else if message.starts_with("wanted exactly 1 ") {
        "expected one key".to_owned()
    } else if message.starts_with("expected tuple with length ") {
        "expected a list of another length".to_owned()
    } else if let Some((was, wanted)) = types(message) {
        let wanted = expected(wanted);
        if is_secret {
            format!("expected {wanted}")
        } else {
            format!("expected {wanted}, found {}", found(was))
        }
    } else if is_secret && !message.starts_with("too ") {
        "not a valid value".to_owned()
    } else {
        message.replace('`', "\"")
    };
    Complaint::Value { message }
}

/// The two parts of `invalid type: integer `7`, expected a string`.
fn types(message: &str) -> Option<(&str, &str)> {
    let forms = ["invalid type: ", "invalid value: ", "invalid length "];
    if let Some(rest) = forms.iter().find_map(|form| message.strip_prefix(form)) {
        return rest.rsplit_once(", expected ");
    }
    // toml's own words: `expected table, found integer`.
    let (wanted, was) = message.strip_prefix("expected ")?.split_once(", found ")?;
    Some((was, wanted))
}

fn expected(wanted: &str) -> String {
    let (name, least) = match wanted.strip_prefix("a nonzero ") {
        Some(name) => (name, 1),
        None => (wanted, 0),
    };
    let range = |least: i64, most: i64| format!("a whole number from {least} to {most}");
    match name {
        "u8" => range(least, u8::MAX.into()),
        "u16" => range(least, u16::MAX.into()),
        "u32" => range(least, u32::MAX.into()),
        "u64" | "u128" | "usize" => format!("a whole number of at least {least}"),
        "i8" => range(i8::MIN.into(), i8::MAX.into()),
        "i16" => range(i16::MIN.into(), i16::MAX.into()),
        "i32" => range(i32::MIN.into(), i32::MAX.into()),
        "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "a sequence" | "array" => "a list".to_owned(),
        "table" | "empty table" => "a table".to_owned(),
        "path string" | "string" | "str" => "a string".to_owned(),
        "a map" => "a table".to_owned(),
        "a character" | "a char" | "char" => "a string of one character".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("enum ") => "a string".to_owned(),
        other if other.starts_with("unit") => "nothing".to_owned(),
        other if ["tuple ", "a tuple ", "an array "].iter().any(|a| other.starts_with(a)) => {
            "a list".to_owned()
        }
        other => other.replace('`', "\""),
    }
}

fn found(was: &str) -> String {
    let was = was.replace('`', "");
    let kinds = [
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
        ("string ", "the string "),
        ("sequence", "a list"),
        ("map", "a table"),
        ("string", "a string"),
        ("integer", "a number"),
        ("float", "a number"),
        ("boolean", "true or false"),
        ("array", "a list"),
        ("table", "a table"),
        ("datetime", "a date"),
    ];
    let plain = kinds.iter().find_map(|(kind, plain)| Some((plain, was.strip_prefix(kind)?)));
    plain.map_or_else(|| was.clone(), |(plain, value)| format!("{plain}{value}"))
}
