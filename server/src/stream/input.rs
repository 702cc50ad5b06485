//! Parses the bytes of a stream into elements.

use std::{cell::RefCell, collections::VecDeque, mem, sync::Arc};

use event_core::{
    SessionKind, from_stamp,
    xml::{Element, Frame, Framer, Stamp, StreamHeader, XmlError, XmlLimits},
};

use super::{header, pool};

/// The bytes that were read and are not handled yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    text: String,
    /// The offset of the first byte of `text` that is not handled.
    start: usize,
    /// The bytes after `text`: an incomplete character, or invalid UTF-8.
    rest: Vec<u8>,
    framer: Framer,
    /// The header, whose namespaces and language apply to stanzas.
    header: Option<Arc<StreamHeader>>,
}

/// The prefixes that a header may declare. Clients and servers declare up to four.
const PREFIXES: usize = 16;

/// The bytes of a header that are kept as long as the stream: its namespaces, name and id.
const KEPT: usize = 2048;

/// Reads a header, and refuses one of which too much would be kept.
fn bounded(bytes: &[u8]) -> Result<StreamHeader, XmlError> {
    let header = StreamHeader::parse(bytes)?;
    let (prefixes, kept) = header.kept();
    match prefixes <= PREFIXES && kept <= KEPT {
        true => Ok(header),
        false => Err(XmlError::TooLarge),
    }
}

thread_local! {
    /// The last headers without their addresses, which streams share: nearly all have one of few.
    static HEADERS: RefCell<VecDeque<Arc<StreamHeader>>> = RefCell::default();
}

/// The number of headers that a thread remembers.
const HEADERS_KEPT: usize = 8;

/// A part of a stream. White space between parts is skipped.
#[derive(Debug)]
pub(super) enum Item {
    Header(Box<StreamHeader>),
    Element(Element),
    Close,
}

impl Input {
    /// Appends bytes that were read, and empties `read`.
    pub(super) fn append(&mut self, read: &mut Vec<u8>) {
        if self.text.is_empty() && self.rest.is_empty() {
            self.start = 0;
            match String::from_utf8(mem::take(read)) {
                Ok(text) => return self.text = text,
                Err(error) => *read = error.into_bytes(),
            }
        }
        let joined;
        let mut bytes = read.as_slice();
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(read);
            joined = mem::take(&mut self.rest);
            bytes = &joined;
        }
        if let Some(chunk) = bytes.utf8_chunks().next() {
            self.text.push_str(chunk.valid());
            self.rest = bytes.get(chunk.valid().len()..).unwrap_or_default().to_vec();
        }
        pool::give(read);
    }

    /// The number of bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.text.len() - self.start + self.rest.len()
    }

    /// Whether only white space waits.
    pub(super) fn is_blank(&self) -> bool {
        self.waiting().bytes().all(|byte| byte.is_ascii_whitespace()) && self.rest.is_empty()
    }

    fn waiting(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// The next complete item. If `from` is given, stanzas get it as their `from`, and those without
    /// a language get that of the header (RFC 6120 §8.1.5).
    pub(super) fn next(
        &mut self,
        limits: &XmlLimits,
        from: Option<&str>,
    ) -> Result<Option<Item>, XmlError> {
        let lang = self.header.as_ref().and_then(|header| header.lang.as_deref());
        let stamp = from.map(|from| Stamp { lang, ..from_stamp(from) });
        loop {
            let waiting = self.text.get(self.start..).unwrap_or_default();
            if let Some(header) = self.header.as_ref().filter(|_| self.framer.is_between())
                && let Some((element, length)) =
                    Element::parse_first(waiting, &header.scope, limits, stamp.as_ref())
            {
                self.start += length;
                return Ok(Some(Item::Element(element)));
            }
            let Some(frame) = self.framer.next(waiting.as_bytes(), limits)? else {
                // An incomplete character is not an error yet.
                return match str::from_utf8(&self.rest) {
                    Err(error) if error.error_len().is_some() => Err(XmlError::UnsupportedEncoding),
                    _ => Ok(None),
                };
            };
            let (Frame::Whitespace(length)
            | Frame::Header(length)
            | Frame::Element(length)
            | Frame::Close(length)) = frame;
            let bytes = waiting.as_bytes().get(..length).unwrap_or_default();
            let item = match (frame, &self.header) {
                (Frame::Whitespace(_), _) => None,
                (Frame::Header(_), _) => Some(Item::Header(Box::new(bounded(bytes)?))),
                (Frame::Element(_), Some(header)) => Some(Item::Element(match &stamp {
                    Some(stamp) => Element::parse_stamped(bytes, &header.scope, limits, stamp)?,
                    None => Element::parse(bytes, &header.scope, limits)?,
                })),
                (Frame::Close(_), Some(header)) => {
                    header.check_close(bytes)?;
                    Some(Item::Close)
                }
                (_, None) => return Err(XmlError::InvalidXml("no stream header")),
            };
            self.start += length;
            if item.is_some() {
                return Ok(item);
            }
        }
    }

    /// Whether the header was read, so that elements follow.
    pub(super) fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Sets the header that later elements are parsed with.
    pub(super) fn set_header(&mut self, mut header: Box<StreamHeader>, kind: SessionKind) {
        (header.to, header.from, header.id, header.version) = (None, None, None, None);
        header.lang = header::lang(&header).map(str::to_owned);
        header.scope = mem::take(&mut header.scope).with_content(kind.namespace());
        self.header = Some(HEADERS.with_borrow_mut(|headers| {
            if let Some(known) = headers.iter().find(|known| ***known == *header) {
                return Arc::clone(known);
            }
            headers.truncate(HEADERS_KEPT - 1);
            let header: Arc<StreamHeader> = Arc::from(header);
            headers.push_front(Arc::clone(&header));
            header
        }));
    }

    /// Expects a new header.
    pub(super) fn restart(&mut self) {
        self.framer.reset();
        self.header = None;
    }

    /// Discards all bytes that were read.
    pub(super) fn discard(&mut self) {
        self.start = 0;
        self.rest = Vec::new();
        pool::give(&mut mem::take(&mut self.text).into_bytes());
    }

    /// Frees memory that the waiting bytes do not need.
    pub(super) fn settle(&mut self) {
        let waiting = self.text.len() - self.start;
        if waiting == 0 && self.rest.is_empty() {
            self.discard();
        } else if self.start != 0 || self.text.capacity() > 2 * waiting + 1024 {
            let text = self.waiting().to_owned();
            self.start = 0;
            pool::give(&mut mem::replace(&mut self.text, text).into_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                        xmlns:stream='http://etherx.jabber.org/streams' to='a' version='1.0'>";

    fn feed(input: &mut Input, text: &str) {
        input.append(&mut text.as_bytes().to_vec());
    }

    fn next(input: &mut Input) -> Option<Item> {
        let item = input.next(&XmlLimits::default(), None).unwrap();
        match item {
            Some(Item::Header(header)) => {
                input.set_header(header.clone(), SessionKind::Client);
                Some(Item::Header(header))
            }
            other => other,
        }
    }

    #[test]
    fn a_stream_byte_by_byte() {
        let mut input = Input::default();
        let (mut headers, mut elements, mut closed) = (0, 0, false);
        let stream = format!("{OPEN} <message/>\n<iq id='1'><a xmlns='b'/></iq></stream:stream>");
        for byte in stream.chars() {
            feed(&mut input, &byte.to_string());
            match next(&mut input) {
                Some(Item::Header(_)) => headers += 1,
                Some(Item::Element(_)) => elements += 1,
                Some(Item::Close) => closed = true,
                None => {}
            }
            input.settle();
        }
        assert_eq!((headers, elements, closed), (1, 2, true));
        assert_eq!(input.text.capacity() + input.rest.capacity(), 0);
    }

    #[test]
    fn a_header_of_which_too_much_would_be_kept_is_refused() {
        let open = |more: &str| {
            let mut input = Input::default();
            feed(&mut input, &OPEN.replace(" to='a'", more));
            input.next(&XmlLimits::default(), None).map(|item| item.is_some())
        };
        let prefixes = |count| (0..count).map(|at| format!(" xmlns:p{at}='urn:{at}'"));
        assert_eq!(open(&prefixes(10).collect::<String>()), Ok(true));
        assert_eq!(open(&prefixes(20).collect::<String>()), Err(XmlError::TooLarge));
        let long = (0..10).map(|at| format!(" xmlns:p{at}='urn:{}'", "x".repeat(KEPT / 9)));
        assert_eq!(open(&long.collect::<String>()), Err(XmlError::TooLarge));
    }

    #[test]
    fn a_restart_keeps_what_was_read() {
        let mut input = Input::default();
        feed(&mut input, &format!("{OPEN}<a xmlns='b'/>{OPEN}<c xmlns='d'/>"));
        assert!(matches!(next(&mut input), Some(Item::Header(_))));
        assert!(matches!(next(&mut input), Some(Item::Element(_))));
        assert!(!input.is_blank());
        input.restart();
        assert!(matches!(next(&mut input), Some(Item::Header(_))));
        assert!(matches!(next(&mut input), Some(Item::Element(_))));
        assert!(next(&mut input).is_none() && input.is_blank());
    }

    #[test]
    fn streams_share_equal_headers() {
        let opened = |lang: &str| {
            let mut input = Input::default();
            feed(
                &mut input,
                &OPEN.replace("to='a'", &format!("to='{lang}.example' xml:lang='{lang}'")),
            );
            assert!(matches!(next(&mut input), Some(Item::Header(_))));
            input
        };
        let headers = ["en", "de", "en", "de"].map(|lang| opened(lang).header.unwrap());
        assert!(Arc::ptr_eq(&headers[0], &headers[2]) && Arc::ptr_eq(&headers[1], &headers[3]));
        assert_eq!((headers[0].lang.as_deref(), &headers[0].to), (Some("en"), &None));
        for lang in 'a'..='z' {
            opened(&format!("x-{lang}"));
        }
        assert!(HEADERS.with_borrow(VecDeque::len) <= HEADERS_KEPT);
        // What is no language is not told to others.
        assert_eq!(opened("&lt;").header.unwrap().lang, None);
    }

    #[test]
    fn only_what_waits_is_kept() {
        let mut input = Input::default();
        let mut read = Vec::with_capacity(pool::READ);
        read.extend_from_slice(format!("{OPEN}<message/><mess").as_bytes());
        input.append(&mut read);
        while next(&mut input).is_some() {}
        input.settle();
        assert_eq!(input.len(), 5);
        assert!(input.text.capacity() < 1024);
        feed(&mut input, "age/>");
        assert!(matches!(next(&mut input), Some(Item::Element(_))));
    }
}
