//! The server under test: the bundled modules, and the one that records events.
fn main() -> std::process::ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, spondee_tests::BUNDLE])
}
