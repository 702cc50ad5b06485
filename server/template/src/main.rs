//! Spondee with the bundled modules and the modules of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, sticky_note::BUNDLE])
}
