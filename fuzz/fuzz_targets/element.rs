#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| spondee_fuzz::element::run(data));
