//! The reader of a stream: it reads the same parts whatever the pieces in which the bytes arrive,
//! and keeps no more than one stanza.
//!
//! The first byte has the kind of stream and whether stanzas get a `from`, the second one the sizes
//! of the pieces. The rest is the stream, which is restarted after each element whose name begins
//! with `r`.

use event_core::SessionKind;
use spondee::stream::testing::{Part, Reader};
use xmpp_xml::{XmlError, XmlLimits};

use crate::{script::Script, tree};

const LIMITS: XmlLimits = XmlLimits { max_stanza: 1000, max_depth: 8, max_attributes: 8 };

/// The parts of a stream, and the error or the end.
#[derive(Debug, PartialEq)]
struct Read(Vec<String>, Option<Result<(), XmlError>>);

/// See the [module](self).
pub fn run(data: &[u8]) {
    let mut script = Script(data);
    let options = script.byte();
    let kinds = [SessionKind::Client, SessionKind::S2sIn, SessionKind::Component];
    let kind = kinds[usize::from(options >> 1) % kinds.len()];
    let from = (options & 1 == 1).then_some("a@b.example/<'c'>");
    let size = script.byte().max(1);
    let stream = script.0;
    let Read(parts, end) = read(&[stream], kind, from);
    let Read(others, other_end) = read(&Script(&[size]).pieces(stream), kind, from);
    assert_eq!(parts, others);
    match (end, other_end) {
        // What is too long is refused before the rest of it has arrived.
        (Some(Err(_)), Some(Err(XmlError::TooLarge))) => {}
        (end, other_end) => assert_eq!(end, other_end),
    }
}

fn read(pieces: &[&[u8]], kind: SessionKind, from: Option<&str>) -> Read {
    let mut reader = Reader::default();
    let mut parts = Vec::new();
    for piece in pieces {
        reader.append(piece);
        loop {
            match reader.next(&LIMITS, from) {
                Ok(None) => break,
                Ok(Some(Part::Header(header))) => {
                    parts.push(format!("{header:?}"));
                    reader.set_header(header, kind);
                }
                Ok(Some(Part::Element(element))) => {
                    tree::back(&element);
                    if element.namespace() == "jabber:client" && from.is_some() {
                        assert_eq!(element.attribute("from").as_deref(), from, "{element}");
                    }
                    parts.push(element.to_string());
                    if element.name().starts_with('r') {
                        reader.restart();
                    }
                }
                Ok(Some(Part::Close)) => return Read(parts, Some(Ok(()))),
                Err(error) => return Read(parts, Some(Err(error))),
            }
        }
        reader.settle();
        // The last three bytes may be an incomplete character.
        assert!(reader.waiting() <= LIMITS.max_stanza + 3, "{} bytes wait", reader.waiting());
    }
    Read(parts, None)
}
