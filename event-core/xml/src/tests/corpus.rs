//! Writes documents and verdicts for `tests/oracles`, where the parsers of deployed clients and
//! servers read the same documents.

use std::{env, fmt::Write, fs, path::PathBuf};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    edit,
    generate::{document, mutated},
    nasty::{FINE, NASTY},
    oracle::scope,
};
use crate::{Element, XmlError, XmlLimits, read::names};

/// A folder for the corpus in the folder of the build.
fn folder() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.into(), PathBuf::from);
    target.join("oracles")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// A line of the corpus: the content namespace, the document, then either `=` and what is sent, or
/// `!` and the reason of the refusal.
fn line(content: &str, xml: &[u8]) -> String {
    let read = Element::parse(xml, &scope(content), &XmlLimits::default());
    match read {
        Ok(element) => format!("{content} {} ={}\n", hex(xml), hex(element.as_bytes())),
        Err(error) => format!("{content} {} !{error}\n", hex(xml)),
    }
}

/// Draws values, always the same.
fn drawn<S: Strategy>(strategy: S, count: usize) -> impl Iterator<Item = S::Value> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(move |_| strategy.new_tree(&mut runner).unwrap().current())
}

#[test]
fn other_parsers_get_a_corpus() {
    let mut out = String::new();
    for content in ["jabber:client", "jabber:server", "jabber:component:accept"] {
        NASTY.iter().for_each(|(xml, _)| out.push_str(&line(content, xml)));
        FINE.iter().for_each(|xml| out.push_str(&line(content, xml.as_bytes())));
        drawn(document(), 1500).for_each(|xml| out.push_str(&line(content, xml.as_bytes())));
    }
    drawn(mutated(), 3000).for_each(|xml| out.push_str(&line("jabber:client", &xml)));
    const PIECES: &[&str] = &[
        "a", "urn", "http", ":", "/", "//", "#", "?", "%", "%41", "[", "]", "@", "1", "80", ".",
        "-", "+", "_", "~", "!", "{", "|", " ", "\u{E9}", "&amp;", ";",
    ];
    let namespaces = prop::collection::vec(prop::sample::select(PIECES), 1..7);
    for namespace in drawn(namespaces, 6000) {
        let xml = format!("<a xmlns='{}'/>", namespace.concat());
        out.push_str(&line("jabber:client", xml.as_bytes()));
    }
    // What was edited has to be accepted, too.
    for element in drawn(edit::edited(), 1000) {
        out.push_str(&line("jabber:client", element.as_bytes()));
    }
    fs::create_dir_all(folder()).unwrap();
    fs::write(folder().join("documents.txt"), out).unwrap();
}

/// The names of one character and of two.
#[test]
fn other_parsers_get_the_characters_of_names() {
    let chars = || (0..0x1_0100).filter_map(char::from_u32);
    let parse = |xml: String| Element::parse(xml.as_bytes(), &scope(""), &XmlLimits::default());
    let is_name = |c: &char| names::is_ncname(&c.to_string());
    let continues = |c: &char| names::is_ncname(&format!("a{c}"));
    for c in chars().filter(|c| !c.is_ascii()) {
        assert_eq!(parse(format!("<{c}/>")).is_ok(), is_name(&c), "{c:?}");
        let attribute = parse(format!("<a a{c}='b'/>"));
        match continues(&c) {
            true => assert!(attribute.is_ok(), "{c:?}"),
            false => {
                assert!(matches!(attribute, Err(XmlError::NotWellFormed(_))), "{c:?}");
            }
        }
    }
    let list = |of: &dyn Fn(&char) -> bool| {
        let numbers = chars().filter(of).map(|c| u32::from(c).to_string());
        numbers.collect::<Vec<_>>().join(" ")
    };
    fs::create_dir_all(folder()).unwrap();
    let lines = format!("{}\n{}\n", list(&is_name), list(&continues));
    fs::write(folder().join("names.txt"), lines).unwrap();
}
