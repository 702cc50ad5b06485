//! The Spondee server with its bundled modules.

fn main() -> std::process::ExitCode {
    spondee::main(&[spondee_modules::BUNDLE])
}
