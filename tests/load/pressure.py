#!/usr/bin/env python3
"""Overloads Spondee in four ways, with its default limits, and checks that the limits hold.

Each scenario has a fresh server: pairs chat alone, then while the culprits run. With --short, only
conditions that do not depend on the machine are checked: how the culprits end, memory, and that
other clients lose no message and no stream.
"""

import argparse
import fcntl
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
from compare import SPONDEE, XMPPLOAD, Server, say

# The largest allowed ratio of p99 under pressure to p99 before.
RATIO = 3

# Defaults of [limits].
STANZAS_PER_SECOND, BURST_SECONDS = 5000, 4
CONNECTIONS, WAITING_BYTES = 50_000, 128 << 20

# The memory of a connection that is not counted, in KiB: 4 for each direction, and its state. A
# growing buffer may reserve twice as much.
CONNECTION_KIB = 16
WAITING_KIB = 2 * WAITING_BYTES // 1024

CULPRITS = ["reader", "flood", "connections", "database"]
FREE_ACCOUNTS = 300


def hold(file):
    """Locks a database against reads and writes of other processes until standard input ends."""
    database = sqlite3.connect(file, isolation_level=None, timeout=10)
    database.execute("BEGIN EXCLUSIVE")
    # With a write-ahead log, a transaction does not block readers, but these locks do. Their
    # offsets are part of the file format: five locks for readers, from byte 123 on.
    with open(f"{file}-shm", "r+b") as shm:
        fcntl.lockf(shm, fcntl.LOCK_EX, 5, 123)
        print("held", flush=True)
        sys.stdin.read()
    # Closing the file has released all locks of this process on it. The end of the transaction
    # would need some of them, so the process ends at once.
    os._exit(0)


def scenario(culprit, options, folder):
    """Runs one scenario and returns the rig's report."""
    accounts = 2 * options.pairs + FREE_ACCOUNTS
    server = Server("Spondee", "spondee.sh", LIMITS="default", USERS=str(accounts))
    server.provision(Path(folder) / culprit)
    server.start()
    secs = options.secs * (2 if culprit == "database" and not options.short else 1)
    args = ["pressure", "--culprit", culprit, "--addr", f"127.0.0.1:{server.port}",
            "--pid", str(server.pid), "--pairs", str(options.pairs), "--secs", str(secs),
            "--quiet", str(options.quiet), "--warmup", "0.5" if options.short else "2", "--limit", str(secs + options.quiet + 120)]
    if culprit == "database":
        file = Path(server.folder) / "data" / "spondee.sqlite"
        args += ["--start", f"{sys.executable} {Path(__file__).resolve()} --hold {file}"]
    try:
        done = subprocess.run([XMPPLOAD, *args], stdout=subprocess.PIPE, text=True)
        if not server.is_running():
            return {"failed": "the server died"}
        return json.loads(done.stdout) if done.returncode == 0 else {"failed": "the rig failed"}
    finally:
        server.stop()


def judge(culprit, options, told):
    """The conditions of a scenario, and whether each is met."""
    if "failed" in told:
        return [(told["failed"], False)]
    nothing = ["errors", "lost", "duplicated", "disordered", "harmed", "taken_and_lost"]
    wrong = [f"{told[key]} {key}" for key in nothing if told[key]]
    grown = told["peak_rss_kib"] - told["rss_before_kib"]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    bound = WAITING_KIB + CONNECTION_KIB * min(CONNECTIONS, files)
    verdicts = [
        (", ".join(wrong) or "no message lost, no other stream closed", not wrong),
        (f"memory grew by {grown / 1024:.1f} of at most {bound / 1024:.0f} MiB", grown <= bound),
        (f"accepts logins afterwards: {told['accepts']}", told["accepts"] == "yes"),
        end(culprit, told),
    ]
    if not options.short:
        verdicts.insert(0, (f"p99 {told['p99_us']} µs, quiet {told['quiet_p99_us']} µs: "
                            f"{told['p99_ratio']:.2g} ×", told["p99_ratio"] <= RATIO))
    return verdicts


def end(culprit, told):
    """The results of the culprits, and whether they are as expected."""
    ends = told["ends"] or "none closed"
    match culprit:
        case "reader":
            return ends, "policy-violation" in ends and "kept" not in ends
        case "flood":
            rate = told["done"] / told["secs"] / told["clients"]
            most = STANZAS_PER_SECOND * (1 + BURST_SECONDS / told["secs"])
            return f"{ends}, each slowed to {rate:.0f}/s", rate <= 1.2 * most
        case "connections":
            return f"{told['done']} accepted; {ends}", "policy-violation" in ends
        case "database":
            return f"{told['done']} done, {told['refused']} refused", told["done"] > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hold", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="runs for a few seconds, without latencies")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--secs", type=float, default=30,
                        help="seconds of pressure (30); the database is paused twice as long")
    parser.add_argument("--quiet", type=float, default=10, help="seconds without pressure (10)")
    parser.add_argument("--only", nargs="+", metavar="CULPRIT", choices=CULPRITS, default=CULPRITS,
                        help=" ".join(CULPRITS))
    options = parser.parse_args()
    if options.hold:
        hold(options.hold)
    if options.short:
        options.pairs, options.secs, options.quiet = 10, 3, 0.5
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for culprit in options.only:
            told = scenario(culprit, options, folder)
            for text, met in judge(culprit, options, told):
                print(f"{culprit:12} {'pass' if met else 'FAIL'}  {text}", flush=True)
                failed |= not met
    sys.exit(failed)


if __name__ == "__main__":
    main()
