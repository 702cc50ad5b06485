//! The compiler messages about refused names.

use event_catalogue::{Namespace, resolve};

#[track_caller]
fn says(name: &str, lines: &[&str]) {
    let message = resolve(name, Namespace::Known).err().map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some(lines.join("\n  help: ").as_str()));
}

#[test]
fn a_misspelt_name_gets_suggestions() {
    says("mesage/bare", &["unknown event `mesage/bare`", "did you mean `message/bare`?"]);
    says("MESSAGE/BARE", &["unknown event `MESSAGE/BARE`", "did you mean `message/bare`?"]);
    says(" message//bare ", &["unknown event ` message//bare `", "did you mean `message/bare`?"]);
    says(
        "presence/intial",
        &["unknown event `presence/intial`", "did you mean `presence/initial`?"],
    );
    says(
        "iq-xet/host/jabber:iq:version:query",
        &[
            "unknown event `iq-xet/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/jabber:iq:version:query` or \
             `iq-set/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "stanza/iw/jabber:iq:auth:query",
        &[
            "unknown event `stanza/iw/jabber:iq:auth:query`",
            "did you mean `stanza/iq/jabber:iq:auth:query`?",
        ],
    );
    says("nothing-like-it", &["unknown event `nothing-like-it`"]);
    says("", &["unknown event ``"]);
}

#[test]
fn a_wrong_or_missing_destination_lists_the_valid_ones() {
    says(
        "message/room",
        &["`message/room`: `room` is not a destination; expected `bare`, `full`, `host` or `self`"],
    );
    says(
        "iq/hots",
        &[
            "`iq/hots`: `hots` is not a destination; expected `bare`, `full`, `host` or `self`",
            "did you mean `iq/host`?",
        ],
    );
    says(
        "message",
        &["`message` lacks a destination: expected `message/bare`, `message/full`, \
           `message/host` or `message/self`"],
    );
}

#[test]
fn a_combination_that_does_not_exist_is_explained() {
    says(
        "pre-message/self",
        &[
            "`pre-message/self` does not exist: self-addressed stanzas have no pre-routing event",
            "`message/self` or `pre-message/bare`",
        ],
    );
    says(
        "iq-get/full/jabber:iq:version:query",
        &[
            "`iq-get/full/jabber:iq:version:query` does not exist: an iq to a full address has \
             one event, whatever its payload",
            "`iq/full`, `iq-get/bare/jabber:iq:version:query` or \
             `iq-get/host/jabber:iq:version:query`",
        ],
    );
    says(
        "message/bare/urn:xmpp:receipts:request",
        &[
            "`message/bare/urn:xmpp:receipts:request` does not exist: only iq stanzas have events \
             by element",
            "`message/bare`",
        ],
    );
}

#[test]
fn a_missing_or_malformed_open_part_is_named() {
    says(
        "iq-get/host",
        &["missing the element in `iq-get/host`: expected `iq-get/host/XMLNS:TAG`, for example \
           `iq-get/host/jabber:iq:version:query`"],
    );
    says(
        "iq-get/host/jabber:iq:version",
        &["missing the element name in `iq-get/host/jabber:iq:version`: expected \
           `iq-get/host/jabber:iq:version:TAG`"],
    );
    says(
        "stanza/iq",
        &["missing the element in `stanza/iq`: expected `stanza/iq/XMLNS:TAG`, for example \
           `stanza/iq/urn:ietf:params:xml:ns:xmpp-bind:bind`"],
    );
    says("iq-result/host", &["missing the id in `iq-result/host`: expected `iq-result/host/ID`"]);
    says(
        "iq-get/host/jabber:iq:version!query",
        &[
            "missing the colon before the element name in `iq-get/host/jabber:iq:version!query`: \
             expected `iq-get/host/XMLNS:TAG`, for example `iq-get/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "iq-get/host/jabber:iq:version:query ",
        &[
            "`query ` in `iq-get/host/jabber:iq:version:query ` is not the name of an element: \
             expected `iq-get/host/XMLNS:TAG`, for example `iq-get/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
}

#[test]
fn an_unknown_namespace_close_to_a_known_one_is_refused() {
    const OWN: &str = "if the namespace is your own, say so: `namespace = \"own\"`";
    says(
        "iq/host/jabber:iq:verson:query",
        &[
            "unknown namespace `jabber:iq:verson` in `iq/host/jabber:iq:verson:query`",
            "did you mean `iq/host/jabber:iq:version:query`?",
            OWN,
        ],
    );
    says(
        "iq/host/urn:xmpp:carbons:34:enable",
        &[
            "namespace `urn:xmpp:carbons:34` in `iq/host/urn:xmpp:carbons:34:enable` is known with \
             another version",
            "did you mean `iq/host/urn:xmpp:carbons:1:enable` or \
             `iq/host/urn:xmpp:carbons:2:enable`?",
            OWN,
        ],
    );
    for name in ["iq/host/urn:xmpp:carbons:34:enable", "iq/host/jabber:iq:verson:query"] {
        assert!(resolve(name, Namespace::Own).is_ok());
    }
    for name in ["iq/host/urn:example:mine:query", "iq-result/host/jabber:iq:version:query"] {
        assert!(resolve(name, Namespace::Known).is_ok());
    }
}
