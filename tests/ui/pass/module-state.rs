//! State with start, reload and stop.

use event_core::prelude::*;

use std::sync::{Arc, Mutex};

/// Counts.
#[module(state = Seen)]
pub struct Counter {
    /// From where.
    #[serde(default)]
    pub start: u64,
}

/// How many.
pub struct Seen(Mutex<u64>);

impl ModuleState<Counter> for Seen {
    async fn start(_: &HostContext, options: &Counter) -> Result<Self, StartError> {
        Ok(Self(Mutex::new(options.start)))
    }

    async fn reload(&self, _: &Counter, new: &Counter) {
        *self.0.lock().unwrap() = new.start;
    }

    async fn stop(&self) {}
}

#[hook("message/bare")]
fn count(_: &Message, cx: &Context<Counter>) {
    *cx.state().0.lock().unwrap() += 1;
}

fn main() {}
