//! Finding the frames of a stream in a growing buffer, without reading any byte twice.
//!
//! It looks only at brackets, quotes and whether end tags fit their start tags: without that, the
//! other side's mistake would make it wait for an end that never comes. All else inside a frame is
//! for [`Element::parse`] and [`StreamHeader::parse`] to check.
//!
//! [`Element::parse`]: crate::Element::parse
//! [`StreamHeader::parse`]: crate::StreamHeader::parse

use crate::{
    error::XmlError,
    limits::Limits,
    read::{chars::is_space, start_tag::tag_end},
};

/// What the buffer begins with, and how many bytes it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// White space between stanzas, or before a header.
    Whitespace(usize),
    /// The XML declaration, if any, and the start tag of the stream.
    Header(usize),
    /// A whole element at the top level of the stream.
    Element(usize),
    /// The end tag of the stream.
    Close(usize),
}

impl Frame {
    /// How many bytes to take from the buffer.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Whitespace(n) | Self::Header(n) | Self::Element(n) | Self::Close(n) => n,
        }
    }
}

/// A scan that goes on where it stopped when more bytes have come.
#[derive(Debug, Clone)]
pub struct Framer {
    state: State,
    /// How many bytes of the buffer have been looked at.
    scanned: usize,
    /// Where the names of the elements begin that are open in the frame at hand.
    open: Vec<u32>,
    /// Where the name of the tag at hand begins.
    name: usize,
    header_read: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Before a frame, or before the stream's start tag.
    Between,
    /// In the XML declaration.
    Declaration,
    /// In character data of an element.
    Content,
    /// At a `<` whose kind is not known yet.
    Markup,
    /// In a start tag, with this quote open.
    Start(Option<u8>),
    End,
    CData,
    /// After the stream's end tag.
    Closed,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// A framer at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Between, scanned: 0, open: Vec::new(), name: 0, header_read: false }
    }

    /// Expects a new stream header, as after TLS or SASL negotiation.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Whether the stream's header was read and nothing of the next frame was looked at.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.header_read && self.scanned == 0 && matches!(self.state, State::Between)
    }

    /// Looks for the end of the frame that the buffer begins with. `None` asks for more bytes,
    /// appended to those the buffer has. The caller takes a frame out of the buffer before it
    /// calls again.
    ///
    /// # Errors
    ///
    /// What cannot become a frame is refused as soon as it is seen, and so is a frame beyond the
    /// limits. The stream cannot be read on then.
    pub fn next(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<Frame>, XmlError> {
        let frame = self.scan(buffer, limits)?;
        let length = match frame {
            None => buffer.len(),
            Some(Frame::Whitespace(_)) => 0,
            Some(Frame::Header(n) | Frame::Element(n) | Frame::Close(n)) => n,
        };
        if length > limits.max_stanza {
            return Err(XmlError::TooLarge);
        }
        if let Some(frame) = frame {
            self.scanned = 0;
            self.open.clear();
            self.state = match frame {
                Frame::Close(_) => State::Closed,
                _ if matches!(self.state, State::Closed) => State::Closed,
                _ => State::Between,
            };
            self.header_read |= !matches!(frame, Frame::Whitespace(_));
        }
        Ok(frame)
    }

    fn scan(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<Frame>, XmlError> {
        loop {
            let rest = buffer.get(self.scanned..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(None);
            }
            match self.state {
                State::Between | State::Closed => {
                    if let Some(frame) = self.between(buffer)? {
                        return Ok(Some(frame));
                    }
                }
                State::Declaration => {
                    // The `?` may have come with the bytes before.
                    let from = self.scanned.saturating_sub(1);
                    let rest = buffer.get(from..).unwrap_or_default();
                    let Some(at) = memchr::memmem::find(rest, b"?>") else {
                        self.scanned = buffer.len();
                        return Ok(None);
                    };
                    self.scanned = from + at + 2;
                    self.state = State::Between;
                }
                State::Content => match memchr::memchr(b'<', rest) {
                    None => self.scanned = buffer.len(),
                    Some(at) => {
                        self.scanned += at;
                        self.state = State::Markup;
                    }
                },
                State::Markup => {
                    if !self.markup(rest, limits)? {
                        return Ok(None);
                    }
                }
                State::Start(ref mut quote) => match tag_end(rest, quote) {
                    None => self.scanned = buffer.len(),
                    Some(at) => {
                        self.scanned += at + 1;
                        let empty = buffer.get(self.scanned.wrapping_sub(2)) == Some(&b'/');
                        if let Some(frame) = self.started(empty)? {
                            return Ok(Some(frame));
                        }
                    }
                },
                State::End => match memchr::memchr(b'>', rest) {
                    None => self.scanned = buffer.len(),
                    Some(at) => {
                        self.scanned += at + 1;
                        if let Some(frame) = self.ended(buffer)? {
                            return Ok(Some(frame));
                        }
                    }
                },
                State::CData => {
                    // Up to two bytes of its end may have come before; the section's own start
                    // holds none of them.
                    let from = self.scanned.saturating_sub(2);
                    let rest = buffer.get(from..).unwrap_or_default();
                    let Some(at) = memchr::memmem::find(rest, b"]]>") else {
                        self.scanned = buffer.len();
                        return Ok(None);
                    };
                    self.scanned = from + at + 3;
                    self.state = State::Content;
                }
            }
        }
    }

    /// At the top level, where only white space and tags may be.
    fn between(&mut self, buffer: &[u8]) -> Result<Option<Frame>, XmlError> {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let spaces = rest.iter().position(|&b| !is_space(b)).unwrap_or(rest.len());
        if spaces != 0 {
            // COMPAT: before a header, too. Clients end the last element of a negotiation with a
            // line feed, and it arrives on the stream that follows.
            self.scanned += spaces;
            return Ok((self.scanned == spaces).then_some(Frame::Whitespace(spaces)));
        }
        match (rest.first(), self.state) {
            (Some(b'<'), State::Between) => self.state = State::Markup,
            _ => return Err(XmlError::NotWellFormed("text outside an element")),
        }
        Ok(None)
    }

    /// Decides what the `<` begins; false when there are too few bytes.
    fn markup(&mut self, rest: &[u8], limits: &Limits) -> Result<bool, XmlError> {
        const CDATA: &[u8] = b"<![CDATA[";
        let Some(second) = rest.get(1) else {
            return Ok(false);
        };
        match second {
            b'?' if !self.header_read && self.scanned == 0 => {
                const DECLARATION: &[u8] = b"<?xml";
                let start = rest.get(..DECLARATION.len()).unwrap_or(rest);
                if !DECLARATION.starts_with(start) {
                    return Err(XmlError::RestrictedXml("processing instruction"));
                }
                let Some(&after) = rest.get(DECLARATION.len()) else {
                    return Ok(false);
                };
                if !is_space(after) {
                    return Err(XmlError::RestrictedXml("processing instruction"));
                }
                self.scanned += DECLARATION.len() + 1;
                self.state = State::Declaration;
            }
            b'?' => return Err(XmlError::RestrictedXml("processing instruction")),
            b'!' => {
                let start = rest.get(..CDATA.len()).unwrap_or(rest);
                if self.open.is_empty() || !CDATA.starts_with(start) {
                    return Err(XmlError::RestrictedXml("comment or declaration"));
                }
                if start.len() < CDATA.len() {
                    return Ok(false);
                }
                self.scanned += CDATA.len();
                self.state = State::CData;
            }
            b'/' if !self.header_read => {
                return Err(XmlError::NotWellFormed("end tag without its start tag"));
            }
            b'/' => {
                self.scanned += 2;
                self.name = self.scanned;
                self.state = State::End;
            }
            _ if self.open.len() >= limits.max_depth => return Err(XmlError::TooDeep),
            _ => {
                self.scanned += 1;
                self.name = self.scanned;
                self.state = State::Start(None);
            }
        }
        Ok(true)
    }

    /// After the `>` of a start tag.
    fn started(&mut self, empty: bool) -> Result<Option<Frame>, XmlError> {
        self.state = State::Content;
        match (self.header_read, empty) {
            (false, false) => return Ok(Some(Frame::Header(self.scanned))),
            (false, true) => return Err(XmlError::InvalidXml("empty stream")),
            (true, false) => self.open.push(u32::try_from(self.name).unwrap_or(u32::MAX)),
            (true, true) if self.open.is_empty() => return Ok(Some(Frame::Element(self.scanned))),
            (true, true) => {}
        }
        Ok(None)
    }

    /// After the `>` of an end tag.
    fn ended(&mut self, buffer: &[u8]) -> Result<Option<Frame>, XmlError> {
        self.state = State::Content;
        let Some(start) = self.open.pop() else { return Ok(Some(Frame::Close(self.scanned))) };
        let end = buffer.get(self.name..self.scanned - 1).unwrap_or_default();
        let start = buffer.get(start as usize..).unwrap_or_default();
        let is_end = |byte: &u8| is_space(*byte) || *byte == b'>';
        let name = start.strip_prefix(end.trim_ascii_end()).and_then(<[u8]>::first);
        if !name.is_some_and(is_end) {
            return Err(XmlError::NotWellFormed("end tag does not fit its start tag"));
        }
        Ok(self.open.is_empty().then_some(Frame::Element(self.scanned)))
    }
}
