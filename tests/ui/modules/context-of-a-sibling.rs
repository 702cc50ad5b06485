//! The context belongs to a module in a sibling Rust module.

mod archive {
    #[event_core::module]
    pub struct Archive;
}

mod archives {
    use event_core::prelude::*;

    #[hook("message/bare")]
    async fn look(_: &Message, _: &Context<super::archive::Archive>) {}
}

fn main() {}
