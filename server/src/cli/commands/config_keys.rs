//! `spondee config-keys`: the keys of the config, with their defaults and what they do.

use std::fmt::Write;

use crate::{
    cli::{PageOptions, output::say_page},
    config::reference::{Key, Section, sections},
    docs::{plain, sized},
};

const INTRO: &str = "\
# The config

The server reads the TOML file `spondee.toml` in the current folder, or the file of `--config FILE`.
Every key is optional, except those marked as required in their table. This page is the output of
`spondee config-keys --markdown`; without an option the command prints a file with all defaults.

`spondee check` finds the mistakes in a file, and `spondee reload` lets a running server read it again.
";

/// The width of comments in the file of defaults.
const WIDTH: usize = 98;

pub(super) fn print(options: PageOptions) {
    let sections = sections();
    let json = || serde_json::json!(sections);
    say_page(options, || file(&sections), json, || markdown(&sections));
}

fn markdown(sections: &[Section]) -> String {
    let mut text = INTRO.to_owned();
    for Section { header, doc, keys } in sections {
        if header.is_empty() {
            text.push_str("\n## Before the first table\n\n");
        } else {
            let _ = write!(text, "\n## `{header}`\n\n{doc}\n\n");
        }
        text.push_str("| Key | Default | Takes | What it does |\n|---|---|---|---|\n");
        for Key { name, default, takes, doc } in keys {
            let default = sized(name, default.as_deref().unwrap_or("required"));
            let _ = writeln!(text, "| `{name}` | {default} | {takes} | {doc} |");
        }
    }
    text
}

/// A config file with all defaults, in comments.
fn file(sections: &[Section]) -> String {
    let mut text = String::from(
        "# The config of Spondee with all defaults. Remove the # of what you change.\n",
    );
    for Section { header, doc, keys } in sections {
        text.push('\n');
        text.push_str(&comment(doc));
        if !header.is_empty() {
            let _ = writeln!(text, "#{header}");
        }
        for Key { name, default, takes, doc } in keys {
            let value = default.as_deref().and_then(|text| text.strip_prefix('`'));
            let value = value.and_then(|text| text.strip_suffix('`'));
            let about = match (value, default) {
                (Some(_), _) => format!("{doc} Takes {takes}."),
                (None, Some(words)) => format!("{doc} Takes {takes}. Default: {words}."),
                (None, None) => format!("{doc} Takes {takes}. Required."),
            };
            let _ = write!(text, "\n{}#{name} = {}\n", comment(&about), value.unwrap_or("…"));
        }
    }
    text
}

/// Lines that begin with `#`.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in plain(text).split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH {
            let _ = writeln!(lines, "#{line}");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(lines, "#{line}");
    lines
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_file_of_defaults_is_one() {
        let text = file(&sections());
        let defaults = Config { file: Some("s.toml".into()), ..Config::default() };
        assert_eq!(Config::parse(Path::new("s.toml"), &text).unwrap(), defaults);
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
        // The defaults that are values, without the `#`.
        let is_value = |line: &&str| line.starts_with("#[limits]") || line.contains("_bytes = ");
        let limits = text.split("#[limits]").nth(1).unwrap();
        let values = limits.lines().filter(is_value).map(|line| &line[1..]);
        let values = values.collect::<Vec<_>>().join("\n");
        let parsed = Config::parse(Path::new("s.toml"), &format!("[limits]\n{values}\n")).unwrap();
        assert_eq!(parsed.limits, defaults.limits);
    }
}
