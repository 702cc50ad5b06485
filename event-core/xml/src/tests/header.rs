//! Stream headers.

use crate::{Element, NamespaceScope, STREAM_NS, StreamHeader, XmlError, XmlLimits};

fn parse(xml: &str) -> Result<StreamHeader, XmlError> {
    StreamHeader::parse(xml.as_bytes())
}

#[test]
fn a_client_header_is_read() {
    let header = parse(
        "<?xml version=\"1.0\" encoding='utf-8' ?>\n<stream:stream to='a&amp;b' from='c' id='d' \
         version='1.0' xml:lang='en' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>",
    )
    .unwrap();
    assert_eq!(header.to.as_deref(), Some("a&b"));
    assert_eq!(header.from.as_deref(), Some("c"));
    assert_eq!(header.id.as_deref(), Some("d"));
    assert_eq!(header.version.as_deref(), Some("1.0"));
    assert_eq!(header.lang.as_deref(), Some("en"));
    assert_eq!(header.content_namespace, "jabber:client");
    let stream = header.scope.number("stream").unwrap();
    assert_eq!(header.scope.namespace(stream), STREAM_NS);
    assert_eq!(header.check_close(b"</stream:stream >"), Ok(()));
    assert!(header.check_close(b"</stream>").is_err());
    assert!(header.check_close(b"</stream:streams>").is_err());
    let bare = parse("<stream xmlns='http://etherx.jabber.org/streams'>").unwrap();
    assert_eq!(bare.content_namespace, STREAM_NS);
}

#[test]
fn bad_headers_are_refused() {
    const S: &str = "xmlns:s='http://etherx.jabber.org/streams'";
    for (xml, condition) in [
        (format!("<s:stream {S} a='1' a='2'>"), "not-well-formed"),
        (format!("<s:stream {S} {S}>"), "not-well-formed"),
        (format!("<s:stream {S} xmlns:xml='a'>"), "not-well-formed"),
        (format!("<s:stream {S} xmlns:a=''>"), "not-well-formed"),
        (format!("<s:stream {S} \u{132}='a'>"), "not-well-formed"),
        (format!("<s:stream {S} xmlns:\u{370}='a'>"), "not-well-formed"),
        (format!("<s:stream {S} xmlns='a b'>"), "not-well-formed"),
        (format!("<s:stream {S} {}='a'>", "x".repeat(1025)), "policy-violation"),
        (format!("<s:stream {S} a:b='c'>"), "bad-namespace-prefix"),
        (format!("<s:stream {S} a:b='c' d:b='e' xmlns:a='f' xmlns:d='f'>"), "not-well-formed"),
        (format!("<s:stream {S}/>"), "not-well-formed"),
        (format!("<s:stream {S}><a/>"), "not-well-formed"),
        (format!("x<s:stream {S}>"), "not-well-formed"),
        (format!("<s:features {S}>"), "invalid-xml"),
        ("<s:stream>".to_owned(), "bad-namespace-prefix"),
        ("<stream>".to_owned(), "invalid-namespace"),
        ("<s:stream xmlns:s='urn:s'>".to_owned(), "invalid-namespace"),
        (format!("<?xml version='1.1'?><s:stream {S}>"), "not-well-formed"),
        (format!("<?xml?><s:stream {S}>"), "not-well-formed"),
        (format!("<?xml encoding='UTF-8'?><s:stream {S}>"), "not-well-formed"),
        (format!("<?xml version='1.0'encoding='UTF-8'?><s:stream {S}>"), "not-well-formed"),
        (format!("<?xml version='1.0' a='b'?><s:stream {S}>"), "not-well-formed"),
        (format!("<?xml version='1.0' encoding='UTF-16'?><s:stream {S}>"), "unsupported-encoding"),
        (format!("<?xml version='1.0' encoding='latin1'?><s:stream {S}>"), "unsupported-encoding"),
        (format!("<?xml version='1.0' standalone='maybe'?><s:stream {S}>"), "not-well-formed"),
    ] {
        match parse(&xml) {
            Ok(_) => panic!("accepted: {xml}"),
            Err(error) => assert_eq!(error.condition(), condition, "{xml}: {error}"),
        }
    }
    let bytes = b"<s:stream a='\xFF' xmlns:s='http://etherx.jabber.org/streams'>";
    assert_eq!(StreamHeader::parse(bytes), Err(XmlError::UnsupportedEncoding));
}

/// RFC 6120 section 4.8.2: a header may leave it to each stanza to declare the content namespace.
#[test]
fn stanzas_may_declare_the_content_namespace() {
    for kind in ["jabber:client", "jabber:server", "jabber:component:accept"] {
        let prefixed = format!("<s:stream xmlns:s='{STREAM_NS}'>");
        for header in [format!("<stream xmlns='{STREAM_NS}'>"), prefixed] {
            let header = parse(&header).unwrap();
            let scope = header.scope.with_content(kind);
            assert_eq!(scope, scope.clone().with_content(kind));
            let read = |xml: &str| {
                let limits = XmlLimits::default();
                Element::parse(xml.as_bytes(), &scope, &limits).map(|read| read.to_string())
            };
            let written = format!("<message xmlns='{kind}'><body>a</body><x xmlns='b'/></message>");
            let stanza = "<message><body>a</body><x xmlns='b'/></message>";
            assert_eq!(read(&written).unwrap(), stanza);
            let other = read("<features><a/></features>").unwrap();
            let expected =
                format!("<features xmlns='{}'><a/></features>", header.content_namespace);
            assert_eq!(other, expected);
        }
    }
}

/// Many libraries for components send their stanzas so.
#[test]
fn a_components_stanza_may_have_the_namespace_of_clients() {
    let read = |kind| {
        let scope = NamespaceScope::new(kind);
        let xml = b"<iq xmlns='jabber:client' id='1'><a xmlns='b'/></iq>";
        Element::parse(xml, &scope, &XmlLimits::default()).map(|read| read.to_string())
    };
    let plain = "<iq id='1'><a xmlns='b'/></iq>";
    assert_eq!(read("jabber:component:accept").as_deref(), Ok(plain));
    assert_eq!(read("jabber:client").as_deref(), Ok(plain));
    assert_eq!(read("jabber:server"), Err(XmlError::InvalidNamespace));
}
