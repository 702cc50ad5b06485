"""The report: medians, ratios, targets and plots."""

import datetime
import os
import platform
import re
import subprocess
from collections import defaultdict
from html import escape
from pathlib import Path
from statistics import median

from cases import ALSO, GROUPS, LEFT_OUT, short

# A run is noisy if the hypervisor and other processes took more of one processor, in percent.
NOISY_PCT = 15


def problem(result):
    """Why a run is not valid; empty if it is valid."""
    if "failed" in result:
        return result["failed"]
    counts = [(result.get(k), k) for k in ("errors", "lost", "duplicated", "disordered")]
    return ", ".join(f"{n} {k}" for n, k in counts if n)


class Row:
    """The runs of one row."""

    def __init__(self, runs):
        self.invalid = [r for r in runs if problem(r)]
        self.valid = [r for r in runs if not problem(r)]
        # A run without operations measures memory, which noise does not change.
        self.noisy = [r for r in self.valid
                      if r.get("ops") and r["stolen_pct"] + r["others_pct"] > NOISY_PCT]
        # Noisy runs count only if there are no others.
        self.used = [r for r in self.valid if r not in self.noisy] or self.valid

    def values(self, metric):
        return [v for r in self.used if (v := metric.value(r)) is not None]

    def median(self, metric):
        values = self.values(metric)
        return median(values) if values else None

    def cell(self, metric):
        values = self.values(metric)
        if not values:
            return "–"
        spread = f" ({short(min(values))}–{short(max(values))})" if len(values) > 1 else ""
        return f"{self.mark()}{short(median(values))}{spread}"

    def mark(self):
        return "~ " if self.noisy and self.used == self.noisy else ""

    def count(self):
        return ", ".join(
            [str(len(self.used))]
            + [f"{len(rows)} {what}" for rows, what in
               [([] if self.used == self.noisy else self.noisy, "noisy left out"),
                (self.invalid, "not valid")] if rows])


class Judged:
    """A target and the measured value."""

    def __init__(self, case, target, rows):
        self.case, self.target = case, target
        self.metric = target.metric or case.metrics[0]
        row = rows.get(target.row)
        self.value, self.mark = (row.median(self.metric), row.mark()) if row else (None, "")
        found = [v for name in target.than
                 if name in rows and (v := rows[name].median(self.metric)) is not None]
        self.than = (max if target.at_least else min)(found) if found else None
        self.limit = target.limit or (self.than and self.than * target.factor)

    def cells(self):
        bound = "at least " if self.target.at_least else "at most "
        if self.value is None or not self.limit:
            return [bound + self.target.text, "–", "not measured"]
        ratio = self.value / self.than if self.than else None
        told = f"{self.mark}{short(self.value)} {self.metric.unit}"
        if ratio:
            told += f", {'1/' + short(1 / ratio) if ratio < 0.5 else short(ratio) + ' ×'}"
        met = self.value >= self.limit if self.target.at_least else self.value <= self.limit
        return [bound + self.target.text, told, "met" if met else "**missed**"]


def table(head, rows):
    lines = [head, ["---"] + ["---"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def sum_up(cases, by_row):
    return {
        case.name: {row.name: Row(by_row[case.name, row.name]) for row in case.rows
                    if by_row[case.name, row.name]}
        for case in cases
    }


def brief(cases, summed):
    """The tables of the cases, without targets and plots."""
    return "\n".join(f"`{c.name}`: {c.title}.\n\n{case_table(c, summed[c.name])}" for c in cases)


def against(cases, summed):
    """Compares this Spondee with the second one."""
    lines = []
    for case in cases:
        rows = summed[case.name]
        for name in (name for name in rows if name + ALSO in rows):
            now, also = rows[name], rows[name + ALSO]
            for metric in case.metrics:
                values = now.median(metric), also.median(metric)
                ratio = f"{values[0] / values[1]:.3f}" if all(values) else "–"
                lines.append([case.name, name, f"{metric.title}, {metric.unit}",
                              now.cell(metric), also.cell(metric), ratio])
    return "\n" + table(["Case", "", "", "now", "also", "now/also"], lines)


def write(out, cases, summed, machine, options):
    judged = {c.name: [Judged(c, t, summed[c.name]) for t in c.targets] for c in cases}
    text = [
        "# Performance\n",
        "`tests/load/compare.py` writes this page; [tests/load](../tests/load/README.md) describes "
        "the rig.\n",
        "## Targets\n",
        table(["Case", "Target", "Spondee", ""],
              [[f"[{c.name}](#{anchor(group(c))})", *j.cells()]
               for c in cases for j in judged[c.name]]),
    ]
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, members) in GROUPS.items():
        names = {c.name for c in members}
        members = [c for c in cases if c.name in names and summed[c.name]]
        if not members:
            continue
        (folder / f"{name}.svg").write_text(plot(members, summed, judged))
        text += [f"## {title}\n", f"![{title}]({folder.name}/{name}.svg)\n"]
        for case in members:
            text += [f"`{case.name}`: {case.title}.\n", case_table(case, summed[case.name])]
    text += [(Path(__file__).parent / "floors.md").read_text()]
    text += [method(options, machine), remarks(cases, summed)]
    out.write_text("\n".join(text))


def group(case):
    return next(title for title, members in GROUPS.values()
                if case.name in (c.name for c in members))


def anchor(title):
    return title.lower().replace(" ", "-")


def case_table(case, rows):
    head = [""] + [f"{m.title}, {m.unit}" for m in case.metrics] + ["Runs"]
    return table(head, [
        [name, *(row.cell(m) for m in case.metrics), row.count()] for name, row in rows.items()])


def method(options, machine):
    return f"""## Method

Each figure is the median of {options.runs} runs of {options.secs:g} seconds, after two seconds of
warm-up; the lowest and the highest run are in parentheses. CPU is the user and system time of all
threads of the server's process, divided by the number of operations. The servers take turns, run by
run, and a server that is not measured is idle. Memory is measured on a server just started, while no
other server runs. The load is closed: a sender waits for its messages to arrive. The better server is
the best of Prosody with its default collector, Prosody with the generational collector, and ejabberd.

All servers have the same kind of certificate (P-256) and the same accounts, whose passwords are stored
as SCRAM-SHA-1 keys, with 10,000 iterations in Spondee and Prosody, and ejabberd's default of 4096. The
iterations are the client's work. No rate limit is reached. The configurations are those of
`tests/load/peers`: Prosody and ejabberd load message carbons and stream management, which no client here
enables. The relay looks up the receiver of each line of 200 bytes and forwards the line, without
XML, addresses or TLS: the least that a router must do. The bare server only logs clients in, with
Spondee's TLS and one password in memory.

A run is not valid and does not count if a message was lost, duplicated or disordered, or if an error
occurred. A run is noisy and does not count if the hypervisor and other processes took more than
{NOISY_PCT} % of a processor. If all runs of a figure are noisy, it is marked with ~.

{table(["", ""], machine)}"""


def remarks(cases, summed):
    lines = ["## Left out\n", *(f"- {line}" for line in LEFT_OUT)]
    for case in cases:
        for name, row in summed[case.name].items():
            if not row.used and row.invalid:
                lines.append(f"- {name} at `{case.name}`: {problem(row.invalid[0])}.")
    invalid = [f"- `{case.name}`, {name}, run {r['run']}: {problem(r)}."
               for case in cases for name, row in summed[case.name].items() for r in row.invalid]
    if invalid:
        lines += ["", "## Runs that are not valid\n", *invalid]
    return "\n".join(lines) + "\n"


def machine(spondee, repo):
    """The machine and the versions, as rows of a table."""
    def told(*command):
        done = subprocess.run(command, capture_output=True, text=True, cwd=repo)
        return done.stdout.strip() if done.returncode == 0 else "unknown"

    cpus = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    kind = ", virtual" if re.search(r"^flags.*\bhypervisor\b", cpus, re.M) else ""
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1])
    versions = [(p, told("dpkg-query", "-W", "-f", "${Version}", q)) for p, q in
                [("Prosody", "prosody"), ("Lua", "lua5.4"), ("ejabberd", "ejabberd"),
                 ("Erlang", "erlang-base")]]
    commit = told("git", "describe", "--always", "--dirty", "--exclude=*")
    return [
        ["Machine", f"{os.cpu_count()} processors ({model[1] if model else 'unknown'}{kind}), "
                    f"{memory / 2**20:.0f} GiB, shared with the rig"],
        ["System", f"{platform.freedesktop_os_release()['PRETTY_NAME']}, "
                   f"Linux {platform.release()}"],
        ["Spondee", f"{told(spondee, '--version').split()[-1]}, commit {commit}, "
                    f"{told('rustc', '--version').partition(' (')[0]}"],
        ["Others", ", ".join(f"{p} {version}" for p, version in versions)],
        ["Date", datetime.date.today().isoformat()],
    ]


# Plots

WIDTH, LABEL, BAR, LINE = 760, 190, 450, 24


def plot(cases, summed, judged):
    """Horizontal bars of the medians, a panel for each case, with the runs' spread."""
    parts, y = [], 12
    for case in cases:
        metric, rows = case.metrics[0], summed[case.name]
        rows = {r: rows[r.name] for r in case.rows if r.name in rows and rows[r.name].used}
        limits = defaultdict(list)
        for j in judged[case.name]:
            if j.metric == metric and j.limit:
                limits[j.target.row].append(j.limit)
        most = max([max(row.values(metric)) for row in rows.values()] + [1e-9])
        x = lambda value: LABEL + value / most * BAR
        parts.append(f'<text x="12" y="{y + 12}" font-weight="bold">{case.name}: '
                     f'{escape(metric.title)}, {escape(metric.unit)}</text>')
        y += LINE
        for line, row in rows.items():
            values, middle = row.values(metric), row.median(metric)
            marks = [limit for limit in limits[line.name] if limit <= most]
            colour = "#2a78b8" if line.server.startswith("Spondee") else "#b9bfc6"
            parts += [
                f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(line.name)}</text>',
                f'<rect x="{LABEL}" y="{y}" width="{x(middle) - LABEL:.1f}" height="16" '
                f'fill="{colour}"/>',
                f'<path d="M{x(min(values)):.1f} {y + 8}H{x(max(values)):.1f}" stroke="#222"/>',
                f'<text x="{x(max(values + marks)) + 8:.1f}" y="{y + 12}">{short(middle)}</text>',
                *(f'<path d="M{x(mark):.1f} {y - 3}v22" stroke="#d0342c" stroke-width="2"/>'
                  for mark in marks),
            ]
            y += LINE
        y += 12
    parts.append(f'<text x="12" y="{y + 8}" fill="#666">line: lowest to highest run; red: '
                 'targets</text>')
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 20}" '
            'font-family="sans-serif" font-size="13">')
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>\n"])
