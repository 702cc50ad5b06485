#!/usr/bin/env python3
"""Compares Spondee with Prosody, ejabberd and lower bounds, and writes docs/performance.md.

With --also, a second Spondee, such as an older revision, is compared too. If not all cases and
servers run, or with --also, prints the figures and does not change docs/performance.md.

The servers take turns, so that noise on the machine affects all of them; a server that is not
measured is idle. Needs the packages prosody, ejabberd and openssl, and a machine that does no other
work.
"""

import argparse
import json
import os
import resource
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

sys.dont_write_bytecode = True
import report
from cases import ALSO, CASES, PAIRS

HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target")) / "release"
XMPPLOAD = os.environ.get("XMPPLOAD", str(TARGET / "xmppload"))
SPONDEE = os.environ.get("SPONDEE", str(TARGET / "spondee"))
KINDS = ["spondee", "also", "prosody", "ejabberd", "relay", "bare"]


def kind(server):
    """The server's name in --servers."""
    return "also" if server.endswith(ALSO) else server.partition(",")[0].lower()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server and the script that provisions and starts it."""

    def __init__(self, name, script, **variables):
        self.name, self.script, self.port = name, HERE / "peers" / script, free_port()
        self.variables = {
            "PORT": str(self.port), "SPONDEE": SPONDEE, "XMPPLOAD": XMPPLOAD, **variables,
        }
        self.folder = None
        self.command = None
        self.pid = None

    def run_script(self, *args, **variables):
        env = {**os.environ, **self.variables, **variables}
        # The script redirects the server's output, which would keep the pipe open.
        done = subprocess.run([self.script, *args], env=env, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{self.script.name} failed")
        return done.stdout.strip()

    def provision(self, folder):
        if self.folder:
            return
        say(f"accounts of {self.name}")
        self.folder = str(Path(folder) / self.name.replace(" ", "-"))
        told = self.run_script(START="no", DIR=self.folder)
        self.command = told.partition(" COMMAND=")[2]

    def start(self):
        if not self.pid:
            told = self.run_script(REUSE="yes", DIR=self.folder)
            self.pid = int(told.split()[0].removeprefix("PID="))
            self.settle()

    def stop(self):
        if self.pid:
            self.run_script("stop", str(self.pid))
            self.pid = None

    def is_running(self):
        return self.pid is not None and Path(f"/proc/{self.pid}").exists()

    def settle(self):
        """Waits until the server is idle."""
        before, end = None, time.monotonic() + 60
        while self.is_running() and time.monotonic() < end:
            ticks = sum(map(int, stat_fields(self.pid)[11:13]))
            if before is not None and ticks - before <= 1:
                return
            before = ticks
            time.sleep(0.3)


class Relay(Server):
    """The rig as a relay."""

    def __init__(self):
        super().__init__("relay", "")

    def provision(self, folder):
        pass

    def start(self):
        if not self.pid:
            args = ["relay", "--addr", f"127.0.0.1:{self.port}", "--route", "table"]
            self.process = subprocess.Popen([XMPPLOAD, *args, "--limit", "1000000"])
            self.pid = self.process.pid

    def stop(self):
        if self.pid:
            self.process.kill()
            self.process.wait()
            self.pid = None


def servers(cases, also):
    """The servers of the cases' rows, with as many accounts as the cases need."""
    accounts = {}
    for case in cases:
        for row in case.rows:
            accounts[row.server] = max(case.accounts, accounts.get(row.server, 0))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files < max(accounts.values()) + 1000:
        sys.exit(f"a limit of {files} open files is too low (ulimit -Hn)")
    spondees = [
        (name + suffix, "spondee.sh", {**variables, "SPONDEE": binary})
        for name, variables in [
            ("Spondee", {}),
            ("Spondee, 1 thread", {"THREADS": "1"}),
            ("Spondee, 100 hosts", {"HOSTS": "100", "MODULES": '"+register"'}),
        ]
        for suffix, binary in [("", SPONDEE), (ALSO, also)]
    ]
    others = [
        ("Prosody", "prosody.sh", {}),
        ("Prosody, generational", "prosody.sh", {"GC": "generational"}),
        ("ejabberd", "ejabberd.sh", {}),
        ("bare", "bare.sh", {}),
    ]
    return {"relay": Relay()} | {
        name: Server(name, script, USERS=str(accounts[name]), **variables)
        for name, script, variables in spondees + others if name in accounts
    }


def with_also(case):
    """Adds a row of the second Spondee after each row of the first."""
    rows = [(row, replace(row, name=row.name + ALSO, server=row.server + ALSO))
            if kind(row.server) == "spondee" else (row,) for row in case.rows]
    return replace(case, rows=[row for pair in rows for row in pair])


def chosen(options):
    """The cases to run, each with the rows of the chosen servers."""
    cases = [case for case in CASES if not options.only or case.name in options.only]
    if options.also:
        cases = map(with_also, cases)
    if options.servers:
        cases = [replace(c, rows=[r for r in c.rows if kind(r.server) in options.servers])
                 for c in cases]
    return [case for case in cases if case.rows]


def stat_fields(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def say(text):
    print(text, file=sys.stderr, flush=True)


class Comparison:
    def __init__(self, options, cases, folder):
        self.options, self.folder = options, folder
        self.servers = servers(cases, options.also)
        self.results = Path(options.results or Path(folder) / "results.jsonl")
        self.runs = []
        if self.results.exists():
            self.runs = [json.loads(line) for line in self.results.read_text().splitlines()]
        self.known = {(r["case"], r["row"], r["run"]) for r in self.runs}

    def measure(self, cases):
        """Takes the runs that are not in the results."""
        try:
            # First the cases during which only one server may run.
            for how, take in [("start", self.cold_start), ("fresh", self.fresh),
                              ("beside", self.beside), ("running", self.running)]:
                todo = [c for c in cases if c.how == how]
                if self.missing(todo):
                    take(todo)
                for server in self.servers.values():
                    server.stop()
        finally:
            for server in self.servers.values():
                server.stop()

    def missing(self, cases):
        """The missing runs in their order; within a run the servers take turns.

        Every second run takes the servers in reverse, so that none is always the first.
        """
        return [
            (run, case, row)
            for run in range(1, self.options.runs + 1)
            for case in cases
            for row in case.rows[::1 if run % 2 else -1]
            if (case.name, row.name, run) not in self.known
        ]

    def cold_start(self, cases):
        for run, case, row in self.missing(cases):
            server = self.servers[row.server]
            server.provision(self.folder)
            self.rig(run, case, row, "--start", server.command)

    def fresh(self, cases):
        for run, case, row in self.missing(cases):
            server = self.servers[row.server]
            server.provision(self.folder)
            server.start()
            self.rig(run, case, row)
            server.stop()

    def beside(self, cases):
        for run, case, row in self.missing(cases):
            server = self.servers[row.server]
            server.provision(self.folder)
            server.start()
            if not row.beside:
                self.rig(run, case, row)
                continue
            args = ["idle", "--addr", f"127.0.0.1:{server.port}", "--limit", "1000000"]
            args += ["--clients", str(row.beside), "--first", str(2 * PAIRS), "--secs", "1000000"]
            idle = subprocess.Popen([XMPPLOAD, *args], stderr=subprocess.PIPE, text=True)
            told = idle.stderr.readline()
            if told.startswith("opened"):
                server.settle()
                self.rig(run, case, row)
            else:
                self.keep(run, case, row, {"failed": told.strip()})
            idle.kill()
            idle.wait()
            server.settle()

    def running(self, cases):
        todo = self.missing(cases)
        used = dict.fromkeys(row.server for _, _, row in todo)
        for name in used:
            self.servers[name].provision(self.folder)
        for name in used:
            self.servers[name].start()
        for run, case, row in todo:
            self.servers[row.server].start()
            self.rig(run, case, row)

    def rig(self, run, case, row, *more):
        server = self.servers[row.server]
        args = [*shlex.split(row.args), "--addr", f"127.0.0.1:{server.port}"]
        args += ["--secs", str(self.options.secs), "--limit", "1200", *more]
        if server.pid:
            args += ["--pid", str(server.pid)]
        done = subprocess.run([XMPPLOAD, *args], capture_output=True, text=True)
        if done.returncode:
            result = {"failed": done.stderr.strip().splitlines()[-1]}
        else:
            result = json.loads(done.stdout)
        if server.pid and not server.is_running():
            result, server.pid = {"failed": "the server died"}, None
        self.keep(run, case, row, result)
        server.settle()

    def keep(self, run, case, row, result):
        result = {"case": case.name, "row": row.name, "run": run, **result}
        self.runs.append(result)
        with self.results.open("a") as file:
            print(json.dumps(result), file=file)
        figures = [result.get("failed")] if "failed" in result else [
            f"{m.title.lower()} {m.show(result)}" for m in case.metrics]
        problem = report.problem(result)
        say(f"run {run}, {case.name}, {row.name}: {', '.join(figures)}"
            + (f" NOT VALID: {problem}" if problem and "failed" not in result else ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each case (5)")
    parser.add_argument("--secs", type=float, default=10, help="seconds of each run (10)")
    parser.add_argument("--only", nargs="+", metavar="CASE", choices=[c.name for c in CASES],
                        help=" ".join(c.name for c in CASES))
    parser.add_argument("--servers", nargs="+", metavar="SERVER", choices=KINDS,
                        help="runs only these servers: " + " ".join(KINDS))
    parser.add_argument("--also", metavar="BINARY", type=Path,
                        help="a second Spondee, whose runs alternate with those of this one")
    parser.add_argument("--out", type=Path,
                        help="the file of the report; the default is docs/performance.md if all cases "
                        "and servers run without --also, and otherwise none")
    parser.add_argument("--results", metavar="FILE",
                        help="keeps the figures of each run; runs in the file are not repeated")
    options = parser.parse_args()
    if options.also:
        options.also = str(options.also.resolve())
        if not os.access(options.also, os.X_OK):
            parser.error(f"{options.also} is not a program")
    elif options.servers and "also" in options.servers:
        parser.error("--servers also needs --also BINARY")
    cases = chosen(options)
    if not cases:
        parser.error("none of these cases has one of these servers")
    if not (options.only or options.servers or options.also):
        options.out = options.out or REPO / "docs" / "performance.md"
    packages = [p for p, binary, name in [("spondee", SPONDEE, "SPONDEE"),
                                          ("spondee-load", XMPPLOAD, "XMPPLOAD")]
                if name not in os.environ]
    if packages:
        build = ["cargo", "build", "--release", *(f"--package={p}" for p in packages)]
        subprocess.run(build, cwd=REPO, check=True)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(options, cases, folder)
        comparison.measure(cases)
    by_row = defaultdict(list)
    for result in comparison.runs:
        by_row[result["case"], result["row"]].append(result)
    summed = report.sum_up(cases, by_row)
    if options.out:
        report.write(options.out, cases, summed, report.machine(SPONDEE, REPO), options)
        say(f"wrote {options.out}")
    else:
        print(report.brief(cases, summed), end="")
    if options.also:
        print(report.against(cases, summed), end="")


if __name__ == "__main__":
    main()
