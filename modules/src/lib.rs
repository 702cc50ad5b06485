//! The bundled modules: one file or folder for each feature, named after the feature.

pub mod account;
pub mod bind;
pub mod blocking;
pub mod component;
pub mod disco;
#[cfg(test)]
mod fakes;
mod generation;
mod hex;
pub mod iq;
pub mod last_activity;
mod locks;
mod lookup;
pub mod message;
pub mod motd;
pub mod offline;
pub mod ping;
pub mod presence;
pub mod private;
pub mod register;
pub mod roster;
pub mod s2s;
pub mod saslauth;
pub mod session;
mod stanzas;
pub mod starttls;
mod stored;
pub mod time;
pub mod uptime;
pub mod vcard;
pub mod version;

event_core::module_crate!(
    defaults = [
        "starttls",
        "saslauth",
        "dialback",
        "s2s",
        "bind",
        "session",
        "message",
        "presence",
        "roster",
        "offline",
        "blocking",
        "iq",
        "disco",
        "account",
        "ping",
        "version",
        "time",
        "uptime",
        "last_activity",
        "private",
        "vcard",
        "motd",
    ],
    // Other servers must reach a component. Any other module depends on the component's purpose.
    component_defaults = ["starttls", "saslauth", "dialback", "s2s"],
    external_component_defaults = ["component"],
);

#[cfg(test)]
mod tests {
    use event_core::{EventInfo, Registry, events, is_fired_by_modules};

    use super::BUNDLE;

    #[test]
    fn every_event_of_the_catalogue_that_only_modules_fire_has_a_bundled_module() {
        let registry = Registry::new(&[BUNDLE]).unwrap();
        let fires = |event: &EventInfo| {
            let mut fired = registry.modules().flat_map(|module| module.fires);
            fired.any(|fired| fired.name == event.name)
        };
        for event in events::all() {
            assert_eq!(is_fired_by_modules(event.name), fires(event), "{}", event.name);
        }
    }

    #[test]
    fn every_default_is_a_module_of_this_crate() {
        let registry = Registry::new(&[BUNDLE]).unwrap();
        let lists =
            [BUNDLE.defaults, BUNDLE.component_defaults, BUNDLE.external_component_defaults];
        for name in lists.concat() {
            assert!(registry.modules().any(|module| module.name == name), "{name}");
        }
    }
}
