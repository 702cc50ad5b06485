//! The listings of docs/how-to.md, and what they promise.

#![allow(clippy::unwrap_used, reason = "tests")]

include!(concat!(env!("OUT_DIR"), "/how_to.rs"));

#[test]
fn who_rang_is_kept_and_answered() {
    testing::run(async {
        let host = testing::host("localhost").bundle(spondee_modules::BUNDLE).module("doorbell");
        let server = host.start().await.unwrap();
        let romeo = server.session("romeo@localhost/orchard").await;
        let last = format!("<iq type='get' id='1' to='localhost'><last xmlns='{NS}'/></iq>");
        romeo.send(&last).await;
        let answer = romeo.next().unwrap();
        let error = answer.child("error", STANZA_NS).unwrap();
        assert_eq!(error.first_child().unwrap().name(), "item-not-found");
        for to in ["nurse@localhost", "nurse@localhost/hall"] {
            let ring = "<attention xmlns='urn:xmpp:attention:0'/>";
            romeo.send(&format!("<message to='{to}'>{ring}</message>")).await;
            assert_eq!(romeo.next().unwrap().attribute("type").unwrap(), "error", "{to}");
        }
        romeo.send(&last).await;
        let answer = romeo.next().unwrap();
        assert_eq!(answer.first_child().unwrap().text(), "romeo@localhost/orchard");
    });
}

#[test]
fn a_client_is_asked_when_it_comes_online() {
    testing::run(async {
        let host = testing::host("localhost").bundle(spondee_modules::BUNDLE).module("doorbell");
        let server = host.start().await.unwrap();
        let romeo = server.session("romeo@localhost/orchard").await;
        romeo.send("<presence/>").await;
        server.settle().await;
        let received = romeo.received();
        let asked =
            received.iter().any(|stanza| stanza.child("query", "jabber:iq:version").is_some());
        assert!(asked, "{received:?}");
    });
}

#[test]
fn each_task_has_a_listing_of_at_most_ten_lines() {
    let page = include_str!("../../docs/how-to.md");
    let tasks: Vec<_> = page.split("\n## ").skip(1).collect();
    for word in ["Keep", "Answer", "Refuse", "Ask", "Log", "Test"] {
        let task = tasks.iter().find(|task| task.starts_with(word)).unwrap();
        let (_, listing) = task.split_once("```rust\n").unwrap();
        let lines = listing.lines().take_while(|line| *line != "```").count();
        assert!((5..=10).contains(&lines), "{word}: {lines} lines");
    }
}
