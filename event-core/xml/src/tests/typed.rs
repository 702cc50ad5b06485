//! Conversion to and from payload types of `xmpp_parsers`.

use xmpp_parsers::{
    delay::Delay,
    disco::DiscoInfoQuery,
    iq::Iq,
    message::{Lang, Message, MessageType},
    ping::Ping,
    presence::{Presence, Type},
    stanza_error::StanzaError,
    version::VersionResult,
};

use super::{element, is_indexed};
use crate::{Element, PayloadError};

#[test]
fn a_message_is_converted_both_ways() {
    let xml = "<message from='a@b/c' to='d@e' type='chat' id='1' xml:lang='de'>\
               <body>Hallo &amp; \u{1F600}</body><body xml:lang='en'>Hi</body>\
               <delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/>\
               <x xmlns='urn:x' xmlns:p='urn:p' p:a='1'><y><![CDATA[<>]]></y></x></message>";
    let message: Message = element(xml).parse_as().unwrap();
    assert_eq!(message.type_, MessageType::Chat);
    assert_eq!(message.bodies[&Lang::from("en")], "Hi");
    assert_eq!(message.payloads.len(), 2);
    let back = Element::from_xso(&message).unwrap();
    is_indexed(&back);
    assert_eq!(back.namespace(), "jabber:client");
    assert_eq!(back.attribute("xmlns"), None);
    let again: Message = back.parse_as().unwrap();
    assert_eq!(again, message);
    let delay: Delay = back.child("delay", "urn:xmpp:delay").unwrap().parse_as().unwrap();
    assert!(delay.from.is_none());
}

#[test]
fn presence_and_iq_are_converted_both_ways() {
    let xml = "<presence type='unavailable' to='a@b'><status>away</status></presence>";
    let presence: Presence = element(xml).parse_as().unwrap();
    assert_eq!(presence.type_, Type::Unavailable);
    let again: Presence = Element::from_xso(&presence).unwrap().parse_as().unwrap();
    assert_eq!(again, presence);

    let xml = "<iq type='get' id='1' to='a.b'><query xmlns='http://jabber.org/protocol/disco#info' \
               node='n'/></iq>";
    let iq = element(xml);
    let typed: Iq = iq.parse_as().unwrap();
    let back = Element::from_xso(&typed).unwrap();
    is_indexed(&back);
    let query: DiscoInfoQuery = back.first_child().unwrap().parse_as().unwrap();
    assert_eq!(query.node.as_deref(), Some("n"));
}

/// The `<error/>` child of a stanza is in the content namespace, without an `xmlns`.
#[test]
fn children_in_the_stanza_namespace_are_read() {
    let xml = "<iq type='error' id='1'><error type='cancel'><item-not-found \
               xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    let error: StanzaError =
        element(xml).child("error", "jabber:client").unwrap().parse_as().unwrap();
    let back = Element::from_xso(&error).unwrap();
    is_indexed(&back);
    assert_eq!(back.namespace(), "jabber:client");
    assert!(back.to_string().starts_with("<error type='cancel'>"), "{back}");
}

#[test]
fn mismatch_and_invalid_content_are_distinguished() {
    let iq = element("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
    let ping = iq.first_child().unwrap();
    assert!(ping.parse_as::<Ping>().is_ok());
    assert!(matches!(ping.parse_as::<Delay>(), Err(PayloadError::Mismatch)));
    let delay = element("<delay xmlns='urn:xmpp:delay' stamp='yesterday'/>");
    assert!(matches!(delay.parse_as::<Delay>(), Err(PayloadError::Invalid(_))));
}

#[test]
fn forbidden_characters_in_a_payload_are_replaced() {
    let version = VersionResult { name: "a\0<".into(), version: "1".into(), os: None };
    let element = Element::from_xso(&version).unwrap();
    assert_eq!(element.first_child().unwrap().text(), "a\u{FFFD}<");
}
