//! Last Activity of the server: its uptime (XEP-0012 §5).

use event_core::prelude::*;

const NS: &str = "jabber:iq:last";

/// Answers with the server's uptime in seconds.
#[module(features = ["jabber:iq:last"])]
pub struct Uptime;

#[hook("iq-get/host/jabber:iq:last:query", priority = 10)]
fn answer_uptime(iq: &mut Iq, cx: &Context<Uptime>) -> Reply {
    let seconds = cx.uptime().as_secs().to_string();
    iq.reply_with_element(&ElementBuilder::new("query", NS).attribute("seconds", &seconds).build())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use event_core::testing;

    #[test]
    fn counts_from_the_start_of_the_server() {
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
