//! Splits a byte stream into stanzas and reads their attributes.

use memchr::{memchr, memchr3, memmem};

/// Splits a byte stream into top-level stanzas.
#[derive(Default)]
pub(crate) struct Framer {
    buf: Vec<u8>,
    /// The start of the stanza being read.
    start: usize,
    /// The position of the scan.
    pos: usize,
    /// The depth of elements below the stream root.
    depth: u32,
}

pub(crate) enum Event<'a> {
    Open,
    Stanza(&'a [u8]),
    Close,
}

impl Framer {
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The buffer for the next read. Drops consumed input.
    pub(crate) fn space(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buf.copy_within(self.start.., 0);
            self.buf.truncate(self.buf.len() - self.start);
            self.pos -= self.start;
            self.start = 0;
        }
        if self.buf.capacity() - self.buf.len() < 1024 {
            self.buf.reserve(4096);
        }
        &mut self.buf
    }

    pub(crate) fn next(&mut self) -> Option<Event<'_>> {
        loop {
            let Some(off) = memchr(b'<', &self.buf[self.pos..]) else {
                self.pos = self.buf.len();
                if self.depth == 0 {
                    self.start = self.pos;
                }
                return None;
            };
            let open = self.pos + off;
            if self.depth == 0 {
                self.start = open;
            }
            let Some(end) = tag_end(&self.buf, open + 1) else {
                self.pos = open;
                return None;
            };
            self.pos = end;
            let tag = &self.buf[open..end];
            match tag[1] {
                b'?' => self.start = end,
                b'/' if self.depth == 0 => {
                    self.start = end;
                    return Some(Event::Close);
                }
                b'/' => self.depth -= 1,
                _ if tag[tag.len() - 2] == b'/' => {}
                _ if self.depth == 0 && tag.starts_with(b"<stream:stream") => {
                    self.start = end;
                    return Some(Event::Open);
                }
                _ => self.depth += 1,
            }
            if self.depth == 0 && tag[1] != b'?' {
                let from = std::mem::replace(&mut self.start, end);
                return Some(Event::Stanza(&self.buf[from..end]));
            }
        }
    }
}

/// The index after the `>` that ends the tag. A `>` in a quoted value is skipped.
fn tag_end(b: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr3(b'>', b'\'', b'"', b.get(at..)?)?;
        match b[at] {
            b'>' => return Some(at + 1),
            q => at += 2 + memchr(q, &b[at + 1..])?,
        }
    }
}

/// The value of an attribute of the stanza's first tag.
pub(crate) fn attr<'a>(stanza: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let tag = &stanza[..tag_end(stanza, 1)?];
    let mut at = 0;
    loop {
        at += memmem::find(&tag[at..], name.as_bytes())?;
        let after = at + name.len();
        let q = *tag.get(after + 1)?;
        if tag[at - 1] == b' ' && tag[after] == b'=' && (q == b'\'' || q == b'"') {
            let v = &tag[after + 2..];
            return Some(&v[..memchr(q, v)?]);
        }
        at = after;
    }
}

pub(crate) fn has(stanza: &[u8], needle: &str) -> bool {
    memmem::find(stanza, needle.as_bytes()).is_some()
}

/// Whether any tag of the stanza has this attribute, in either kind of quotes.
pub(crate) fn says(stanza: &[u8], name: &str, value: &str) -> bool {
    has(stanza, &format!(" {name}='{value}'")) || has(stanza, &format!(" {name}=\"{value}\""))
}

/// The condition of a stream error; `None` for other elements.
pub(crate) fn condition(stanza: &[u8]) -> Option<String> {
    let rest = stanza.strip_prefix(b"<stream:error")?;
    let rest = &rest[memchr(b'<', rest)? + 1..];
    let end = rest.iter().position(|c| b" />".contains(c))?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

/// The decimal number at the start of the bytes.
pub(crate) fn number(b: &[u8]) -> Option<u64> {
    let n = b.iter().take_while(|c| c.is_ascii_digit()).count();
    std::str::from_utf8(&b[..n]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_are_framed_however_the_input_is_cut() {
        let text = "<?xml version='1.0'?><stream:stream id='a>b' xmlns='x'>\n<a/><b x=\"'>\">\
                    <c/>t&gt;<d>u</d></b> <message id='7' to='q'><body>x</body></message>\
                    </stream:stream>";
        for cut in 1..text.len() {
            let mut f = Framer::default();
            let mut got = Vec::new();
            for part in text.as_bytes().chunks(cut) {
                f.space().extend_from_slice(part);
                while let Some(e) = f.next() {
                    got.push(match e {
                        Event::Open => "open".to_string(),
                        Event::Close => "close".to_string(),
                        Event::Stanza(s) => String::from_utf8_lossy(s).into_owned(),
                    });
                }
            }
            assert_eq!(
                got,
                [
                    "open",
                    "<a/>",
                    "<b x=\"'>\"><c/>t&gt;<d>u</d></b>",
                    "<message id='7' to='q'><body>x</body></message>",
                    "close"
                ],
                "cut {cut}"
            );
        }
    }

    #[test]
    fn conditions_of_stream_errors_are_read() {
        let error = b"<stream:error><policy-violation xmlns='x'/><text>t</text></stream:error>";
        assert_eq!(condition(error).as_deref(), Some("policy-violation"));
        assert_eq!(condition(b"<message/>"), None);
    }

    #[test]
    fn attributes_are_read_from_the_first_tag_only() {
        let s = b"<message xid='1' id='42'><x to='no'/></message>";
        assert_eq!(attr(s, "id"), Some(&b"42"[..]));
        assert_eq!(attr(s, "to"), None);
        assert_eq!(number(b"42-a"), Some(42));
    }
}
