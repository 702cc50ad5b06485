//! Stream headers: what is accepted has for `rxml` the same attributes, and is answered with a
//! header.

use event_core::SessionKind;
use rxml::{Event, Parse, Parser};
use spondee::stream::testing::answer;
use xmpp_xml::{Frame, Framer, STREAM_NS, StreamHeader, XmlLimits};

/// See the [module](self).
pub fn run(data: &[u8]) {
    let Ok(header) = StreamHeader::parse(data) else { return };
    let start = data.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or_default();
    let data = &data[start..];
    let limits = XmlLimits { max_stanza: usize::MAX, ..XmlLimits::default() };
    assert_eq!(Framer::new().next(data, &limits), Ok(Some(Frame::Header(data.len()))));
    compare(data, &header);
    for kind in [SessionKind::Client, SessionKind::S2sIn, SessionKind::Component] {
        let Some(answer) = answer(kind, &header) else { continue };
        let parsed = StreamHeader::parse(answer.as_bytes()).expect(&answer);
        assert_eq!((parsed.id.as_deref(), &parsed.from.is_some()), (Some("id"), &true), "{answer}");
        compare(answer.as_bytes(), &parsed);
    }
}

fn compare(data: &[u8], header: &StreamHeader) {
    let shown = String::from_utf8_lossy(data);
    let (mut parser, mut rest) = (Parser::new(), data);
    loop {
        match parser.parse(&mut rest, false).unwrap_or_else(|error| panic!("{error:?}: {shown}")) {
            Some(Event::XmlDeclaration(..)) => {}
            Some(Event::StartElement(_, (namespace, name), attributes)) => {
                assert_eq!((&*namespace.to_string(), &*name.to_string()), (STREAM_NS, "stream"));
                let value = |namespace: &str, name: &str| {
                    let mut all = attributes.iter();
                    let found = all.find(|((ns, own), _)| {
                        *ns.to_string() == *namespace && *own.to_string() == *name
                    });
                    found.map(|(_, value)| value.clone())
                };
                for (name, read) in [
                    ("to", &header.to),
                    ("from", &header.from),
                    ("id", &header.id),
                    ("version", &header.version),
                ] {
                    assert_eq!(&value("", name), read, "{name}: {shown}");
                }
                let lang = value("http://www.w3.org/XML/1998/namespace", "lang");
                assert_eq!(lang, header.lang, "{shown}");
                return;
            }
            event => panic!("{event:?}: {shown}"),
        }
    }
}
