#!/usr/bin/env python3
"""Overloads Spondee, with its default limits, and checks that the limits hold.

Each scenario has a fresh server. In the first eight, pairs chat alone, then while the culprits run; in
those of `neighbours.py` and `poison.py`, one account harms another. With --short, only
conditions that do not depend on the machine are checked: how the culprits end, memory, and that
other clients lose no message and no stream.
"""

import argparse
import fcntl
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parent.parent / "federation"))
import neighbours
import poison
from client import Client, Lost
from compare import SPONDEE, XMPPLOAD, Server, free_port, say

# The largest allowed ratio of p99 under pressure to p99 before.
RATIO = 3

# Defaults of [limits].
STANZAS_PER_SECOND, BURST_SECONDS = 5000, 4
CONNECTIONS, WAITING_BYTES, STRANGERS_BYTES = 50_000, 128 << 20, 16 << 20

# The memory of a connection that is not counted, in KiB: 4 for each direction, and its state. A
# growing buffer may reserve twice as much.
CONNECTION_KIB = 16
WAITING_KIB = 2 * (WAITING_BYTES + STRANGERS_BYTES) // 1024

CULPRITS = ["reader", "flood", "connections", "database", "pairs", "strangers",
            "headers", "handshakes"]
FEDERATING = ["pairs", "strangers"]
FREE_ACCOUNTS = 300

# The files that streams to other servers may have open, beside those of clients.
OUTGOING_FILES = 12_560

# The scenarios in which one account harms another, without the rig.
BETWEEN = {"poison": poison.poison} | neighbours.SCENARIOS
ALL = CULPRITS + list(BETWEEN)


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


class Remote:
    """Another server, and a client of the first server that pings the other again and again.

    DNS never answers, so all other domains stay unreachable for as long as possible.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.s2s, self.other, self.tls = free_port(), free_port(), free_port()
        self.dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dns.bind(("127.0.0.1", 0))
        self.times, self.lost = [], 0
        self.over = threading.Event()

    def federate(self, port, remote, address):
        dns = self.dns.getsockname()[1]
        return (f'[[listen]]\nkind = "s2s"\naddress = "127.0.0.1:{port}"\n'
                f'[s2s]\ndialback = true\nprivate = true\ndns = "127.0.0.1:{dns}"\n'
                f'[s2s.routes]\n"{remote}" = "127.0.0.1:{address}"\n')

    def config(self):
        """What the first server's config needs."""
        return (f'[[listen]]\nkind = "s2s-tls"\naddress = "127.0.0.1:{self.tls}"\n'
                + self.federate(self.s2s, "remote.example", self.other))

    def start(self, stack, port):
        self.folder.mkdir(parents=True)
        config = self.folder / "spondee.toml"
        config.write_text(f'data = "{self.folder}/data"\n'
                          + self.federate(self.other, "localhost", self.s2s)
                          + '[host."remote.example"]\n')
        log = stack.enter_context(open(self.folder / "log", "w"))
        process = subprocess.Popen([*SPONDEE.split(), "--config", config], stdout=log, stderr=log)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        user = Client(port, "localhost").login("user0", "pw")
        end = time.monotonic() + 30
        while not self.answers(user) and time.monotonic() < end:
            time.sleep(0.2)
        self.thread = threading.Thread(target=self.ping, args=[user])
        self.thread.start()
        stack.callback(self.stop)

    def stop(self):
        self.over.set()
        self.thread.join()

    def answers(self, user):
        try:
            user.query("get", "<ping xmlns='urn:xmpp:ping'/>", "remote.example")
            return True
        except Lost:
            return False

    def ping(self, user):
        while not self.over.wait(0.1):
            begun = time.monotonic()
            self.lost += not self.answers(user)
            self.times.append(time.monotonic() - begun)


def scenario(culprit, options, folder):
    """Runs one scenario and returns the rig's report."""
    with ExitStack() as stack:
        return run(culprit, options, folder, stack)


def run(culprit, options, folder, stack):
    accounts = 2 * options.pairs + FREE_ACCOUNTS
    remote = Remote(Path(folder) / "remote" / culprit) if culprit in FEDERATING else None
    tls = f"127.0.0.1:{free_port()}"
    extra = remote.config() if remote else ""
    if culprit == "handshakes":
        extra += f'[[listen]]\nkind = "c2s-tls"\naddress = "{tls}"\n'
    server = Server("Spondee", "spondee.sh", LIMITS="default", USERS=str(accounts), EXTRA=extra)
    server.provision(Path(folder) / culprit)
    server.start()
    secs = options.secs * (2 if culprit == "database" and not options.short else 1)
    args = ["pressure", "--culprit", culprit, "--addr", f"127.0.0.1:{server.port}", "--tls-addr", tls,
            "--pid", str(server.pid), "--pairs", str(options.pairs), "--secs", str(secs),
            "--quiet", str(options.quiet), "--warmup", "0.5" if options.short else "2", "--limit", str(secs + options.quiet + 120)]
    if culprit == "database":
        file = Path(server.folder) / "data" / "spondee.sqlite"
        args += ["--start", f"{sys.executable} {Path(__file__).resolve()} --hold {file}"]
    try:
        if remote:
            remote.start(stack, server.port)
            args += ["--first", "1", "--s2s", f"127.0.0.1:{remote.tls}"]
        done = subprocess.run([XMPPLOAD, *args], stdout=subprocess.PIPE, text=True)
        if remote:
            remote.stop()
        if not server.is_running():
            return {"failed": "the server died"}
        if remote and done.returncode == 0:
            return {**json.loads(done.stdout), "pings": remote.times, "pings_lost": remote.lost}
        return json.loads(done.stdout) if done.returncode == 0 else {"failed": "the rig failed"}
    finally:
        server.stop()


def between(name, folder):
    """Runs a scenario of `BETWEEN` and returns its conditions."""
    server = Server("Spondee", "spondee.sh", LIMITS="default", USERS=str(1 + neighbours.STRANGERS))
    server.provision(Path(folder) / name)
    server.start()
    try:
        verdicts = BETWEEN[name](server.port)
        return verdicts + [("the server runs", server.is_running())]
    except OSError as error:
        return [(f"the scenario failed: {error}", False)]
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
    bound = WAITING_KIB + CONNECTION_KIB * min(CONNECTIONS + OUTGOING_FILES, files)
    verdicts = [
        (", ".join(wrong) or "no message lost, no other stream closed", not wrong),
        (f"memory grew by {grown / 1024:.1f} of at most {bound / 1024:.0f} MiB", grown <= bound),
        (f"accepts logins afterwards: {told['accepts']}", told["accepts"] == "yes"),
        end(culprit, told),
    ]
    if "pings" in told:
        slowest, lost = max(told["pings"], default=0), told["pings_lost"]
        verdicts += [
            (f"{len(told['pings'])} pings to another server, {lost} lost, slowest {slowest:.2f} s",
             len(told["pings"]) > 1 and not lost),
            (f"{told['newcomers']} logins meanwhile, {told['newcomers_failed']} failed",
             told["newcomers"] > 0 and not told["newcomers_failed"]),
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
            # Who reads again in time keeps its stream, however much was sent meanwhile.
            return ends, "kept" in ends and "policy-violation" not in ends
        case "flood":
            rate = told["done"] / told["secs"] / told["clients"]
            most = STANZAS_PER_SECOND * (1 + BURST_SECONDS / told["secs"])
            return f"{ends}, each slowed to {rate:.0f}/s", rate <= 1.2 * most
        case "connections":
            return f"{told['done']} accepted; {ends}", "policy-violation" in ends
        case "pairs":
            return f"{told['refused']} stanzas refused; {ends}", told["refused"] > 0 and not told["ends"]
        case "strangers":
            return f"{told['done']} keys sent; {ends}", told["done"] > 0
        case "headers":
            return f"{told['done']} keep a part of a header; {ends}", "resource-constraint" in ends
        case "handshakes":
            return f"{told['done'] / told['secs']:.0f} handshakes a second; {ends}", told["done"] > 0
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
    parser.add_argument("--only", nargs="+", metavar="CULPRIT", choices=ALL, default=ALL,
                        help=" ".join(ALL))
    options = parser.parse_args()
    if options.hold:
        hold(options.hold)
    if options.short:
        options.pairs, options.secs, options.quiet = 10, 3, 0.5
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for culprit in options.only:
            if culprit in CULPRITS:
                verdicts = judge(culprit, options, scenario(culprit, options, folder))
            else:
                verdicts = between(culprit, folder)
            for text, met in verdicts:
                print(f"{culprit:12} {'pass' if met else 'FAIL'}  {text}", flush=True)
                failed |= not met
    sys.exit(failed)


if __name__ == "__main__":
    main()
