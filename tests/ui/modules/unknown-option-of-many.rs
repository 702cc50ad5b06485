//! A letter is missing in a key; the module is used throughout.

use event_core::prelude::*;

/// Counts.
#[module(feature = ["jabber:iq:version"], state = Seen)]
pub struct Counter {
    /// From where.
    #[option(default = 5)]
    start: u64,
}
pub struct Seen(std::sync::Mutex<u64>);
impl ModuleState<Counter> for Seen {
    async fn start(_: &HostContext, options: &Counter) -> Result<Self, StartError> {
        Ok(Self(std::sync::Mutex::new(options.start)))
    }
}
#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    *cx.state().0.lock().unwrap() += cx.start;
}
fn main() {}
