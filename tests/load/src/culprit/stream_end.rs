//! How a stream ends.

use tokio::io::AsyncReadExt;

use crate::xmpp::{Event, Framer, condition};

/// Reads until the stream ends. Returns the condition of the stream error, or how else it ended.
pub(super) async fn stream_end(
    framer: &mut Framer,
    reading: &mut (impl AsyncReadExt + Unpin),
    mut on_stanza: impl FnMut(&[u8]),
) -> String {
    loop {
        while let Some(event) = framer.next() {
            match event {
                Event::Stanza(s) => match condition(s) {
                    Some(condition) => return condition,
                    None => on_stanza(s),
                },
                Event::Close => return "closed".into(),
                Event::Open => {}
            }
        }
        match reading.read_buf(framer.space()).await {
            Ok(1..) => {}
            Ok(0) => return "cut off".into(),
            Err(e) => return e.kind().to_string(),
        }
    }
}
