//! Makes the hosts of the core from the config: the modules of each host and their options.

use std::{collections::BTreeMap, sync::Arc};

use event_core::{
    Bundle, HostConfig, HostContext, HostSettings, Registry, StartError, nearest, services,
};

use crate::{
    accounts::{AccountStore, HostAccounts},
    config::{
        BareJidText, Config, ConfigError, InvalidConfig, ModuleName, ModuleOptions, Modules, Place,
        in_order,
    },
    s2s::Federation,
};

/// All mistakes of an invalid file, including those of the modules' options.
pub(crate) fn mistakes(invalid: InvalidConfig, registry: &Registry) -> Vec<ConfigError> {
    let InvalidConfig { mut errors, rest } = invalid;
    let rest = rest.and_then(|config| hosts(&config, registry, &mut Vec::new()).err());
    errors.extend(rest.into_iter().flatten());
    in_order(&mut errors);
    errors
}

/// The hosts of a config, after a check of every module and option. Settings that have no effect
/// are added to `warnings`.
///
/// # Errors
///
/// All mistakes, in the order of the lines.
pub(crate) fn hosts(
    config: &Config,
    registry: &Registry,
    warnings: &mut Vec<String>,
) -> Result<Vec<HostConfig>, Vec<ConfigError>> {
    let mut hosts = Vec::new();
    let mut errors = Vec::new();
    for (name, host) in &config.host {
        let (kind, place) = ("host", &host.place);
        let mut checker = Checker { registry, name, kind, place, warnings, errors: &mut errors };
        let defaults = defaults(registry, |bundle| bundle.defaults);
        let modules = checker.modules(&host.modules, &defaults, &host.module);
        let mut settings = settings(&host.admins);
        let mechanisms = host.sasl.as_ref();
        settings.sasl = mechanisms.map(|all| all.iter().map(|one| one.name().into()).collect());
        settings.allow_plaintext = host.allow_plaintext;
        settings.max_resources = Some(config.limits.sessions_per_account);
        settings.authentication_attempts = Some(config.limits.authentication_attempts);
        hosts.push(HostConfig { name: name.clone(), modules, settings });
    }
    for (name, component) in &config.component {
        let (kind, place) = ("component", &component.place);
        let mut checker = Checker { registry, name, kind, place, warnings, errors: &mut errors };
        let mut defaults = defaults(registry, |bundle| bundle.component_defaults);
        if component.secret.is_some() {
            defaults.extend(self::defaults(registry, |b| b.external_component_defaults));
        }
        let modules = checker.modules(&component.modules, &defaults, &component.module);
        let mut settings = settings(&component.admins);
        settings.secret.clone_from(&component.secret);
        hosts.push(HostConfig { name: name.clone(), modules, settings });
    }
    in_order(&mut errors);
    if errors.is_empty() { Ok(hosts) } else { Err(errors) }
}

/// The modules that all bundles list for a kind of host.
fn defaults(
    registry: &Registry,
    of: impl Fn(&Bundle) -> &'static [&'static str],
) -> Vec<&'static str> {
    registry.bundles().iter().flat_map(of).copied().collect()
}

fn settings(admins: &[BareJidText]) -> HostSettings {
    let mut settings = HostSettings::default();
    settings.admins = admins.iter().map(|admin| admin.0.clone()).collect();
    settings
}

/// Provides the server's services to the modules of a host.
pub(crate) fn services(accounts: &AccountStore) -> impl Fn(&HostContext) + use<> {
    let accounts = accounts.clone();
    move |host| HostAccounts::provide(&accounts, host)
}

/// Provides the services of [`services()`], and federation.
pub(crate) fn prepare(
    accounts: &AccountStore,
    federation: &Arc<Federation>,
) -> impl Fn(&HostContext) + use<> {
    let (provide, federation) = (services(accounts), Arc::clone(federation));
    move |host| {
        provide(host);
        host.provide(Arc::new(services::ServerFederation(federation.clone())));
    }
}

/// The error of a module that does not start, with the line of its host.
pub(crate) fn located(error: &StartError, config: &Config) -> String {
    let StartError::Module { host, .. } = error else { return error.to_string() };
    let hosts = config.host.get(&**host).map(|host| &host.place);
    let components = config.component.get(&**host).map(|component| &component.place);
    match hosts.or(components) {
        Some(Some(place)) => format!("{place}: {error}"),
        _ => error.to_string(),
    }
}

struct Checker<'a> {
    registry: &'a Registry,
    name: &'a str,
    kind: &'a str,
    place: &'a Option<Place>,
    warnings: &'a mut Vec<String>,
    errors: &'a mut Vec<ConfigError>,
}

impl Checker<'_> {
    fn modules(
        &mut self,
        modules: &Modules,
        defaults: &[&str],
        options: &BTreeMap<String, ModuleOptions>,
    ) -> Vec<(String, toml::Table)> {
        let linked: Vec<&str> = self.registry.modules().map(|info| info.name).collect();
        let is_known = |name: &str| linked.contains(&name) || defaults.contains(&name);
        let is_right = |module: &ModuleName| match modules {
            // The config may remove a default that this binary does not have.
            Modules::Defaults { remove, .. } if remove.contains(module) => is_known(&module.name),
            _ => linked.contains(&module.name.as_str()),
        };
        for module in modules.mentioned().filter(|module| !is_right(module)) {
            let key = format!("{}.\"{}\".modules", self.kind, self.name);
            let message = unknown(&module.name, &linked);
            self.errors.push(ConfigError::Value { place: module.place.clone(), key, message });
        }
        if let Modules::Defaults { add, remove } = modules {
            let is_default = |name: &str| defaults.contains(&name);
            for module in add.iter().filter(|module| is_default(&module.name)) {
                let (place, name) = (&module.place, &module.name);
                self.warnings
                    .push(format!("{place}: \"+{name}\" changes nothing: the module is a default"));
            }
            let others = |module: &&ModuleName| {
                !is_default(&module.name) && linked.contains(&module.name.as_str())
            };
            for module in remove.iter().filter(others) {
                let (place, name) = (&module.place, &module.name);
                self.warnings.push(format!(
                    "{place}: \"-{name}\" changes nothing: the module is not a default"
                ));
            }
        }
        // A bundle may list modules that the binary does not have.
        let defaults: Vec<&str> =
            defaults.iter().copied().filter(|name| linked.contains(name)).collect();
        let enabled = modules.resolve(&defaults);
        for (name, options) in options {
            let place = options.place();
            if !is_known(name) {
                let key = format!("{}.\"{}\".module.{name}", self.kind, self.name);
                let (place, message) = (place.clone(), unknown(name, &linked));
                self.errors.push(ConfigError::Value { place, key, message });
            } else if !enabled.contains(name) {
                let host = self.name;
                self.warnings.push(format!(
                    "{place}: options of \"{name}\" are not used: the module does not run on {host}"
                ));
            }
        }
        if let Err(error) = self.registry.check_order(enabled.iter().map(String::as_str)) {
            let place =
                self.place.clone().unwrap_or_else(|| ModuleOptions::empty().place().clone());
            let key = format!("{}.\"{}\".modules", self.kind, self.name);
            self.errors.push(ConfigError::Value { place, key, message: error.to_string() });
        }
        let mut ready = Vec::new();
        for name in enabled {
            match self.options(&name, options.get(&name)) {
                Ok(table) => ready.push((name, table)),
                Err(errors) => self.errors.extend(errors),
            }
        }
        ready
    }

    fn options(
        &self,
        module: &str,
        options: Option<&ModuleOptions>,
    ) -> Result<toml::Table, Vec<ConfigError>> {
        let empty = ModuleOptions::empty();
        let options = options.unwrap_or(&empty);
        options.check(|table| match self.registry.check_options(module, table) {
            Err(StartError::Options { source, .. }) => Err(*source),
            // An unknown module has been reported already.
            _ => Ok(()),
        })?;
        Ok(options.table().clone())
    }
}

fn unknown(name: &str, linked: &[&str]) -> String {
    let near = nearest(name, linked.iter().copied());
    match near.first() {
        Some(near) => format!("module \"{name}\" is not in this binary; did you mean \"{near}\"?"),
        None => format!(
            "module \"{name}\" is not in this binary, which has: {}. To add a module, list the \
             bundle of its crate in the binary",
            linked.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The errors, then the warnings. The binary has the module `probe` of the stream tests.
    fn findings(text: &str) -> Vec<String> {
        let config = Config::parse(Path::new("s.toml"), text).unwrap();
        let registry =
            Registry::new(&[Bundle { defaults: &["bind"], ..Bundle::new("spondee") }]).unwrap();
        let mut warnings = Vec::new();
        let errors = hosts(&config, &registry, &mut warnings).err().unwrap_or_default();
        errors.iter().map(ToString::to_string).chain(warnings).collect()
    }

    #[test]
    fn modules_must_be_there() {
        let found = findings("[host.a]\nmodules = [\"+prob\", \"-bind\", \"-nix\"]");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("s.toml:2: host.\"a\".modules: module \"prob\" is not in"));
        assert!(found[0].ends_with("did you mean \"probe\"?"), "{found:?}");
        assert!(found[1].contains("\"nix\""), "{found:?}");
        assert_eq!(findings("[host.a]\nmodules = [\"probe\"]"), [""; 0]);
    }

    #[test]
    fn mistakes_of_the_file_and_of_modules_are_in_the_order_of_the_lines() {
        let text = "[host.a]\nmodules = [\"probe\", \"Nix\"]\nadmins = [\"x\"]\n\
                    [host.a.module.probe]\nnoise = 1\n[limits]\ndepth = 1\n";
        let invalid = Config::parse(Path::new("s.toml"), text);
        let registry = Registry::new(&[Bundle::new("spondee")]).unwrap();
        let errors = mistakes(invalid.unwrap_err(), &registry);
        let lines = errors.iter().map(|error| error.place().unwrap().line);
        assert_eq!(lines.collect::<Vec<_>>(), [2, 3, 5, 7], "{errors:?}");
    }

    #[test]
    fn defaults_come_from_the_bundles() {
        let text = "[host.a]\n[component.b]\n[component.c]\nsecret = \"secret\"";
        let config = Config::parse(Path::new("s.toml"), text).unwrap();
        let bundle = Bundle {
            defaults: &["probe", "not-there"],
            external_component_defaults: &["probe"],
            ..Bundle::new("spondee")
        };
        let registry = Registry::new(&[bundle]).unwrap();
        let made = hosts(&config, &registry, &mut Vec::new()).unwrap();
        let modules = made.iter().map(|host| host.modules.iter().map(|(name, _)| name.as_str()));
        let modules: Vec<Vec<&str>> = modules.map(Iterator::collect).collect();
        assert_eq!(modules, [vec!["probe"], vec![], vec!["probe"]]);
        assert_eq!(made[0].settings.authentication_attempts, Some(5));
    }

    #[test]
    fn options_must_be_right() {
        let host = "[host.a]\nmodules = [\"probe\"]\n[host.a.module.probe]\n";
        let found = findings(&format!("{host}\nnoise = 1"));
        assert!(found[0].starts_with("s.toml:5: unknown key \"noise\""), "{found:?}");
        assert!(found[0].ends_with("did you mean \"noisy\"?"), "{found:?}");
        let found = findings(&format!("{host}noisy = 1"));
        assert!(
            found[0].starts_with("s.toml:4: host.a.module.probe.noisy: expected true or false")
        );
        let found = findings("[host.a]\n[host.a.module.probe]\n[host.a.module.nix]");
        assert!(found[0].contains("\"nix\" is not in this binary"), "{found:?}");
        assert!(found[1].contains("does not run on a"), "{found:?}");
    }
}
