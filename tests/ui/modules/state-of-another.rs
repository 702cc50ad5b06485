//! The state belongs to another module.

use event_core::prelude::*;

#[module(state = Seen)]
pub struct Version;

pub struct Other;
pub struct Seen;

impl ModuleState<Other> for Seen {
    async fn start(_: &HostContext, _: &Other) -> Result<Self, StartError> {
        Ok(Self)
    }
}

fn main() {}
