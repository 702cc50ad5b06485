//! Hooks written by an author's macro.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


macro_rules! looks {
    ($($name:literal, $priority:literal, $handler:ident, $payload:ty, $returns:ty;)*) => {$(
        #[hook($name, priority = $priority)]
        fn $handler(_: $payload, _: &Context<Archive>) -> $returns {
            Flow::Continue
        }
    )*};
}

looks! {
    "message/bare", 10, change_message, &mut Message, Flow;
    "presence/full", -1, deliver_presence, &mut Presence, Flow;
}

macro_rules! by_expression {
    ($name:expr, $priority:expr, $event:path, $payload:ident) => {
        #[hook($name, priority = $priority)]
        fn named(_: &mut $payload) {}

        #[hook($event)]
        async fn typed(_: &$payload, _: &Context<Archive>) {}
    };
}

by_expression!("message/full", 5, events::MessageFull, Message);

macro_rules! whole {
    ($item:item) => {
        #[hook("iq-get/host/urn:xmpp:ping:ping")]
        $item
    };
}

whole! {
    fn answer(iq: &mut Iq) -> Result<Reply, StanzaError> {
        Ok(iq.reply())
    }
}

macro_rules! parts {
    ($vis:vis $name:ident($payload:ident: $type:ty, $cx:ident: $context:ty) $body:block) => {
        #[hook("message/host", priority = 10)]
        $vis async fn $name($payload: $type, $cx: $context) $body
    };
}

parts! {
    pub(crate) all(message: &mut Message, cx: &Context<Archive>) {
        let _ = (message, cx);
    }
}

fn main() {}
