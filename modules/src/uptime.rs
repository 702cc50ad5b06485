//! Last Activity of the server: how long it has been up (XEP-0012 §4).

use std::{sync::Arc, time::SystemTime};

use event_core::prelude::*;

const NS: &str = "jabber:iq:last";

/// Tells how many seconds the host has been up.
#[module(state = Started, features = ["jabber:iq:last"])]
pub struct Uptime;

/// When the host came up.
#[derive(Debug)]
pub struct Started(SystemTime);

impl ModuleState<Uptime> for Started {
    async fn start(host: &Arc<Host>, _: &Uptime) -> Result<Self, StartError> {
        Ok(Self(host.core().now()))
    }
}

#[hook("iq-get/host/jabber:iq:last:query", priority = 10)]
fn answer_uptime(iq: &mut Iq, cx: &Context<Uptime>) -> Reply {
    // A clock that was set back shows no time at all.
    let up = cx.now().duration_since(cx.state().0).unwrap_or_default();
    let seconds = up.as_secs().to_string();
    iq.reply_with_element(&ElementBuilder::new("query", NS).attribute("seconds", &seconds).build())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use event_core::testing;

    #[test]
    fn counts_from_the_start() {
        testing::run(async {
            let server = testing::host("localhost").module("uptime").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            server.advance(Duration::from_secs(90)).await;
            romeo
                .send("<iq type='get' id='u' to='localhost'><query xmlns='jabber:iq:last'/></iq>")
                .await;
            let answer = romeo.next().unwrap();
            let query = answer.first_child().unwrap();
            assert_eq!(query.attribute("seconds").as_deref(), Some("90"));
        });
    }
}
