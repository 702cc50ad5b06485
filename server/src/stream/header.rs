//! The stream header that answers a client's (RFC 6120 §4.7), and what can be wrong with theirs.

use event_core::{
    StreamError,
    jid::{BareJid, DomainPart, Jid},
    random_id,
    xml::{STANZA_NS, STREAM_NS, StreamHeader},
};

/// The language of texts for a client that asked for none.
const DEFAULT_LANG: &str = "en";

/// The header of a stream to a client, with an id that nobody can guess.
pub(super) fn answer(from: &str, header: Option<&StreamHeader>) -> String {
    use std::fmt::Write;
    let mut xml = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{STANZA_NS}' xmlns:stream='{STREAM_NS}' \
         from='{from}' id='{}' version='1.0'",
        random_id()
    );
    let to = header.and_then(|header| header.from.as_deref());
    if let Some(to) = to.and_then(|to| Jid::new(to).ok()).map(|to| to.to_bare())
        && is_plain(&to)
    {
        let _ = write!(xml, " to='{to}'");
    }
    let lang = header.and_then(|header| lang(header)).unwrap_or(DEFAULT_LANG);
    let _ = write!(xml, " xml:lang='{lang}'>");
    xml
}

/// A JID that can stand in an attribute as it is.
fn is_plain(jid: &BareJid) -> bool {
    !jid.as_str().contains(['\'', '"', '&', '<', '>'])
}

/// The language that a header names, if it could be one (RFC 5646).
pub(super) fn lang(header: &StreamHeader) -> Option<&str> {
    let lang = header.lang.as_deref()?;
    let is_lang = (1..=35).contains(&lang.len())
        && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_lang.then_some(lang)
}

/// The domain that a client's header is for.
pub(super) fn domain(header: &StreamHeader) -> Result<String, StreamError> {
    if header.content_namespace != STANZA_NS {
        let text = format!("clients speak {STANZA_NS} here");
        return Err(StreamError::new("invalid-namespace").text(text));
    }
    let unknown = |text: &str| StreamError::new("host-unknown").text(text);
    let to = header.to.as_deref().ok_or_else(|| unknown("the stream needs a 'to'"))?;
    match DomainPart::new(to) {
        Ok(domain) => Ok(domain.as_str().to_owned()),
        Err(_) => Err(unknown("the 'to' of the stream is not a domain")),
    }
}

/// Refuses what speaks no XMPP 1.0 (RFC 6120 §4.7.5): before it there were no stream features.
pub(super) fn check_version(header: &StreamHeader) -> Result<(), StreamError> {
    let parsed = header.version.as_deref().and_then(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    match parsed {
        Some((1.., _)) => Ok(()),
        _ => Err(StreamError::new("unsupported-version").text("XMPP 1.0 is spoken here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(attributes: &str) -> StreamHeader {
        let xml = format!("<stream:stream xmlns:stream='{STREAM_NS}' {attributes}>");
        StreamHeader::parse(xml.as_bytes()).unwrap()
    }

    #[test]
    fn answers_stand_in_the_clients_language() {
        let client = header("xmlns='jabber:client' from='Anna@example.com/x' xml:lang='de-CH'");
        let xml = answer("example.com", Some(&client));
        let parsed = StreamHeader::parse(xml.as_bytes()).unwrap();
        assert_eq!(parsed.from.as_deref(), Some("example.com"));
        assert_eq!(parsed.to.as_deref(), Some("anna@example.com"));
        assert_eq!(parsed.lang.as_deref(), Some("de-CH"));
        assert_eq!(parsed.version.as_deref(), Some("1.0"));
        assert_ne!(parsed.id, StreamHeader::parse(answer("a", None).as_bytes()).unwrap().id);
        let odd = header("xmlns='jabber:client' from='@' xml:lang='&apos;'");
        let parsed = StreamHeader::parse(answer("example.com", Some(&odd)).as_bytes()).unwrap();
        assert_eq!((parsed.to, parsed.lang.as_deref()), (None, Some("en")));
    }

    #[test]
    fn what_a_header_asks_for() {
        let condition = |attributes| domain(&header(attributes)).unwrap_err().condition();
        assert_eq!(condition("xmlns='jabber:server' to='a'"), "invalid-namespace");
        assert_eq!(condition("to='a'"), "invalid-namespace");
        assert_eq!(condition("xmlns='jabber:client'"), "host-unknown");
        assert_eq!(condition("xmlns='jabber:client' to=''"), "host-unknown");
        assert_eq!(
            domain(&header("xmlns='jabber:client' to='EXAMPLE.com'")).unwrap(),
            "example.com"
        );
    }

    #[test]
    fn versions() {
        let check = |version| check_version(&header(version)).is_ok();
        assert!(check("version='1.0'") && check("version='1.1'") && check("version='10.0'"));
        assert!(!check("") && !check("version='0.9'") && !check("version='one'"));
    }
}
