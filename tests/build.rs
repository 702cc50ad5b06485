//! Makes one Rust file of the listings of docs/how-to.md, for tests/how_to.rs.

#![expect(clippy::unwrap_used, reason = "a build that cannot go on has failed")]

use std::{env, fs, path::Path};

const PAGE: &str = "../docs/how-to.md";

fn main() {
    println!("cargo::rerun-if-changed={PAGE}");
    let page = fs::read_to_string(PAGE).unwrap();
    let listings = page.split("```rust\n").skip(1).filter_map(|rest| rest.split_once("```\n"));
    let program: Vec<_> = listings.map(|(listing, _)| listing).collect();
    let file = Path::new(&env::var_os("OUT_DIR").unwrap()).join("how_to.rs");
    fs::write(file, program.join("\n")).unwrap();
}
