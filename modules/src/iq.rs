//! Delivery of iq stanzas to clients (RFC 6121 §8.5.3.1). An iq to an account or the host is
//! answered by the module that handles its payload.

use event_core::{jid::Jid, prelude::*};

/// Delivers iq stanzas to the addressed client.
#[module(name = "iq")]
#[derive(Debug)]
pub struct IqDelivery;

#[hook("iq/full", priority = -1)]
fn deliver(iq: &mut Iq, cx: &Context<IqDelivery>) -> Result<Flow, StanzaError> {
    let session = match iq.to().map(Jid::try_as_full) {
        Some(Ok(full)) => cx.host().sessions().find(full),
        _ => None,
    };
    let is_delivered = session.is_some_and(|session| session.send(iq.element()));
    // RFC 6121 §8.5.3.2.3: undeliverable requests are refused, undeliverable answers dropped.
    if is_delivered || !iq.iq_type().is_request() {
        return Ok(Flow::Handled);
    }
    Err(StanzaError::service_unavailable())
}

#[cfg(test)]
mod tests {
    use event_core::testing;

    use crate::fakes::condition;

    #[test]
    fn delivers_refuses_and_drops() {
        testing::run(async {
            let server = testing::host("localhost").module("iq").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            let request =
                "<iq type='get' id='1' to='juliet@localhost/balcony'><x xmlns='urn:x'/></iq>";
            romeo.send(request).await;
            let received = juliet.next().unwrap();
            assert_eq!(received.attribute("from").as_deref(), Some("romeo@localhost/orchard"));

            juliet.send("<iq type='result' id='1' to='romeo@localhost/orchard'/>").await;
            assert_eq!(romeo.next().unwrap().attribute("type").as_deref(), Some("result"));

            romeo.send(&request.replace("balcony", "street")).await;
            let refused = romeo.next().unwrap();
            assert_eq!(refused.attribute("type").as_deref(), Some("error"));
            assert_eq!(refused.attribute("from").as_deref(), Some("juliet@localhost/street"));

            romeo.send("<iq type='result' id='2' to='juliet@localhost/street'/>").await;
            assert!(romeo.next().is_none());
        });
    }

    /// RFC 6121 §8.5.1, §8.5.2.1.3, §8.5.3.2.3: clients do not answer for the account.
    #[test]
    fn unhandled_requests_are_refused_and_answers_dropped() {
        testing::run(async {
            let server = testing::host("localhost").module("iq").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            for to in [
                "to='juliet@localhost'",
                "to='juliet@localhost/street'",
                "to='nobody@localhost'",
                "to='nobody@localhost/x'",
                "to='localhost'",
                "to='localhost/x'",
                "to='romeo@localhost'",
                "",
            ] {
                for kind in ["get", "set"] {
                    romeo
                        .send(&format!("<iq type='{kind}' id='1' {to}><x xmlns='urn:x'/></iq>"))
                        .await;
                    assert_eq!(condition(&romeo), "service-unavailable", "{kind} {to}");
                }
                for kind in ["result", "error"] {
                    romeo
                        .send(&format!("<iq type='{kind}' id='1' {to}><x xmlns='urn:x'/></iq>"))
                        .await;
                    assert!(romeo.next().is_none(), "{kind} {to}");
                }
            }
            assert!(juliet.next().is_none());
            // A client may send requests to the user's other clients and to itself.
            for kind in ["get", "set", "result", "error"] {
                let to = "to='romeo@localhost/orchard'";
                romeo.send(&format!("<iq type='{kind}' id='1' {to}><x xmlns='urn:x'/></iq>")).await;
                assert_eq!(romeo.next().unwrap().attribute("type").as_deref(), Some(kind));
            }
        });
    }

    #[test]
    fn requests_to_a_client_that_does_not_read_are_refused() {
        testing::run(async {
            let server = testing::host("localhost").module("iq").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            let juliet = server.session("juliet@localhost/balcony").await;
            juliet.stream.set_capacity(0);
            let request =
                "<iq type='get' id='1' to='juliet@localhost/balcony'><x xmlns='urn:x'/></iq>";
            romeo.send(request).await;
            assert_eq!(condition(&romeo), "service-unavailable");
        });
    }
}
