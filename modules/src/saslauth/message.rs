//! Checks the grammar of SCRAM's two client messages (RFC 5802 §7) before the library gets them.
//!
//! The library takes the parts of a message by position and panics on short messages. The library
//! neither unescapes the name nor compares the channel binding with the mechanism, so this file
//! does.

use std::borrow::Cow;

/// The error for a message that does not match the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The channel binding flag of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding<'a> {
    /// `n`: the client does not support channel binding.
    Unsupported,
    /// `y`: the client supports channel binding, and assumes that the server does not.
    Unoffered,
    /// `p`: the client uses this type of channel binding.
    Used(&'a str),
}

/// The parts of the client's first message that the server checks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct First<'a> {
    pub(super) binding: Binding<'a>,
    pub(super) authzid: Option<Cow<'a, str>>,
    pub(super) username: Cow<'a, str>,
}

impl<'a> First<'a> {
    /// Reads `gs2-header client-first-message-bare`.
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let mut parts = text.split(',');
        let mut next = || parts.next().ok_or(Malformed);
        let binding = match next()? {
            "n" => Binding::Unsupported,
            "y" => Binding::Unoffered,
            flag => Binding::Used(value(flag, "p=")?),
        };
        let authzid = match next()? {
            "" => None,
            part => Some(name(value(part, "a=")?)?),
        };
        // A mandatory extension (`m=`) would be at this place. It is refused, because none is
        // supported.
        let username = name(value(next()?, "n=")?)?;
        nonce(value(next()?, "r=")?)?;
        extensions(parts)?;
        Ok(Self { binding, authzid, username })
    }
}

/// Checks `client-final-message`.
pub(super) fn check_final(message: &[u8]) -> Result<(), Malformed> {
    let text = std::str::from_utf8(message).map_err(|_| Malformed)?;
    let mut parts = text.split(',');
    let mut next = || parts.next().ok_or(Malformed);
    base64(value(next()?, "c=")?)?;
    nonce(value(next()?, "r=")?)?;
    let mut rest: Vec<&str> = parts.collect();
    base64(value(rest.pop().ok_or(Malformed)?, "p=")?)?;
    extensions(rest.into_iter())
}

/// The non-empty value of an attribute.
fn value<'a>(part: &'a str, prefix: &str) -> Result<&'a str, Malformed> {
    part.strip_prefix(prefix).filter(|value| !value.is_empty()).ok_or(Malformed)
}

/// Reads `saslname`, in which `=2C` is a comma, `=3D` is an equals sign, and NUL is forbidden.
fn name(escaped: &str) -> Result<Cow<'_, str>, Malformed> {
    if escaped.contains('\0') {
        return Err(Malformed);
    }
    if !escaped.contains('=') {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut parts = escaped.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (sign, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(Malformed),
        };
        name.push(sign);
        name.push_str(rest);
    }
    Ok(Cow::Owned(name))
}

/// Checks `printable`. Commas need no check, because the message was split at commas.
fn nonce(text: &str) -> Result<(), Malformed> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(Malformed) }
}

fn base64(text: &str) -> Result<(), Malformed> {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if digits.bytes().all(digit) && padding <= 2 && text.len().is_multiple_of(4) {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// Checks `ALPHA "=" value` of each part. Refuses `m=`, because no mandatory extension is
/// supported.
fn extensions<'a>(mut parts: impl Iterator<Item = &'a str>) -> Result<(), Malformed> {
    let sound = |part: &str| {
        let mut letters = part.chars();
        let name = letters.next().filter(char::is_ascii_alphabetic);
        name.is_some_and(|name| name != 'm')
            && letters.next() == Some('=')
            && letters.next().is_some_and(|first| first != '\0')
            && !part.contains('\0')
    };
    if parts.all(sound) { Ok(()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_messages() {
        let first = First::parse(b"p=tls-exporter,a=a=2Cb,n=us=3Der,r=abc,x=y").unwrap();
        assert_eq!(first.binding, Binding::Used("tls-exporter"));
        assert_eq!(first.authzid.as_deref(), Some("a,b"));
        assert_eq!(first.username, "us=er");
        for bad in [
            "",
            "n",
            "n,",
            "n,,",
            "n,,n=",
            "n,,n=a",
            "n,,n=a,",
            "n,,n=a,r=",
            "n,,n=a,r=\u{e4}",
            "n,a,n=a,r=b",
            "n,a=,n=a,r=b",
            "x,,n=a,r=b",
            "p=,,n=a,r=b",
            "p,,n=a,r=b",
            "n,,m=x,n=a,r=b",
            "n,,n=a=,r=b",
            "n,,n=a=2c,r=b",
            "n,,n=a\0,r=b",
            "n,,n=a,r=b,",
            "n,,n=a,r=b,x",
            "n,,n=a,r=b,m=x",
            "n,,r=b,n=a",
        ] {
            assert_eq!(First::parse(bad.as_bytes()), Err(Malformed), "{bad:?}");
        }
    }

    #[test]
    fn final_messages() {
        assert_eq!(check_final(b"c=biws,r=abc,p=AAAA"), Ok(()));
        assert_eq!(check_final(b"c=biws,r=abc,x=y,p=AAA="), Ok(()));
        for bad in [
            "",
            "c",
            "c=",
            "c=biws",
            "c=biws,r=a",
            "c=biws,r=a,p",
            "c=biws,r=a,p=",
            "c=biw,r=a,p=AAAA",
            "c=biws,,p=AAAA",
            "c=biws,r=a,,p=AAAA",
            "c=biws,r=a,p=AAAA,",
            "c=b\u{e4},r=a,p=AAAA",
            "c=biws,r=a,p====",
            "c=biws,r=a,p=AAA",
            "c=biws,r=a,m=x,p=AAAA",
            "c=biws,r=a,p=A===",
        ] {
            assert_eq!(check_final(bad.as_bytes()), Err(Malformed), "{bad:?}");
        }
    }
}
