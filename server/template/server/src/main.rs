//! Spondee with the bundled modules and the modules of the crate `sticky_note`.

use std::process::ExitCode;

fn main() -> ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, sticky_note::BUNDLE])
}
