//! The config: every mistake has a line of the file.

use std::path::Path;

use spondee::config::Config;

/// See the [module](self).
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Err(invalid) = Config::parse(Path::new("folder/spondee.toml"), text) else { return };
    assert!(!invalid.errors.is_empty());
    let lines = text.split('\n').count();
    for error in &invalid.errors {
        let shown = error.to_string();
        let place = error.place().unwrap_or_else(|| panic!("no line: {shown}"));
        assert!((1..=lines).contains(&place.line), "{lines} lines: {shown}");
        assert!(shown.starts_with(&format!("folder/spondee.toml:{}: ", place.line)), "{shown}");
    }
}
