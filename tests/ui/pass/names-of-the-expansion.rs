//! Types with names that the expansion uses.

use event_core::{Context as Cx, Flow as Decision, Message as Chat, hook, module};

/// Keeps.
#[module]
pub struct Archive;

pub struct Payload;
pub struct Event;
pub struct Outcome;
pub struct Result;
pub struct Option;
pub struct Box;
pub struct Some;
pub struct None;
pub struct Ok;
pub struct Message;
pub struct Flow;
pub struct Context;
pub struct Installer;
pub struct HookRecord;
pub mod handler {}
pub mod std {}
pub mod core {}
pub mod inventory {}

#[hook("message/bare", priority = 10)]
fn change(payload: &mut Chat, installer: &Cx<Archive>) -> Decision {
    let _ = (payload, installer);
    Decision::Continue
}

#[hook("message/bare")]
async fn look(_: &event_core::Message, _: &event_core::Context<Archive>) {}

fn main() {}
