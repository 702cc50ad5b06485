//! The messages that `chat` sends. Each carries its sequence number as its id.

use std::io::Write;

/// Kinds of messages, sent in rotation.
pub(crate) struct Mix(Vec<Template>);

/// A stanza, split at the places of its sequence number.
struct Template(Vec<String>);

const CHAT: &str = "<message type='chat' to='{to}' id='{seq}' xml:lang='en'>\
    <body>{body}</body><active xmlns='http://jabber.org/protocol/chatstates'/>\
    <request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>\
    <origin-id xmlns='urn:xmpp:sid:0' id='4f1ce0a2-9d1b-4a7e-b6f0-{seq}'/></message>";

const ENCRYPTED: &str = "<message type='chat' to='{to}' id='{seq}'>\
    <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1830277163'>{keys}\
    <iv>dGhlIHZlY3RvciE=</iv></header><payload>{payload}</payload></encrypted>\
    <encryption xmlns='urn:xmpp:eme:0' namespace='eu.siacs.conversations.axolotl' name='OMEMO'/>\
    <body>I sent you an OMEMO encrypted message but your client doesn’t seem to support that.\
    </body><store xmlns='urn:xmpp:hints'/><request xmlns='urn:xmpp:receipts'/>\
    <markable xmlns='urn:xmpp:chat-markers:0'/>\
    <origin-id xmlns='urn:xmpp:sid:0' id='9b7d21f6-03c8-4d5e-8a44-{seq}'/></message>";

const EVENT: &str = "<message type='headline' to='{to}' id='{seq}'>\
    <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:microblog:0'>\
    <item id='tag-{seq}' publisher='juliet@capulet.example'>\
    <entry xmlns='http://www.w3.org/2005/Atom'><title type='text'>On the balcony</title>\
    <author><name>Juliet Capulet</name><uri>xmpp:juliet@capulet.example</uri></author>\
    <id>tag:capulet.example,2026:posts-{seq}</id><published>2026-03-01T18:30:02Z</published>\
    <updated>2026-03-01T18:30:02Z</updated><content type='text'>{body}</content>\
    <link rel='alternate' type='text/html' href='https://capulet.example/?post={seq}&amp;v=1'/>\
    <geoloc xmlns='http://jabber.org/protocol/geoloc' xml:lang='en'><country>Italy</country>\
    <lat>45.44</lat><locality>Verona</locality><lon>10.99</lon><accuracy>20</accuracy></geoloc>\
    </entry></item></items></event>\
    <delay xmlns='urn:xmpp:delay' stamp='2026-03-01T18:30:03Z'/></message>";

const TEXT: &str = "Shall I compare thee to a summer’s day? Thou art more lovely &amp; more \
    temperate: rough winds do shake the darling buds of May, and summer’s lease hath all too short \
    a date; 2 &lt; 3, naïve café, Übergröße, 🌹.";

impl Mix {
    /// Chat messages with only a body of this many bytes.
    pub(crate) fn plain(to: &str, body: usize) -> Self {
        let text = "<message type='chat' to='{to}' id='{seq}'><body>{body}</body></message>";
        Self(vec![Template::new(&text.replace("{body}", &"x".repeat(body)), to)])
    }

    /// Messages as today's clients send them, 0.5 to 2 KiB each.
    pub(crate) fn rich(to: &str) -> Self {
        let keys: String = (0..5)
            .map(|device| format!("<key rid='{}'>{}</key>", 1_101_245_712 + device, base64(176)))
            .collect();
        let texts = [
            CHAT.replace("{body}", TEXT),
            ENCRYPTED.replace("{keys}", &keys).replace("{payload}", &base64(240)),
            EVENT.replace("{body}", TEXT),
        ];
        Self(texts.iter().map(|text| Template::new(text, to)).collect())
    }

    pub(crate) fn write(&self, seq: u64, out: &mut Vec<u8>) {
        let Template(parts) = &self.0[seq as usize % self.0.len()];
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                write!(out, "{seq}").expect("writing to memory failed");
            }
            out.extend_from_slice(part.as_bytes());
        }
    }
}

impl Template {
    fn new(text: &str, to: &str) -> Self {
        Self(text.replace("{to}", to).split("{seq}").map(String::from).collect())
    }
}

/// This many characters of the base64 alphabet.
fn base64(letters: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..letters).map(|i| char::from(ALPHABET[i * 37 % 64])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{Event, Framer, attr, number};

    fn assert_framed(mix: &Mix, seq: u64) -> usize {
        let mut framer = Framer::default();
        mix.write(seq, framer.space());
        let Some(Event::Stanza(stanza)) = framer.next() else {
            panic!("message {seq} is not a stanza")
        };
        assert_eq!(attr(stanza, "id").and_then(number), Some(seq));
        assert_eq!(attr(stanza, "to"), Some(&b"user1@localhost/load"[..]));
        let bytes = stanza.len();
        assert!(framer.next().is_none());
        bytes
    }

    #[test]
    fn every_message_is_one_stanza_with_its_sequence_number() {
        let body = "<body></body>".len() + 100;
        assert!(assert_framed(&Mix::plain("user1@localhost/load", 100), 123) > body);
        let rich = Mix::rich("user1@localhost/load");
        for seq in [0, 1, 2, 1_000_000, 1_000_001, 1_000_002] {
            let bytes = assert_framed(&rich, seq);
            assert!((512..=2048).contains(&bytes), "{seq}: {bytes} bytes");
        }
    }
}
