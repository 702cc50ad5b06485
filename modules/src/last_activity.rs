//! Last Activity of accounts (XEP-0012 §3, §4). Module `uptime` answers for the host.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use event_core::{
    events::AccountDiscoInfo,
    jid::BareJid,
    prelude::*,
    storage::{Schema, StorageResult, Store},
};

use crate::lookup;

const NS: &str = "jabber:iq:last";

const SCHEMA: Schema = Schema { store: "last_activity", version: 1, migrations: &[] };

/// The only key of the store: the last logout of an account.
const KEY: &str = "logout";

/// The maximum length of a stored status text, in bytes.
const MAX_STATUS: usize = 1024;

/// Tells users who may see an account's presence when the account was last available.
#[module(state = Logouts)]
pub struct LastActivity;

/// The time at which each account last became unavailable, and the status text. A stored value is a
/// line with the seconds since 1970, followed by the text.
#[derive(Debug)]
pub struct Logouts(Store);

impl ModuleState<LastActivity> for Logouts {
    async fn start(host: &HostContext, _: &LastActivity) -> Result<Self, StartError> {
        Ok(Self(host.store(&SCHEMA).await?))
    }
}

impl Logouts {
    async fn note(&self, account: &BareJid, at: SystemTime, status: &str) {
        let Some(username) = account.node() else { return };
        let end = status.floor_char_boundary(MAX_STATUS);
        let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let record = format!("{seconds}\n{}", status.get(..end).unwrap_or_default());
        if let Err(error) = self.0.set(username.as_str(), KEY, record.into_bytes()).await {
            tracing::error!(%error, %account, "cannot store the time of a logout");
        }
    }

    async fn last(&self, username: &str) -> StorageResult<Option<(SystemTime, String)>> {
        let Some(record) = self.0.get(username, KEY).await? else { return Ok(None) };
        let record = String::from_utf8_lossy(&record);
        let (seconds, status) = record.split_once('\n').unwrap_or((&record, ""));
        let at = seconds.parse().ok().map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        Ok(at.map(|at| (at, status.to_owned())))
    }
}

/// Stores the status text with which a client becomes unavailable.
#[hook("pre-presence/bare", priority = 10)]
async fn note_unavailable(presence: &mut Presence, cx: &Context<LastActivity>) -> Flow {
    let is_leaving = presence.to().is_none() && presence.type_().as_deref() == Some("unavailable");
    if let Some(session) = presence.origin().session().filter(|_| is_leaving)
        && let Some(account) = session.user().filter(|_| session.presence().is_some())
    {
        let status = presence.child("status", STANZA_NS);
        let status = status.map(|status| status.text().into_owned()).unwrap_or_default();
        cx.state().note(account, cx.now(), &status).await;
    }
    Flow::Continue
}

/// Stores the time at which a client disconnects without unavailable presence. Runs before module
/// `presence` clears the session's presence.
#[hook("resource-unbind", priority = 10)]
async fn note_disconnect(unbind: &ResourceUnbind, cx: &Context<LastActivity>) {
    let session = &unbind.session;
    if let Some(account) = session.user().filter(|_| session.presence().is_some()) {
        cx.state().note(account, cx.now(), "").await;
    }
}

#[hook("iq-get/bare/jabber:iq:last:query", priority = 10)]
async fn answer(iq: &mut Iq, cx: &Context<LastActivity>) -> Result<Reply, StanzaError> {
    if !lookup::may_see(iq, cx.host()).await? {
        return Err(StanzaError::forbidden());
    }
    let account = lookup::account(iq)?;
    let username = account.node().map(|node| node.as_str()).unwrap_or_default();
    let sessions = cx.host().sessions().of(username);
    let is_available = sessions.iter().any(|session| session.presence().is_some());
    let last = if is_available { None } else { cx.state().last(username).await? };
    let (seconds, status) = match last {
        // The result is 0 if the clock was set back.
        Some((at, status)) => (cx.now().duration_since(at).unwrap_or_default().as_secs(), status),
        None if !sessions.is_empty() => (0, String::new()),
        None => return Err(StanzaError::item_not_found().text("the account was never available")),
    };
    let query = ElementBuilder::new("query", NS).attribute("seconds", &seconds.to_string());
    Ok(iq.reply_with_element(&query.text(&status).build()))
}

/// XEP-0012 §4: refuses requests to a client from users who may not see its presence.
#[hook("iq/full", priority = 10)]
async fn guard(iq: &mut Iq, cx: &Context<LastActivity>) -> Result<Flow, StanzaError> {
    let asks = iq.iq_type() == IqType::Get && iq.child("query", NS).is_some();
    if asks && !lookup::may_see(iq, cx.host()).await? {
        return Err(StanzaError::forbidden());
    }
    Ok(Flow::Continue)
}

#[hook("account-disco-info")]
fn announce(event: &mut AccountDiscoInfo) {
    event.info.features.insert(NS.into());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use event_core::testing::{self, Client, Harness};

    use crate::fakes::{FakeRosters, refused};

    /// Juliet may see the presence of Romeo.
    async fn server() -> Harness {
        let server = testing::host("localhost").module("last_activity").module("iq");
        let rosters = FakeRosters(&[("romeo", "juliet@localhost"), ("nobody", "juliet@localhost")]);
        let server = server.module("presence");
        server.prepare(rosters.provide()).start().await.unwrap()
    }

    fn get(to: &str) -> String {
        format!("<iq type='get' id='l' {to}><query xmlns='jabber:iq:last'/></iq>")
    }

    /// The seconds and the text of the answer.
    async fn ask(client: &Client, to: &str) -> (String, String) {
        client.received();
        client.send(&get(to)).await;
        let answer = client.next().unwrap();
        let query = answer.child("query", "jabber:iq:last").unwrap_or_else(|| panic!("{answer}"));
        (query.attribute("seconds").unwrap().into_owned(), query.text().into_owned())
    }

    fn is(answer: (String, String), seconds: &str, text: &str) {
        assert_eq!(answer, (seconds.to_owned(), text.to_owned()));
    }

    #[test]
    fn counts_from_the_last_unavailable_presence() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            let minute = Duration::from_secs(60);
            let to = "to='romeo@localhost'";
            is(ask(&romeo, "").await, "0", "");
            romeo.send("<presence><status>Hello</status></presence>").await;
            server.advance(minute).await;
            is(ask(&juliet, to).await, "0", "");
            let goodbye = "<status>Good &amp; bye</status>";
            romeo.send(&format!("<presence type='unavailable'>{goodbye}</presence>")).await;
            server.advance(minute).await;
            is(ask(&juliet, to).await, "60", "Good & bye");
            is(ask(&romeo, "").await, "60", "Good & bye");
            romeo.disconnect().await;
            server.advance(minute).await;
            is(ask(&juliet, to).await, "120", "Good & bye");
        });
    }

    #[test]
    fn a_lost_connection_counts_without_a_text() {
        testing::run(async {
            let server = server().await;
            let juliet = server.session("juliet@localhost/balcony").await;
            let to = "to='romeo@localhost'";
            for status in ["", "old text"] {
                let romeo = server.session("romeo@localhost/orchard").await;
                romeo.send(&format!("<presence><status>{status}</status></presence>")).await;
                romeo.disconnect().await;
                server.advance(Duration::from_secs(5)).await;
                is(ask(&juliet, to).await, "5", "");
            }
        });
    }

    #[test]
    fn only_users_who_may_see_the_presence_get_an_answer() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            juliet.send("<presence/>").await;
            juliet.received();
            for to in ["juliet@localhost", "juliet@localhost/balcony", "stranger@localhost"] {
                assert_eq!(refused(&romeo, &get(&format!("to='{to}'"))).await, "forbidden", "{to}");
            }
            assert!(juliet.received().is_empty(), "the request must not reach juliet");
            let never = get("to='nobody@localhost'");
            assert_eq!(refused(&juliet, &never).await, "item-not-found");
            juliet.send(&get("to='romeo@localhost/orchard'")).await;
            assert_eq!(romeo.received().len(), 1, "the request must reach romeo");
        });
    }

    #[test]
    fn the_text_is_cut_at_a_length() {
        testing::run(async {
            let server = server().await;
            let romeo = server.session("romeo@localhost/orchard").await;
            romeo.send("<presence/>").await;
            let long = "\u{e9}".repeat(2000);
            let goodbye = format!("<status>x{long}</status>");
            romeo.send(&format!("<presence type='unavailable'>{goodbye}</presence>")).await;
            let (_, text) = ask(&romeo, "").await;
            assert_eq!(text.len(), super::MAX_STATUS - 1);
        });
    }
}
