//! What is fired on a host is not an event.

use event_core::prelude::*;

pub struct Joined;

pub async fn fire(host: &HostContext) {
    host.fire(Joined).await;
}

fn main() {}
