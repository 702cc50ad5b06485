//! What is checked before a server starts.

use crate::module::{registry::Registry, start_error::StartError};

/// What can be told of a host's modules before one starts.
pub(crate) fn check_modules(
    registry: &Registry,
    host: &str,
    modules: &[(String, toml::Table)],
) -> Result<(), StartError> {
    for (index, (name, options)) in modules.iter().enumerate() {
        let module = registry
            .module(name)
            .ok_or_else(|| StartError::unknown_module(name, format!("host `{host}`"), registry))?;
        if modules.iter().take(index).any(|(other, _)| other == name) {
            return Err(StartError::EnabledTwice { module: name.clone(), host: host.into() });
        }
        module.vtable.check(options).map_err(|source| StartError::Options {
            module: name.as_str().into(),
            place: format!(" on `{host}`"),
            source: Box::new(source),
        })?;
    }
    Ok(())
}
