//! External components (XEP-0114), on the component's host.

use crate::{events::declare::payload_events, session::session::Session};

payload_events! {
    const COMPONENT;

    /// An external component has authenticated and now answers for its domain. Nothing can stop
    /// it.
    ComponentAuthenticated {
        /// The component's stream.
        session: Session,
    } = "component-authenticated",
        "#[hook(\"component-authenticated\")]\nfn note(event: &ComponentAuthenticated) {\n    println!(\"{} is up\", event.session.host().name());\n}";

    /// A component that had authenticated is gone. Nothing can stop it.
    ComponentDisconnected {
        /// The component's stream.
        session: Session,
        /// Why, for a person, unless it left by itself.
        error: Option<Box<str>>,
    } = "component-disconnected",
        "#[hook(\"component-disconnected\")]\nfn note(event: &ComponentDisconnected) {\n    println!(\"{:?}\", event.error);\n}";
}
