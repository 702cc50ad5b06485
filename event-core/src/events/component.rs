//! Events of external components (XEP-0114), on the component's host.

use crate::{events::declare::payload_events, session::session::Session};

payload_events! {
    const COMPONENT;

    /// An external component has authenticated and now receives the stanzas for its domain. No
    /// handler can stop this event.
    ComponentAuthenticated {
        /// The component's stream.
        session: Session,
    } = "component-authenticated",
        "#[hook(\"component-authenticated\")]\nfn note(event: &ComponentAuthenticated) {\n    println!(\"{} is connected\", event.session.host().name());\n}";

    /// The stream of an authenticated component has ended. No handler can stop this event.
    ComponentDisconnected {
        /// The component's stream.
        session: Session,
        /// The human-readable reason; `None` when the component closed the stream.
        error: Option<Box<str>>,
    } = "component-disconnected",
        "#[hook(\"component-disconnected\")]\nfn note(event: &ComponentDisconnected) {\n    println!(\"{:?}\", event.error);\n}";
}
