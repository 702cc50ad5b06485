//! The context belongs to a module in another Rust module.

mod archive {
    #[event_core::module]
    pub struct Archive;
}

#[event_core::hook("message/bare")]
fn look(_: &event_core::Message, _: &event_core::Context<archive::Archive>) {}

fn main() {}
