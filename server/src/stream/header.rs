//! Writes this server's stream header (RFC 6120 §4.7, XEP-0114 §3), and checks the other side's.

use event_core::{
    SessionKind, StreamError,
    jid::{BareJid, DomainPart, Jid},
    xml::{STREAM_NS, StreamHeader},
};

/// The language of texts for a client that asked for none.
const DEFAULT_LANG: &str = "en";

/// The header that answers the other side's header. `from` is the host that the other side named,
/// `None` if there is none: then the attribute is empty (RFC 6120 §4.9.1.2), because the name of
/// another host is not told to a stranger. `id` must be unpredictable.
pub(super) fn answer(
    kind: SessionKind,
    from: Option<&str>,
    id: &str,
    header: Option<&StreamHeader>,
) -> String {
    use std::fmt::Write;
    let mut xml = begin(kind, from.unwrap_or_default());
    let _ = write!(xml, " id='{id}'");
    // Components use the protocol from before XMPP 1.0.
    if kind == SessionKind::Component {
        xml.push('>');
        return xml;
    }
    let to = header.and_then(|header| header.from.as_deref());
    if let Some(to) = to.and_then(|to| Jid::new(to).ok()).map(|to| to.to_bare())
        && is_plain(&to)
    {
        let _ = write!(xml, " to='{to}'");
    }
    let lang = header.and_then(|header| lang(header)).unwrap_or(DEFAULT_LANG);
    let _ = write!(xml, " version='1.0' xml:lang='{lang}'>");
    xml
}

/// The header of a stream that this server opens to another server.
pub(super) fn outgoing(from: &str, to: &str) -> String {
    let begin = begin(SessionKind::S2sOut, from);
    format!("{begin} to='{to}' version='1.0' xml:lang='{DEFAULT_LANG}'>")
}

fn begin(kind: SessionKind, from: &str) -> String {
    let content = kind.namespace();
    // Dialback requires this prefix (XEP-0220 §2.3.1).
    let dialback = if kind.is_server() { " xmlns:db='jabber:server:dialback'" } else { "" };
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{content}' xmlns:stream='{STREAM_NS}'\
         {dialback} from='{from}'"
    )
}

/// Whether a JID needs no escaping in an attribute.
fn is_plain(jid: &BareJid) -> bool {
    !jid.as_str().contains(['\'', '"', '&', '<', '>'])
}

/// The language that a header names, if it is well-formed (RFC 5646).
pub(super) fn lang(header: &StreamHeader) -> Option<&str> {
    let lang = header.lang.as_deref()?;
    let is_lang = (1..=35).contains(&lang.len())
        && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_lang.then_some(lang)
}

/// The domain to which a header opens a stream.
pub(super) fn domain(kind: SessionKind, header: &StreamHeader) -> Result<String, StreamError> {
    check_namespace(kind, header)?;
    let unknown = |text: &str| StreamError::host_unknown().text(text);
    let to = header.to.as_deref().ok_or_else(|| unknown("the stream needs a 'to'"))?;
    match DomainPart::new(to) {
        Ok(domain) => Ok(domain.as_str().to_owned()),
        Err(_) => Err(unknown("the 'to' of the stream is not a domain")),
    }
}

/// Refuses a header whose default namespace is neither the content namespace of this kind of stream
/// nor left to each stanza (RFC 6120 §4.8.2).
pub(super) fn check_namespace(kind: SessionKind, header: &StreamHeader) -> Result<(), StreamError> {
    let namespace = kind.namespace();
    let declared = header.content_namespace.as_str();
    if declared == namespace || declared == STREAM_NS || declared.is_empty() {
        return Ok(());
    }
    Err(StreamError::invalid_namespace().text(format!("{namespace} is required here")))
}

/// The domain in the `from` of another server's header, if any.
pub(super) fn claimed(header: &StreamHeader) -> Result<Option<String>, StreamError> {
    let Some(from) = header.from.as_deref() else { return Ok(None) };
    let error = |_| {
        let text = "the 'from' of the stream is not a domain";
        StreamError::improper_addressing().text(text)
    };
    DomainPart::new(from).map(|domain| Some(domain.as_str().to_owned())).map_err(error)
}

/// Refuses versions before XMPP 1.0 (RFC 6120 §4.7.5), which have no stream features.
pub(super) fn check_version(header: &StreamHeader) -> Result<(), StreamError> {
    let parsed = header.version.as_deref().and_then(|version| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    match parsed {
        Some((1.., _)) => Ok(()),
        _ => Err(StreamError::unsupported_version().text("XMPP 1.0 is required here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(attributes: &str) -> StreamHeader {
        let xml = format!("<stream:stream xmlns:stream='{STREAM_NS}' {attributes}>");
        StreamHeader::parse(xml.as_bytes()).unwrap()
    }

    fn answered(kind: SessionKind, attributes: &str) -> StreamHeader {
        let answer = answer(kind, Some("example.com"), "i1", Some(&header(attributes)));
        StreamHeader::parse(answer.as_bytes()).unwrap()
    }

    #[test]
    fn answers_stand_in_the_clients_language() {
        let client = "xmlns='jabber:client' from='Anna@example.com/x' xml:lang='de-CH'";
        let parsed = answered(SessionKind::Client, client);
        assert_eq!(parsed.from.as_deref(), Some("example.com"));
        assert_eq!(parsed.to.as_deref(), Some("anna@example.com"));
        assert_eq!(parsed.lang.as_deref(), Some("de-CH"));
        assert_eq!(parsed.version.as_deref(), Some("1.0"));
        assert_eq!(parsed.id.as_deref(), Some("i1"));
        let odd = answered(SessionKind::Client, "xmlns='jabber:client' from='@' xml:lang='&apos;'");
        assert_eq!((odd.to, odd.lang.as_deref()), (None, Some("en")));
    }

    #[test]
    fn each_kind_has_its_namespace() {
        let server = answered(SessionKind::S2sIn, "xmlns='jabber:server' from='b.example'");
        assert_eq!(server.content_namespace, "jabber:server");
        assert_eq!(server.scope, server.scope.clone().with_prefix("db", "jabber:server:dialback"));
        assert_eq!(server.to.as_deref(), Some("b.example"));
        let component = answered(SessionKind::Component, "xmlns='jabber:component:accept'");
        assert_eq!(component.content_namespace, "jabber:component:accept");
        assert_eq!((component.version, component.lang), (None, None));
        let ours = StreamHeader::parse(outgoing("a.example", "b.example").as_bytes()).unwrap();
        assert_eq!(
            (ours.from.as_deref(), ours.to.as_deref()),
            (Some("a.example"), Some("b.example"))
        );
        assert_eq!((ours.id, ours.version.as_deref()), (None, Some("1.0")));
    }

    #[test]
    fn what_a_header_asks_for() {
        let condition = |attributes| {
            domain(SessionKind::Client, &header(attributes)).unwrap_err().condition().as_str()
        };
        assert_eq!(condition("xmlns='jabber:server' to='a'"), "invalid-namespace");
        assert_eq!(condition("xmlns='urn:a' to='a'"), "invalid-namespace");
        assert_eq!(condition("xmlns='jabber:client'"), "host-unknown");
        assert_eq!(condition("xmlns='jabber:client' to=''"), "host-unknown");
        let right = header("xmlns='jabber:client' to='EXAMPLE.com'");
        assert_eq!(domain(SessionKind::Client, &right).unwrap(), "example.com");
        for undeclared in ["to='a'", &format!("xmlns='{STREAM_NS}' to='a'")] {
            assert_eq!(domain(SessionKind::S2sIn, &header(undeclared)).unwrap(), "a");
        }
        let error = domain(SessionKind::S2sIn, &right).unwrap_err();
        assert_eq!(error.condition().as_str(), "invalid-namespace");
    }

    #[test]
    fn who_a_server_says_it_is() {
        let claimed = |from| claimed(&header(from)).map_err(|error| error.condition().as_str());
        assert_eq!(claimed(""), Ok(None));
        assert_eq!(claimed("from='B.example'"), Ok(Some("b.example".to_owned())));
        assert_eq!(claimed("from=''"), Err("improper-addressing"));
        assert_eq!(claimed("from='a@b.example'"), Err("improper-addressing"));
    }

    #[test]
    fn versions() {
        let check = |version| check_version(&header(version)).is_ok();
        assert!(check("version='1.0'") && check("version='1.1'") && check("version='10.0'"));
        assert!(!check("") && !check("version='0.9'") && !check("version='one'"));
    }
}
