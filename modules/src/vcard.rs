//! vCards of accounts, vcard-temp (XEP-0054).

use event_core::{
    events::AccountDiscoInfo,
    prelude::*,
    storage::{Schema, Store},
};

use crate::{lookup, stored};

const SCHEMA: Schema = Schema { store: "vcard", version: 1, migrations: &[] };

/// The only key of the store: the vCard of an account.
const KEY: &str = "vcard";

/// Stores a vCard for each account. Every user can read it.
#[module(name = "vcard", state = Cards, features = ["vcard-temp"])]
pub struct Vcard {
    /// The maximum size of a vCard in bytes, including its picture.
    #[option(default = 262_144)]
    max_bytes: usize,
}

/// The stored vCards.
#[derive(Debug)]
pub struct Cards(Store);

impl ModuleState<Vcard> for Cards {
    async fn start(host: &HostContext, _: &Vcard) -> Result<Self, StartError> {
        Ok(Self(host.store(&SCHEMA).await?))
    }
}

/// XEP-0054 §3.1, §3.3: for other accounts, a missing vCard and a missing account get the same
/// error.
#[hook("iq-get/bare/vcard-temp:vCard", priority = 10)]
async fn get(iq: &mut Iq, cx: &Context<Vcard>) -> Result<Reply, StanzaError> {
    let owner = iq.to().or(iq.from()).and_then(|owner| owner.node());
    let card = match owner {
        Some(owner) => stored::get((SCHEMA.store, &cx.state().0), owner.as_str(), KEY).await?,
        None => None,
    };
    match card {
        Some(card) => Ok(iq.reply_with_element(&card)),
        None if iq.to().is_none() => {
            Err(StanzaError::item_not_found().text("the account has no vCard yet"))
        }
        None => Err(StanzaError::service_unavailable()),
    }
}

/// Stores or deletes the sender's vCard (XEP-0054 §3.2).
#[hook("iq-set/bare/vcard-temp:vCard", priority = 10)]
async fn set(iq: &mut Iq, cx: &Context<Vcard>) -> Result<Reply, StanzaError> {
    let owner = lookup::owner(iq)?;
    let card = iq.element().first_child().ok_or_else(StanzaError::bad_request)?.to_element();
    let store = &cx.state().0;
    if card.as_bytes().len() > cx.max_bytes {
        let text = format!("a vCard may have at most {} bytes", cx.max_bytes);
        return Err(StanzaError::policy_violation().text(text));
    }
    if stored::is_empty(&card) {
        store.delete(&owner, KEY).await?;
    } else {
        store.set(&owner, KEY, card.as_bytes().to_vec()).await?;
    }
    Ok(iq.reply())
}

#[hook("account-disco-info")]
fn announce(event: &mut AccountDiscoInfo) {
    event.info.features.insert("vcard-temp".into());
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    use crate::fakes::refused;

    const CARD: &str = "<vCard xmlns='vcard-temp' version='3.0'><FN>Romeo &amp; co</FN>\
                        <N><FAMILY>Montague</FAMILY><MIDDLE/></N></vCard>";

    fn iq(kind: &str, to: &str, card: &str) -> String {
        format!("<iq type='{kind}' id='v' {to}>{card}</iq>")
    }

    #[test]
    fn every_user_sees_the_card_that_its_owner_set() {
        testing::run(async {
            let server = testing::host("localhost").module("vcard").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let get = iq("get", "", "<vCard xmlns='vcard-temp'/>");
            assert_eq!(refused(&romeo, &get).await, "item-not-found");
            romeo.send(&iq("set", "", CARD)).await;
            assert_eq!(romeo.next().unwrap().attribute("type").as_deref(), Some("result"));
            let juliet = server.session("juliet@localhost/balcony").await;
            let theirs = iq("get", "to='romeo@localhost'", "<vCard xmlns='vcard-temp'/>");
            for (client, get) in [(&romeo, &get), (&juliet, &theirs)] {
                client.send(get).await;
                let answer = client.next().unwrap();
                assert_eq!(answer.attribute("from").as_deref(), Some("romeo@localhost"));
                assert_eq!(answer.first_child().unwrap().to_element().to_string(), CARD);
            }
            romeo.send(&iq("set", "", "<vCard xmlns='vcard-temp'/>")).await;
            romeo.next().unwrap();
            assert_eq!(refused(&romeo, &get).await, "item-not-found", "the vCard must be deleted");
        });
    }

    #[test]
    fn cards_of_others_cannot_be_set_and_missing_ones_look_the_same() {
        testing::run(async {
            let server = testing::host("localhost").module_with("vcard", "max_bytes = 200");
            let server = server.start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let empty = "<vCard xmlns='vcard-temp'/>";
            let long = CARD.replace("Montague", &"x".repeat(200));
            for (kind, to, card, condition) in [
                ("get", "to='juliet@localhost'", empty, "service-unavailable"),
                ("get", "to='nobody@localhost'", empty, "service-unavailable"),
                ("get", "to='localhost'", empty, "service-unavailable"),
                ("set", "to='localhost'", CARD, "service-unavailable"),
                ("set", "to='juliet@localhost'", CARD, "forbidden"),
                ("set", "to='nobody@localhost'", CARD, "forbidden"),
                ("set", "", &long, "policy-violation"),
                ("set", "", "<VCARD xmlns='vcard-temp'/>", "service-unavailable"),
            ] {
                let request = iq(kind, to, card);
                assert_eq!(refused(&romeo, &request).await, condition, "{request}");
            }
        });
    }
}
