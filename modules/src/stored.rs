//! XML that modules store for clients.

use event_core::{
    prelude::*,
    storage::{StorageResult, Store},
    xml::{NamespaceScope, XmlLimits},
};

/// Parses a stored element. `None` if streams do not accept the element, for example because an
/// older version with other rules stored it: an error is logged, and the caller removes the element
/// where it would be read again.
pub(crate) fn read(store: &str, account: &str, bytes: &[u8]) -> Option<Element> {
    Element::parse(bytes, &NamespaceScope::default(), &XmlLimits::UNBOUNDED)
        .inspect_err(|error| {
            tracing::error!(%error, store, account, "a stored element is not valid and is removed");
        })
        .ok()
}

/// Gets the element with this key. An element that streams do not accept is deleted.
pub(crate) async fn get(
    (name, store): (&str, &Store),
    account: &str,
    key: &str,
) -> StorageResult<Option<Element>> {
    let Some(bytes) = store.get(account, key).await? else { return Ok(None) };
    let element = read(name, account, &bytes);
    if element.is_none() {
        store.delete(account, key).await?;
    }
    Ok(element)
}

/// Whether an element has neither content nor attributes, and so need not be stored.
pub(crate) fn is_empty(element: &Element) -> bool {
    element.inner().is_empty() && element.attributes().next().is_none()
}

#[cfg(test)]
mod tests {
    use event_core::{
        prelude::*,
        storage::{Page, Schema, Store},
        testing::{self, Harness},
    };

    use crate::fakes::{FakeAccounts, condition};

    const fn schema(store: &'static str) -> Schema {
        Schema { store, version: 1, migrations: &[] }
    }

    static PRIVATE: Schema = schema("private");
    static VCARD: Schema = schema("vcard");
    static ROSTER: Schema = schema("roster");
    static OFFLINE: Schema = schema("offline");

    async fn server() -> Harness {
        let accounts = FakeAccounts::of(&["juliet@localhost"]);
        ["roster", "presence", "message", "offline", "private", "vcard"]
            .iter()
            .fold(testing::host("localhost"), |server, module| server.module(module))
            .prepare(accounts.provide())
            .start()
            .await
            .unwrap()
    }

    async fn set(store: &Store, key: &str, value: &str) {
        store.set("juliet", key, value.as_bytes().to_vec()).await.unwrap();
    }

    /// Elements that an older version accepted, with names of XML 1.0's fifth edition and a namespace
    /// with a space. Each would end the stream of its reader, at each login.
    #[test]
    fn what_streams_do_not_accept_is_removed_when_it_is_read() {
        testing::run(async {
            let server = server().await;
            let host = server.context();
            let private = host.store(&PRIVATE).await.unwrap();
            let vcard = host.store(&VCARD).await.unwrap();
            let roster = host.store(&ROSTER).await.unwrap();
            let offline = host.store(&OFFLINE).await.unwrap();
            set(&private, "a urn:x", "<a xmlns='urn:x'><\u{132}/></a>").await;
            set(&vcard, "vcard", "<vCard xmlns='vcard-temp'><FN \u{17F}='1'/></vCard>").await;
            let request = |name: &str, content: &str| {
                format!("<presence from='{name}@a' type='subscribe'>{content}</presence>")
            };
            set(&roster, "evil@a/request", &request("evil", "<x xmlns='urn:a b'/>")).await;
            set(&roster, "romeo@a/request", &request("romeo", "")).await;
            for content in ["<\u{2070} xmlns='urn:x'/>", "<body>Hi</body>"] {
                let message = format!("<message from='romeo@a/b'>{content}</message>");
                offline.append("juliet", message.into_bytes(), None).await.unwrap();
            }
            let juliet = server.session("juliet@localhost/balcony").await;
            juliet.send("<presence/>").await;
            let received = juliet.received();
            let of = |name: &str| received.iter().filter(|e| e.name() == name).collect::<Vec<_>>();
            let requests: Vec<_> =
                of("presence").into_iter().filter(|e| e.attribute("type").is_some()).collect();
            assert!(
                matches!(*requests, [one] if one.attribute("from").as_deref() == Some("romeo@a")),
                "{received:?}"
            );
            assert!(
                matches!(*of("message"), [one] if one.child("body", STANZA_NS).is_some()),
                "{received:?}"
            );
            let get = "<iq type='get' id='p'><query xmlns='jabber:iq:private'><a xmlns='urn:x'/>\
                       </query></iq>";
            juliet.send(get).await;
            let answer = juliet.next().unwrap();
            assert!(answer.to_string().contains("<a xmlns='urn:x'/></query>"), "{answer}");
            juliet.send("<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>").await;
            assert_eq!(condition(&juliet), "item-not-found");
            assert_eq!(private.get("juliet", "a urn:x").await.unwrap(), None);
            assert_eq!(vcard.get("juliet", "vcard").await.unwrap(), None);
            assert_eq!(roster.get("juliet", "evil@a/request").await.unwrap(), None);
            assert!(roster.get("juliet", "romeo@a/request").await.unwrap().is_some());
            assert!(offline.page("juliet", Page::oldest(9)).await.unwrap().is_empty());
        });
    }
}
