//! Subscription requests and their answers.

use std::sync::Arc;

use event_core::{prelude::*, storage::Memory, testing};

use super::*;

#[test]
fn a_subscription_from_request_to_end() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;

        romeo.send("<presence type='subscribe' to='juliet@localhost/balcony' id='s'/>").await;
        assert_eq!(
            heard(&romeo),
            ["juliet@localhost none ask", "juliet@localhost unavailable"],
            "the request must only be acknowledged"
        );
        let request = juliet.next().unwrap();
        assert_eq!(
            request.to_string(),
            "<presence type='subscribe' to='juliet@localhost' id='s' from='romeo@localhost'/>"
        );
        assert!(roster(&juliet).await.is_empty(), "a request must not be shown as a contact");

        juliet.send("<presence type='subscribed' to='romeo@localhost'/>").await;
        assert_eq!(heard(&juliet), ["romeo@localhost from"]);
        assert_eq!(
            heard(&romeo),
            [
                "juliet@localhost subscribed",
                "juliet@localhost to",
                "juliet@localhost/balcony available"
            ]
        );

        juliet.send("<presence><show>away</show></presence>").await;
        assert_eq!(seen(&romeo), list([(JULIET, "available")]));
        romeo.send("<presence><show>away</show></presence>").await;
        assert_eq!(seen(&juliet), list([(JULIET, "available")]), "juliet must not see romeo");

        romeo.send("<presence type='unsubscribe' to='juliet@localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            [
                "romeo@localhost/orchard available",
                "juliet@localhost none",
                "juliet@localhost/balcony unavailable"
            ]
        );
        assert_eq!(heard(&juliet), ["romeo@localhost unsubscribe", "romeo@localhost none"]);
    });
}

#[test]
fn a_request_can_be_refused_and_an_agreement_taken_back() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        romeo.send("<presence type='subscribe' to='juliet@localhost'/>").await;
        romeo.received();
        juliet.received();
        juliet.send("<presence type='unsubscribed' to='romeo@localhost'/>").await;
        assert_eq!(heard(&romeo), ["juliet@localhost unsubscribed", "juliet@localhost none"]);
        assert!(heard(&juliet).is_empty());
        assert!(roster(&juliet).await.is_empty());

        befriend(&romeo, &juliet).await;
        assert_eq!(roster(&romeo).await, ["juliet@localhost both"]);
        juliet.send("<presence type='unsubscribed' to='romeo@localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            [
                "juliet@localhost/balcony unavailable",
                "juliet@localhost unsubscribed",
                "juliet@localhost from"
            ]
        );
        assert_eq!(heard(&juliet), ["romeo@localhost to"]);
    });
}

#[test]
fn an_offline_user_gets_the_whole_request_until_it_is_answered() {
    testing::run(async {
        let storage = Arc::new(Memory::new());
        let server = builder().storage(storage.clone()).start().await.unwrap();
        let romeo = online(&server, ROMEO).await;
        let request = "<presence type='subscribe' to='juliet@localhost'><status>hi</status>\
                       <preauth xmlns='urn:xmpp:pars:0' token='t'/></presence>";
        for _ in 0..2 {
            romeo.send(request).await;
        }
        let server = builder().storage(storage).start().await.unwrap();
        for resource in ["a", "b"] {
            let juliet = server.session(&format!("juliet@localhost/{resource}")).await;
            juliet.send("<presence/>").await;
            let received = juliet.received();
            assert_eq!(
                received.len(),
                2,
                "expected its own presence and one request: {received:?}"
            );
            assert!(received[1].child("preauth", "urn:xmpp:pars:0").is_some());
            assert_eq!(received[1].attribute("from").as_deref(), Some("romeo@localhost"));
            juliet.disconnect().await;
        }
        let juliet = online(&server, JULIET).await;
        juliet.send("<presence type='subscribed' to='romeo@localhost'/>").await;
        juliet.disconnect().await;
        let juliet = server.session(JULIET).await;
        juliet.send("<presence/>").await;
        assert_eq!(juliet.received().len(), 1);
        assert_eq!(roster(&juliet).await, ["romeo@localhost from"]);
    });
}

#[test]
fn a_pre_approval_answers_automatically() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        juliet.send("<presence type='subscribed' to='romeo@localhost'/>").await;
        assert_eq!(heard(&juliet), ["romeo@localhost none approved"]);
        assert!(heard(&romeo).is_empty(), "romeo must get no answer before a request");
        romeo.send("<presence type='subscribe' to='juliet@localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            [
                "juliet@localhost none ask",
                "juliet@localhost subscribed",
                "juliet@localhost to",
                "juliet@localhost/balcony available"
            ]
        );
        assert_eq!(heard(&juliet), ["romeo@localhost from approved"]);
        // A repeated request is also answered automatically.
        romeo.send("<presence type='subscribe' to='juliet@localhost'/>").await;
        assert_eq!(heard(&romeo), ["juliet@localhost/balcony available"]);
        assert!(heard(&juliet).is_empty());

        juliet.send("<presence type='unsubscribed' to='romeo@localhost'/>").await;
        assert_eq!(heard(&juliet), ["romeo@localhost none"]);
    });
}

#[test]
fn requests_to_missing_accounts_are_refused() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        romeo.send("<presence type='subscribe' to='nobody@localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            ["nobody@localhost none ask", "nobody@localhost unsubscribed", "nobody@localhost none"]
        );
        romeo.send("<presence type='subscribe' to='localhost'/>").await;
        assert_eq!(
            heard(&romeo),
            ["localhost none ask", "localhost subscribed", "localhost to", "localhost available"]
        );
    });
}

#[test]
fn removing_a_contact_ends_both_subscriptions() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        befriend(&romeo, &juliet).await;
        romeo
            .send(
                "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>\
                 <item jid='juliet@localhost' subscription='remove'/></query></iq>",
            )
            .await;
        let result = romeo.next().unwrap();
        assert_eq!(result.attribute("type").as_deref(), Some("result"));
        assert_eq!(
            heard(&romeo),
            ["juliet@localhost remove", "juliet@localhost/balcony unavailable"]
        );
        assert_eq!(
            heard(&juliet),
            [
                "romeo@localhost/orchard unavailable",
                "romeo@localhost unsubscribed",
                "romeo@localhost from",
                "romeo@localhost unsubscribe",
                "romeo@localhost none"
            ]
        );
    });
}

#[test]
fn a_removed_account_cancels_its_subscriptions() {
    testing::run(async {
        let server = server().await;
        let romeo = online(&server, ROMEO).await;
        let juliet = online(&server, JULIET).await;
        let nurse = online(&server, "nurse@localhost/hall").await;
        befriend(&romeo, &juliet).await;
        // Pending requests to the removed account are refused.
        nurse.send("<presence type='subscribe' to='romeo@localhost'/>").await;
        nurse.received();
        romeo.disconnect().await;
        juliet.received();
        server.fire(UserDeleted { username: "romeo".into() }).await;
        assert_eq!(
            heard(&juliet),
            [
                "romeo@localhost unsubscribed",
                "romeo@localhost from",
                "romeo@localhost unsubscribe",
                "romeo@localhost none"
            ]
        );
        assert_eq!(heard(&nurse), ["romeo@localhost unsubscribed", "romeo@localhost none"]);
    });
}

#[test]
fn a_flood_of_requests_is_limited_for_its_domain_alone() {
    testing::run(async {
        let accounts = FakeAccounts::of(&ACCOUNTS);
        let options = "max_requests = 4\nmax_requests_per_domain = 2";
        let server = testing::host("localhost")
            .module("presence")
            .module_with("roster", options)
            .prepare(accounts.provide())
            .host("evil.example")
            .module("presence")
            .module("roster")
            .start()
            .await
            .unwrap();
        let mut refused = 0;
        for number in 0..10 {
            let evil = online(&server, &format!("e{number}@evil.example/x")).await;
            evil.send("<presence type='subscribe' to='juliet@localhost'/>").await;
            let errors = evil.received().into_iter().filter(|e| {
                let error = e.children().last();
                e.attribute("type").as_deref() == Some("error")
                    && error.unwrap().child("resource-constraint", event_core::NS_STANZAS).is_some()
            });
            refused += errors.count();
        }
        assert_eq!(refused, 8, "senders above the limit must get an error");
        let romeo = online(&server, ROMEO).await;
        romeo.send("<presence type='subscribe' to='juliet@localhost'/>").await;
        assert_eq!(heard(&romeo), ["juliet@localhost none ask", "juliet@localhost unavailable"]);
        let long = format!(
            "<presence type='subscribe' to='nurse@localhost'><status>{}</status></presence>",
            "x".repeat(6000)
        );
        romeo.send(&long).await;
        romeo.next().unwrap();
        assert_eq!(condition(&romeo), "policy-violation");
        let juliet = server.session(JULIET).await;
        juliet.send("<presence/>").await;
        assert_eq!(
            juliet.received().len(),
            1 + 3,
            "expected two requests from evil.example and romeo's"
        );
    });
}

#[test]
fn without_rosters_there_are_no_subscriptions() {
    testing::run(async {
        let server = testing::host("localhost").module("presence").start().await.unwrap();
        let romeo = server.session(ROMEO).await;
        romeo.send("<presence type='subscribe' to='juliet@localhost'/>").await;
        assert_eq!(condition(&romeo), "feature-not-implemented");
        romeo.send("<presence/>").await;
        assert_eq!(seen(&romeo), list([(ROMEO, "available")]));
    });
}

#[test]
fn requests_are_bounded_in_bytes_for_each_domain() {
    testing::run(async {
        let accounts = FakeAccounts::of(&ACCOUNTS);
        let mut builder = testing::host("localhost")
            .module("presence")
            .module_with("roster", "max_requests_bytes = 38_000")
            .prepare(accounts.provide());
        for number in 0..6 {
            builder =
                builder.host(&format!("d{number}.example")).module("presence").module("roster");
        }
        let server = builder.start().await.unwrap();
        let status = "x".repeat(3500);
        for domain in 0..6 {
            for number in 0..4 {
                let evil = online(&server, &format!("e{number}@d{domain}.example/x")).await;
                evil.send(&format!(
                    "<presence type='subscribe' to='juliet@localhost'><status>{status}</status></presence>"
                ))
                .await;
                let refused = evil
                    .received()
                    .iter()
                    .any(|answer| answer.attribute("type").as_deref() == Some("error"));
                assert_eq!(refused, number >= 2 || domain >= 5, "{number}@d{domain}");
            }
        }
        let juliet = server.session(JULIET).await;
        juliet.send("<presence/>").await;
        assert_eq!(juliet.received().len(), 1 + 10);
    });
}
