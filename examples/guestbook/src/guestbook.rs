//! Lists the greeted clients.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use event_core::{jid::BareJid, prelude::*};

use crate::welcome::Greeted;

const NS: &str = "urn:example:guestbook:0";

/// Keeps a list of the clients greeted since the server started.
#[module(state = Guests, features = ["urn:example:guestbook:0"])]
#[derive(Debug)]
pub struct Guestbook;

/// The greeted clients.
#[derive(Debug, Default)]
pub struct Guests(Mutex<BTreeSet<BareJid>>);

impl ModuleState<Guestbook> for Guests {
    async fn start(_: &HostContext, _: &Guestbook) -> Result<Self, StartError> {
        Ok(Self::default())
    }
}

#[hook(Greeted)]
fn sign(greeted: &Greeted<'_>, cx: &Context<Guestbook>) {
    let mut guests = cx.state().0.lock().unwrap_or_else(PoisonError::into_inner);
    guests.insert(greeted.guest.to_bare());
}

#[hook("iq-get/host/urn:example:guestbook:0:query", priority = 10)]
fn list(iq: &mut Iq, cx: &Context<Guestbook>) -> Reply {
    let guests = cx.state().0.lock().unwrap_or_else(PoisonError::into_inner);
    let guests: Vec<_> = guests
        .iter()
        .map(|guest| ElementBuilder::new("guest", NS).attribute("jid", guest.as_str()).build())
        .collect();
    iq.reply_with_element(&ElementBuilder::new("query", NS).children(&guests).build())
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    #[test]
    fn a_client_that_comes_online_is_greeted_and_listed() {
        testing::run(async {
            // This crate does not link the bundled modules, so no module delivers messages.
            let server = testing::host("example.org").module("guestbook").start().await.unwrap();
            let juliet = "juliet@example.org/balcony".parse().unwrap();
            server.fire(crate::welcome::Greeted { guest: &juliet }).await;
            let romeo = server.session("romeo@example.org/orchard").await;
            romeo
                .send("<iq type='get' id='g' to='example.org'><query xmlns='urn:example:guestbook:0'/></iq>")
                .await;
            let answer = romeo.next().unwrap();
            let guests = answer.first_child().unwrap();
            let guest = guests.first_child().unwrap();
            assert_eq!(guest.attribute("jid").as_deref(), Some("juliet@example.org"));
        });
    }
}
