//! The state of an async handler cannot be shared between threads.

use event_core::prelude::*;

/// Counts.
#[module(state = Seen)]
pub struct Counter;
pub struct Seen(std::cell::Cell<u64>);
impl ModuleState<Counter> for Seen {
    async fn start(_: &HostContext, _: &Counter) -> Result<Self, StartError> {
        Ok(Self(Default::default()))
    }
}
#[hook("message/bare")]
async fn count(_: &Message, cx: &Context<Counter>) {
    std::future::ready(()).await;
    cx.state().0.set(1);
}

fn main() {}
