//! `event-core` under another name and behind a re-export.

pub extern crate event_core as core_of_spondee;

mod framework {
    pub mod inner {
        pub use core_of_spondee;
    }
}

use core_of_spondee::{Context, Flow, Message, ModuleState};

/// Keeps.
#[core_of_spondee::module(crate = core_of_spondee, state = Seen)]
pub struct Archive {
    /// For how many days.
    pub days: u32,
}

pub struct Seen;

impl ModuleState<Archive> for Seen {
    async fn start(
        _: &core_of_spondee::HostContext,
        _: &Archive,
    ) -> Result<Self, core_of_spondee::StartError> {
        Ok(Self)
    }
}

/// Something was kept.
#[core_of_spondee::event("archive-kept", kind = "chain", crate = core_of_spondee)]
pub struct Kept;

#[core_of_spondee::hook("message/bare", priority = 1, crate = crate::framework::inner::core_of_spondee)]
fn change(_: &mut Message, _: &Context<Archive>) {}

#[core_of_spondee::hook(Kept, crate = core_of_spondee)]
async fn kept(_: &mut Kept, _: &Context<Archive>) -> Flow {
    Flow::Continue
}

fn main() {}
