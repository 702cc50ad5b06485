//! Accessors of elements, which use the index.

use super::{element, parse};
use crate::{Element, NamespaceScope, STANZA_NS, STREAM_NS, Stamp, XmlLimits};

#[test]
fn an_element_in_normal_form_is_kept_unchanged() {
    let xml = "<message to='a@b' type=\"chat\" id='&lt;1'><body>Hi &amp; bye</body>\
               <x xmlns='urn:x' a='b'><y/></x></message>";
    let message = element(xml);
    assert_eq!(message.as_bytes(), xml.as_bytes());
    assert_eq!(&message.to_bytes()[..], xml.as_bytes());
    assert_eq!(message.name(), "message");
    assert_eq!(message.namespace(), "jabber:client");
    assert_eq!(message.attribute("to").unwrap(), "a@b");
    assert_eq!(message.attribute("id").unwrap(), "<1");
    assert_eq!(message.attribute("from"), None);
    assert_eq!(message.attribute("other"), None);
    let body = message.child("body", "jabber:client").unwrap();
    assert_eq!(body.text(), "Hi & bye");
    assert_eq!(body.xml(), b"<body>Hi &amp; bye</body>");
    let x = message.child("x", "urn:x").unwrap();
    assert_eq!(x.attribute("a").unwrap(), "b");
    assert_eq!(x.attribute("xmlns"), None);
    assert_eq!(x.first_child().unwrap().namespace(), "urn:x");
    assert_eq!(x.first_child().unwrap().to_element().to_string(), "<y xmlns='urn:x'/>");
    assert_eq!(
        message.first_child().unwrap().to_element().to_string(),
        "<body>Hi &amp; bye</body>"
    );
}

/// The same bytes can be written to all kinds of streams.
#[test]
fn stanzas_carry_no_namespace_of_a_stream() {
    for content in ["jabber:client", "jabber:server", "jabber:component:accept"] {
        let scope = NamespaceScope::new(content).with_prefix("c", content);
        for xml in [
            "<message><body/></message>".to_owned(),
            format!("<message xmlns='{content}'><body/></message>"),
            format!("<message><body xmlns='{content}'/></message>"),
            "<c:message><c:body/></c:message>".to_owned(),
            "<c:message><body/></c:message>".to_owned(),
            format!("<p:message xmlns:p='{content}'><p:body/></p:message>"),
        ] {
            let message = Element::parse(xml.as_bytes(), &scope, &XmlLimits::default()).unwrap();
            assert_eq!(message.to_string(), "<message><body/></message>", "{xml}");
            assert!(message.child("body", "jabber:client").is_some());
        }
        let forwarded = format!(
            "<message><f xmlns='urn:f'><message xmlns='{content}'><body/></message></f></message>"
        );
        let message = Element::parse(forwarded.as_bytes(), &scope, &XmlLimits::default()).unwrap();
        assert_eq!(
            message.to_string(),
            "<message><f xmlns='urn:f'><message xmlns='jabber:client'><body/></message></f></message>"
        );
        let inner = message.first_child().unwrap().first_child().unwrap();
        assert_eq!(inner.to_element().to_string(), "<message><body/></message>");
    }
}

#[test]
fn prefixes_are_replaced_by_xmlns() {
    let scope = NamespaceScope::default().with_prefix("stream", STREAM_NS);
    for (xml, normal) in [
        ("<stream:error/>", "<error xmlns='http://etherx.jabber.org/streams'/>"),
        (
            "<p:a xmlns:p='u&apos;v' xmlns='w'><b/><p:c/></p:a>",
            "<a xmlns='u&apos;v'><b xmlns='w'/><c/></a>",
        ),
        ("<m><p:a xmlns:p='u'></p:a ><b/></m>", "<m><a xmlns='u'></a ><b/></m>"),
        (
            "<m xmlns:p='u'><b p:a='1' p:b='2' c='3'/></m>",
            "<m><b xmlns:p='u' p:a='1' p:b='2' c='3'/></m>",
        ),
        ("<m xmlns:p='u' p:a='1'/>", "<m xmlns:p='u' p:a='1'/>"),
        ("<m><a xmlns='u'/><a xmlns='u'/></m>", "<m><a xmlns='u'/><a xmlns='u'/></m>"),
        ("<m><x xmlns='jabber:client'/></m>", "<m><x/></m>"),
        ("<m xml:lang='en'/>", "<m xml:lang='en'/>"),
    ] {
        let element = Element::parse(xml.as_bytes(), &scope, &XmlLimits::default()).unwrap();
        assert_eq!(element.to_string(), normal, "{xml}");
    }
    let element = element("<p:a xmlns:p='u&apos;v'><b xmlns='&apos;'/><p:c/></p:a>");
    assert_eq!(element.namespace(), "u'v");
    let spaces: Vec<_> = element.children().map(|c| c.namespace().to_owned()).collect();
    assert_eq!(spaces, ["'", "u'v"]);
    assert_eq!(element.to_bytes().len(), element.as_bytes().len());
}

#[test]
fn text_and_values_are_normalised() {
    let a = element("<a b='1\r\n2\t3&#9;&#13;'>x\r\ny\rz&#13;<b>no</b><![CDATA[<\r\n>]]></a>");
    assert_eq!(a.attribute("b").unwrap(), "1 2 3\t\r");
    assert_eq!(a.text(), "x\ny\nz\r<\n>");
    assert_eq!(a.first_child().unwrap().text(), "no");
}

#[test]
fn languages_are_inherited() {
    let message =
        element("<message xml:lang='de'><body/><body xml:lang='en'><x/></body></message>");
    assert_eq!(message.lang().unwrap(), "de");
    let langs: Vec<_> = message.children().map(|child| child.lang().unwrap()).collect();
    assert_eq!(langs, ["de", "en"]);
    let x = message.children().nth(1).unwrap().first_child().unwrap();
    assert_eq!(x.lang().unwrap(), "en");
}

#[test]
fn an_element_is_small() {
    assert!(size_of::<Element>() <= 120, "{}", size_of::<Element>());
    assert!(parse("<a/>").unwrap().children().next().is_none());
}

fn stamp(value: &str) -> Stamp<'_> {
    Stamp {
        is_for: |name| matches!(name, "message" | "presence" | "iq"),
        attribute: "from",
        value,
        lang: None,
    }
}

#[test]
fn an_attribute_outside_the_index_is_stamped() {
    let stamp = Stamp { is_for: |name| name == "a", attribute: "seen", value: "<", lang: None };
    for (xml, expected) in [
        ("<a/>", "<a seen='&lt;'/>"),
        ("<a b='c' seen='d' e='f'><a/></a>", "<a b='c' seen='&lt;' e='f'><a/></a>"),
        ("<b/>", "<b/>"),
        ("<b><a/></b>", "<b><a/></b>"),
    ] {
        let read = Element::parse_first(
            xml,
            &NamespaceScope::default(),
            &XmlLimits::default(),
            Some(&stamp),
        );
        assert_eq!(read, Some((element(expected), xml.len())));
    }
}

#[test]
fn a_stamp_is_written_during_reading() {
    let scope = NamespaceScope::new(STANZA_NS);
    let read = |xml: &str| {
        let stamp = stamp("a@b/it's");
        Element::parse_stamped(xml.as_bytes(), &scope, &XmlLimits::default(), &stamp).unwrap()
    };
    for (xml, expected) in [
        ("<iq/>", "<iq from='a@b/it&apos;s'/>"),
        ("<message to='c' >d</message>", "<message to='c' from='a@b/it&apos;s' >d</message>"),
        ("<iq\n id='1'  from=\"x\" to='c'/>", "<iq\n id='1' from='a@b/it&apos;s' to='c'/>"),
        ("<s:iq xmlns:s='jabber:client' from=''/>", "<iq from='a@b/it&apos;s'/>"),
        // The rule does not apply.
        ("<iq from='x' xmlns='urn:other'/>", "<iq from='x' xmlns='urn:other'/>"),
        ("<auth from='x'/>", "<auth from='x'/>"),
        // Only the root is stamped.
        (
            "<iq from='x'><iq from='y'/><b xmlns='c'/></iq>",
            "<iq from='a@b/it&apos;s'><iq from='y'/><b xmlns='c'/></iq>",
        ),
    ] {
        let stanza = read(xml);
        assert_eq!(stanza.to_string(), expected);
        let again = Element::parse(expected.as_bytes(), &scope, &XmlLimits::default()).unwrap();
        assert_eq!(stanza.attribute("from"), again.attribute("from"), "{xml}");
        assert_eq!(stanza.attribute("to"), again.attribute("to"), "{xml}");
        assert_eq!(stanza.payload_name(), again.payload_name(), "{xml}");
        assert_eq!(stanza.text(), again.text(), "{xml}");
    }
    // The stamp counts towards the limit.
    let limits = XmlLimits { max_stanza: 20, ..XmlLimits::default() };
    let stamp = stamp("a-long-name@b/c");
    assert!(Element::parse_stamped(b"<iq/>", &scope, &limits, &stamp).is_err());
}

#[test]
fn a_stanza_without_a_language_gets_that_of_its_stream() {
    let scope = NamespaceScope::new(STANZA_NS);
    let stamp = Stamp { lang: Some("de"), ..stamp("a@b") };
    for (xml, expected) in [
        ("<iq/>", "<iq from='a@b' xml:lang='de'/>"),
        (
            "<message from='x' to='c' >d</message>",
            "<message from='a@b' to='c' xml:lang='de' >d</message>",
        ),
        ("<message to='c'/>", "<message to='c' from='a@b' xml:lang='de'/>"),
        ("<message xml:lang='en'/>", "<message xml:lang='en' from='a@b'/>"),
        ("<message xml:lang=''/>", "<message xml:lang='' from='a@b'/>"),
        (
            "<message><body xml:lang='en'/></message>",
            "<message from='a@b' xml:lang='de'><body xml:lang='en'/></message>",
        ),
        // The rule does not apply.
        ("<auth xmlns='urn:a'/>", "<auth xmlns='urn:a'/>"),
        ("<auth/>", "<auth/>"),
    ] {
        let read = Element::parse_stamped(xml.as_bytes(), &scope, &XmlLimits::default(), &stamp);
        let again = Element::parse(expected.as_bytes(), &scope, &XmlLimits::default()).unwrap();
        let read = read.unwrap();
        assert_eq!(read, again);
        assert_eq!((read.to_string().as_str(), read.lang()), (expected, again.lang()));
    }
}
