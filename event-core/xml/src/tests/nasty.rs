//! Inputs that must be refused, each with the condition of the stream error.

use super::tree::{opening, read};
use crate::{Element, NamespaceScope, STREAM_NS, XmlError, XmlLimits};

const NWF: &str = "not-well-formed";
const RESTRICTED: &str = "restricted-xml";
const PREFIX: &str = "bad-namespace-prefix";
const ENCODING: &str = "unsupported-encoding";

pub(super) const NASTY: &[(&[u8], &str)] = &[
    // Forbidden by RFC 6120 section 11.1.
    (b"<a><!-- c --></a>", RESTRICTED),
    (b"<!-- c --><a/>", RESTRICTED),
    (b"<a/><!-- c -->", NWF),
    (b"<a><!---></a>", RESTRICTED),
    (b"<a><?pi x?></a>", RESTRICTED),
    (b"<?pi x?><a/>", RESTRICTED),
    (b"<?xml version='1.0'?><a/>", RESTRICTED),
    (b"<a><?xml version='1.0'?></a>", RESTRICTED),
    (b"<a/><?pi?>", NWF),
    (b"<!DOCTYPE a><a/>", RESTRICTED),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", RESTRICTED),
    (b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", RESTRICTED),
    (b"<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><l>&b;</l>", RESTRICTED),
    (b"<a><!ELEMENT b ANY></a>", RESTRICTED),
    (b"<a><!ENTITY b 'c'></a>", RESTRICTED),
    (b"<a>&nbsp;</a>", RESTRICTED),
    (b"<a>&b;</a>", RESTRICTED),
    (b"<a b='&c;'/>", RESTRICTED),
    (b"<a>&AMP;</a>", RESTRICTED),
    (b"<a><![cdata[x]]></a>", RESTRICTED),
    // References.
    (b"<a>&</a>", NWF),
    (b"<a>& </a>", NWF),
    (b"<a>&amp</a>", NWF),
    (b"<a>&;</a>", NWF),
    (b"<a>& amp;</a>", NWF),
    (b"<a>&#;</a>", NWF),
    (b"<a>&#x;</a>", NWF),
    (b"<a>&#0;</a>", NWF),
    (b"<a>&#x0;</a>", NWF),
    (b"<a>&#1;</a>", NWF),
    (b"<a>&#x1F;</a>", NWF),
    (b"<a>&#xD800;</a>", NWF),
    (b"<a>&#xDFFF;</a>", NWF),
    (b"<a>&#xFFFE;</a>", NWF),
    (b"<a>&#65535;</a>", NWF),
    (b"<a>&#x110000;</a>", NWF),
    (b"<a>&#99999999999999999999;</a>", NWF),
    (b"<a>&#+65;</a>", NWF),
    (b"<a>&#-65;</a>", NWF),
    (b"<a>&#X41;</a>", NWF),
    (b"<a>&#6a;</a>", NWF),
    (b"<a>&#xG;</a>", NWF),
    (b"<a>&# 65;</a>", NWF),
    (b"<a b='&#0;'/>", NWF),
    (b"<a b='&'/>", NWF),
    (b"<a b='&amp'/>", NWF),
    // Characters.
    (b"<a>\0</a>", NWF),
    (b"<a>\x01</a>", NWF),
    (b"<a>\x0B</a>", NWF),
    (b"<a b='\x0C'/>", NWF),
    (b"<a\0/>", NWF),
    (b"<a>\xEF\xBF\xBE</a>", NWF),
    (b"<a>\xEF\xBF\xBF</a>", NWF),
    (b"<a><![CDATA[\x08]]></a>", NWF),
    (b"<a>\xC0\x80</a>", ENCODING),
    (b"<a>\xC0\xBCb/></a>", ENCODING),
    (b"<a>\xE0\x80\xBC</a>", ENCODING),
    (b"<a>\xED\xA0\x80</a>", ENCODING),
    (b"<a>\xF4\x90\x80\x80</a>", ENCODING),
    (b"<a>\xFF\xFE</a>", ENCODING),
    (b"<a>\x80</a>", ENCODING),
    (b"<a>\xC3</a>", ENCODING),
    (b"<\xFF/>", ENCODING),
    (b"\xEF\xBB\xBF<a/>", NWF),
    // Text.
    (b"<a>]]></a>", NWF),
    (b"<a>x]]]></a>", NWF),
    (b"text", NWF),
    (b"<a/>text", NWF),
    (b"text<a/>", NWF),
    (b" <a/>", NWF),
    (b"<a/> ", NWF),
    (b"", NWF),
    (b"<![CDATA[x]]>", NWF),
    (b"<a/><![CDATA[x]]>", NWF),
    (b"<a><![CDATA[x]]</a>", NWF),
    (b"<a><![CDATA[x", NWF),
    // Attributes.
    (b"<a b=c/>", NWF),
    (b"<a b/>", NWF),
    (b"<a b=/>", NWF),
    (b"<a ='c'/>", NWF),
    (b"<a b='c'd='e'/>", NWF),
    (b"<a b='c\"/>", NWF),
    (b"<a b='c/>", NWF),
    (b"<a b='<'/>", NWF),
    (b"<a b='c' b='d'/>", NWF),
    (b"<a b='c' b='c'/>", NWF),
    (b"<a 1b='c'/>", NWF),
    (b"<a b:c:d='e' xmlns:b='f'/>", NWF),
    (b"<a :b='c'/>", NWF),
    (b"<a b:='c' xmlns:b='d'/>", NWF),
    (b"<a b='c' 'd'/>", NWF),
    (b"<a b='c',d='e'/>", NWF),
    (b"<a b=\xE2\x80\x98c\xE2\x80\x99/>", NWF),
    (b"<a\xC2\xA0b='c'/>", NWF),
    (b"<a b='c\rd'/>", NWF),
    (b"<a b='c\r'/>", NWF),
    (b"<a b='c\r\r\n'/>", NWF),
    // Names of the fifth edition of XML 1.0, which expat refuses.
    ("<\u{132}/>".as_bytes(), NWF),
    ("<a\u{132}/>".as_bytes(), NWF),
    ("<\u{2070}/>".as_bytes(), NWF),
    ("<a><b \u{17F}='1'/></a>".as_bytes(), NWF),
    ("<a xmlns:\u{370}='b'/>".as_bytes(), NWF),
    ("<\u{370}:a xmlns:\u{370}='b'/>".as_bytes(), NWF),
    ("<a a\u{203F}='b'/>".as_bytes(), NWF),
    ("<\u{10000}/>".as_bytes(), NWF),
    ("<\u{300}/>".as_bytes(), NWF),
    ("<\u{660}/>".as_bytes(), NWF),
    // Namespaces that expat or libxml2 refuses.
    (b"<a xmlns='b c'/>", NWF),
    (b"<a xmlns=' '/>", NWF),
    (b"<a xmlns='b\n'/>", NWF),
    (b"<a xmlns='b&#10;'/>", NWF),
    (b"<a xmlns:b='c d'/>", NWF),
    (b"<a xmlns='{b}'/>", NWF),
    (b"<a xmlns='b|c'/>", NWF),
    (b"<a xmlns='b?c&amp;d'/>", NWF),
    (b"<a xmlns='b^'/>", NWF),
    (b"<a xmlns='b\"'/>", NWF),
    (b"<a xmlns='jabber:x:\"'/>", NWF),
    (b"<a xmlns='b\\c'/>", NWF),
    (b"<a xmlns='b&lt;'/>", NWF),
    (b"<a xmlns='\x7F'/>", NWF),
    (b"<a xmlns='1:b'/>", NWF),
    (b"<a xmlns=':b'/>", NWF),
    (b"<a xmlns='b_c:d'/>", NWF),
    (b"<a xmlns='b#c#d'/>", NWF),
    (b"<a xmlns='b%'/>", NWF),
    (b"<a xmlns='b%4x'/>", NWF),
    (b"<a xmlns='http://b:c/'/>", NWF),
    (b"<a xmlns='http://b:/'/>", NWF),
    (b"<a xmlns='http://b:123456/'/>", NWF),
    (b"<a xmlns='http://b@c@d/'/>", NWF),
    (b"<a xmlns='http://[b'/>", NWF),
    (b"<a xmlns='[b]'/>", NWF),
    (b"<a xmlns='urn:\xC3\xA9'/>", NWF),
    (b"<a xmlns='urn:\xC2\xA0'/>", NWF),
    (b"<a xmlns:b='urn:\xE2\x80\x83'/>", NWF),
    // The content namespaces of other streams, at the top level.
    (b"<a xmlns='jabber:server'/>", "invalid-namespace"),
    (b"<b:a xmlns:b='jabber:component:accept'/>", "invalid-namespace"),
    // Tags.
    (b"<", NWF),
    (b"<>", NWF),
    (b"</>", NWF),
    (b"</a>", NWF),
    (b"<a", NWF),
    (b"<a>", NWF),
    (b"<a/ >", NWF),
    (b"<a//>", NWF),
    (b"<a / >", NWF),
    (b"< a/>", NWF),
    (b"<a></ a>", NWF),
    (b"<a></b>", NWF),
    (b"<a></A>", NWF),
    (b"<a></aa>", NWF),
    (b"<aa></a>", NWF),
    (b"<a></a b='c'>", NWF),
    (b"<a></a/>", NWF),
    (b"<a></a", NWF),
    (b"<a><b></a></b>", NWF),
    (b"<a><b></a>", NWF),
    (b"<a/><b/>", NWF),
    (b"<a></a></a>", NWF),
    (b"<a/></a>", NWF),
    (b"<a<b/>", NWF),
    (b"<a <b/>>", NWF),
    (b"<-a/>", NWF),
    (b"<.a/>", NWF),
    (b"<1/>", NWF),
    (b"<a$/>", NWF),
    (b"<a=b/>", NWF),
    (b"<\xC3\x97/>", NWF),
    (b"<a\xCD\xBE/>", NWF),
    (b"<:a/>", NWF),
    (b"<a:/>", NWF),
    (b"<a::b/>", NWF),
    (b"<a:b:c xmlns:a='d'/>", NWF),
    (b"<a:1 xmlns:a='d'/>", NWF),
    (b"<:/>", NWF),
    // Namespaces.
    (b"<b:a/>", PREFIX),
    (b"<a b:c='d'/>", PREFIX),
    (b"<a><c xmlns:b='d'/><b:c/></a>", PREFIX),
    (b"<xmlns:a/>", PREFIX),
    (b"<xml:a/>", PREFIX),
    (b"<a xmlns:b=''/>", NWF),
    (b"<a xmlns:='b'/>", NWF),
    (b"<a xmlns:xml='b'/>", NWF),
    (b"<a xmlns:xmlns='b'/>", NWF),
    (b"<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", NWF),
    (b"<a xmlns:b='http://www.w3.org/2000/xmlns/'/>", NWF),
    (b"<a xmlns:b='http://www.w3.org/XML/1998/namespace'/>", NWF),
    (b"<a xmlns:b='http://www.w3.org/XML/1998/&#110;amespace'/>", NWF),
    (b"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", NWF),
    (b"<a xmlns='http://www.w3.org/2000/xmlns/'/>", NWF),
    (b"<a xmlns='b' xmlns='c'/>", NWF),
    (b"<a xmlns:b='c' xmlns:b='d'/>", NWF),
    (b"<a b:d='1' c:d='2' xmlns:b='e' xmlns:c='e'/>", NWF),
    (b"<a b:d='1' c:d='2' xmlns:b='e' xmlns:c='&#101;'/>", NWF),
    (b"<a xmlns:b='e'><f xmlns:c='e' b:d='1' c:d='2'/></a>", NWF),
    (b"<a stream:d='1' c:d='2' xmlns:c='http://etherx.jabber.org/streams'/>", NWF),
    (b"<b:a xmlns:b='c'></a>", NWF),
    (b"<b:a xmlns:b='c' xmlns:d='c'></d:a>", NWF),
    (b"<a xml:lang='b' xml:lang='c'/>", NWF),
];

fn scope() -> NamespaceScope {
    NamespaceScope::default().with_prefix("stream", STREAM_NS)
}

#[test]
fn invalid_inputs_are_refused_with_their_condition() {
    assert!(NASTY.len() > 120, "{}", NASTY.len());
    for (xml, condition) in NASTY {
        let shown = String::from_utf8_lossy(xml);
        match Element::parse(xml, &scope(), &XmlLimits::default()) {
            Ok(element) => panic!("accepted: {shown} as {element}"),
            Err(error) => assert_eq!(error.condition(), *condition, "{shown}: {error}"),
        }
    }
}

/// Unusual but valid input.
pub(super) const FINE: &[&str] = &[
    "<a/>",
    "<a />",
    "<a\n/>",
    "<a></a\t>",
    "<a b = 'c'/>",
    "<a b='\"'/>",
    "<a b=\"'>\"/>",
    "<a b='>'>></a>",
    "<a>]] ></a>",
    "<a>]]&gt;</a>",
    "<a><![CDATA[]]></a>",
    "<a><![CDATA[]]]]></a>",
    "<a><![CDATA[<!-- -->&x;]]></a>",
    "<a b=']]>'/>",
    "<a b='/'/>",
    "<a>&#x10FFFF;&#9;&#00065;</a>",
    "<a>\u{7F}\u{85}\u{2028}\u{FEFF}</a>",
    "<a xmlns=''><b xmlns='c'/></a>",
    "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
    "<a xml:lang='en' lang='de'/>",
    "<a b:d='1' d='2' xmlns:b='e'/>",
    "<a b:d='1' c:d='2' xmlns:b='e' xmlns:c='f'/>",
    "<a xmlns='e' xmlns:b='e' b:d='1' d='2'/>",
    "<xmlfoo/>",
    "<a-b.c_d\u{B7}/>",
    "<\u{E9}:\u{E9} xmlns:\u{E9}='x'/>",
    "<stream:error/>",
    "<a stream:b='c'/>",
    "<b:a xmlns:b='c'><b:a xmlns:b='d'/></b:a>",
    "<\u{E9}\u{300}\u{660}\u{B7}/>",
    "<\u{4E00}\u{3005} \u{AC00}='\u{10000}'/>",
    "<a xmlns='http://b:80/c?d=e#f/?'/>",
    "<a xmlns='urn:b:%C3%A9;c@d'/>",
    "<a xmlns='b/c:d'/>",
    "<a xmlns='a+b-c.d:e'/>",
];

#[test]
fn unusual_inputs_are_accepted() {
    for xml in FINE {
        if let Err(error) = Element::parse(xml.as_bytes(), &scope(), &XmlLimits::default()) {
            panic!("refused: {xml}: {error}");
        }
        read(&opening("jabber:client", &[("stream", STREAM_NS)]), xml.as_bytes(), "</s>")
            .unwrap_or_else(|error| panic!("rxml: {xml}: {error}"));
    }
}

#[test]
fn limits_are_enforced() {
    let limits = XmlLimits { max_stanza: 40, max_depth: 2, max_attributes: 2 };
    let parse = |xml: &str| Element::parse(xml.as_bytes(), &NamespaceScope::default(), &limits);
    assert!(parse("<a b='1' c='2'><d/></a>").is_ok());
    assert_eq!(parse("<a><b><c/></b></a>"), Err(XmlError::TooDeep));
    assert_eq!(parse("<a b='1' c='2' d='3'/>"), Err(XmlError::TooManyAttributes));
    assert_eq!(parse(&format!("<a>{}</a>", "x".repeat(34))), Err(XmlError::TooLarge));
    assert_eq!(XmlError::TooDeep.condition(), "policy-violation");
}

/// The size of the normal form is limited, whatever namespaces a frame declares.
#[test]
fn namespaces_cannot_inflate_a_frame() {
    let parse = |xml: &str| Element::parse(xml.as_bytes(), &scope(), &XmlLimits::default());
    let long = "n".repeat(1025);
    assert_eq!(parse(&format!("<a xmlns='{long}'/>")), Err(XmlError::NameTooLong));
    assert_eq!(parse(&format!("<a xmlns:b='{long}'/>")), Err(XmlError::NameTooLong));
    let (long, many) = ("n".repeat(1024), "<b:c/>".repeat(300));
    let blown = format!("<a xmlns:b='{long}'>{many}</a>");
    assert_eq!(parse(&blown), Err(XmlError::TooLarge));
    let declared = |n: usize| (0..n).map(|n| format!(" xmlns:p{n}='u'")).collect::<String>();
    assert!(
        parse(&format!("<a{}><b{}/><b{}/></a>", declared(32), declared(32), declared(32))).is_ok()
    );
    let most = format!("<a{}><b{}/></a>", declared(32), declared(33));
    assert_eq!(parse(&most), Err(XmlError::TooManyAttributes));
}

/// Other parsers have limits, too, and a stream error costs the receiver the stream.
#[test]
fn names_are_bounded() {
    let parse = |xml: &str| Element::parse(xml.as_bytes(), &scope(), &XmlLimits::UNBOUNDED);
    let (most, long) = ("n".repeat(1024), "n".repeat(1025));
    assert!(parse(&format!("<{most} {most}='a'/>")).is_ok());
    let (prefix, wide) = ("n".repeat(1023), "\u{E9}".repeat(513));
    for xml in [
        format!("<{long}/>"),
        format!("<a {long}='b'/>"),
        format!("<a xmlns:{prefix}='b'/>"),
        format!("<{prefix}:a xmlns:{prefix}='b'/>"),
        format!("<{wide}/>"),
    ] {
        assert_eq!(parse(&xml), Err(XmlError::NameTooLong), "{xml}");
    }
    assert_eq!(XmlError::NameTooLong.condition(), "policy-violation");
}

#[test]
fn a_client_stanza_on_a_server_stream_is_refused() {
    let scope = NamespaceScope::new("jabber:server");
    let parse = |xml: &str| Element::parse(xml.as_bytes(), &scope, &XmlLimits::default());
    assert_eq!(parse("<message xmlns='jabber:client'/>"), Err(XmlError::InvalidNamespace));
    assert!(parse("<message xmlns='jabber:server'/>").is_ok());
}

/// RFC 6120 section 4.8.3: on another stream, a content namespace has another name. An element has
/// the same namespace for all readers.
#[test]
fn a_child_in_a_content_namespace_is_read_alike_on_all_streams() {
    const CONTENT: [&str; 3] = ["jabber:client", "jabber:server", "jabber:component:accept"];
    let expected = "<message><body>a</body><f xmlns='urn:f'><message xmlns='jabber:client'>\
                    <body>b</body></message></f></message>";
    for stream in CONTENT {
        for child in CONTENT {
            let parse = |xml: String| {
                Element::parse(xml.as_bytes(), &NamespaceScope::new(stream), &XmlLimits::default())
                    .unwrap()
                    .to_string()
            };
            let plain = format!(
                "<message><body xmlns='{child}'>a</body><f xmlns='urn:f'><message xmlns='{child}'>\
                 <body>b</body></message></f></message>"
            );
            assert_eq!(parse(plain), expected);
            let prefixed = format!(
                "<message xmlns:p='{child}'><p:body>a</p:body><f xmlns='urn:f'><p:message>\
                 <p:body>b</p:body></p:message></f></message>"
            );
            assert_eq!(parse(prefixed), expected);
        }
        // The namespace of an attribute is written with a prefix, which means the same everywhere.
        let xml = "<a xmlns:p='jabber:server' p:b='c'/>";
        let scope = NamespaceScope::new(stream);
        let element = Element::parse(xml.as_bytes(), &scope, &XmlLimits::default()).unwrap();
        assert_eq!(element.to_string(), xml);
    }
}
