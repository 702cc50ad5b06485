//! Software Version (XEP-0092).

use event_core::{
    prelude::*,
    xmpp_parsers::version::{VersionQuery, VersionResult},
};

/// Says what software runs here.
#[module(features = ["jabber:iq:version"])]
pub struct Version {
    /// Leave the operating system out of the answer.
    #[serde(default)]
    hide_os: bool,
}

#[hook("iq-get/host/jabber:iq:version:query", priority = 10)]
fn answer_version(iq: &mut Iq, cx: &Context<Version>) -> Result<Reply, StanzaError> {
    let VersionQuery = iq.payload()?;
    Ok(iq.reply_with(VersionResult {
        name: "Spondee".into(),
        version: VERSION.into(),
        os: (!cx.hide_os).then(|| std::env::consts::OS.into()),
    }))
}

#[cfg(test)]
mod tests {
    use event_core::{testing, xmpp_parsers::version::VersionResult};

    const QUERY: &str =
        "<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>";

    #[test]
    fn tells_the_version_and_hides_the_system_when_told_to() {
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
