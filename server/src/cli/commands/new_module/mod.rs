//! `spondee new-module`: makes a crate with a module, its tests, and a binary that runs it.

mod error;
mod template;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use event_core::{Bundle, Registry, declared_events, events};

use self::error::NewModuleError;
use crate::cli::{CrateName, NewModule, output::say};

pub(super) fn make(request: &NewModule, bundles: &[Bundle]) -> Result<(), NewModuleError> {
    let NewModule { name, dir, spondee } = request;
    check_unused(name, &Registry::new(bundles)?)?;
    let spondee = checkout(spondee.as_deref())?;
    let folder = dir.clone().unwrap_or_else(|| name.as_str().into());
    fs::create_dir(&folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => NewModuleError::Exists(folder.clone()),
        _ => NewModuleError::Write { path: folder.clone(), source },
    })?;
    if let Err(error) = write(&folder, name, &spondee) {
        let _ = fs::remove_dir_all(&folder);
        return Err(error);
    }
    say(&format!(
        "made the crate {name} in {folder}; now:\n\n    cd {folder}\n    cargo test\n    \
         cargo run -- user add romeo@localhost\n    cargo run\n\n{tutorial} explains each part\n",
        name = name.as_str(),
        folder = folder.display(),
        tutorial = spondee.join("docs/tutorial.md").display(),
    ));
    Ok(())
}

/// Refuses a name that the new crate's module, event or type would share with another one.
fn check_unused(name: &CrateName, registry: &Registry) -> Result<(), NewModuleError> {
    let (module, event, type_) = (name.snake_case(), template::event(name), name.camel_case());
    let mut all_events = events::all().into_iter().chain(declared_events());
    let taken =
        |what, other| Err(NewModuleError::Taken { name: name.as_str().to_owned(), what, other });
    if registry.modules().any(|info| info.name == module) {
        taken("module", module)
    } else if all_events.any(|info| info.name == event) {
        taken("event", event)
    } else if template::has_word(&type_) {
        taken("type", type_)
    } else {
        Ok(())
    }
}

/// The checkout of Spondee: `given`, or else the one that this binary was built from.
fn checkout(given: Option<&Path>) -> Result<PathBuf, NewModuleError> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = given.unwrap_or(&built_from);
    let is_package = |folder: &&str| path.join(folder).join("Cargo.toml").is_file();
    match path.canonicalize() {
        Ok(checkout) if template::DEPENDENCIES.iter().all(is_package) => Ok(checkout),
        _ => Err(NewModuleError::NoCheckout(path.to_owned())),
    }
}

fn write(folder: &Path, name: &CrateName, spondee: &Path) -> Result<(), NewModuleError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| NewModuleError::Write { path, source }
    };
    for inner in template::FOLDERS {
        let path = folder.join(inner);
        fs::create_dir(&path).map_err(failed(&path))?;
    }
    for (path, text) in template::files(name, spondee)? {
        let path = folder.join(path);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    // The versions of the dependencies that Spondee is tested with.
    let (lock, copy) = (spondee.join("Cargo.lock"), folder.join("Cargo.lock"));
    if lock.is_file() {
        fs::copy(&lock, &copy).map_err(failed(&copy))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, dir: PathBuf) -> NewModule {
        NewModule { name: name.parse().unwrap(), dir: Some(dir), spondee: None }
    }

    #[test]
    fn a_crate_is_made_for_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("karma");
        make(&request("karma", dir.clone()), &[]).unwrap();
        for (file, package, dependency, at) in [
            ("Cargo.toml", "karma", "event-core", "/event-core"),
            ("server/Cargo.toml", "karma-server", "spondee", "/server"),
        ] {
            let manifest: toml::Table =
                fs::read_to_string(dir.join(file)).unwrap().parse().unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some(package));
            let path = manifest["dependencies"][dependency]["path"].as_str().unwrap();
            assert!(Path::new(path).is_absolute() && path.ends_with(at), "{path}");
        }
        let module = fs::read_to_string(dir.join("src/lib.rs")).unwrap();
        assert!(module.contains("pub struct Karma {") && !module.contains("ticky"), "{module}");
        assert!(dir.join("Cargo.lock").is_file());
        let again = make(&request("karma", dir.clone()), &[]).unwrap_err().to_string();
        assert_eq!(again.lines().next(), Some(&*format!("{} exists already", dir.display())));
    }

    #[test]
    fn a_name_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, other) in [
            ("ping", "module `ping`"),
            ("user-password", "event `user-password-changed`"),
            ("context", "type `Context`"),
        ] {
            let dir = folder.path().join(name);
            let error = make(&request(name, dir.clone()), &[spondee_modules::BUNDLE]).unwrap_err();
            assert!(error.to_string().contains(other), "{error}");
            assert!(!dir.exists());
        }
    }

    #[test]
    fn a_folder_without_a_checkout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let spondee = Some(folder.path().join("gone"));
        let request = NewModule { spondee, ..request("karma", folder.path().join("karma")) };
        let error = make(&request, &[]).unwrap_err().to_string();
        assert!(error.contains("gone\n") && error.contains("--spondee"), "{error}");
        assert!(!folder.path().join("karma").exists());
    }
}
