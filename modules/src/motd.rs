//! Message of the day, for clients that become available.

use event_core::prelude::*;

/// Sends a headline message to every client that becomes available.
#[module(after = ["presence"])]
pub struct Motd {
    /// The text of the message; an empty text sends no message.
    #[serde(default)]
    text: String,
}

#[hook("presence/initial")]
fn greet(presence: &Presence, cx: &Context<Motd>) {
    let Some(client) = presence.from().filter(|_| !cx.text.is_empty()) else { return };
    let body = ElementBuilder::new("body", STANZA_NS).text(&cx.text).build();
    let message = ElementBuilder::new("message", STANZA_NS)
        .attribute("type", "headline")
        .attribute("to", client.as_str())
        .child(&body);
    cx.send(message.build());
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    #[test]
    fn greets_once_each_time_a_client_becomes_available() {
        testing::run(async {
            let server = testing::host("localhost")
                .module("message")
                .module("presence")
                .module_with("motd", "text = \"Be kind & <polite>\"")
                .start()
                .await
                .unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            for (presence, greetings) in [
                ("<presence/>", 1),
                ("<presence><show>away</show></presence>", 0),
                ("<presence type='unavailable'/>", 0),
                ("<presence/>", 1),
            ] {
                romeo.send(presence).await;
                let received = romeo.received();
                let messages: Vec<_> = received.iter().filter(|e| e.name() == "message").collect();
                assert_eq!(messages.len(), greetings, "{presence}");
                for message in messages {
                    assert_eq!(message.first_child().unwrap().text(), "Be kind & <polite>");
                }
            }
        });
    }
}
