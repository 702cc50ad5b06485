"""Reads the modules of a Rust crate and finds the file that defines what a path names.

Follows re-exports, globs and the `$crate` of macros. Leaves out `#[cfg(test)]`, comments and
strings. An item that a macro makes counts as defined where the macro's input has its name.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(r"""
    (?P<skip> \s+ | //[^\n]* )
  | (?P<comment> /\* )
  | (?P<raw> b?c?r(?P<hashes>\#*)" )
  | (?P<string> [bc]?"(?:[^"\\]|\\.)*" )
  | (?P<char> b?'(?:[^'\\]|\\(?:x..|u\{[^}]*\}|.))' )
  | (?P<lifetime> '[A-Za-z_]\w* )
  | (?P<name> (?:r\#)?[^\W\d]\w* )
  | (?P<number> \d\w* )
  | (?P<other> :: | -> | => | . )
""", re.VERBOSE | re.DOTALL)

ITEMS = {"struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod", "macro_rules"}
BEFORE_ITEMS = {"pub", "unsafe", "async", "extern", "default", "auto", "impl", "use"}
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}
PATH_STARTS = {"crate", "self", "super", "$crate"}
LITERAL = "\0"


@dataclass(frozen=True)
class Token:
    text: str
    line: int

    @property
    def is_name(self):
        return self.text[0].isalpha() or self.text[0] == "_" or self.text == "$crate"


def tokens(text):
    found, at, line = [], 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        end = match.end()
        if match["comment"]:
            end = comment_end(text, at)
        elif match["raw"]:
            closing = text.find('"' + match["hashes"], end)
            end = len(text) if closing < 0 else closing + 1 + len(match["hashes"])
        if match["raw"] or match["string"] or match["char"] or match["number"]:
            found.append(Token(LITERAL, line))
        elif match["name"]:
            name = match["name"].removeprefix("r#")
            if name == "crate" and found and found[-1].text == "$":
                found[-1] = Token("$crate", line)
            else:
                found.append(Token(name, line))
        elif match["other"]:
            found.append(Token(match["other"], line))
        line += text.count("\n", at, end)
        at = end
    return found


def comment_end(text, at):
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return at + mark.end()
    return len(text)


@dataclass(eq=False)
class Module:
    """`uses` are the imported names; `paths` and `words` are the names that the code mentions."""

    file: Path
    parent: "Module | None"
    items: dict = field(default_factory=dict)  # name: [Item or Module]
    macros: dict = field(default_factory=dict)  # `macro_rules!` without export
    made: set = field(default_factory=set)  # names in the input of macros
    uses: list = field(default_factory=list)
    paths: list = field(default_factory=list)
    words: list = field(default_factory=list)

    def root(self):
        return self.parent.root() if self.parent else self

    def walk(self):
        yield self
        for definitions in list(self.items.values()):
            for definition in definitions:
                if isinstance(definition, Module):
                    yield from definition.walk()

    def define(self, name, definition):
        self.items.setdefault(name, []).append(definition)


@dataclass(frozen=True)
class Item:
    name: str
    file: Path


@dataclass(frozen=True)
class Use:
    path: tuple
    name: str  # "*" for a glob, "_" if no name is imported
    public: bool
    line: int


@dataclass(frozen=True)
class Mention:
    path: tuple
    line: int
    called: bool = False


class Crate:
    """The modules below one root file, such as src/lib.rs."""

    def __init__(self, root, name):
        self.name = name
        self.own_names = set()  # `extern crate self as name`
        self.exported = []
        self.root = Module(root, None)
        Reader(self, self.root, root.parent).file()
        for macro in self.exported:
            self.root.define(macro.name, macro)

    def modules(self):
        return self.root.walk()

    def resolve(self, module, path, seen=frozenset(), lexical=True):
        """The items and modules that `path` names from `module`; none for another crate's."""
        first, *rest = path
        if first in ("crate", "$crate") or (lexical and self.is_own(module, first)):
            found = [module.root()]
        elif first == "self":
            found = [module]
        elif first == "super":
            found = [module.parent] if module.parent else []
        else:
            found = self.lookup(module, first, seen)
        for name in rest:
            found = [inner for outer in found for inner in self.step(outer, name, seen)]
        return list(dict.fromkeys(found))

    def is_own(self, module, name):
        return name in self.own_names and name not in module.items

    def step(self, outer, name, seen):
        if isinstance(outer, Item):
            return [outer]  # a variant, or an item of an impl
        if name == "self":
            return [outer]
        if name == "super":
            return [outer.parent] if outer.parent else []
        found = self.lookup(outer, name, seen) or self.made_by_macro(outer, name, seen)
        if not found and not self.may_be_of_another_crate(outer, name, seen):
            found = [Item(name, outer.file)]
        return found

    def made_by_macro(self, module, name, seen):
        if name in module.made:
            return [Item(name, module.file)]
        if (module, name) in seen:
            return []
        seen = seen | {(module, name)}
        return [item for use in module.uses if use.name == "*"
                for inner in self.resolve(module, use.path, seen) if isinstance(inner, Module)
                for item in self.made_by_macro(inner, name, seen)]

    def may_be_of_another_crate(self, module, name, seen):
        return any(use.name == name or (use.name == "*"
                                        and not self.resolve(module, use.path, seen))
                   for use in module.uses)

    def lookup(self, module, name, seen=frozenset()):
        """The items and modules that are called `name` within `module`."""
        if (module, name) in seen:
            return self.textual_macro(module, name)
        seen = seen | {(module, name)}
        found = list(module.items.get(name, ()))
        for use in module.uses:
            if use.name == name:
                found += self.resolve(module, use.path, seen)
        if not found:
            for use in module.uses:
                if use.name == "*":
                    for outer in self.resolve(module, use.path, seen):
                        if isinstance(outer, Module) and outer is not module:
                            found += self.lookup(outer, name, seen)
        if not found:
            found = self.textual_macro(module, name)
        return found

    def textual_macro(self, module, name):
        while module:
            if name in module.macros:
                return [module.macros[name]]
            module = module.parent
        return []


class Reader:
    """Reads one file with its inline modules, and the files that `mod x;` names."""

    def __init__(self, crate, module, children):
        self.crate, self.module, self.children = crate, module, children

    def file(self):
        self.read(tokens(self.module.file.read_text()))

    def read(self, code):
        at, depth, public, exported = 0, 0, False, False
        while at < len(code):
            text = code[at].text
            following = code[at + 1].text if at + 1 < len(code) else ""
            if text == "#" and (following == "[" or following == "!"):
                end = self.attribute(code, at)
                exported |= any(token.text == "macro_export" for token in code[at:at + 4])
                at = end
                continue
            if text == "pub":
                public = True
                at = close(code, at + 1) if following == "(" else at + 1
                continue
            if text == "use" and following != "<" and (at == 0 or code[at - 1].text != "+"):
                at = self.use(code, at + 1, public)
            elif text == "mod" and code[at + 1].is_name and code[at + 2].text in (";", "{"):
                at = self.child(code, at)
            elif text == "macro_rules" and following == "!":
                at = self.macro(code, at, exported)
            elif depth == 0 and text in ITEMS and code[at + 1].is_name:
                # `const fn name` and `const _`
                if following not in ITEMS and following not in BEFORE_ITEMS and following != "_":
                    self.module.define(following, Item(following, self.module.file))
                    at += 1
                at += 1
            elif [token.text for token in code[at:at + 4]] == ["extern", "crate", "self", "as"]:
                self.crate.own_names.add(code[at + 4].text)
                at += 5
            elif code[at].is_name:
                at = self.mention(code, at)
                if depth == 0 and at + 1 < len(code) and code[at].text == "!":
                    at = self.invocation(code, at + 1)
            else:
                depth += (text in OPEN) - (text in CLOSE)
                at += 1
            public = exported = False

    def attribute(self, code, at):
        """Skips an attribute. If it is for tests, skips what it applies to, too."""
        start = at + (2 if code[at + 1].text == "!" else 1)
        end = close(code, start)
        inside = code[start + 1:end - 1]
        if is_test([token.text for token in inside]) and code[at + 1].text != "!":
            return item_end(code, end)
        if inside and inside[0].text == "path":
            raise ValueError(f"{self.module.file}: #[path] is not supported")
        self.mentions(inside)
        return end

    def use(self, code, at, public):
        end = at
        while code[end].text != ";":
            end += 1
        self.tree([token for token in code[at:end] if token.text != LITERAL], (), public)
        return end + 1

    def tree(self, code, before, public):
        path, at = list(before), 0
        while at < len(code):
            token = code[at]
            if token.text == "{":
                for branch in branches(code[at + 1:close(code, at) - 1]):
                    self.tree(branch, tuple(path), public)
                return
            if token.text == "*":
                self.module.uses.append(Use(tuple(path), "*", public, token.line))
                return
            if token.text == "as":
                self.bring(path, code[at + 1].text, public, token.line)
                return
            if token.is_name:
                path.append(token.text)
            at += 1
        if path:
            self.bring(path, None, public, code[-1].line)

    def bring(self, path, name, public, line):
        if path[-1] == "self" and len(path) > 1:
            path = path[:-1]
        self.module.uses.append(Use(tuple(path), name or path[-1], public, line))

    def child(self, code, at):
        name = code[at + 1].text
        if code[at + 2].text == "{":
            end = close(code, at + 2)
            child = Module(self.module.file, self.module)
            self.module.define(name, child)
            Reader(self.crate, child, self.children / name).read(code[at + 3:end - 1])
            return end
        for file in (self.children / f"{name}.rs", self.children / name / "mod.rs"):
            if file.exists():
                child = Module(file, self.module)
                self.module.define(name, child)
                Reader(self.crate, child, self.children / name).file()
                return at + 3
        raise ValueError(f"{self.module.file}: no file for mod {name}")

    def macro(self, code, at, exported):
        name = code[at + 2].text
        item = Item(name, self.module.file)
        if exported:
            self.crate.exported.append(item)
        self.module.macros[name] = item
        end = close(code, at + 3)
        self.mentions(code[at + 4:end - 1])
        return end

    def invocation(self, code, start):
        """Reads a macro call in the place of an item. Defines what its input spells like items."""
        if code[start].text not in OPEN:
            return start
        end = close(code, start)
        inside = code[start + 1:end - 1]
        for kind, name in zip(inside, inside[1:]):
            if kind.text in ITEMS and name.is_name and name.text not in self.module.items:
                self.module.define(name.text, Item(name.text, self.module.file))
        self.module.made.update(token.text for token in inside if token.is_name)
        self.mentions(inside)
        return end

    def mentions(self, code):
        at = 0
        while at < len(code):
            if code[at].text == "use" and code[at + 1].text != "<" and any(
                    token.text == ";" for token in code[at:]):
                at = self.use(code, at + 1, False)
            elif code[at].is_name:
                at = self.mention(code, at)
            else:
                at += 1

    def mention(self, code, at):
        """Records a name or a path of the code."""
        before, second = (code[at - n].text if at >= n else "" for n in (1, 2))
        path, end = [code[at].text], at + 1
        while end + 1 < len(code) and code[end].text == "::" and code[end + 1].is_name:
            path.append(code[end + 1].text)
            end += 2
        following = code[end].text if end < len(code) else ""
        is_member = (before == "." and second != ".") or (before == "::" and second == ">")
        if is_member or before in ("$", "fn", "type"):
            return end
        if len(path) > 1:
            self.module.paths.append(Mention(tuple(path), code[at].line))
        elif path[0] not in PATH_STARTS:
            called = following in ("(", "!", "::") or not path[0][0].islower()
            self.module.words.append(Mention((path[0],), code[at].line, called))
        return end


def close(code, at):
    """The index after the bracket that closes the bracket at `at`."""
    depth = 0
    while at < len(code):
        depth += (code[at].text in OPEN) - (code[at].text in CLOSE)
        at += 1
        if depth == 0:
            break
    return at


def is_test(attribute):
    """`cfg(test)`, `cfg(all(test, …))`, `test`."""
    return attribute in (["cfg", "(", "test", ")"], ["test"]) or (
        attribute[:4] == ["cfg", "(", "all", "("] and "test" in attribute and
        attribute[attribute.index("test") - 1] in ("(", ","))


def item_end(code, at):
    """The index after the item, field, arm or statement that begins at `at`."""
    while at < len(code) and code[at].text == "#":
        at = close(code, at + 1)
    start = at
    while at < len(code) and code[at].text in BEFORE_ITEMS - {"impl", "use"}:
        at += 1
        if code[at].text == "(":
            at = close(code, at)
    is_item = code[at].text in ITEMS | {"impl", "use"}
    is_use = code[at].text == "use"
    at = start
    while at < len(code):
        text = code[at].text
        if text in CLOSE:
            return at
        if text == ";" or (text == "," and not is_item):
            return at + 1
        if text in OPEN:
            at = close(code, at)
            if text == "{" and not is_use:
                return at + (at < len(code) and code[at].text in (",", ";"))
        else:
            at += 1
    return at


def branches(code):
    """The parts between the commas of `{a, b::{c, d}}`."""
    part, depth = [], 0
    for token in code:
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if token.text == "," and depth == 0:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part
