//! Spondee with the modules of the crate `guestbook`. A host enables these modules with
//! `modules = ["+welcome", "+guestbook"]` in the configuration.

use std::process::ExitCode;

fn main() -> ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, guestbook::BUNDLE])
}
