//! The compiler messages about refused names.

use event_catalogue::{NameError, resolve, resolve_unusual, undeclared};

/// Why a crate without declarations refuses the name.
fn refusal(name: &str) -> Option<NameError> {
    match resolve(name) {
        Ok(read) => undeclared(name, &read),
        Err(error) => Some(error),
    }
}

#[track_caller]
fn says(name: &str, lines: &[&str]) {
    let message = refusal(name).map(|error| error.to_string());
    assert_eq!(message.as_deref(), Some(lines.join("\n  help: ").as_str()));
}

/// How a namespace is declared.
fn namespace(own: &str) -> String {
    format!(
        "if the namespace is your own, declare it at the root of the crate: \
         `event_core::module_crate!(namespaces = [\"{own}\"]);`"
    )
}

/// How an element is declared.
fn element(own: &str) -> String {
    format!(
        "if the element is your own, declare it at the root of the crate: \
         `event_core::module_crate!(elements = [\"{own}\"]);`"
    )
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
        "iq-xet/host/jabber:iq:private:query",
        &[
            "unknown event `iq-xet/host/jabber:iq:private:query`",
            "did you mean `iq-get/host/jabber:iq:private:query` or \
             `iq-set/host/jabber:iq:private:query`?",
        ],
    );
    says(
        "stanza/iw/jabber:iq:auth:query",
        &[
            "unknown event `stanza/iw/jabber:iq:auth:query`",
            "did you mean `stanza/iq/jabber:iq:auth:query`?",
        ],
    );
    says("messages/bare", &["unknown event `messages/bare`", "did you mean `message/bare`?"]);
    says(
        "nothing-like-it",
        &[
            "unknown event `nothing-like-it`",
            "an event declared with `#[event(\"nothing-like-it\", …)]` is hooked by its type: \
             `#[hook(NothingLikeIt)]`",
        ],
    );
    says("", &["unknown event ``"]);
}

#[test]
fn a_prefix_that_no_event_has_is_explained() {
    says(
        "post-message/bare",
        &[
            "`post-message/bare` does not exist: the events after routing have no prefix",
            "did you mean `message/bare`?",
        ],
    );
    says(
        "get/host/jabber:iq:version:query",
        &[
            "unknown event `get/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "pre-iq-get/host/jabber:iq:version:query",
        &[
            "`pre-iq-get/host/jabber:iq:version:query` does not exist: pre-routing events are not \
             divided by type or element",
            "did you mean `pre-iq/host`?",
        ],
    );
}

#[test]
fn a_character_that_looks_like_another_is_named() {
    says(
        "m\u{435}ssage/bare",
        &[
            "`m\u{435}ssage/bare` contains U+0435, which looks like `e`",
            "did you mean `message/bare`?",
        ],
    );
    says(
        "message/bare\u{a0}",
        &["`message/bare\u{a0}` contains U+00A0, which is a space", "did you mean `message/bare`?"],
    );
    says(
        "iq-get/host/jabber:iq:\u{200b}version:query",
        &[
            "`iq-get/host/jabber:iq:\u{200b}version:query` contains U+200B, which is invisible",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "iq-get/host/jabber:iq:version:qu\u{435}ry",
        &[
            "`iq-get/host/jabber:iq:version:qu\u{435}ry` contains U+0435, which looks like `e`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
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
        &[
            "`message` lacks a destination",
            "choose `message/bare`, `message/full`, `message/host` or `message/self`",
        ],
    );
    says(
        "iq-get/urn:xmpp:ping:ping",
        &[
            "`iq-get/urn:xmpp:ping:ping` lacks a destination after `iq-get`",
            "did you mean `iq-get/bare/urn:xmpp:ping:ping`, `iq-get/host/urn:xmpp:ping:ping` or \
             `iq-get/self/urn:xmpp:ping:ping`?",
        ],
    );
    says(
        "iq-get/hosts/urn:xmpp:ping:ping",
        &[
            "`iq-get/hosts/urn:xmpp:ping:ping`: `hosts` is not a destination; expected `bare`, \
             `host` or `self`",
            "did you mean `iq-get/host/urn:xmpp:ping:ping`?",
        ],
    );
}

#[test]
fn a_combination_that_does_not_exist_is_explained() {
    says(
        "pre-message/self",
        &[
            "`pre-message/self` does not exist: self-addressed stanzas have no pre-routing event",
            "did you mean `message/self` or `pre-message/bare`?",
        ],
    );
    says(
        "iq-get/full/jabber:iq:version:query",
        &[
            "`iq-get/full/jabber:iq:version:query` does not exist: an iq to a full address has \
             one event, whatever its payload",
            "did you mean `iq/full`, `iq-get/bare/jabber:iq:version:query` or \
             `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "message/bare/urn:xmpp:receipts:request",
        &[
            "`message/bare/urn:xmpp:receipts:request` does not exist: only iq stanzas have events \
             by element",
            "did you mean `message/bare`?",
        ],
    );
    says(
        "message/bare/chat",
        &[
            "`message/bare/chat` does not exist: no event has this last part",
            "did you mean `message/bare` or `message/bare/groupchat`?",
        ],
    );
    says(
        "presence/bare/initial",
        &[
            "`presence/bare/initial` does not exist: no event has this last part",
            "did you mean `presence/initial` or `presence/bare`?",
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
        &[
            "missing the element name in `iq-get/host/jabber:iq:version`: expected \
             `iq-get/host/jabber:iq:version:TAG`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "iq-get/host/ping",
        &[
            "missing the namespace in `iq-get/host/ping`: expected `iq-get/host/XMLNS:TAG`, for \
             example `iq-get/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/urn:xmpp:ping:ping`?",
        ],
    );
    says(
        "stanza/starttls",
        &[
            "missing the namespace in `stanza/starttls`: expected `stanza/XMLNS:TAG`, for example \
             `stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth`",
            "did you mean `stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls`?",
        ],
    );
    says(
        "iq-get/host/XMLNS:TAG",
        &[
            "in `iq-get/host/XMLNS:TAG`, `XMLNS:TAG` stands for the namespace and name of an element, \
           such as `jabber:iq:version:query`",
        ],
    );
    says(
        "iq-result/host/urn:xmpp:ping:ping",
        &["`iq-result/host/urn:xmpp:ping:ping` names an element: answers are hooked by the id of \
           the iq, `iq-result/host/ID`"],
    );
    says(
        "iq-get/host/ping:urn:xmpp:ping",
        &[
            "namespace and element are swapped in `iq-get/host/ping:urn:xmpp:ping`",
            "did you mean `iq-get/host/urn:xmpp:ping:ping`?",
        ],
    );
    says(
        "iq-get/host/query:urn:example:mine:0",
        &[
            "namespace and element are swapped in `iq-get/host/query:urn:example:mine:0`",
            "did you mean `iq-get/host/urn:example:mine:0:query`?",
        ],
    );
    says(
        "iq-get/host/xmlns=jabber:iq:version:query",
        &[
            "`xmlns=` in `iq-get/host/xmlns=jabber:iq:version:query` is not part of the namespace",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "iq-get/host/$ns:query",
        &[
            "namespace in `iq-get/host/$ns:query` contains `$`",
            "nothing is replaced inside of a name: write the namespace itself",
        ],
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
    // A letter that is in the names of XML 1.0's fifth edition only.
    says(
        "iq-get/host/urn:example:x:\u{133}sje",
        &["`\u{133}sje` in `iq-get/host/urn:example:x:\u{133}sje` is not the name of an element: \
           expected `iq-get/host/XMLNS:TAG`, for example `iq-get/host/jabber:iq:version:query`"],
    );
}

#[test]
fn an_unknown_namespace_close_to_a_known_one_is_refused() {
    says(
        "iq/host/jabber:iq:verson:query",
        &[
            "unknown namespace `jabber:iq:verson` in `iq/host/jabber:iq:verson:query`",
            "did you mean `iq/host/jabber:iq:version:query`?",
        ],
    );
    says(
        "iq-get/host/http://jabber.org/protocol/disco#infos:query",
        &[
            "unknown namespace `http://jabber.org/protocol/disco#infos` in \
             `iq-get/host/http://jabber.org/protocol/disco#infos:query`",
            "did you mean `iq-get/host/http://jabber.org/protocol/disco#info:query`?",
        ],
    );
    assert!(resolve("iq/host/jabber:iq:verson:query").is_err());
}

#[test]
fn an_unknown_namespace_has_to_be_declared() {
    says(
        "iq/host/urn:xmpp:carbons:34:enable",
        &[
            "namespace `urn:xmpp:carbons:34` in `iq/host/urn:xmpp:carbons:34:enable` is known with \
             another version",
            "did you mean `iq/host/urn:xmpp:carbons:1:enable` or \
             `iq/host/urn:xmpp:carbons:2:enable`?",
            &namespace("urn:xmpp:carbons:34"),
        ],
    );
    says(
        "iq-get/host/urn:example:mine:query",
        &[
            "unknown namespace `urn:example:mine` in `iq-get/host/urn:example:mine:query`",
            &namespace("urn:example:mine"),
        ],
    );
    says(
        "iq-get/host/jabber.org/protocol/disco#info:query",
        &[
            "unknown namespace `jabber.org/protocol/disco#info` in \
             `iq-get/host/jabber.org/protocol/disco#info:query`",
            "did you mean `iq-get/host/http://jabber.org/protocol/disco#info:query`?",
            &namespace("jabber.org/protocol/disco#info"),
        ],
    );
    says(
        "iq-get/host/jabber:version:query",
        &[
            "unknown namespace `jabber:version` in `iq-get/host/jabber:version:query`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
            &namespace("jabber:version"),
        ],
    );
    says(
        "iq-get/host/urn-xmpp-ping:ping",
        &[
            "unknown namespace `urn-xmpp-ping` in `iq-get/host/urn-xmpp-ping:ping`",
            "did you mean `iq-get/host/urn:xmpp:ping:ping`?",
            &namespace("urn-xmpp-ping"),
        ],
    );
    says(
        "iq-get/host/http://jabber.org/protocol/disco:query",
        &[
            "`http://jabber.org/protocol/disco` in \
             `iq-get/host/http://jabber.org/protocol/disco:query` is a feature: it has no elements",
            "did you mean `iq-get/host/http://jabber.org/protocol/disco#info:query` or \
             `iq-get/host/http://jabber.org/protocol/disco#items:query`?",
        ],
    );
    says(
        "iq-get/host/http:jabber.org/protocol/disco#info",
        &[
            "`jabber.org/protocol/disco#info` in \
             `iq-get/host/http:jabber.org/protocol/disco#info` is not the name of an element: \
             expected `iq-get/host/XMLNS:TAG`, for example `iq-get/host/jabber:iq:version:query`",
            "did you mean `iq-get/host/http://jabber.org/protocol/disco#info:query`?",
        ],
    );
    for name in ["iq/host/urn:example:mine:query", "iq/host/urn:xmpp:carbons:34:enable"] {
        assert!(resolve(name).is_ok_and(|read| read.undeclared.is_some()), "{name}");
    }
}

#[test]
fn an_unknown_element_of_a_known_namespace_has_to_be_declared() {
    says(
        "iq-get/bare/vcard-temp:vcard",
        &[
            "unknown element `vcard` in `iq-get/bare/vcard-temp:vcard`",
            "did you mean `iq-get/bare/vcard-temp:vCard`?",
            &element("vcard-temp:vcard"),
        ],
    );
    says(
        "stanza/urn:ietf:params:xml:ns:xmpp-tls:starttl",
        &[
            "unknown element `starttl` in `stanza/urn:ietf:params:xml:ns:xmpp-tls:starttl`",
            "did you mean `stanza/urn:ietf:params:xml:ns:xmpp-tls:starttls`?",
            &element("urn:ietf:params:xml:ns:xmpp-tls:starttl"),
        ],
    );
    says(
        "iq-set/self/urn:xmpp:blocking:forget",
        &[
            "unknown element `forget` in `iq-set/self/urn:xmpp:blocking:forget`",
            "of this namespace, an iq of type `set` carries `block` or `unblock`",
            &element("urn:xmpp:blocking:forget"),
        ],
    );
    // No element of the namespace is known.
    assert!(refusal("iq-get/host/urn:xmpp:vcard4:vcard").is_none());
}

#[test]
fn an_element_is_hooked_where_it_stands() {
    says(
        "iq-set/self/urn:xmpp:blocking:item",
        &[
            "in `iq-set/self/urn:xmpp:blocking:item`, `item` is a child of another element; no event \
             has its name",
            "of this namespace, an iq of type `set` carries `block` or `unblock`",
        ],
    );
    says(
        "iq-get/bare/urn:xmpp:receipts:request",
        &[
            "in `iq-get/bare/urn:xmpp:receipts:request`, `request` is a child of a message; only iq \
             stanzas have events by element",
            "did you mean `message/bare`?",
        ],
    );
    says(
        "iq-set/host/urn:ietf:params:xml:ns:xmpp-sasl:auth",
        &[
            "in `iq-set/host/urn:ietf:params:xml:ns:xmpp-sasl:auth`, `auth` is an element of the \
             stream",
            "did you mean `stanza/urn:ietf:params:xml:ns:xmpp-sasl:auth`?",
        ],
    );
    says(
        "stanza/urn:xmpp:ping:ping",
        &[
            "in `stanza/urn:xmpp:ping:ping`, `ping` is a child of an iq",
            "did you mean `iq-get/bare/urn:xmpp:ping:ping`, `iq-get/host/urn:xmpp:ping:ping` or \
             `stanza/iq/urn:xmpp:ping:ping`?",
        ],
    );
}

#[test]
fn an_iq_of_a_type_that_no_specification_has_needs_a_reason() {
    let (set, get) = ("iq-set/host/jabber:iq:version:query", "iq-get/host/jabber:iq:version:query");
    says(
        set,
        &[
            "in `iq-set/host/jabber:iq:version:query`, `query` is in no known iq of type `set`, \
             only `get`",
            "did you mean `iq-get/host/jabber:iq:version:query`?",
            "to hook it all the same, say why: `insist = \"…\"`",
        ],
    );
    let other_version = "iq-get/bare/urn:xmpp:delegation:2:delegation";
    says(
        other_version,
        &[
            "in `iq-get/bare/urn:xmpp:delegation:2:delegation`, `delegation` is in no known iq of \
             type `get`, only `set`",
            "did you mean `iq-set/bare/urn:xmpp:delegation:2:delegation` or \
             `iq-get/bare/urn:xmpp:delegation:1:delegation`?",
            "to hook it all the same, say why: `insist = \"…\"`",
        ],
    );
    assert!(resolve_unusual(set).is_ok());
    // Whether it is a mistake of the element or of `insist`, the crate's declarations tell.
    assert!(resolve_unusual("iq-set/host/jabber:iq:version:qurey").is_ok());
    assert!(refusal(get).is_none());
    for needless in [get, "iq/host/jabber:iq:version:query", "message/bare"] {
        assert!(resolve_unusual(needless).is_err(), "{needless}");
    }
    // Seen in both types, or in neither.
    for name in ["iq-set/host/jabber:iq:private:query", "iq-get/host/urn:xmpp:carbons:1:enable"] {
        assert!(refusal(name).is_none(), "{name}");
    }
}
