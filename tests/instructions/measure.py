#!/usr/bin/env python3
"""Counts the instructions of each stage of a stanza's way, and compares them with baseline.json.

usage: tests/instructions/measure.py [--update | --against REV]

Fails when a stage takes over 5 % more than in the baseline. If the baseline was made with another
compiler, C library or CPU features, the counts cannot be compared and are only shown. With --update,
writes the baseline instead. Needs valgrind, whose counts do not depend on other load of the machine.

With --against, ignores the baseline, builds the revision REV too, and fails when a stage takes over
1 % more in the working tree than at REV. A stage that only one of the two has is shown, and is not a
failure.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
BASELINE = HERE / "baseline.json"
ROUNDS = 1000
LIMIT = 0.05
LIMIT_AGAINST = 0.01


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build(repo=REPO, **variables):
    command = "cargo bench --package spondee-instructions --profile instructions --no-run"
    messages = run(*command.split(), "--message-format=json-render-diagnostics", cwd=repo,
                   env={**os.environ, **variables})
    executables = [json.loads(line).get("executable") for line in messages.splitlines()]
    return Path(next(filter(None, executables)))


def stages(binary):
    return run(binary).split()


def count(binary, stage):
    """The instructions of one round."""
    # The environment and the program's path are on the stack, so they change the addresses of data.
    counted = run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--toggle-collect=*measured*", f"./{binary.name}", stage, str(ROUNDS),
        stderr=subprocess.STDOUT, cwd=binary.parent, env={"PATH": os.environ["PATH"]},
    )
    collected = int(re.search(r"Collected : (\d+)", counted)[1])
    if collected == 0:
        sys.exit(f"{stage}: callgrind did not see measured(); is the binary stripped?")
    return round(collected / ROUNDS)


def made_with():
    """Everything that the counts depend on, except the code."""
    flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    return {
        "rustc": run("rustc", "--version").strip(),
        "valgrind": run("valgrind", "--version").strip(),
        "libc": " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()),
        "machine": os.uname().machine,
        # memchr and ring choose their code by these features, as far as valgrind supports them.
        "cpu": [flag for flag in ("aes", "avx", "avx2", "bmi2") if flag in flags],
    }


def commit_of(revision):
    commit = f"{revision}^{{commit}}"
    return run("git", "rev-parse", "--verify", "--end-of-options", commit, cwd=REPO).strip()


@contextmanager
def worktree(commit):
    """A checkout of `commit`, removed afterwards."""
    # SIGTERM ends Python without `finally`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        tree = Path(folder) / "tree"
        try:
            run("git", "worktree", "add", "--quiet", "--detach", tree, commit, cwd=REPO)
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=REPO)


def seed(target, built):
    """Copies the dependencies that the working tree has built."""
    folder = target / built.name
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as unfinished:
            copy = shutil.copytree(built, Path(unfinished) / "copy", symlinks=True)
            target.mkdir(exist_ok=True)
            copy.rename(folder)


def against(revision):
    """Compares the working tree with `revision`."""
    commit = commit_of(revision)
    now_binary = build()
    built = now_binary.parent.parent
    target = built.parent / "against"
    seed(target, built)
    with worktree(commit) as tree:
        was_binary = build(tree, CARGO_TARGET_DIR=str(target))
    was_stages, now_stages = stages(was_binary), stages(now_binary)
    name = revision if len(revision) <= 10 else commit[:10]
    print(f"{'stage':14} {name:>10} {'now':>10}  change")
    grown = []
    for stage in dict.fromkeys([*was_stages, *now_stages]):
        was = count(was_binary, stage) if stage in was_stages else None
        now = count(now_binary, stage) if stage in now_stages else None
        change = now / was - 1 if was and now else None
        grown += [stage] if change is not None and change > LIMIT_AGAINST else []
        cells = ["–" if cell is None else cell for cell in (was, now)]
        told = ("new" if was is None else "gone") if change is None else f"{change:+.2%}"
        print(f"{stage:14} {cells[0]:>10} {cells[1]:>10} {told:>7}", flush=True)
    if grown:
        sys.exit(f"more than {LIMIT_AGAINST:.0%} more than at {revision}: {', '.join(grown)}")


def main():
    match sys.argv[1:]:
        case ["--against", revision]:
            return against(revision)
        case [] | ["--update"]:
            pass
        case _:
            sys.exit(__doc__)
    binary = build()
    counts = {stage: count(binary, stage) for stage in stages(binary)}
    made = made_with()
    if sys.argv[1:] == ["--update"]:
        BASELINE.write_text(json.dumps({"made_with": made, "instructions": counts}, indent=2) + "\n")
        print(BASELINE.read_text(), end="")
        return

    baseline = json.loads(BASELINE.read_text())
    expected = baseline["instructions"]
    grown, shrunk = [], []
    for stage, instructions in counts.items():
        change = instructions / expected[stage] - 1 if stage in expected else float("inf")
        print(f"{stage:14} {instructions:7} {expected.get(stage, 0):7} {change:+7.1%}")
        grown += [stage] if change > LIMIT else []
        shrunk += [stage] if change < -LIMIT else []
    others = [what for what, was in baseline["made_with"].items() if was != made[what]]
    for what in others:
        was = baseline["made_with"][what]
        print(f"the baseline was made with another {what}: {was} instead of {made[what]}")
    gone = expected.keys() - counts
    if grown and others:
        print(f"more than in the baseline, which cannot be compared here: {', '.join(grown)}")
    elif grown or gone:
        what = ", ".join([f"{stage} takes more" for stage in grown] + [f"{stage} is missing" for stage in gone])
        sys.exit(f"{what}. If this is intended, commit a new baseline: {Path(__file__).name} --update")
    if shrunk:
        print(f"less than in the baseline, which --update replaces: {', '.join(shrunk)}")


main()
