//! Elements in any order on streams of the harness, one for each line of the input.

use event_core::{
    jid::Jid,
    testing::{Client, Harness},
    xml::{Element, NamespaceScope, XmlLimits},
};

/// The element of a line as the server reads it; `None` if it is not an element.
pub(crate) fn parse(client: &Client, xml: &str) -> Option<Element> {
    let scope = NamespaceScope::new(client.session.kind().namespace());
    Element::parse(xml.as_bytes(), &scope, &XmlLimits::default()).ok()
}

/// Sends an element, and waits until it has been handled.
pub(crate) async fn send(server: &Harness, client: &Client, element: &Element) {
    if let Err(error) = client.turn().receive(element.clone()).await {
        client.session.close(error);
    }
    server.settle().await;
}

/// The domains from which a client has received stanzas.
pub(crate) fn senders(client: &Client) -> Vec<String> {
    let domain = |element: Element| {
        let from = element.attribute("from").expect("a stanza must have a sender");
        Jid::new(&from).expect("the sender must be a JID").domain().as_str().to_owned()
    };
    client.received().into_iter().map(domain).collect()
}

/// The index that a digit of a line names.
pub(crate) fn index(line: &[u8], at: usize, count: usize) -> usize {
    usize::from(line.get(at).map_or(0, |byte| byte.wrapping_sub(b'0'))) % count
}
