//! Software Version (XEP-0092).

use std::sync::LazyLock;

use event_core::prelude::*;

const NS: &str = "jabber:iq:version";

/// Answers with the name and version of the server software.
#[module(features = ["jabber:iq:version"])]
pub struct Version {
    /// Whether the answer omits the operating system.
    #[serde(default)]
    hide_os: bool,
}

/// The answers without and with the operating system, built once.
static ANSWERS: LazyLock<[Element; 2]> =
    LazyLock::new(|| [None, Some(std::env::consts::OS)].map(version));

fn version(os: Option<&str>) -> Element {
    let known = [("name", Some("Spondee")), ("version", Some(VERSION)), ("os", os)];
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
    known
        .fold(ElementBuilder::new("query", NS), |query, (name, value)| {
            query.child(&ElementBuilder::new(name, NS).text(value).build())
        })
        .build()
}

#[hook("iq-get/host/jabber:iq:version:query", priority = 10)]
fn answer_version(iq: &mut Iq, cx: &Context<Version>) -> Reply {
    let [without, with] = &*ANSWERS;
    iq.reply_with_element(if cx.hide_os { without } else { with })
}

#[cfg(test)]
mod tests {
    use event_core::{testing, xmpp_parsers::version::VersionResult};

    const QUERY: &str =
        "<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>";

    #[test]
    fn answers_with_the_version_and_can_hide_the_operating_system() {
        testing::run(async {
            for (options, has_os) in [("", true), ("hide_os = true", false)] {
                let server = testing::host("localhost").module_with("version", options);
                let server = server.start().await.unwrap();
                let romeo = server.session("romeo@localhost/orchard").await;
                romeo.send(QUERY).await;
                let answer = romeo.next().unwrap();
                let version: VersionResult = answer.first_child().unwrap().parse_as().unwrap();
                assert_eq!(version.name, "Spondee");
                assert_eq!(version.os.is_some(), has_os);
            }
        });
    }

    #[test]
    fn refuses_a_set() {
        testing::run(async {
            let server = testing::host("localhost").module("version").start().await.unwrap();
            let romeo = server.session("romeo@localhost/orchard").await;
            romeo.send(&QUERY.replace("get", "set")).await;
            let answer = romeo.next().unwrap();
            let error = answer.first_child().unwrap();
            assert_eq!(error.first_child().unwrap().name(), "service-unavailable");
        });
    }
}
