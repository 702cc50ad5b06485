#!/usr/bin/env python3
"""Finds files of a crate that import each other in a circle.

usage: tests/structure/circles.py [--list] [--all] [REPOSITORY]

Reads `src/**/*.rs` of every crate of the workspace without its tests, and fails when

- files import each other in a circle that layers.toml does not list,
- layers.toml lists a file that does not exist or is in no circle any more, or over 14 files,
- a file of event-core imports, through the crate's root, an item that lib.rs only re-exports,
- a source file outside tests/ has more than 400 lines without `Over 400 lines: …` on its first line.

An import counts for the file that defines the item, not for the file that re-exports it. With
--list, prints the sizes of all circles. With --all, prints every arrow of a circle.
"""

import argparse
import sys
import tomllib
from collections import defaultdict, deque
from pathlib import Path

sys.dont_write_bytecode = True
from rust import Crate, Item

MOST_FILES = 14
MOST_LINES = 400
REASON = "Over 400 lines: "
ROOT_RULE = {"event_core"}
SHOWN = 10


class Package:
    """A crate of the workspace. Its library and its binaries are read as one."""

    def __init__(self, repo, folder):
        self.repo, self.folder = repo, folder
        manifest = tomllib.loads((folder / "Cargo.toml").read_text())
        self.title = folder.relative_to(repo).as_posix()
        name = manifest["package"]["name"].replace("-", "_")
        library = folder / manifest.get("lib", {}).get("path", "src/lib.rs")
        roots = {library, folder / "src/main.rs", *(folder / "src").glob("bin/*.rs"),
                 *(folder / "src").glob("bin/*/main.rs"),
                 *(folder / b["path"] for b in manifest.get("bin", []) if "path" in b)}
        self.crates = [Crate(root, name) for root in sorted(roots)
                       if root.exists() and root.is_relative_to(folder / "src")]
        self.name = name
        self.arrows = defaultdict(dict)  # file: {file: {name: line}}
        for crate in self.crates:
            for module in crate.modules():
                self.read(crate, module)

    def files(self):
        return sorted({module.file for crate in self.crates for module in crate.modules()})

    def read(self, crate, module):
        for use in module.uses:
            # A re-export is an import only if the file itself mentions the name.
            if not use.public and use.name != "*":
                self.arrow(module, crate.resolve(module, use.path), use)
        for mention in module.paths:
            self.arrow(module, crate.resolve(module, mention.path), mention)
        for word in module.words:
            if word.called and word.path[0] not in module.items:
                self.arrow(module, crate.lookup(module, word.path[0]), word)

    def arrow(self, module, found, mention):
        for item in found:
            if isinstance(item, Item) and item.file != module.file:
                names = self.arrows[module.file].setdefault(item.file, {})
                names.setdefault(item.name, mention.line)

    def circles(self):
        components = strongly_connected(self.files(), self.arrows)
        return sorted((c for c in components if len(c) > 1), key=lambda c: (len(c), sorted(c)))

    def through_root(self):
        """The imports that go through the root's re-exports."""
        for crate in self.crates:
            for module in crate.modules():
                if module.file == crate.root.file:
                    continue
                for mention in [*module.uses, *module.paths]:
                    name = root_name(crate, module, mention.path)
                    if (name and name not in crate.root.items
                            and any(use.name in (name, "*") for use in crate.root.uses)):
                        for item in crate.lookup(crate.root, name):
                            if item.file != crate.root.file:
                                yield module.file, mention.line, name, item.file


def root_name(crate, module, path):
    """The name that `path` takes from the root, or None."""
    first, *rest = path
    if first == "super":
        while first == "super" and module.parent and rest:
            module, (first, *rest) = module.parent, rest
        return first if module is crate.root else None
    if (first == "crate" or crate.is_own(module, first)) and rest:
        return rest[0]
    return None


def strongly_connected(files, arrows):
    """The strongly connected components, by Tarjan's algorithm."""
    number, low, on_stack, stack, components = {}, {}, set(), [], []
    for start in files:
        if start in number:
            continue
        work = [(start, iter(sorted(arrows.get(start, ()))))]
        number[start] = low[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        while work:
            file, targets = work[-1]
            for target in targets:
                if target not in number:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(arrows.get(target, ())))))
                    break
                if target in on_stack:
                    low[file] = min(low[file], number[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[file])
                if low[file] == number[file]:
                    at = stack.index(file)
                    components.append(set(stack[at:]))
                    on_stack -= components[-1]
                    del stack[at:]
    return components


def shortest_cycles(component, arrows):
    """Cycles that together contain every arrow of the component, the shortest first."""
    cycles = {}
    for file in sorted(component):
        for target in sorted(arrows[file].keys() & component):
            way = shortest_way(target, file, component, arrows)
            at = way.index(min(way))
            cycles[tuple(way[at:] + way[:at])] = None
    covered = set()
    for cycle in sorted(cycles, key=lambda c: (len(c), c)):
        steps = set(zip(cycle, cycle[1:] + cycle[:1]))
        if not steps <= covered:
            covered |= steps
            yield cycle


def shortest_way(start, end, component, arrows):
    before, queue = {start: None}, deque([start])
    while end not in before:
        file = queue.popleft()
        for target in sorted(arrows[file].keys() & component):
            if target not in before:
                before[target] = file
                queue.append(target)
    way = [end]
    while before[way[-1]]:
        way.append(before[way[-1]])
    return way[::-1]


class Layers:
    """The circles that layers.toml allows."""

    def __init__(self, repo):
        self.repo = repo
        file = repo / "tests/structure/layers.toml"
        self.layers = tomllib.loads(file.read_text()).get("layer", []) if file.exists() else []
        self.found = defaultdict(set)

    def allow(self, circle):
        """Whether one layer has all files of the circle."""
        names = {file.relative_to(self.repo).as_posix() for file in circle}
        for layer in self.layers:
            if names <= set(layer["files"]):
                self.found[layer["name"]] |= names
                return True
        return False

    def mistakes(self):
        seen = set()
        for layer in self.layers:
            name, files = layer["name"], layer["files"]
            if not layer.get("reason") or "\n" in layer["reason"].strip():
                yield f"layer {name}: the reason must be one line"
            if len(files) > MOST_FILES:
                yield f"layer {name}: {len(files)} files, at most {MOST_FILES} may be one layer"
            if twice := seen.intersection(files):
                yield f"layer {name}: also in another layer: {', '.join(sorted(twice))}"
            seen |= set(files)
            for file in files:
                if not (self.repo / file).exists():
                    yield f"layer {name}: {file} does not exist"
                elif file not in self.found[name]:
                    yield f"layer {name}: {file} is in no circle of the layer; remove the file"


def lines_of(files):
    return sum(len(file.read_text().splitlines()) for file in files)


def describe(package, circle, every):
    """The files of a circle and the arrows that make it."""
    def short(file):
        return file.relative_to(package.folder).as_posix()

    yield f"{package.title}: {len(circle)} files, {lines_of(circle):,} lines in a circle"
    yield "  " + " ".join(map(short, sorted(circle)))
    cycles = list(shortest_cycles(circle, package.arrows))
    for cycle in cycles if every else cycles[:SHOWN]:
        yield f"  cycle of {len(cycle)}:"
        for file, target in zip(cycle, cycle[1:] + cycle[:1]):
            names = package.arrows[file][target]
            line = min(names.values())
            yield f"    {short(file)}:{line} -> {short(target)} ({', '.join(sorted(names))})"
    if len(cycles) > SHOWN and not every:
        yield f"  and {len(cycles) - SHOWN} more cycles; --all shows all"


def long_files(package):
    if package.title.split("/")[0] == "tests":
        return
    for file in package.files():
        lines = file.read_text().splitlines()
        if len(lines) > MOST_LINES and REASON not in lines[0]:
            yield f"{file.relative_to(package.repo)}: {len(lines)} lines, and its first line does " \
                  f"not say why (`// {REASON}…`)"


def packages(repo):
    workspace = tomllib.loads((repo / "Cargo.toml").read_text())["workspace"]
    folders = [folder for member in workspace["members"] for folder in sorted(repo.glob(member))]
    return [Package(repo, folder) for folder in folders]


def check(repo, every=False):
    """All problems, as one text for each."""
    layers, problems = Layers(repo), []
    for package in packages(repo):
        problems += ["\n".join(describe(package, circle, every)) for circle in package.circles()
                     if not layers.allow(circle)]
        if package.name in ROOT_RULE:
            problems += [
                f"{file.relative_to(repo)}:{line}: {name} is imported through the crate's root; "
                f"import it from {where.relative_to(repo)}"
                for file, line, name, where in sorted(set(package.through_root()))]
        problems += long_files(package)
    return problems + list(layers.mistakes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", nargs="?", type=Path,
                        default=Path(__file__).resolve().parent.parent.parent)
    parser.add_argument("--list", action="store_true", help="print the circles' sizes only")
    parser.add_argument("--all", action="store_true", help="print every arrow of a circle")
    options = parser.parse_args()
    repo = options.repository.resolve()
    if options.list:
        for package in packages(repo):
            sizes = [f"{len(c)} files ({lines_of(c):,} lines)" for c in package.circles()]
            print(f"{package.title:24} {len(package.files()):4} files; "
                  f"circles: {', '.join(sizes) or 'none'}")
        return
    problems = check(repo, options.all)
    for problem in problems:
        print(problem, end="\n\n" if "\n" in problem else "\n")
    if problems:
        sys.exit(f"{len(problems)} problems, see CONTRIBUTING.md, Circles of files")


if __name__ == "__main__":
    main()
