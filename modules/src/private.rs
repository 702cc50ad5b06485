//! Private XML Storage (XEP-0049).

use std::collections::BTreeSet;

use event_core::{
    prelude::*,
    storage::{Schema, Store},
    xml::Child,
};

use crate::{lookup, stored};

const NS: &str = "jabber:iq:private";

const SCHEMA: Schema = Schema { store: "private", version: 1, migrations: &[] };

/// The maximum length of a key: an element's name and namespace, in bytes.
const MAX_KEY: usize = 512;

/// Stores XML for clients: one element of each name and namespace for each account. Only the owner
/// can read and write the elements (XEP-0049 §3).
#[module(name = "private", state = Elements, features = ["jabber:iq:private"])]
pub struct PrivateStorage {
    /// The maximum size of one element, in bytes.
    #[option(default = 65_536)]
    max_bytes: usize,
    /// The maximum number of elements of an account.
    #[option(default = 100)]
    max_elements: u32,
}

/// The stored elements. The key of an element is `name namespace`.
#[derive(Debug)]
pub struct Elements(Store);

impl ModuleState<PrivateStorage> for Elements {
    async fn start(host: &HostContext, _: &PrivateStorage) -> Result<Self, StartError> {
        Ok(Self(host.store(&SCHEMA).await?))
    }
}

#[hook("iq-get/bare/jabber:iq:private:query", priority = 10)]
async fn get(iq: &mut Iq, cx: &Context<PrivateStorage>) -> Result<Reply, StanzaError> {
    let owner = lookup::owner(iq)?;
    let requested = requested(iq, cx)?;
    let mut namespaces = requested.iter().map(Child::namespace);
    let first = namespaces.next();
    if namespaces.any(|namespace| Some(namespace) != first) {
        return Err(StanzaError::bad_request()
            .text("all elements of a request must have the same namespace"));
    }
    let mut query = ElementBuilder::new("query", NS);
    for element in requested {
        let stored = stored::get((SCHEMA.store, &cx.state().0), &owner, &key(&element)).await?;
        let empty = || ElementBuilder::new(element.name(), element.namespace()).build();
        query = query.child(&stored.unwrap_or_else(empty));
    }
    Ok(iq.reply_with_element(&query.build()))
}

#[hook("iq-set/bare/jabber:iq:private:query", priority = 10)]
async fn set(iq: &mut Iq, cx: &Context<PrivateStorage>) -> Result<Reply, StanzaError> {
    let owner = lookup::owner(iq)?;
    let store = &cx.state().0;
    let mut known = stored_keys(&owner, cx).await?;
    let mut batch = Vec::new();
    for element in requested(iq, cx)? {
        let key = key(&element);
        let element = element.to_element();
        if element.as_bytes().len() > cx.max_bytes {
            let text = format!("an element may have at most {} bytes", cx.max_bytes);
            return Err(StanzaError::policy_violation().text(text));
        }
        if stored::is_empty(&element) {
            batch.push(store.to_delete(&owner, &key));
            known.remove(&key);
        } else {
            batch.push(store.to_set(&owner, &key, element.as_bytes().to_vec()));
            known.insert(key);
        }
    }
    if known.len() > cx.max_elements as usize {
        let text = format!("an account may have at most {} elements", cx.max_elements);
        return Err(StanzaError::resource_constraint().text(text));
    }
    cx.transact(batch).await?;
    Ok(iq.reply())
}

/// The elements in a request. Each must have its own namespace and must occur once. A request may
/// not have more than an account, because each is read from the database.
fn requested<'a>(iq: &'a Iq, cx: &Context<PrivateStorage>) -> Result<Vec<Child<'a>>, StanzaError> {
    let query = iq.child("query", NS).ok_or_else(StanzaError::bad_request)?;
    let elements: Vec<_> = query.children().collect();
    if elements.len() > cx.max_elements as usize {
        let text = format!("a request may have at most {} elements", cx.max_elements);
        return Err(StanzaError::policy_violation().text(text));
    }
    if elements.is_empty() {
        return Err(StanzaError::not_acceptable().text("the request must contain an element"));
    }
    let mut keys: Vec<_> = elements.iter().map(key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err(StanzaError::bad_request().text("an element occurs twice"));
    }
    if keys.iter().any(|key| key.len() > MAX_KEY) {
        return Err(StanzaError::policy_violation().text("the name of an element is too long"));
    }
    if elements.iter().any(|element| [NS, STANZA_NS, ""].contains(&element.namespace())) {
        return Err(StanzaError::not_acceptable().text("an element must have its own namespace"));
    }
    Ok(elements)
}

fn key(element: &Child<'_>) -> String {
    format!("{} {}", element.name(), element.namespace())
}

/// The keys of an account: at most one more than the limit, which is enough to check the limit.
async fn stored_keys(
    owner: &str,
    cx: &Context<PrivateStorage>,
) -> Result<BTreeSet<String>, StanzaError> {
    let limit = cx.max_elements.saturating_add(1);
    Ok(cx.state().0.keys(owner, None, limit).await?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use event_core::testing::{self, Client, Harness};

    use crate::fakes::refused;

    async fn server(options: &str) -> Harness {
        testing::host("localhost").module_with("private", options).start().await.unwrap()
    }

    fn iq(kind: &str, to: &str, content: &str) -> String {
        let query = format!("<query xmlns='jabber:iq:private'>{content}</query>");
        format!("<iq type='{kind}' id='p' {to}>{query}</iq>")
    }

    async fn set(client: &Client, content: &str) {
        client.send(&iq("set", "", content)).await;
        let answer = client.next().unwrap();
        assert_eq!(answer.attribute("type").as_deref(), Some("result"), "{answer}");
    }

    /// The content of the query in the answer.
    async fn get(client: &Client, content: &str) -> String {
        client.send(&iq("get", "", content)).await;
        let answer = client.next().unwrap();
        assert_eq!(answer.attribute("type").as_deref(), Some("result"), "{answer}");
        String::from_utf8(answer.first_child().unwrap().to_element().inner().to_vec()).unwrap()
    }

    #[test]
    fn returns_the_stored_element_until_it_is_emptied() {
        testing::run(async {
            let server = server("").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let ask = "<storage xmlns='storage:bookmarks'/>";
            assert_eq!(get(&romeo, ask).await, ask, "nothing is stored yet");
            let kept = "<storage xmlns='storage:bookmarks'>\
                        <conference jid='a@b' xml:lang='en'>x &amp; y</conference></storage>";
            set(&romeo, kept).await;
            let tablet = server.session("romeo@localhost/tablet").await;
            assert_eq!(get(&tablet, ask).await, kept);
            let juliet = server.session("juliet@localhost/balcony").await;
            assert_eq!(get(&juliet, ask).await, ask, "juliet must not see the element");
            set(&romeo, ask).await;
            assert_eq!(get(&romeo, ask).await, ask);
        });
    }

    #[test]
    fn stores_several_elements_at_once() {
        testing::run(async {
            let server = server("").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let both = "<a xmlns='urn:x'>1</a><b xmlns='urn:x'>2</b>";
            set(&romeo, &format!("{both}<a xmlns='urn:y'>3</a>")).await;
            assert_eq!(get(&romeo, "<a xmlns='urn:x'/><b xmlns='urn:x'/>").await, both);
            assert_eq!(get(&romeo, "<a xmlns='urn:y'/>").await, "<a xmlns='urn:y'>3</a>");
            // If one element is refused, no element is stored.
            let twice = "<c xmlns='urn:x'>1</c><a xmlns='urn:x'>4</a><a xmlns='urn:x'>5</a>";
            assert_eq!(refused(&romeo, &iq("set", "", twice)).await, "bad-request");
            assert_eq!(get(&romeo, "<c xmlns='urn:x'/>").await, "<c xmlns='urn:x'/>");
        });
    }

    #[test]
    fn refuses_malformed_requests_and_other_accounts() {
        testing::run(async {
            let server = server("").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let good = "<a xmlns='urn:x'>1</a>";
            for (kind, to, content, condition) in [
                ("get", "", "", "not-acceptable"),
                ("set", "", "", "not-acceptable"),
                ("set", "", "text", "not-acceptable"),
                ("set", "", "<a>no namespace of its own</a>", "not-acceptable"),
                ("set", "", "<a xmlns='jabber:client'>x</a>", "not-acceptable"),
                ("get", "", "<a xmlns='urn:x'/><a xmlns='urn:y'/>", "bad-request"),
                ("get", "", "<a xmlns='urn:x'/><a xmlns='urn:x'/>", "bad-request"),
                ("set", "to='juliet@localhost'", good, "forbidden"),
                ("get", "to='juliet@localhost'", good, "forbidden"),
                ("get", "to='nobody@localhost'", good, "forbidden"),
                ("set", "to='localhost'", good, "service-unavailable"),
            ] {
                let request = iq(kind, to, content);
                assert_eq!(refused(&romeo, &request).await, condition, "{request}");
            }
        });
    }

    #[test]
    fn the_storage_of_an_account_is_bounded() {
        testing::run(async {
            let server = server("max_bytes = 40\nmax_elements = 2").await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let long = format!("<a xmlns='urn:x'>{}</a>", "x".repeat(40));
            assert_eq!(refused(&romeo, &iq("set", "", &long)).await, "policy-violation");
            set(&romeo, "<a xmlns='urn:x'>1</a><b xmlns='urn:x'>2</b>").await;
            let third = "<c xmlns='urn:x'>3</c>";
            assert_eq!(refused(&romeo, &iq("set", "", third)).await, "resource-constraint");
            set(&romeo, "<a xmlns='urn:x'>one</a>").await;
            set(&romeo, &format!("<b xmlns='urn:x'/>{third}")).await;
            assert_eq!(get(&romeo, "<c xmlns='urn:x'/>").await, third);
            // A key that is too long for the storage is the sender's error, not the server's.
            let name = "x".repeat(1000);
            let endless = iq("get", "", &format!("<{name} xmlns='urn:x'/>"));
            assert_eq!(refused(&romeo, &endless).await, "policy-violation");
        });
    }
}
