//! XMPP Ping (XEP-0199).

use event_core::{prelude::*, xmpp_parsers::ping};

/// Answers pings to the host, and pings of users to their own accounts.
#[module(features = ["urn:xmpp:ping"])]
pub struct Ping;

#[hook("iq-get/host/urn:xmpp:ping:ping", priority = 10)]
fn answer_host(iq: &mut Iq) -> Result<Reply, StanzaError> {
    let ping::Ping = iq.payload()?;
    Ok(iq.reply())
}

#[hook("iq-get/self/urn:xmpp:ping:ping", priority = 10)]
fn answer_own_account(iq: &mut Iq) -> Result<Reply, StanzaError> {
    let ping::Ping = iq.payload()?;
    Ok(iq.reply())
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    #[test]
    fn answers_host_and_own_account_only() {
        testing::run(async {
            let server = testing::host("localhost").module("ping").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            for (to, kind) in [
                ("to='localhost'", "result"),
                ("", "result"),
                ("to='romeo@localhost'", "result"),
                ("to='juliet@localhost'", "error"),
            ] {
                romeo
                    .send(&format!("<iq type='get' id='1' {to}><ping xmlns='urn:xmpp:ping'/></iq>"))
                    .await;
                let answer = romeo.next().unwrap();
                assert_eq!(answer.attribute("type").as_deref(), Some(kind), "{to}");
            }
        });
    }
}
