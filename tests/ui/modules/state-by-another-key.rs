//! The state is given with a key that does not exist.

use event_core::prelude::*;

/// Counts.
#[module(keeps = Seen)]
pub struct Counter;
pub struct Seen(u64);
impl ModuleState<Counter> for Seen {
    async fn start(_: &HostContext, _: &Counter) -> Result<Self, StartError> {
        Ok(Self(0))
    }
}
#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    println!("{}", cx.state().0);
}

fn main() {}
