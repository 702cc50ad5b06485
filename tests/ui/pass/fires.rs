//! What `fires` takes: events of the catalogue, declared ones with and without a lifetime, an alias.

use event_core::prelude::*;

#[event("signup-done", kind = "notification")]
pub struct Done;

#[event("signup-greeted", kind = "notification")]
pub struct Greeted<'a>(pub &'a str);

type Registered = events::UserRegistered;

#[module(fires = [Done, Greeted, events::MessageOfflineHandle, Registered, crate::later::Later,])]
pub struct Signup;

mod later {
    #[event_core::event("signup-later", kind = "collect")]
    pub struct Later;
}

#[hook("resource-bind")]
async fn greet(_: &ResourceBind, cx: &Context<Signup>) {
    cx.fire(Done).await;
    cx.fire(Greeted("juliet")).await;
}

fn main() {
    let fired: Vec<_> = <Signup as event_core::Module>::INFO.fires.iter().map(|e| e.name).collect();
    let expected =
        ["signup-done", "signup-greeted", "message/offline/handle", "user-registered", "signup-later"];
    assert_eq!(fired, expected);
}
