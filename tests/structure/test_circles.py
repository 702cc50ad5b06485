#!/usr/bin/env python3
"""Tests of circles.py, in temporary workspaces."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from circles import Package, check, describe


class Workspace(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.repo = Path(folder.name).resolve()

    def crate(self, files, name="some", folder="some"):
        (self.repo / "Cargo.toml").write_text(f'[workspace]\nmembers = ["{folder}"]\n')
        self.write(f"{folder}/Cargo.toml", f'[package]\nname = "{name}"\n')
        for path, text in files.items():
            self.write(f"{folder}/src/{path}", text)
        return Package(self.repo, self.repo / folder)

    def write(self, path, text):
        file = self.repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def circles(self, files):
        package = self.crate(files)
        source = package.folder / "src"
        return [sorted(f.relative_to(source).as_posix() for f in circle)
                for circle in package.circles()]


class Circles(Workspace):
    def test_finds_a_circle_and_says_which_imports_make_it(self):
        package = self.crate({
            "lib.rs": "mod a;\nmod b;\nmod c;",
            "a.rs": "use crate::b::B;\npub struct A(B);",
            "b.rs": "\nuse crate::{a::A as Other, c::C};\npub struct B;",
            "c.rs": "pub struct C;",
        })
        circles = package.circles()
        self.assertEqual([sorted(f.name for f in c) for c in circles], [["a.rs", "b.rs"]])
        told = "\n".join(describe(package, circles[0], False))
        self.assertIn("src/a.rs:1 -> src/b.rs (B)", told)
        self.assertIn("src/b.rs:2 -> src/a.rs (A)", told)

    def test_shows_the_smallest_cycle_first(self):
        package = self.crate({
            "lib.rs": "mod a; mod b; mod c; mod d;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": "use crate::c::C; pub struct B;",
            "c.rs": "use crate::{a::A, d::D}; pub struct C;",
            "d.rs": "use crate::c::C; pub struct D;",
        })
        told = list(describe(package, package.circles()[0], False))
        self.assertEqual([line for line in told if "cycle" in line],
                         ["  cycle of 2:", "  cycle of 3:"])

    def test_one_way_is_no_circle(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": "pub struct B;",
        }), [])

    def test_sees_through_re_exports(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod inner; pub use crate::{a::A, inner::Renamed};",
            "a.rs": "use crate::Renamed; pub struct A;",
            "inner/mod.rs": "mod deep; mod other; pub(crate) use self::deep::B as Renamed;",
            "inner/deep.rs": "pub struct B(crate::A);",
            "inner/other.rs": "use super::Renamed;",
        }), [["a.rs", "inner/deep.rs"]])

    def test_sees_through_globs_where_a_name_is_used(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b; mod c; mod d; pub mod prelude { pub use crate::{a::*, c::C}; }",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": "use crate::prelude::*; pub struct B(A);",
            "c.rs": "use crate::d::D; pub struct C;",
            "d.rs": "use crate::prelude::*; pub struct D;",
        }), [["a.rs", "b.rs"]])

    def test_a_re_export_is_no_import(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a;",
            "a/mod.rs": "mod b; pub use b::B; pub struct A;",
            "a/b.rs": "use super::A; pub struct B(A);",
        }), [])

    def test_a_re_export_that_the_file_uses_is_an_import(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a;",
            "a/mod.rs": "mod b; pub use b::B; pub struct A(B);",
            "a/b.rs": "use super::A; pub struct B;",
        }), [["a/b.rs", "a/mod.rs"]])

    def test_follows_inline_paths(self):
        self.assertEqual(self.circles({
            "lib.rs": "extern crate self as some; mod a; mod b; mod c;",
            "a.rs": "pub fn a() { super::b::b::<u8>(0..self::LAST) } const LAST: u8 = 1;",
            "b.rs": "pub fn b<T>(_: T) { some::c::C::new(); }",
            "c.rs": "use crate::a; pub struct C; impl C { fn new() { a::a() } }",
        }), [["a.rs", "b.rs", "c.rs"]])

    def test_an_import_of_a_module_counts_for_what_is_taken_of_it(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod inner;",
            "a.rs": "use crate::inner; fn f() { inner::f() } pub struct A;",
            "inner/mod.rs": "mod b; pub use b::f; use crate::a::A;",
            "inner/b.rs": "pub fn f() {}",
        }), [])

    def test_follows_macros(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b; mod c; mod d;",
            "a.rs": "#[macro_export]\n#[doc(hidden)]\nmacro_rules! make "
                    "{ ($n:ident) => { struct $n($crate::b::B); } }",
            "b.rs": "crate::make!(X); pub struct B;",
            "c.rs": "macro_rules! own { () => {} } pub(crate) use own; use crate::d::D;",
            "d.rs": "use crate::c::own; own! { struct D; }",
        }), [["a.rs", "b.rs"], ["c.rs", "d.rs"]])

    def test_finds_what_a_macro_makes(self):
        self.assertEqual(self.circles({
            "lib.rs": "#[macro_use] mod make; mod all; mod b;",
            "make.rs": "macro_rules! events { ($($n:ident)*) => { $(pub struct $n;)* } }\n"
                       "pub(crate) use events;",
            "all/mod.rs": "mod one; mod two; pub use {one::*, two::*};",
            "all/one.rs": "crate::make::events! { First Second }",
            "all/two.rs": "crate::make::events! { Third }\nuse crate::b::B;",
            "b.rs": "use crate::all::Third; pub struct B;",
        }), [["all/two.rs", "b.rs"]])

    def test_ignores_tests_comments_and_strings(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b; #[cfg(test)] mod tests;",
            "a.rs": "use crate::b::B; pub struct A;",
            "b.rs": """
                //! Beside [`crate::a::A`].
                /* crate::a::A /* crate::a::A */ crate::a::A */
                pub struct B;
                const TEXT: &str = "crate::a::A \\" crate::a::A";
                const RAW: &str = r#"" crate::a::A "#;
                const QUOTE: char = '"';
                #[cfg(test)]
                use crate::a::A;
                pub struct C<'a> { #[cfg(test)] a: crate::a::A, b: &'a str }
                #[cfg(all(test, unix))]
                pub(crate) const fn f<T, U>() -> crate::a::A { }
                #[cfg(test)]
                mod tests { use crate::a::A; }
            """,
            "tests.rs": "use crate::{a::A, b::B};",
        }), [])

    def test_reads_on_behind_what_is_only_for_tests(self):
        self.assertEqual(self.circles({
            "lib.rs": "mod a; mod b;",
            "a.rs": "#[cfg(test)] mod tests { } use crate::b::B; pub struct A;",
            "b.rs": "pub struct B; fn f() { #[cfg(test)] g(); crate::a::A; }",
        }), [["a.rs", "b.rs"]])


class Rules(Workspace):
    CIRCLE = {
        "lib.rs": "mod a; mod b;",
        "a.rs": "use crate::b::B; pub struct A;",
        "b.rs": "use crate::a::A; pub struct B;",
    }

    def layer(self, *files, reason="they are one"):
        names = ", ".join(f'"some/src/{file}"' for file in files)
        self.write("tests/structure/layers.toml",
                   f'[[layer]]\nname = "pair"\nreason = "{reason}"\nfiles = [{names}]\n')

    def told(self):
        return "\n".join(check(self.repo))

    def test_a_circle_fails_unless_it_is_a_layer(self):
        self.crate(self.CIRCLE)
        self.assertIn("some: 2 files, 2 lines in a circle", self.told())
        self.layer("a.rs", "b.rs")
        self.assertEqual(self.told(), "")
        self.layer("a.rs", "b.rs", reason="")
        self.assertIn("the reason must be one line", self.told())

    def test_a_circle_that_outgrows_its_layer_fails(self):
        self.layer("a.rs", "b.rs")
        self.crate({**self.CIRCLE, "lib.rs": "mod a; mod b; mod c;",
                    "a.rs": "use crate::{b::B, c::C}; pub struct A;",
                    "c.rs": "use crate::a::A; pub struct C;"})
        self.assertIn("some: 3 files", self.told())

    def test_a_layer_has_only_what_is_in_its_circles(self):
        self.crate({**self.CIRCLE, "lib.rs": "mod a; mod b; mod c;", "c.rs": ""})
        self.layer("a.rs", "b.rs", "c.rs", "gone.rs")
        self.assertIn("layer pair: some/src/c.rs is in no circle of the layer", self.told())
        self.assertIn("layer pair: some/src/gone.rs does not exist", self.told())

    def test_a_layer_has_at_most_14_files(self):
        files = [f"f{n}.rs" for n in range(15)]
        self.crate({"lib.rs": "".join(f"mod f{n};" for n in range(15))} | {
            file: f"use crate::f{(n + 1) % 15}::f;\npub fn f() {{}}"
            for n, file in enumerate(files)})
        self.layer(*files)
        self.assertEqual(self.told(), "layer pair: 15 files, at most 14 may be one layer")

    def test_event_core_does_not_import_through_its_root(self):
        files = {
            "lib.rs": "extern crate self as event_core; mod a; mod b; mod c; mod d; pub mod e; "
                      "pub use a::A; pub use jid; pub fn own() {}",
            "a.rs": "pub struct A;",
            "b.rs": "use crate::{a::A, jid::BareJid, own};",
            "c.rs": "use crate::A;",
            "d.rs": "macro_rules! m { () => { $crate::A } } fn f(_: super::A) {}",
            "e.rs": "fn f(_: event_core::A) {}",
        }
        self.crate(files, name="event-core", folder="event-core")
        where = "A is imported through the crate's root; import it from event-core/src/a.rs"
        self.assertEqual(check(self.repo), [
            f"event-core/src/{file}.rs:1: {where}" for file in "cde"])
        (self.repo / "event-core").rename(self.repo / "other")
        self.crate(files, name="other", folder="other")
        self.assertEqual(self.told(), "")

    def test_a_long_file_says_why(self):
        self.crate({"lib.rs": "//! Long.\n" + "\n" * 400})
        self.assertIn("some/src/lib.rs: 401 lines", self.told())
        self.crate({"lib.rs": "// Over 400 lines: a table.\n" + "\n" * 400})
        self.assertEqual(self.told(), "")


if __name__ == "__main__":
    unittest.main()
