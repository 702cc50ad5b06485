//! Entity Time (XEP-0202).

use chrono::{DateTime, FixedOffset, Utc};
use event_core::{
    prelude::*,
    xmpp_parsers::time::{TimeQuery, TimeResult},
};

/// Answers requests to the host and to the sender's own account with the server's time in UTC.
#[module(features = ["urn:xmpp:time"])]
pub struct Time;

#[hook("iq-get/host/urn:xmpp:time:time", priority = 10)]
#[hook("iq-get/self/urn:xmpp:time:time", priority = 10)]
fn answer_time(iq: &mut Iq, cx: &Context<Time>) -> Result<Reply, StanzaError> {
    let TimeQuery = iq.payload()?;
    let utc = DateTime::<Utc>::from(cx.now());
    let tz_offset = FixedOffset::east_opt(0).ok_or_else(StanzaError::internal_server_error)?;
    Ok(iq.reply_with(TimeResult { tz_offset, utc }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use event_core::{testing, xmpp_parsers::time::TimeResult};

    #[test]
    fn follows_the_clock() {
        testing::run(async {
            let server = testing::host("localhost").module("time").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let mut times = Vec::new();
            for to in ["to='localhost'", ""] {
                let time = "<time xmlns='urn:xmpp:time'/>";
                romeo.send(&format!("<iq type='get' id='t' {to}>{time}</iq>")).await;
                let answer = romeo.next().unwrap();
                let time: TimeResult = answer.first_child().unwrap().parse_as().unwrap();
                times.push(time.utc);
                server.advance(Duration::from_secs(3600)).await;
            }
            let [before, after] = times[..] else { panic!("expected two answers") };
            assert_eq!((after - before).num_minutes(), 60);
            let wire = {
                romeo.send("<iq type='get' id='t'><time xmlns='urn:xmpp:time'/></iq>").await;
                romeo.next().unwrap().to_string()
            };
            assert!(wire.contains("<tzo>+00:00</tzo>") && wire.contains("Z</utc>"), "{wire}");
            let other =
                "<iq type='get' id='t' to='juliet@localhost'><time xmlns='urn:xmpp:time'/></iq>";
            assert_eq!(crate::fakes::refused(&romeo, other).await, "service-unavailable");
        });
    }
}
