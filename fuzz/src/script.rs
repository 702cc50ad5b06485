//! Decisions that are read from the bytes of the fuzzer.

/// The bytes that are left. When they are used up, every decision is 0.
pub(crate) struct Script<'a>(pub(crate) &'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(crate) fn choose<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[usize::from(self.byte()) % from.len()]
    }

    /// The next bytes, at most `count`.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A text whose length is the next byte, at most `longest`.
    pub(crate) fn text(&mut self, longest: u8) -> String {
        let length = usize::from(self.byte().min(longest));
        String::from_utf8_lossy(self.take(length)).into_owned()
    }

    /// The bytes up to the next `end`.
    pub(crate) fn until(&mut self, end: u8) -> &'a [u8] {
        let length = self.0.iter().position(|byte| *byte == end).unwrap_or(self.0.len());
        let taken = self.take(length);
        self.take(1);
        taken
    }

    /// Divides `bytes` into pieces. The sizes follow from one byte of the script.
    pub(crate) fn pieces<'b>(&mut self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let mut state = u32::from(self.byte());
        if state == 0 {
            return vec![bytes];
        }
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            // Most pieces are short, some are long.
            let random = (state >> 16) as usize;
            let size = 1 + if random & 7 == 0 { random % 1000 } else { random % 9 };
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}
