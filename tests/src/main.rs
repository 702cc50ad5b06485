//! The server under test: the bundled modules and the modules of the tests.
fn main() -> std::process::ExitCode {
    spondee::main(&[spondee_modules::BUNDLE, spondee_tests::BUNDLE])
}
