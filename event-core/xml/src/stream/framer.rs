//! Finds the frames of a stream in a growing buffer, without scanning a byte twice.
//!
//! The framer checks brackets and quotes, and that end tags match their start tags: a mismatch is
//! an error at once, instead of a frame that is never complete. [`Element::parse`] and
//! [`StreamHeader::parse`] make all other checks.
//!
//! [`Element::parse`]: crate::Element::parse
//! [`StreamHeader::parse`]: crate::StreamHeader::parse

use crate::{
    error::XmlError,
    limits::XmlLimits,
    read::{chars::is_space, start_tag::tag_end},
};

/// A frame at the beginning of the buffer, with its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// White space between elements, or before a header (RFC 6120 section 11.7).
    Whitespace(usize),
    /// The XML declaration, if any, and the start tag of the stream.
    Header(usize),
    /// An element at the top level of the stream.
    Element(usize),
    /// The end tag of the stream.
    Close(usize),
}

impl Frame {
    /// The number of bytes to remove from the buffer.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Whitespace(n) | Self::Header(n) | Self::Element(n) | Self::Close(n) => n,
        }
    }
}

/// Finds frames. When more bytes have arrived, the scan continues where it stopped.
#[derive(Debug, Clone)]
pub struct Framer {
    state: State,
    /// The number of bytes scanned.
    scanned: usize,
    /// The positions of the names of the open elements.
    open: Vec<u32>,
    /// The position of the name of the current tag.
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
    /// At a `<`.
    Markup,
    /// In a start tag, with the open quote, if any.
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
    /// Makes a framer for a new stream.
    #[must_use]
    pub fn new() -> Self {
        Self { state: State::Between, scanned: 0, open: Vec::new(), name: 0, header_read: false }
    }

    /// Expects a new stream header, as after TLS or SASL negotiation (RFC 6120 section 4.3.3).
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Whether the header has been read and no byte of the next frame has been scanned.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.header_read && self.scanned == 0 && matches!(self.state, State::Between)
    }

    /// Finds the end of the frame at the start of the buffer. Returns `None` when the frame is
    /// incomplete; the caller then appends more bytes. Before the next call, the caller must remove
    /// a frame that was found from the buffer.
    ///
    /// # Errors
    ///
    /// The scanned bytes cannot become a frame, or the frame exceeds a limit. After an error the
    /// stream cannot be read further.
    pub fn next(&mut self, buffer: &[u8], limits: &XmlLimits) -> Result<Option<Frame>, XmlError> {
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

    fn scan(&mut self, buffer: &[u8], limits: &XmlLimits) -> Result<Option<Frame>, XmlError> {
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
                    // The `?` may be the last byte of the previous scan.
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
                        if let Some(frame) = self.end_start_tag(empty)? {
                            return Ok(Some(frame));
                        }
                    }
                },
                State::End => match memchr::memchr(b'>', rest) {
                    None => self.scanned = buffer.len(),
                    Some(at) => {
                        self.scanned += at + 1;
                        if let Some(frame) = self.end_element(buffer)? {
                            return Ok(Some(frame));
                        }
                    }
                },
                State::CData => {
                    // The previous scan may have seen up to two bytes of `]]>`. If it saw none, its
                    // last two bytes are a part of `<![CDATA[` or of the section's content.
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

    /// Scans the top level, where only white space and tags are allowed.
    fn between(&mut self, buffer: &[u8]) -> Result<Option<Frame>, XmlError> {
        let rest = buffer.get(self.scanned..).unwrap_or_default();
        let spaces = rest.iter().position(|&b| !is_space(b)).unwrap_or(rest.len());
        if spaces != 0 {
            // COMPAT: white space is allowed before a header too. Some clients write a line feed
            // after the last element of a negotiation, and then the next header.
            self.scanned += spaces;
            return Ok((self.scanned == spaces).then_some(Frame::Whitespace(spaces)));
        }
        match (rest.first(), self.state) {
            (Some(b'<'), State::Between) => self.state = State::Markup,
            _ => return Err(XmlError::NotWellFormed("text outside an element")),
        }
        Ok(None)
    }

    /// Determines what the `<` begins. Returns false when too few bytes have arrived.
    fn markup(&mut self, rest: &[u8], limits: &XmlLimits) -> Result<bool, XmlError> {
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

    /// Handles the `>` of a start tag.
    fn end_start_tag(&mut self, empty: bool) -> Result<Option<Frame>, XmlError> {
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

    /// Handles the `>` of an end tag.
    fn end_element(&mut self, buffer: &[u8]) -> Result<Option<Frame>, XmlError> {
        self.state = State::Content;
        let Some(start) = self.open.pop() else { return Ok(Some(Frame::Close(self.scanned))) };
        let end = buffer.get(self.name..self.scanned - 1).unwrap_or_default();
        let start = buffer.get(start as usize..).unwrap_or_default();
        let is_end = |byte: &u8| is_space(*byte) || *byte == b'>';
        let name = start.strip_prefix(end.trim_ascii_end()).and_then(<[u8]>::first);
        if !name.is_some_and(is_end) {
            return Err(XmlError::NotWellFormed("end tag does not match its start tag"));
        }
        Ok(self.open.is_empty().then_some(Frame::Element(self.scanned)))
    }
}
