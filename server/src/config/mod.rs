//! The config: every table is optional, and every mistake in the file is reported with its line.
//!
//! Without `--config` the file `spondee.toml` of the working directory is read if it exists;
//! otherwise the defaults apply: host `localhost`, client ports 5222 and 5223, data in `data`.
//! Paths in a file are relative to the folder of that file.

mod database;
mod error;
mod host;
mod limits;
mod listen;
mod load;
mod log;
mod mistakes;
mod modules;
mod options;
pub(crate) mod reference;
mod root;
mod s2s;
mod source;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod value;
mod words;

pub(crate) use error::in_order;

pub use database::{DatabaseUrl, Storage};
pub use error::{ConfigError, Place};
pub use host::{BareJidText, ComponentConfig, HostSection, TlsFiles};
pub use limits::Limits;
pub use listen::{Listen, ListenKind};
pub use load::{DEFAULT_FILE, InvalidConfig};
pub use log::{Log, LogFormat, LogLevel};
pub use modules::{ModuleName, Modules};
pub use options::{ModuleOptions, deserialize_options};
pub use root::Config;
pub(crate) use s2s::fingerprint;
pub use s2s::{Pin, S2s};
