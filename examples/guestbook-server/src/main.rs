//! Spondee with the modules of the crate `guestbook`. A host enables them in its configuration:
//! `modules = ["+welcome", "+guestbook"]`.

use std::process::ExitCode;

fn main() -> ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, guestbook::BUNDLE])
}
