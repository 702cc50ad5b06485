//! Tests of the framer, with the input as a whole and byte by byte.

use proptest::prelude::*;

use super::generate::{document, mutated};
use crate::{Frame, Framer, XmlError, XmlLimits};

const HEADER: &str = "<?xml version='1.0'?>\n<stream:stream a='>/'>";

type Frames = (Vec<(&'static str, Vec<u8>)>, Option<XmlError>);

/// Feeds the pieces one after the other and collects the frames; adjacent white space is merged.
fn frames(pieces: &[&[u8]], limits: &XmlLimits) -> Frames {
    let mut framer = Framer::new();
    let mut buffer = Vec::new();
    let mut out: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let (kind, length) = match framer.next(&buffer, limits) {
                Ok(None) => break,
                Ok(Some(Frame::Whitespace(n))) => ("space", n),
                Ok(Some(Frame::Header(n))) => ("header", n),
                Ok(Some(Frame::Element(n))) => ("element", n),
                Ok(Some(Frame::Close(n))) => ("close", n),
                Err(error) => return (out, Some(error)),
            };
            let frame: Vec<u8> = buffer.drain(..length).collect();
            match out.last_mut() {
                Some((last, bytes)) if *last == kind && kind == "space" => bytes.extend(frame),
                _ => out.push((kind, frame)),
            }
        }
    }
    (out, None)
}

fn one(xml: &[u8]) -> Frames {
    frames(&[xml], &XmlLimits::default())
}

#[test]
fn frames_are_found() {
    let stanza = "<a b='>' c=\"/>\"><b/><c><![CDATA[</a>]]></c ></a>";
    let xml = format!("{HEADER} \n{stanza}<d/><e />\t</stream:stream>\n");
    let (frames, error) = one(xml.as_bytes());
    assert_eq!(error, None);
    let expected = [
        ("header", HEADER),
        ("space", " \n"),
        ("element", stanza),
        ("element", "<d/>"),
        ("element", "<e />"),
        ("space", "\t"),
        ("close", "</stream:stream>"),
        ("space", "\n"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(kind, xml)| (*kind, xml.as_bytes().to_vec())).collect();
    assert_eq!(frames, expected);
}

#[test]
fn invalid_frames_are_refused_at_once() {
    for (xml, condition) in [
        ("x", "not-well-formed"),
        ("\u{FEFF}<s>", "not-well-formed"),
        ("</", "not-well-formed"),
        ("<!", "restricted-xml"),
        ("<!D", "restricted-xml"),
        ("<?p", "restricted-xml"),
        ("<?xmlx", "restricted-xml"),
        ("<?xml version='1.0'?><?", "restricted-xml"),
        ("<s/>", "invalid-xml"),
        ("<s>x", "not-well-formed"),
        ("<s><?", "restricted-xml"),
        ("<s><!-", "restricted-xml"),
        ("<s><!", "restricted-xml"),
        ("<s><a><!-", "restricted-xml"),
        ("<s><a><![CDATA-", "restricted-xml"),
        ("<s><a><?", "restricted-xml"),
        ("<s></s>x", "not-well-formed"),
        ("<s></s><a/>", "not-well-formed"),
    ] {
        let (_, error) = one(xml.as_bytes());
        assert_eq!(error.map(|error| error.condition()), Some(condition), "{xml}");
    }
}

#[test]
fn frames_are_bounded() {
    let limits = XmlLimits { max_stanza: 20, max_depth: 2, ..XmlLimits::default() };
    let error = |xml: &str| frames(&[b"<s>", xml.as_bytes()], &limits).1;
    assert_eq!(error("<a>0123456789012</a>"), None);
    assert_eq!(error("<a>01234567890123</a>"), Some(XmlError::TooLarge));
    assert_eq!(error("<a>012345678901234567890"), Some(XmlError::TooLarge));
    assert_eq!(error("<aaaaaaaaaaaaaaaaaaaaa"), Some(XmlError::TooLarge));
    assert_eq!(error("<a><b></b></a>"), None);
    assert_eq!(error("<a><b><"), None);
    assert_eq!(error("<a><b><c"), Some(XmlError::TooDeep));
    assert_eq!(error(&" ".repeat(50)), None);
    let header = frames(&["<s".as_bytes(), &[b' '; 20]], &limits).1;
    assert_eq!(header, Some(XmlError::TooLarge));
}

#[test]
fn a_stream_can_be_restarted() {
    let mut framer = Framer::new();
    let limits = XmlLimits::default();
    assert_eq!(framer.next(b"<s>", &limits), Ok(Some(Frame::Header(3))));
    assert_eq!(framer.next(b"<a", &limits), Ok(None));
    framer.reset();
    assert_eq!(framer.next(HEADER.as_bytes(), &limits), Ok(Some(Frame::Header(HEADER.len()))));
}

fn split<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn splitting_changes_nothing(
        stanzas in prop::collection::vec(mutated(), 0..3),
        whole in document(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut xml = HEADER.as_bytes().to_vec();
        xml.extend_from_slice(whole.as_bytes());
        for stanza in &stanzas {
            xml.push(b'\n');
            xml.extend_from_slice(stanza);
        }
        xml.extend_from_slice(b"</stream:stream> ");
        let expected = one(&xml);
        prop_assert_eq!(&frames(&split(&xml, &cuts), &XmlLimits::default()), &expected);
        let bytes: Vec<&[u8]> = xml.chunks(1).collect();
        prop_assert_eq!(&frames(&bytes, &XmlLimits::default()), &expected);
        prop_assert_eq!(&expected.0[1], &("element", whole.into_bytes()));
    }
}

#[test]
fn a_mismatched_end_tag_is_refused_before_the_frame_is_complete() {
    for (input, fits) in [
        ("<a><b></a>", false),
        ("<a><b></bb>", false),
        ("<a><bb></b>", false),
        ("<a><b></b >", true),
        ("<a><b/></b>", false),
        ("<a><b x='</b>'></b\n>", true),
        ("<a></b></a>", false),
        ("<p:a><p:b></p:b>", true),
    ] {
        let mut framer = Framer::new();
        let limits = XmlLimits::default();
        let header = "<stream>";
        let buffer = format!("{header}{input}");
        assert_eq!(framer.next(buffer.as_bytes(), &limits), Ok(Some(Frame::Header(8))));
        let frame = framer.next(&buffer.as_bytes()[header.len()..], &limits);
        assert_eq!(frame.is_ok(), fits, "{input}: {frame:?}");
    }
}

#[test]
fn white_space_before_a_header_is_a_separate_frame() {
    let mut framer = Framer::new();
    let buffer = b"\n<?xml version='1.0'?>\n<stream>";
    let limits = XmlLimits::default();
    assert_eq!(framer.next(buffer, &limits), Ok(Some(Frame::Whitespace(1))));
    assert_eq!(framer.next(&buffer[1..], &limits), Ok(Some(Frame::Header(buffer.len() - 1))));
}
