//! A hook in a function, in two modules of one file, and after its use.

use event_core::prelude::*;

#[hook("message/bare")]
fn look(message: &Message) {
    helper(message);
}

fn helper(_: &Message) {
    #[hook("message/full")]
    fn inner(_: &Message) {}
}

mod first {
    use event_core::prelude::*;

    /// One.
    #[module]
    pub struct First;

    #[hook("message/bare")]
    fn look(_: &Message, _: &Context<First>) {}
}

mod second {
    use event_core::prelude::*;

    /// Two.
    #[module(after = ["first"])]
    pub struct Second;

    #[hook("message/bare")]
    fn look(_: &Message, _: &Context<Second>) {}
}

fn main() {}
