#!/usr/bin/env python3
"""Counts the instructions of each stage of a stanza's way and compares them with baseline.json.

usage: tests/instructions/measure.py [--update]

Fails when a stage takes more than 5 % more than the baseline says, if that was made with the same
compiler, C library and CPU features: else the counts cannot be compared, and it only shows them. With --update it writes the
baseline instead. Needs valgrind: what its callgrind counts does not depend on how busy the machine is.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
ROUNDS = 1000
LIMIT = 0.05


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def build():
    command = "cargo bench --package spondee-instructions --profile instructions --no-run"
    messages = run(*command.split(), "--message-format=json-render-diagnostics", cwd=HERE)
    executables = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(filter(None, executables))


def count(binary, stage):
    """Instructions of one round."""
    # The environment lies on the stack and moves what is there.
    counted = run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--toggle-collect=*measured*", binary, stage, str(ROUNDS),
        stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]},
    )
    collected = int(re.search(r"Collected : (\d+)", counted)[1])
    if collected == 0:
        sys.exit(f"{stage}: callgrind has not seen measured(), is the binary stripped?")
    return round(collected / ROUNDS)


def made_with():
    """What the counts depend on besides the code."""
    flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    return {
        "rustc": run("rustc", "--version").strip(),
        "valgrind": run("valgrind", "--version").strip(),
        "libc": " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()),
        "machine": os.uname().machine,
        # The code that memchr and ring choose, as far as valgrind knows it.
        "cpu": [flag for flag in ("aes", "avx", "avx2", "bmi2") if flag in flags],
    }


def main():
    binary = build()
    counts = {stage: count(binary, stage) for stage in run(binary).split()}
    made = made_with()
    if sys.argv[1:] == ["--update"]:
        BASELINE.write_text(json.dumps({"made_with": made, "instructions": counts}, indent=2) + "\n")
        print(BASELINE.read_text(), end="")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)

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
        print(f"the baseline was made with another {what}: {was}, here it is {made[what]}")
    gone = expected.keys() - counts
    if grown and others:
        print(f"more than before, but nothing can be said of it here: {', '.join(grown)}")
    elif grown or gone:
        what = ", ".join([f"{stage} takes more" for stage in grown] + [f"no {stage}" for stage in gone])
        sys.exit(f"{what}. If that is as it should be, commit the baseline too: {Path(__file__).name} --update")
    if shrunk:
        print(f"less than before, --update keeps it so: {', '.join(shrunk)}")


main()
