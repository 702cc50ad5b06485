//! A handler belongs to the nearest enclosing module.

use event_core::prelude::*;

/// Keeps.
#[module]
pub struct Archive;


mod store {
    use super::Archive;
    use event_core::prelude::*;

    #[hook("message/bare")]
    fn look(_: &Message, _: &Context<Archive>) {}

    pub mod deep {
        use event_core::prelude::*;

        #[hook("presence/bare", priority = 1)]
        pub async fn change(_: &mut Presence, cx: &Context<crate::Archive>) -> Flow {
            let _: &crate::Archive = cx;
            Flow::Continue
        }
    }
}

fn main() {}
